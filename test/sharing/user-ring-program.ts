import assert from "node:assert/strict";
import { Assembler, type Bpf, type UserRingBuf, u64 } from "mapiary";
import type { ProgTestRunOptions } from "../../src/sys/prog-commands.ts";
import { functionInfo } from "../programs/functions.ts";

/** A program that reads all records, and adds up their numbers. */
export interface Reader {
  /** What `bpf_user_ringbuf_drain` answers. */
  drain(): number;
  readonly sum: bigint;
  close(): void;
}

/** The slot at which the callback begins. */
const CALLBACK = 8;
const NO_PACKET = new Uint8Array(64);

/** Loads the program; `holds` has it print a line for each record before it adds. */
export function loadReader(bpf: Bpf, ring: UserRingBuf<unknown>, holds = false): Reader {
  const sum = bpf.createMap({ type: "array", value: u64, maxEntries: 1, flags: ["mmapable"] });
  const assembler = new Assembler()
    .loadMap("r1", ring)
    .loadFunction("r2", "onRecord")
    .mov("r3", 0)
    .mov("r4", 0)
    .call("bpf_user_ringbuf_drain")
    .exit()
    .label("onRecord")
    .mov("r3", "r1")
    .mov("r1", "r10")
    .add("r1", -8)
    .mov("r2", 8)
    .mov("r4", 0)
    .mov("r5", 0)
    .call("bpf_dynptr_read");
  if (holds) {
    assembler
      .store("u64", "r10", -16, "!".charCodeAt(0))
      .mov("r1", "r10")
      .add("r1", -16)
      .mov("r2", 2)
      .call("bpf_trace_printk");
  }
  const instructions = assembler
    .loadMapValue("r6", sum)
    .load("u64", "r7", "r6", 0)
    .load("u64", "r8", "r10", -8)
    .add("r7", "r8")
    .store("u64", "r6", 0, "r7")
    .mov("r0", 0)
    .exit()
    .assemble();
  const { sys } = bpf;
  const functions = functionInfo(sys, [0, CALLBACK]);
  const fd = sys.progLoad({ type: "xdp", name: "read", license: "GPL", insns: instructions, ...functions });
  assert(fd >= 0, `the program is refused with ${fd}`);
  return {
    drain() {
      const run: ProgTestRunOptions = { dataIn: NO_PACKET };
      assert.equal(sys.progTestRun(fd, run), 0);
      return (run.retval as number) | 0;
    },
    get sum() {
      return sum.get(0) ?? 0n;
    },
    close() {
      sys.close(fd);
      sys.close(functions.progBtfFd as number);
      sum.close();
    },
  };
}
