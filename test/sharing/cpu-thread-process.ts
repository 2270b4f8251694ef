/** A thread that counts, by a program, in its own values of maps with a value for each CPU. */
import { parentPort, workerData } from "node:worker_threads";
import { Assembler, embedded, type KernelHandle, u32, u64 } from "mapiary";

const { share, runs, arrived, threads } = workerData as {
  share: KernelHandle;
  runs: number;
  arrived: Int32Array;
  threads: number;
};
using bpf = embedded({ share });
// A thread that has ended is no CPU any more: all must be there at once.
Atomics.add(arrived, 0, 1);
while (Atomics.load(arrived, 0) < threads) Atomics.wait(arrived, 0, Atomics.load(arrived, 0), 1);
using array = bpf.openMap({ name: "array" }, { type: "percpu_array", key: u32, value: u64 });
using hash = bpf.openMap({ name: "hash" }, { type: "percpu_hash", key: u32, value: u64 });
const assembler = new Assembler().store("u32", "r10", -4, 0);
for (const map of [array, hash]) {
  assembler
    .loadMap("r1", map)
    .mov("r2", "r10")
    .add("r2", -4)
    .call("bpf_map_lookup_elem")
    .jeq("r0", 0, "none")
    .load("u64", "r1", "r0", 0)
    .add("r1", 1)
    .store("u64", "r0", 0, "r1");
}
const instructions = assembler.call("bpf_get_smp_processor_id").exit().label("none").mov("r0", -1).exit().assemble();
using program = bpf.loadProgram({ type: "xdp", name: "count", instructions });
const { retval } = program.run({ data: new Uint8Array(64), repeat: runs });
parentPort?.postMessage(retval);
