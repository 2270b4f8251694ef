/** BPF_PROG_TEST_RUN with every kind of attr: what is refused, and what is answered, is as on Linux. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Assembler, embedded, type ProgTypeName } from "mapiary";
import { linux } from "mapiary/linux";
import type { ProgTestRunOptions } from "../../src/sys/prog-commands.ts";
import type { Sys } from "../../src/sys/sys.ts";
import { onLinux } from "../kernels.ts";
import { countingBytes } from "./both-kernels.ts";

/** A context of `__sk_buff` or `xdp_md`, of the words that are given by their offsets. */
function context(size: number, words: Readonly<Record<number, number>> = {}): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (const [offset, word] of Object.entries(words)) view.setUint32(Number(offset), word, true);
  return bytes;
}

const SLEEPABLE = 16;
const XDP_MD = 24;
const SK_BUFF = 192;
const data = countingBytes;
const out = (length: number): Uint8Array => new Uint8Array(length);

/** Packets of every length at which something changes, for any type that takes packets. */
const LENGTHS = [0, 1, 13, 14, 15, 34, 64, 3520, 3521, 3712, 3713, 4096, 5000, 73_152, 73_153];

const PACKETS: readonly ProgTestRunOptions[] = [
  {},
  ...LENGTHS.map((length) => ({ dataIn: data(length), dataOut: out(80_000) })),
  ...[1, 14, 63, 64, 65].map((length) => ({ dataIn: data(64), dataOut: out(length) })),
  ...[100, 3520, 3600, 4999].map((length) => ({ dataIn: data(5000), dataOut: out(length) })),
  { dataIn: data(64), repeat: 3 },
  ...[1, 8].map((flags) => ({ dataIn: data(64), flags })),
  { dataIn: data(64), cpu: 1 },
  { dataIn: data(64), batchSize: 1 },
];

const XDP_CONTEXTS: readonly ProgTestRunOptions[] = [
  ...[
    context(XDP_MD, { 4: 64 }),
    context(XDP_MD, { 4: 63 }),
    context(XDP_MD),
    context(XDP_MD, { 0: 4, 4: 64 }),
    context(XDP_MD, { 0: 3, 4: 64 }),
    context(XDP_MD, { 0: 48, 4: 64 }),
    context(XDP_MD, { 0: 52, 4: 64 }),
    context(XDP_MD, { 0: 64, 4: 64 }),
    context(XDP_MD, { 0: 4, 4: 17 }),
    context(XDP_MD, { 4: 65 }),
    context(XDP_MD, { 0: 68, 4: 64 }),
    context(XDP_MD, { 4: 64, 8: 1 }),
    context(XDP_MD, { 4: 64, 12: 1 }),
    context(XDP_MD, { 4: 64, 12: 4242 }),
    context(XDP_MD, { 4: 64, 16: 1 }),
    context(XDP_MD, { 4: 64, 12: 1, 16: 5 }),
    context(XDP_MD, { 4: 64, 20: 1 }),
    context(XDP_MD + 8, { 4: 64 }),
    context(XDP_MD + 8, { 4: 64, 24: 1 }),
    context(8, { 4: 64 }),
    context(5000, { 4: 64 }),
  ].map((ctxIn) => ({ dataIn: data(64), ctxIn, dataOut: out(64), ctxOut: out(64) })),
  { dataIn: data(64), ctxIn: context(XDP_MD, { 4: 64 }), ctxOut: out(8) },
  { dataIn: data(64), ctxOut: out(24) },
  ...[212, 216, 220, 256].map((meta) => ({
    dataIn: data(300),
    ctxIn: context(XDP_MD, { 0: meta, 4: 300 }),
    dataOut: out(400),
    ctxOut: out(24),
  })),
  ...[100, 3520, 3521, 5000].map((end) => ({
    dataIn: data(5000),
    ctxIn: context(XDP_MD, { 4: end }),
    dataOut: out(5000),
    ctxOut: out(24),
  })),
];

const SKB_CONTEXTS: readonly ProgTestRunOptions[] = [
  ...[
    context(SK_BUFF),
    ...[0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 64, 68, 72, 76, 80, 84, 88].map((at) =>
      context(SK_BUFF, { [at]: 1 }),
    ),
    ...[100, 132, 140, 144, 152, 160, 164, 168, 176, 180, 184, 188].map((at) => context(SK_BUFF, { [at]: 1 })),
    context(SK_BUFF, { 40: 4242 }),
    context(SK_BUFF, { 160: 63 }),
    context(SK_BUFF, { 160: 64 }),
    context(SK_BUFF, { 160: 65536 }),
    context(SK_BUFF, { 160: 65537 }),
    context(SK_BUFF, { 164: 65535 }),
    context(SK_BUFF, { 164: 65536 }),
    context(SK_BUFF, { 176: 65537 }),
    context(SK_BUFF + 4),
    context(SK_BUFF + 4, { 192: 1 }),
    context(16, { 8: 7 }),
  ].map((ctxIn) => ({ dataIn: data(64), ctxIn, dataOut: out(64), ctxOut: out(200) })),
  { dataIn: data(64), ctxIn: context(SK_BUFF, { 8: 1 }), ctxOut: out(100) },
  { dataIn: data(64), ctxOut: out(192) },
];

