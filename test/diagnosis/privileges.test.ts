/** What a process may not do for want of a privilege or of a limit, tried in processes that have neither. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { onLinux } from "../kernels.ts";

const REFUSED = join(import.meta.dirname, "refused.ts");

/** What a process is told that does a thing after another has taken its means away. */
function told(task: string): { code: string; message: string } {
  const result = spawnSync(process.execPath, [...process.execArgv.filter(isLoader), "--import", "tsx", REFUSED, task], {
    encoding: "utf8",
  });
  assert.equal(result.status, 0, result.stderr);
  return JSON.parse(result.stdout) as { code: string; message: string };
}

function isLoader(argument: string): boolean {
  return argument.startsWith("--experimental");
}

onLinux(() => {
  test("a map without CAP_BPF is EPERM, and the capability is named", (t) => {
    const { code, message } = told("map");
    if (code === "none") return t.skip("kernel.unprivileged_bpf_disabled is 0 here, so anyone may make a hash");
    assert.equal(code, "EPERM");
    assert.match(message, /^BPF_MAP_CREATE: EPERM: this process may not make maps: .*CAP_BPF.*--cap-add BPF\.$/);
  });

  test("zero_seed without CAP_SYS_ADMIN is EPERM, and the flag is named when it alone is to blame", () => {
    const { code, message } = told("zero_seed");
    assert.equal(code, "EPERM");
    assert.match(message, /the flag zero_seed needs CAP_SYS_ADMIN|this process may not make maps/);
  });

  test("a map by its id without CAP_SYS_ADMIN is EPERM, and the capability is named", () => {
    const { code, message } = told("id");
    assert.equal(code, "EPERM");
    assert.match(message, /^BPF_MAP_GET_FD_BY_ID: EPERM: to open a map by its id needs CAP_SYS_ADMIN/);
  });

  test("an update of a frozen map is EPERM, though no other fd can be opened to find out why", () => {
    const { code, message } = told("frozen");
    assert.equal(code, "EPERM");
    assert.match(message, /map hits is frozen, or was opened read-only/);
  });

  test("a map beyond the limit of open files is EMFILE, and the limit is named", () => {
    const { code, message } = told("files");
    assert.equal(code, "EMFILE");
    assert.match(
      message,
      /as many files open as it may: close maps that are not needed, or raise the limit \(ulimit -n\)/,
    );
  });
});
