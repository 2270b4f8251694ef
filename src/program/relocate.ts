import { INSTRUCTION_SIZE, type Instruction } from "../isa/instruction.ts";
import {
  BPF_CALL,
  BPF_JMP,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
  LD_IMM64,
} from "../isa/opcodes.ts";
import type { ElfRelocation } from "./elf.ts";
import type { FunctionCode } from "./functions.ts";
import { LEGACY_MAPS, MAPS } from "./map-definitions.ts";
import { ObjectError } from "./object-error.ts";
import type { ObjectFile } from "./object-file.ts";

/** `R_BPF_…`: what clang leaves to be filled in in instructions. */
const R_BPF_64_64 = 1;
const R_BPF_64_32 = 10;

/** What the names of an object stand for on a kernel. */
export interface Bindings {
  /** The fd of a map by its name. */
  mapFd(name: string): number | undefined;
  /** The fd of the array that a section of variables became, by the section's name. */
  sectionFd(name: string): number | undefined;
  /** How an instruction refers to something of the kernel; `undefined` when the kernel has it not, and the program can do without. */
  kernelSymbol(name: string, place: RelocationPlace): KernelReference | undefined;
}

/** Where a relocation stands, for messages. */
export interface RelocationPlace {
  readonly section: string;
  readonly offset: number;
}

/** What a 64-bit immediate or a call becomes. */
export interface KernelReference {
  readonly src: number;
  readonly imm: number;
  /** The upper word of an immediate; of a call, its offset field. */
  readonly next: number;
}

/** A function whose references to maps, variables and the kernel are filled in; those to functions are not yet. */
export interface RelocatedFunction {
  readonly code: FunctionCode;
  readonly instructions: readonly Instruction[];
  /** The function that a slot calls or takes the address of. */
  readonly targets: ReadonlyMap<number, FunctionCode>;
}

/** Fills in what a function refers to. `instructions` are the function's own, adapted to the kernel's types or as they are. */
export function relocate(
  object: ObjectFile,
  code: FunctionCode,
  instructions: readonly Instruction[],
  bindings: Bindings,
): RelocatedFunction {
  const relocated = [...instructions];
  const targets = new Map<number, FunctionCode>();
  for (const [slot, relocation] of code.relocations) {
    const instruction = relocated[slot] as Instruction;
    const place = { section: code.section, offset: code.start + slot * INSTRUCTION_SIZE };
    if (relocation.type === R_BPF_64_32) {
      relocateCall(slot, instruction, relocation, place);
    } else if (relocation.type === R_BPF_64_64) {
      if (instruction.opcode !== LD_IMM64 || slot + 1 >= relocated.length) {
        throw new ObjectError("is to become an address, but is no 64-bit immediate", place);
      }
      relocateAddress(slot, instruction, relocation, place);
    } else {
      throw new ObjectError(`relocations of type ${relocation.type} do not belong in instructions`, place);
    }
  }
  findOwnCalls();
  return { code, instructions: relocated, targets };

  function relocateCall(slot: number, instruction: Instruction, { symbol }: ElfRelocation, place: RelocationPlace) {
    if (instruction.opcode !== (BPF_JMP | BPF_CALL)) throw new ObjectError("is to become a call, but is none", place);
    const section = object.sectionOf(symbol);
    if (section === undefined) {
      const reference = bindings.kernelSymbol(symbol.name, place);
      const { src, imm, next } = reference ?? { src: 0, imm: UNRESOLVED_CALL, next: 0 };
      relocated[slot] = { ...instruction, src, imm, offset: next };
      return;
    }
    relocated[slot] = { ...instruction, src: BPF_PSEUDO_CALL };
    const offset = symbol.value + (instruction.imm + 1) * INSTRUCTION_SIZE;
    targets.set(slot, functionAt(section, offset, symbol.name, place));
  }

  function relocateAddress(slot: number, instruction: Instruction, relocation: ElfRelocation, place: RelocationPlace) {
    const { symbol } = relocation;
    const section = object.sectionOf(symbol);
    if (section === undefined) {
      return fillIn(slot, bindings.kernelSymbol(symbol.name, place) ?? { src: 0, imm: 0, next: 0 });
    }
    if (section === MAPS || section === LEGACY_MAPS) {
      const fd = bindings.mapFd(object.mapAt(relocation)?.name ?? "");
      if (fd === undefined) throw new ObjectError(`refers to ${symbol.name}, which is no map`, place);
      return fillIn(slot, { src: BPF_PSEUDO_MAP_FD, imm: fd, next: 0 });
    }
    const fd = bindings.sectionFd(section);
    if (fd !== undefined) {
      return fillIn(slot, { src: BPF_PSEUDO_MAP_VALUE, imm: fd, next: symbol.value + instruction.imm });
    }
    const target = functionAt(section, symbol.value + instruction.imm, symbol.name, place);
    targets.set(slot, target);
    return fillIn(slot, { src: BPF_PSEUDO_FUNC, imm: 0, next: 0 });
  }

  function fillIn(slot: number, { src, imm, next }: KernelReference): void {
    relocated[slot] = { ...(relocated[slot] as Instruction), src, imm };
    relocated[slot + 1] = { ...(relocated[slot + 1] as Instruction), imm: next };
  }

  /** Calls inside one section need no relocation: they count from where they stand. */
  function findOwnCalls(): void {
    for (const [slot, { opcode, src, imm }] of relocated.entries()) {
      if (opcode !== (BPF_JMP | BPF_CALL) || src !== BPF_PSEUDO_CALL || targets.has(slot)) continue;
      const place = { section: code.section, offset: code.start + slot * INSTRUCTION_SIZE };
      const offset = place.offset + (imm + 1) * INSTRUCTION_SIZE;
      targets.set(slot, functionAt(code.section, offset, code.section, place));
    }
  }

  function functionAt(section: string, offset: number, name: string, place: RelocationPlace): FunctionCode {
    const target = object.functions.at(section, offset);
    if (target !== undefined) return target;
    throw new ObjectError(
      `refers to ${name}, byte ${offset} of section ${section}, where no function or variable is`,
      place,
    );
  }
}

/** The number of no helper: what a call becomes that the kernel has no function for. The verifier refuses it where a path leads to it. */
const UNRESOLVED_CALL = 2_002_000_000;
