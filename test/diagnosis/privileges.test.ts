/** What a process may not do for want of a privilege or of a limit, tried in processes that have neither. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { onLinux } from "../kernels.ts";

const REFUSED = fileURLToPath(import.meta.resolve("./refused.ts"));

/** A command that runs another without some capabilities. */
function lacking(...capabilities: readonly string[]): string[] {
  const dropped = capabilities.map((capability) => `-${capability}`).join();
  return ["setpriv", `--bounding-set=${dropped}`, `--inh-caps=${dropped}`];
}

/** A command that runs another with at most so many open files. */
function withFiles(most: number): string[] {
  return ["sh", "-c", `ulimit -n ${most} && exec "$@"`, "sh"];
}

/** How a process is refused that does a thing under such a command. */
function refusalOf(task: string, under: readonly string[] = []): { code: string; message: string } {
  const [program = "", ...args] = [...under, process.execPath, "--import", "tsx", REFUSED, task];
  const result = spawnSync(program, args, { encoding: "utf8" });
  assert.equal(result.status, 0, result.error?.message ?? result.stderr);
  return JSON.parse(result.stdout) as { code: string; message: string };
}

onLinux(() => {
  test("a map without CAP_BPF is EPERM, and the capability is named", (t) => {
    const { code, message } = refusalOf("map");
    if (code === "none") return t.skip("kernel.unprivileged_bpf_disabled is 0 here, so anyone may make a hash");
    assert.equal(code, "EPERM");
    assert.match(message, /^BPF_MAP_CREATE: EPERM: this process may not make maps: .*CAP_BPF.*--cap-add BPF\.$/);
  });

  test("zero_seed without CAP_SYS_ADMIN is EPERM, and the flag is named", () => {
    const { code, message } = refusalOf("zero_seed", lacking("sys_admin"));
    assert.equal(code, "EPERM");
    assert.match(message, /^BPF_MAP_CREATE: EPERM: the flag zero_seed needs CAP_SYS_ADMIN/);
  });

  test("a socket map without CAP_NET_ADMIN is EPERM, and the capability is named", () => {
    const { code, message } = refusalOf("sockmap", lacking("sys_admin", "net_admin"));
    assert.equal(code, "EPERM");
    assert.match(message, /^BPF_MAP_CREATE: EPERM: this process may not make a sockmap, which needs CAP_NET_ADMIN/);
  });

  test("a map by its id without CAP_SYS_ADMIN is EPERM, and the capability is named", () => {
    const { code, message } = refusalOf("id", lacking("sys_admin"));
    assert.equal(code, "EPERM");
    assert.match(message, /^BPF_MAP_GET_FD_BY_ID: EPERM: to open a map by its id needs CAP_SYS_ADMIN/);
  });

  test("an update of a frozen map is EPERM, though no other fd can be opened to find out why", () => {
    const { code, message } = refusalOf("frozen", lacking("sys_admin"));
    assert.equal(code, "EPERM");
    assert.match(message, /map hits is frozen, or was opened read-only/);
  });

  test("a map beyond the limit of open files is EMFILE, and the limit is named", () => {
    const { code, message } = refusalOf("files", withFiles(100));
    assert.equal(code, "EMFILE");
    assert.match(
      message,
      /as many files open as it may: close maps that are not needed, or raise the limit \(ulimit -n\)/,
    );
  });
});
