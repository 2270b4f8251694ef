import { PROG_LOAD } from "../../../abi/attr.ts";
import { EBADF, EFAULT, EINVAL } from "../../../abi/errno.ts";
import type { Btf } from "../../../btf/btf.ts";
import type { BtfFunction, BtfPrototype } from "../../../btf/btf-type.ts";
import type { Instruction } from "../../../isa/instruction.ts";
import { BPF_CALL, BPF_JMP, BPF_PSEUDO_CALL, BPF_PSEUDO_FUNC, LD_IMM64 } from "../../../isa/opcodes.ts";
import type { Address } from "../../../memory/address-space.ts";
import { BtfObject } from "../btf/btf-object.ts";
import { i32At, type KernelState } from "../kernel-state.ts";
import { accessOk, pointerAt } from "../user-memory.ts";
import { contextNames } from "./context-names.ts";
import type { DeclaredFunction, DeclaredParameter } from "./verified-program.ts";

const FUNC_INFO_SIZE = 8;
const LINE_INFO_SIZE = 16;
/** `MAX_FUNCINFO_REC_SIZE` and `MAX_LINEINFO_REC_SIZE`. */
const GREATEST_RECORD = 252;
const MOST_PARAMETERS = 5;

/** What the BTF of a program says of its functions and lines. */
export interface DebugInfo {
  readonly btf: BtfObject;
  /** `struct bpf_func_info` and `struct bpf_line_info`, one after the other. */
  readonly funcInfo: Uint8Array;
  readonly lineInfo: Uint8Array;
  readonly functions: readonly DeclaredFunction[] | undefined;
  readonly lineOf: (slot: number) => string | undefined;
}

/** Debug information that is none: the error, and what the log says of it. */
export interface WrongDebugInfo {
  readonly errno: number;
  readonly log: string;
}

/**
 * Reads `prog_btf_fd`, `func_info` and `line_info` of BPF_PROG_LOAD; `undefined` when there is neither. Source:
 * `kernel/bpf/verifier.c: check_btf_info, check_btf_func, check_btf_line`, 6.18.
 */
export function readDebugInfo(
  state: KernelState,
  attr: Address,
  type: number,
  instructions: readonly Instruction[],
): DebugInfo | WrongDebugInfo | undefined {
  const u32 = (offset: number): number => state.memory.view.getUint32(attr + offset, true);
  const counts = [u32(PROG_LOAD.FUNC_INFO_CNT), u32(PROG_LOAD.LINE_INFO_CNT)];
  if (counts.every((count) => count === 0)) return undefined;
  const fd = i32At(state, attr + PROG_LOAD.PROG_BTF_FD);
  const btf = state.files.file(fd)?.object;
  if (!(btf instanceof BtfObject)) return { errno: state.files.isOpen(fd) ? -EINVAL : -EBADF, log: "" };

  const funcs = records(state, attr, FUNC_INFO);
  if ("errno" in funcs) return funcs;
  const lines = records(state, attr, LINE_INFO);
  if ("errno" in lines) return lines;
  const wrong =
    wrongFunctions(funcs, btf.types, instructions) ?? wrongLines(lines, btf.types, instructions, starts(instructions));
  if (wrong !== undefined) return { errno: -EINVAL, log: `${wrong}\n` };
  const functions = funcs.words.map(([start, id]) => declared(btf.types, start as number, id as number, type));
  return {
    btf,
    funcInfo: funcs.bytes,
    lineInfo: lines.bytes,
    functions: funcs.words.length === 0 ? undefined : functions,
    lineOf: (slot) => lineAt(lines, btf.types, slot),
  };
}

/** Where in the attr the records of a kind are, and how long each is at least. */
interface RecordPlace {
  readonly name: string;
  readonly pointer: number;
  readonly count: number;
  readonly recordSize: number;
  readonly least: number;
}

const FUNC_INFO: RecordPlace = {
  name: "func info",
  pointer: PROG_LOAD.FUNC_INFO,
  count: PROG_LOAD.FUNC_INFO_CNT,
  recordSize: PROG_LOAD.FUNC_INFO_REC_SIZE,
  least: FUNC_INFO_SIZE,
};

const LINE_INFO: RecordPlace = {
  name: "line info",
  pointer: PROG_LOAD.LINE_INFO,
  count: PROG_LOAD.LINE_INFO_CNT,
  recordSize: PROG_LOAD.LINE_INFO_REC_SIZE,
  least: LINE_INFO_SIZE,
};

interface Records {
  readonly bytes: Uint8Array;
  readonly words: readonly (readonly number[])[];
}

