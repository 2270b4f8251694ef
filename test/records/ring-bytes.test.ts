/** The bytes of a ring buffer as user space maps them: positions, headers and data. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Assembler, type Bpf } from "mapiary";
import { PROT_READ, PROT_WRITE } from "../../src/abi/mman.ts";
import { Seam } from "../conformance/seam.ts";
import { onEveryKernel } from "../kernels.ts";

const PAGE = 4096;
const NO_PACKET = new Uint8Array(64);
const [FIRST, SECOND] = [0x1111_1111, 0x2222_2222];

/**
 * A program that writes, in this order: a record of 12 bytes that is submitted, one of 5 that is discarded, and one of 8 by
 * bpf_ringbuf_output. All are reserved before the first is given back.
 */
function load(bpf: Bpf, fd: number): () => void {
  const ring = { fd };
  const assembler = new Assembler().store("u64", "r10", -8, SECOND);
  for (const [register, size] of [
    ["r6", 12],
    ["r7", 5],
  ] as const) {
    assembler.loadMap("r1", ring).mov("r2", size).mov("r3", 0).call("bpf_ringbuf_reserve").mov(register, "r0");
  }
  const instructions = assembler
    .loadMap("r1", ring)
    .mov("r2", "r10")
    .add("r2", -8)
    .mov("r3", 8)
    .mov("r4", 0)
    .call("bpf_ringbuf_output")
    .jeq("r7", 0, "first")
    .store("u32", "r7", 0, FIRST)
    .mov("r1", "r7")
    .mov("r2", 0)
    .call("bpf_ringbuf_discard")
    .label("first")
    .jeq("r6", 0, "done")
    .store("u64", "r6", 0, FIRST)
    .store("u32", "r6", 8, FIRST)
    .mov("r1", "r6")
    .mov("r2", 0)
    .call("bpf_ringbuf_submit")
    .label("done")
    .mov("r0", 0)
    .exit()
    .assemble();
  const program = bpf.loadProgram({ type: "xdp", name: "bytes", license: "GPL", instructions });
  return () => void program.run({ data: NO_PACKET });
}

onEveryKernel((kernel) => {
  describe("the memory of a ringbuf", () => {
    test("has two positions, and records behind headers with their length and page", () => {
      using seam = new Seam(kernel);
      const { bpf } = seam;
      const fd = bpf.sys.mapCreate({ type: "ringbuf", maxEntries: PAGE });
      const consumer = seam.kernel.mmap(fd, PAGE, PROT_READ | PROT_WRITE, 0);
      const producer = seam.kernel.mmap(fd, 3 * PAGE, PROT_READ, PAGE);
      const { u32, u64 } = seam.kernel.memory;
      const run = load(bpf, fd);
      run();
      const ROOM = 24 + 16 + 16;
      assert.deepEqual([u64[consumer / 8], u64[producer / 8]], [0n, BigInt(ROOM)]);
      const words = (at: number, count: number): number[] => [
        ...u32.subarray((producer + PAGE + at) / 4, (producer + PAGE + at) / 4 + count),
      ];
      const DISCARDED = 0x4000_0000;
      assert.deepEqual(words(0, 5), [12, 3, FIRST, 0, FIRST]);
      assert.deepEqual(words(24, 3), [DISCARDED + 5, 3, FIRST]);
      assert.deepEqual(words(40, 4), [8, 3, SECOND, 0]);
      // Until the ring is one record short of being full, and some of it was read.
      const runs = Math.floor((PAGE - 1) / ROOM);
      for (let count = 1; count < runs; count++) run();
      u64[consumer / 8] = BigInt(ROOM);
      run();
      assert.equal(u64[producer / 8], BigInt((runs + 1) * ROOM));
      // The third record of the last run begins before the end of the data, or behind it from the beginning.
      const last = (runs * ROOM + 40) % PAGE;
      assert.deepEqual(words(last, 3), [8, 3 + Math.floor(last / PAGE), SECOND]);
      seam.kernel.munmap(consumer, PAGE);
      seam.kernel.munmap(producer, 3 * PAGE);
    });
  });
});
