/** The BTF that Linux wants of programs with callbacks and with tail calls in functions: that each function returns an int. */
import assert from "node:assert/strict";
import { BtfBuilder } from "mapiary";
import type { ProgLoadOptions } from "../../src/sys/prog-commands.ts";
import type { Sys } from "../../src/sys/sys.ts";

const FUNC_INFO_SIZE = 8;

/** Loads the BTF of functions that begin at some slots, the first of them at 0, and answers what BPF_PROG_LOAD takes. */
export function functionInfo(sys: Sys, starts: readonly number[]): Partial<ProgLoadOptions> {
  const builder = new BtfBuilder();
  const int = builder.add({ kind: "int", name: "int", size: 4, isSigned: true });
  const word = builder.add({ kind: "int", name: "unsigned long", size: 8 });
  const params = ["a", "b", "c", "d"].map((name) => ({ name, type: word }));
  const records = new Uint32Array(starts.length * 2);
  starts.forEach((start, index) => {
    const proto = builder.add({ kind: "func_proto", type: int, params: index === 0 ? [] : params });
    const func = builder.add({ kind: "func", name: `function${index}`, type: proto, linkage: "static" });
    records.set([start, func], index * 2);
  });
  const progBtfFd = sys.btfLoad(builder.encode());
  assert.ok(progBtfFd >= 0, `the BTF is refused with ${progBtfFd}`);
  return { progBtfFd, funcInfo: new Uint8Array(records.buffer), funcInfoRecSize: FUNC_INFO_SIZE };
}