function records({ memory }: KernelState, attr: Address, place: RecordPlace): Records | WrongDebugInfo {
  const count = memory.view.getUint32(attr + place.count, true);
  if (count === 0) return { bytes: new Uint8Array(0), words: [] };
  const size = memory.view.getUint32(attr + place.recordSize, true);
  if (size < place.least || size > GREATEST_RECORD || size % 4 !== 0) {
    return { errno: -EINVAL, log: `invalid ${place.name} rec size ${size}\n` };
  }
  const at = pointerAt(memory, attr + place.pointer);
  if (!accessOk(memory, at, count * size)) return { errno: -EFAULT, log: "" };
  const bytes = new Uint8Array(count * place.least);
  const words: number[][] = [];
  for (let index = 0; index < count; index++) {
    const record = memory.u8.slice(at + index * size, at + (index + 1) * size);
    if (record.subarray(place.least).some((byte) => byte !== 0)) {
      return { errno: -EINVAL, log: `${place.name} record ${index} has more than this kernel knows\n` };
    }
    bytes.set(record.subarray(0, place.least), index * place.least);
    const view = new DataView(record.buffer);
    words.push(Array.from({ length: place.least / 4 }, (_, word) => view.getUint32(word * 4, true)));
  }
  return { bytes, words };
}

/** Where the functions of a program begin: at its start, and wherever a call or an address leads. */
function starts(instructions: readonly Instruction[]): Set<number> {
  const found = new Set([0]);
  for (const [slot, { opcode, src, imm }] of instructions.entries()) {
    const isCall = opcode === (BPF_JMP | BPF_CALL) && src === BPF_PSEUDO_CALL;
    if (isCall || (opcode === LD_IMM64 && src === BPF_PSEUDO_FUNC)) found.add(slot + 1 + imm);
  }
  return found;
}

function wrongFunctions({ words }: Records, btf: Btf, instructions: readonly Instruction[]): string | undefined {
  if (words.length === 0) return undefined;
  const subprograms = starts(instructions);
  let previous = -1;
  for (const [offset = 0, type = 0] of words) {
    if (previous < 0 && offset !== 0) return `nonzero insn_off ${offset} for the first func info record`;
    if (offset <= previous)
      return `same or smaller insn offset (${offset}) than previous func info record (${previous})`;
    previous = offset;
    if (type === 0 || type >= btf.endId || btf.kindOf(type) !== "func") return `invalid type id ${type} in func info`;
    if (!subprograms.has(offset)) return "func_info BTF section doesn't match subprog layout in BPF program";
  }
  return words.length === subprograms.size
    ? undefined
    : "number of funcs in func_info doesn't match number of subprogs";
}

function wrongLines(
  { words }: Records,
  btf: Btf,
  instructions: readonly Instruction[],
  subprograms: Set<number>,
): string | undefined {
  if (words.length === 0) return undefined;
  let previous = -1;
  for (const [index, [offset = 0, file = 0, line = 0]] of words.entries()) {
    if (offset <= previous || offset >= instructions.length) return `Invalid line_info[${index}].insn_off:${offset}`;
    if (instructions[offset]?.opcode === 0) return `Invalid insn code at line_info[${index}].insn_off`;
    if (file >= btf.stringsEnd || line >= btf.stringsEnd)
      return `Invalid line_info[${index}].line_off or .file_name_off`;
    previous = offset;
    subprograms.delete(offset);
  }
  const [missing] = subprograms;
  return missing === undefined ? undefined : `missing bpf_line_info for the function at instruction ${missing}`;
}

/** `return *value; @ counter.bpf.c:12`, as Linux prints it. */
function lineAt({ words }: Records, btf: Btf, slot: number): string | undefined {
  const record = words.findLast(([offset = 0]) => offset <= slot);
  if (record === undefined) return undefined;
  const [, file = 0, line = 0, place = 0] = record;
  const name = btf.string(file);
  return `${btf.string(line).trim()} @ ${name.slice(name.lastIndexOf("/") + 1)}:${place >>> 10}`;
}

function declared(btf: Btf, start: number, id: number, type: number): DeclaredFunction {
  const func = btf.type(id) as BtfFunction;
  const prototype = btf.type(func.type) as BtfPrototype;
  const parameters = prototype.params.map((parameter) => parameterOf(btf, parameter.type, type));
  const areKnown = parameters.length <= MOST_PARAMETERS && parameters.every((parameter) => parameter !== undefined);
  return {
    start,
    name: func.name,
    isGlobal: func.linkage === "global",
    parameters: areKnown ? (parameters as DeclaredParameter[]) : undefined,
    returnsVoid: btf.kindOf(btf.resolve(prototype.type)) === "void",
  };
}

/** `kernel/bpf/btf.c: btf_prepare_func_args`, 6.18. */
function parameterOf(btf: Btf, id: number, programType: number): DeclaredParameter | undefined {
  const type = btf.type(btf.resolve(id));
  if (type.kind === "int" || type.kind === "enum" || type.kind === "enum64") return { kind: "scalar" };
  if (type.kind !== "ptr") return undefined;
  const pointee = btf.resolve(type.type);
  const named = btf.type(pointee);
  const names = contextNames(programType);
  const typedef = btf.type(type.type);
  if ([named, typedef].some((each) => "name" in each && names.includes(each.name))) return { kind: "ctx" };
  const size = btf.sizeOf(pointee);
  return size === undefined || size === 0 ? undefined : { kind: "mem", size, isNullable: true };
}
