/** Run by privileges.test.ts in a process of its own: gives up a privilege or a limit, then tells how it was refused. */
import { spawnSync } from "node:child_process";
import { BpfError, u32, u64 } from "mapiary";
import { linux } from "mapiary/linux";

const NOBODY = 65534;

const bpf = linux();
const hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 4 });

const TASKS: Readonly<Record<string, () => unknown>> = {
  map() {
    process.setuid?.(NOBODY);
    bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4 });
  },
  zero_seed() {
    process.setuid?.(NOBODY);
    bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4, flags: ["zero_seed"] });
  },
  id() {
    process.setuid?.(NOBODY);
    bpf.mapById(hits.id);
  },
  frozen() {
    hits.freeze();
    process.setuid?.(NOBODY);
    hits.set(1, 1n);
  },
  files() {
    const limit = spawnSync("prlimit", ["--pid", String(process.pid), "--nofile=64:64"], { encoding: "utf8" });
    if (limit.status !== 0) throw new Error(limit.stderr);
    const maps: Disposable[] = [];
    for (;;) maps.push(bpf.createMap({ type: "array", value: u32, maxEntries: 1 }));
  },
};

function refusal(): { code: string; message: string } {
  try {
    TASKS[process.argv[2] ?? ""]?.();
  } catch (error) {
    if (error instanceof BpfError) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: "none", message: "" };
}

process.stdout.write(JSON.stringify(refusal()));
