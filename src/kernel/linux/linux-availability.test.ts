import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { LinuxUnavailableError, linuxAvailability } from "./linux-availability.ts";

const MODULE = JSON.stringify(new URL("linux-availability.ts", import.meta.url).href);
const PRINT = `import(${MODULE}).then((m) => console.log(JSON.stringify(m.linuxAvailability())))`;

/** What this process's Node finds when it is started by another command that takes something away from it. */
function availabilityUnder(command: string, ...args: string[]) {
  const node = [process.execPath, "--import", import.meta.resolve("tsx"), "-e", PRINT];
  const { status, stdout, stderr } = spawnSync(command, [...args, ...node], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as ReturnType<typeof linuxAvailability>;
}

/** Why nothing can be taken away from this process to see what follows. */
function nothingToLose(...command: [string, ...string[]]): string | false {
  if (!linuxAvailability().available) return "Linux is not available here in the first place";
  if (process.getuid?.() !== 0) return "only root can give up its capabilities";
  const [file, ...args] = command;
  return spawnSync(file, [...args, "true"]).status === 0 ? false : `${file} is missing or not allowed here`;
}

const WITHOUT_CAPABILITY = ["setpriv", "--bounding-set=-cap_39,-cap_21", "--inh-caps=-all"] as const;
const IN_USER_NAMESPACE = ["unshare", "--user", "--map-root-user"] as const;

describe("the availability of this machine's Linux", () => {
  test("it is found out without throwing, and the same twice", () => {
    assert.deepEqual(linuxAvailability(), linuxAvailability());
  });

  test("no module of ours loads native code by being imported", () => {
    const script = `import(${MODULE}).then(() => console.log(process.report.getReport().sharedObjects.join(" ")))`;
    const args = ["--import", import.meta.resolve("tsx"), "-e", script];
    const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.doesNotMatch(stdout, /koffi/);
  });

  test("a process without the capability is told so", { skip: nothingToLose(...WITHOUT_CAPABILITY) }, () => {
    const availability = availabilityUnder(...WITHOUT_CAPABILITY);
    assert.ok(!availability.available);
    assert.equal(availability.code, "EPERM");
    assert.match(availability.reason, /lacks CAP_BPF/);
  });

  test("the root of a user namespace is told that it is not the root of the host", {
    skip: nothingToLose(...IN_USER_NAMESPACE),
  }, () => {
    const availability = availabilityUnder(...IN_USER_NAMESPACE);
    assert.ok(!availability.available);
    assert.equal(availability.code, "EPERM");
    assert.match(availability.reason, /user namespace/);
  });

  test("the error carries the code and the reason", () => {
    const error = new LinuxUnavailableError({ available: false, code: "EPERM", reason: "this process lacks CAP_BPF" });
    assert.equal(error.name, "LinuxUnavailableError");
    assert.equal(error.code, "EPERM");
    assert.equal(error.message, "the Linux kernel's maps are not available: this process lacks CAP_BPF");
  });
});