const RAW_CONTEXTS: readonly ProgTestRunOptions[] = [
  {},
  ...[8, 16, 96, 97, 100].map((length) => ({ ctxIn: data(length) })),
  { ctxIn: data(16), ctxOut: out(16) },
  { dataIn: data(16), ctxIn: data(16) },
  { ctxIn: data(16), repeat: 2 },
  { ctxIn: data(16), cpu: 1 },
  { ctxIn: data(16), cpu: 0, flags: 1 },
  { ctxIn: data(16), cpu: 100_000, flags: 1 },
  { ctxIn: data(16), batchSize: 1 },
];

function outcome(sys: Sys, fd: number, options: ProgTestRunOptions): string {
  const own = {
    ...options,
    ctxIn: options.ctxIn?.slice(),
    dataOut: options.dataOut?.slice(),
    ctxOut: options.ctxOut?.slice(),
  };
  const result = sys.progTestRun(fd, own);
  const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");
  const sizes = `data ${own.dataSizeOut} context ${own.ctxSizeOut}`;
  return `${result} retval ${own.retval} ${sizes} ${hex(own.dataOut)} ${hex(own.ctxOut)} ${hex(own.ctxIn)}`;
}

function described({ dataIn, dataOut, ctxIn, ctxOut, ...rest }: ProgTestRunOptions): string {
  const lengths = { dataIn: dataIn?.length, dataOut: dataOut?.length, ctxOut: ctxOut?.length };
  const words = [...new Uint32Array(ctxIn?.slice(0, ctxIn.length & ~3).buffer ?? new ArrayBuffer(0))];
  const given = words.flatMap((word, index) => (word === 0 ? [] : [`${index * 4}: ${word}`])).join(", ");
  return JSON.stringify({ ...lengths, ctxIn: ctxIn?.length, given, ...rest });
}

function expectSame(type: ProgTypeName, runs: readonly ProgTestRunOptions[], code: Assembler, flags = 0): void {
  using own = embedded({ possibleCpus: linuxCpus() });
  using bpf = linux();
  const load = (sys: Sys): number => sys.progLoad({ type, insns: code.assemble(), license: "GPL", flags });
  const fds = [load(own.sys), load(bpf.sys)] as const;
  assert.ok(fds[0] >= 0 && fds[1] >= 0, `the program is refused: ${fds}`);
  const differences = runs.flatMap((run) => {
    const [given, expected] = [outcome(own.sys, fds[0], run), outcome(bpf.sys, fds[1], run)];
    return given === expected ? [] : [`${described(run)}: ${given.slice(0, 600)}, on Linux ${expected.slice(0, 600)}`];
  });
  assert.deepEqual(differences, []);
}

function linuxCpus(): number {
  using bpf = linux();
  return bpf.possibleCpus;
}

const returns = (result: number): Assembler => new Assembler().mov("r0", result).exit();

onLinux(() => {
  describe("as on Linux, a test run", () => {
    for (const type of ["xdp", "socket_filter", "sched_cls", "sched_act", "lwt_in", "lwt_out", "cgroup_skb"] as const) {
      test(`of ${type} takes packets`, () => expectSame(type, PACKETS, returns(1)));
    }
    test("of xdp takes a context", () => expectSame("xdp", XDP_CONTEXTS, returns(2)));
    test("of sched_cls takes a context", () => expectSame("sched_cls", SKB_CONTEXTS, returns(0)));
    test("of raw_tracepoint takes a context alone", () => {
      expectSame("raw_tracepoint", RAW_CONTEXTS, new Assembler().load("u64", "r0", "r1", 8).exit());
    });
    test("of syscall gives its context back where it came from", () => {
      const code = new Assembler().load("u64", "r0", "r1", 8).store("u64", "r1", 0, "r0").exit();
      expectSame("syscall", RAW_CONTEXTS, code, SLEEPABLE);
    });
    for (const type of ["kprobe", "tracepoint", "perf_event", "sk_skb", "sk_msg"] as const) {
      test(`of ${type} is refused`, () => expectSame(type, PACKETS.slice(0, 4), returns(1)));
    }
  });
});
