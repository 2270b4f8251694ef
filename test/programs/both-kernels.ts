/** The same program on the embedded kernel and on Linux. */
import assert from "node:assert/strict";
import { type Assembler, embedded, type Instruction, type ProgTypeName } from "mapiary";
import { linux } from "mapiary/linux";
import { Assembler as Code } from "../../src/isa/assembler.ts";
import type { MapCreateOptions } from "../../src/sys/map-commands.ts";
import type { Sys } from "../../src/sys/sys.ts";

/** A program, what it works on, and how it is run. */
export interface Trial {
  readonly type?: ProgTypeName;
  readonly flags?: number;
  readonly maps?: readonly MapCreateOptions[];
  readonly code: (code: Assembler, maps: readonly number[]) => Assembler;
  /** Is called when the maps are there, before the program is loaded. */
  readonly prepare?: (sys: Sys, maps: readonly number[]) => void;
  readonly data?: Uint8Array;
  readonly ctx?: Uint8Array;
}

/** What came of a program. */
export interface Outcome {
  readonly result: number;
  readonly retval: number;
  readonly data: string;
  readonly ctx: string;
  /** What is in its maps that have elements. */
  readonly maps: readonly string[];
}

const ROOM = 80_000;

/** Runs a program once on one kernel. */
function outcomeOn(sys: Sys, trial: Trial): Outcome {
  const maps = (trial.maps ?? []).map((options) => opened(sys.mapCreate(options), "a map"));
  trial.prepare?.(sys, maps);
  const insns: Instruction[] = trial.code(new Code(), maps).assemble();
  const logBuf = new Uint8Array(65_536);
  const type = trial.type ?? "socket_filter";
  const fd = sys.progLoad({ type, insns, license: "GPL", flags: trial.flags, logBuf, logLevel: 1 });
  const log = new TextDecoder().decode(logBuf.subarray(0, logBuf.indexOf(0)));
  opened(fd, `the program: ${log}`);
  const takesPackets = type !== "raw_tracepoint" && type !== "syscall";
  const dataIn = takesPackets ? (trial.data ?? countingBytes(64)) : undefined;
  const dataOut = takesPackets ? new Uint8Array(ROOM) : undefined;
  const ctxOut = takesPackets && trial.ctx !== undefined ? new Uint8Array(256) : undefined;
  const run = { dataIn, dataOut, ctxIn: trial.ctx, ctxOut, retval: 0, dataSizeOut: 0, ctxSizeOut: 0 };
  const result = sys.progTestRun(fd, run);
  const contents = maps.map((map, index) => contentOf(sys, map, trial.maps?.[index] as MapCreateOptions));
  for (const each of [fd, ...maps]) sys.close(each);
  return {
    result,
    retval: run.retval | 0,
    data: hex(dataOut?.subarray(0, run.dataSizeOut)),
    ctx: hex(ctxOut?.subarray(0, run.ctxSizeOut)),
    maps: contents,
  };
}

/** Runs programs on both kernels, and expects the same of both. */
export function expectSame(trials: ReadonlyMap<string, Trial>): void {
  using bpf = linux();
  using own = embedded();
  const differences = [...trials].flatMap(([name, trial]) => {
    const outcome = JSON.stringify(outcomeOn(own.sys, trial));
    const expected = JSON.stringify(outcomeOn(bpf.sys, trial));
    return outcome === expected ? [] : [`${name}: ${outcome}, on Linux ${expected}`];
  });
  assert.deepEqual(differences, []);
}

/** Bytes that tell where they are from: 1, 2, 3 … */
export function countingBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index + 1);
}

function opened(fd: number, what: string): number {
  assert.ok(fd >= 0, `${what} is refused with ${fd}`);
  return fd;
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("hex");
}

/** Keys and values in the order of the keys: that of a hash differs from map to map. */
function contentOf(sys: Sys, map: number, { keySize = 0, valueSize = 0, type }: MapCreateOptions): string {
  if (keySize === 0 || valueSize === 0 || /percpu|of_maps|prog_array|map$|events/.test(`${type}`)) return "";
  const entries: string[] = [];
  const key = new Uint8Array(keySize);
  const value = new Uint8Array(valueSize);
  for (let result = sys.mapGetNextKey(map, null, key); result === 0; result = sys.mapGetNextKey(map, key, key)) {
    if (sys.mapLookupElem(map, key, value) === 0) entries.push(`${hex(key)}=${hex(value)}`);
  }
  return entries.sort().join(" ");
}
