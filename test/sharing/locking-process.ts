/**
 * A process of two threads that write and read values with locks in a directory of maps, and run programs that do, and that
 * add to a value without a lock: `node locking-process.js DIRECTORY ROUNDS ADDITIONS FIRST`. It ends with a status other than 0 when it meets half of a value.
 */
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { BPF_F_LOCK, embedded, u32, u64 } from "mapiary";
import { loadAdding } from "./adding-program.ts";
import { COUNTED, filled, isWhole, KINDS, loadCounter, MIXED, VALUE_BYTES, WRITTEN } from "./locked-values.ts";

const args = (isMainThread ? process.argv.slice(2) : workerData) as [string, string, string, string];
const [directory, rounds, additions, first] = args;
if (isMainThread) {
  const forThread = [directory, rounds, additions, String(Number(first) + 1)];
  const worker = new Worker(new URL(import.meta.url), { workerData: forThread });
  worker.on("error", fail);
  worker.on("exit", (status) => {
    if (status !== 0) process.exit(status);
  });
}

const bpf = embedded({ bpffs: directory });
const { sys } = bpf;
const value = new Uint8Array(VALUE_BYTES);
for (const kind of KINDS) {
  const fd = sys.objGet(`/sys/fs/bpf/${kind}`);
  const count = loadCounter(bpf, fd);
  for (let round = 0; round < Number(rounds); round++) {
    const mine = filled(Number(first) + 10 * round);
    demand(sys.mapUpdateElem(fd, WRITTEN, mine, BPF_F_LOCK), 0);
    count(COUNTED);
    for (const [key, flags] of [
      [WRITTEN, BPF_F_LOCK],
      [WRITTEN, 0],
      [COUNTED, BPF_F_LOCK],
      [MIXED, BPF_F_LOCK],
    ] as const) {
      demand(sys.mapLookupElem(fd, key, value, flags), 0);
      demandWhole(value);
    }
    if (round % 8 !== 0) continue;
    const all = new Uint8Array(3 * VALUE_BYTES);
    const number = new Uint32Array([3]);
    sys.mapLookupBatch(fd, null, new Uint8Array(4), new Uint8Array(12), all, number, { elemFlags: BPF_F_LOCK });
    demand(number[0] as number, 3);
    for (let at = 0; at < all.length; at += VALUE_BYTES) demandWhole(all.subarray(at, at + VALUE_BYTES));
    demand(sys.mapUpdateBatch(fd, MIXED, mine, new Uint32Array([1]), { elemFlags: BPF_F_LOCK }), 0);
    count(MIXED);
  }
}
using counts = bpf.openMap({ name: "counts" }, { type: "array", key: u32, value: u64 });
loadAdding(bpf, counts).run({ data: new Uint8Array(64), repeat: Number(additions) });
bpf.close();

function demand(found: number, wanted: number): void {
  if (found !== wanted) fail(new Error(`${found} instead of ${wanted}`));
}

function demandWhole(found: Uint8Array): void {
  if (!isWhole(found)) fail(new Error(`half of a value: ${new Uint32Array(found.slice().buffer)}`));
}

function fail(error: Error): never {
  console.error(error);
  process.exit(3);
}
