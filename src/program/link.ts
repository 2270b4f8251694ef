import type { BtfBuilder } from "../btf/btf-builder.ts";
import type { BtfExt, FunctionInfo, LineInfo, SectionInfo } from "../btf/btf-ext.ts";
import { INSTRUCTION_SIZE, type Instruction } from "../isa/instruction.ts";
import type { FunctionCode } from "./functions.ts";
import type { RelocatedFunction } from "./relocate.ts";

/** A program with all that it calls, as a kernel takes it. */
export interface LinkedProgram {
  readonly instructions: readonly Instruction[];
  /** The functions, and the slots at which they begin. The program itself is the first. */
  readonly functions: readonly { readonly code: FunctionCode; readonly start: number }[];
}

/** Puts the functions that a program calls, and those that they call, behind it. */
export function link(program: FunctionCode, relocated: (code: FunctionCode) => RelocatedFunction): LinkedProgram {
  const functions = [{ code: program, start: 0 }];
  const starts = new Map([[program, 0]]);
  const parts: RelocatedFunction[] = [];
  let length = program.instructions.length;
  for (const { code } of functions) {
    const part = relocated(code);
    parts.push(part);
    for (const target of part.targets.values()) {
      if (starts.has(target)) continue;
      starts.set(target, length);
      functions.push({ code: target, start: length });
      length += target.instructions.length;
    }
  }
  const instructions = parts.flatMap(({ code, instructions: own, targets }) => {
    const start = starts.get(code) as number;
    return own.map((instruction, slot) => {
      const target = targets.get(slot);
      if (target === undefined) return instruction;
      return { ...instruction, imm: (starts.get(target) as number) - (start + slot) - 1 };
    });
  });
  return { instructions, functions };
}

/** What the verifier is told of the source of a program: records of BPF_PROG_LOAD. */
export interface SourceInfo {
  readonly funcInfo?: Uint8Array | undefined;
  readonly lineInfo?: Uint8Array | undefined;
}

export const FUNC_INFO_SIZE = 8;
export const LINE_INFO_SIZE = 16;

/**
 * The records of a linked program, whose texts go into `strings`. A program of which one function has none gets none:
 * `kernel/bpf/verifier.c: check_btf_func, check_btf_line`, 6.18.
 */
export function sourceInfo({ functions }: LinkedProgram, ext: BtfExt, strings: BtfBuilder): SourceInfo {
  const funcs = functions.map(({ code, start }) => within(ext.functions, code, start));
  if (funcs.some((records) => records[0]?.slot === undefined)) return {};
  const funcInfo = words(funcs.flatMap((records) => records.slice(0, 1).flatMap(({ slot, type }) => [slot, type])));
  const lines = functions.map(({ code, start }) => within(ext.lines, code, start));
  if (functions.some(({ start }, index) => lines[index]?.[0]?.slot !== start)) return { funcInfo };
  const records = lines.flat().map((line) => lineRecord(line, strings));
  return { funcInfo, lineInfo: words(records.flat()) };
}

function lineRecord({ slot, file, source, line, column }: LineInfo & { slot: number }, strings: BtfBuilder): number[] {
  return [slot, strings.string(file), strings.string(source), line * 2 ** 10 + column];
}

/** The records of one function, with the slots of the linked program. */
function within<T extends FunctionInfo | LineInfo>(
  sections: readonly SectionInfo<T>[],
  { section, start, end }: FunctionCode,
  slot: number,
): (T & { readonly slot: number })[] {
  return sections
    .filter((info) => info.section === section)
    .flatMap(({ records }) => records)
    .filter(({ offset }) => offset >= start && offset < end)
    .sort((one, other) => one.offset - other.offset)
    .map((record) => ({ ...record, slot: slot + (record.offset - start) / INSTRUCTION_SIZE }));
}

function words(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value, true);
  return bytes;
}
