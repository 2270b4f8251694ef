/** Run by privileges.test.ts in a process that lacks a privilege or gives it up: tells how it is refused. */
import { BpfError, u32, u64 } from "mapiary";
import { BPF_MAP_CREATE } from "../../src/abi/commands.ts";
import { Bpf } from "../../src/bpf.ts";
import { LinuxKernel } from "../../src/kernel/linux/linux-kernel.ts";

const NOBODY = 65534;

const kernel = new LinuxKernel();
const bpf = new Bpf(kernel);
const { sys } = bpf;
const hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 4 });

const TASKS: Readonly<Record<string, () => unknown>> = {
  map() {
    process.setuid?.(NOBODY);
    bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4 });
  },
  zero_seed() {
    bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4, flags: ["zero_seed"] });
  },
  sockmap() {
    const create = { type: "sockmap", keySize: 4, valueSize: 4, maxEntries: 4 } as const;
    const errno = sys.mapCreate(create);
    if (errno < 0) throw new BpfError({ kernel, sys, command: BPF_MAP_CREATE, errno, create });
  },
  id() {
    bpf.mapById(hits.id);
  },
  frozen() {
    hits.freeze();
    hits.set(1, 1n);
  },
  files() {
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
