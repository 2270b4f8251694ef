/**
 * Reads so many changed BTFs from a seed on, in a process of its own whose memory can be measured, and tells what that
 * took: `mutated-process.ts RUNS SEED`.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Btf, BtfError, embedded, layoutOfType } from "mapiary";
import { ElfFile } from "../../src/program/elf.ts";
import { mutate, Random } from "../differential/mutated-btf.ts";
import { valueTypes } from "../differential/value-types.ts";
import { everyKind } from "./every-kind.ts";

/** What reading took. */
export interface Reading {
  /** How many were read, and how many the embedded kernel loaded. */
  readonly read: number;
  readonly loaded: number;
  /** The most memory that the process had beyond what it had after a few. */
  readonly bytes: number;
  /** The most types that were looked at for one, and the most CPU time that one took, in milliseconds. */
  readonly looks: number;
  readonly milliseconds: number;
}

/** After so many, code is compiled and buffers are as large as they will be. */
const WARM = 300;
const EXAMPLE = join(import.meta.dirname, "../../examples/programs/xdp-counter.bpf.o");

let looks = 0;
const { type } = Btf.prototype;
Btf.prototype.type = function (id) {
  looks++;
  return type.call(this, id);
};

/** Asks everything that can be asked of BTF; an error of it is what is wrong with the BTF, or with one of its types. */
function readAll(bytes: Uint8Array): boolean {
  let btf: Btf;
  try {
    btf = new Btf(bytes);
  } catch (error) {
    assert.ok(error instanceof BtfError, String(error));
    return false;
  }
  for (const [id] of btf.types()) {
    for (const ask of [() => btf.sizeOf(id), () => btf.alignOf(id), () => layoutOfType(btf, id)]) {
      try {
        ask();
      } catch (error) {
        const isSaid = error instanceof BtfError || error instanceof RangeError || error instanceof TypeError;
        assert.ok(isSaid && !/call stack/.test(error.message), String(error));
      }
    }
  }
  return true;
}

/** The most memory that the process ever had. */
function peak(): number {
  return process.resourceUsage().maxRSS * 1024;
}

function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function readMany(runs: number, seed: number): Reading {
  const compiled = new Uint8Array(new ElfFile(readFileSync(EXAMPLE)).section(".BTF")?.data ?? []);
  const sources = [everyKind(), everyKind({ littleEndian: false }), valueTypes().bytes, compiled];
  const { sys } = embedded({ maxMemory: 2 ** 24 });
  const counts = { read: 0, loaded: 0 };
  const most = { looks: 0, milliseconds: 0 };
  let before = 0;
  for (let run = 0; run < WARM + runs; run++) {
    if (run === WARM) before = peak();
    const source = sources[run % sources.length] as Uint8Array;
    const bytes = mutate(source, new Random(seed + run));
    const start = cpuMilliseconds();
    looks = 0;
    if (readAll(bytes)) counts.read++;
    const fd = sys.btfLoad(bytes);
    if (fd >= 0) counts.loaded++;
    if (fd >= 0) sys.close(fd);
    most.looks = Math.max(most.looks, looks);
    if (run >= WARM) most.milliseconds = Math.max(most.milliseconds, cpuMilliseconds() - start);
  }
  return { ...counts, ...most, bytes: peak() - before };
}

const [runs = 0, seed = 0] = process.argv.slice(2).map(Number);
console.log(JSON.stringify(readMany(runs, seed)));
