import type { CoreRelocation } from "../../btf/btf-ext.ts";
import { INSTRUCTION_SIZE, type Instruction } from "../../isa/instruction.ts";
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_B,
  BPF_CALL,
  BPF_DW,
  BPF_H,
  BPF_JMP,
  BPF_LDX,
  BPF_ST,
  BPF_STX,
  BPF_W,
  BPF_X,
  LD_IMM64,
} from "../../isa/opcodes.ts";
import type { FunctionCode } from "../functions.ts";
import type { KernelTypes } from "../kernel-types.ts";
import { ObjectError, type ObjectPlace } from "../object-error.ts";
import type { ObjectFile } from "../object-file.ts";
import { nameOf } from "./names.ts";
import { type Adapted, isRelocationError, resolveRelocation } from "./resolve.ts";

/** The helper that an instruction calls which the kernel has no field for: the one of libbpf's, `0xbad2310`. */
const POISON = 195_896_080;

const WIDTHS: Readonly<Record<number, number>> = { 1: BPF_B, 2: BPF_H, 4: BPF_W, 8: BPF_DW };

/** CO-RE: adapts the instructions of an object to the types of a kernel. */
export class CoreAdaptation {
  readonly #object: ObjectFile;
  readonly #types: KernelTypes;
  /** What the kernel was found not to have. */
  readonly #missing = new Set<string>();

  constructor(object: ObjectFile, types: KernelTypes) {
    this.#object = object;
    this.#types = types;
  }

  /** The instructions of a function as they are right for the kernel. Throws an `ObjectError` for a relocation that cannot be made. */
  adapt(code: FunctionCode): readonly Instruction[] {
    const relocations = (this.#object.btfExt?.relocations ?? [])
      .filter(({ section }) => section === code.section)
      .flatMap(({ records }) => records)
      .filter(({ offset }) => offset >= code.start && offset < code.end);
    if (relocations.length === 0) return code.instructions;
    const adapted = [...code.instructions];
    for (const relocation of relocations) this.#adapt(adapted, code, relocation);
    return adapted;
  }

  /** A verifier's log in which the instructions that the kernel has no field for are named. */
  explain(log: string): string {
    if (!log.includes(`unknown#${POISON}`) || this.#missing.size === 0) return log;
    return `${log.trimEnd()}\nthis kernel has not ${[...this.#missing].join(", ")}: ask bpf_core_field_exists first\n`;
  }

  #adapt(instructions: Instruction[], code: FunctionCode, relocation: CoreRelocation): void {
    const slot = (relocation.offset - code.start) / INSTRUCTION_SIZE;
    const place = { section: code.section, offset: relocation.offset };
    if (instructions[slot] === undefined)
      throw new ObjectError("is to be adapted, but no instruction begins here", place);
    const value = this.#resolve(relocation, place);
    if (value === undefined) return poison(instructions, slot);
    patch(instructions, slot, value, place);
  }

  #resolve(relocation: CoreRelocation, place: ObjectPlace): Adapted | undefined {
    const local = this.#object.btf;
    const target = this.#types.btf;
    if (local === undefined || target === undefined) throw new ObjectError("there are no types to adapt it to", place);
    try {
      const value = resolveRelocation(local, relocation, target);
      if (value === undefined) this.#missing.add(this.#nameOf(relocation));
      return value;
    } catch (error) {
      if (!isRelocationError(error)) throw error;
      throw new ObjectError(`cannot be adapted to the kernel: ${error.message}`, { ...place, cause: error });
    }
  }

  /** `struct task_struct`, and the access as the compiler wrote it. */
  #nameOf({ type, access }: CoreRelocation): string {
    const named = this.#object.btf?.type(type);
    if (named === undefined) return access;
    const name = `${named.kind} ${nameOf(named)}`;
    if (named.kind !== "struct" && named.kind !== "union") return name;
    const member = named.members[Number(access.split(":")[1])];
    return member === undefined ? name : `${name}.${member.name}`;
  }
}

function poison(instructions: Instruction[], slot: number): void {
  const call = { opcode: BPF_JMP | BPF_CALL, dst: 0, src: 0, offset: 0, imm: POISON };
  const isWide = instructions[slot]?.opcode === LD_IMM64;
  instructions[slot] = call;
  if (isWide && slot + 1 < instructions.length) instructions[slot + 1] = call;
}

/** Puts a value where an instruction holds one: its immediate, or its offset. */
function patch(instructions: Instruction[], slot: number, { value, access }: Adapted, place: ObjectPlace): void {
  const instruction = instructions[slot] as Instruction;
  const { opcode } = instruction;
  switch (opcode & 7) {
    case BPF_ALU:
    case BPF_ALU64:
      if ((opcode & BPF_X) !== 0) throw new ObjectError("is to hold a number, but holds a register", place);
      instructions[slot] = { ...instruction, imm: Number(BigInt.asIntN(32, value)) };
      return;
    case BPF_LDX:
    case BPF_ST:
    case BPF_STX: {
      if (value > 0x7fffn) throw new ObjectError(`the field lies at byte ${value}, too far for a load or store`, place);
      const resized = access === undefined || access.from === access.to ? opcode : resize(opcode, access.to);
      if (resized === undefined || access?.isSafe === false) return poison(instructions, slot);
      instructions[slot] = { ...instruction, opcode: resized, offset: Number(value) };
      return;
    }
    default: {
      const upper = instructions[slot + 1];
      if (opcode !== LD_IMM64 || upper === undefined)
        throw new ObjectError("holds no value that can be adapted", place);
      instructions[slot] = { ...instruction, imm: Number(BigInt.asIntN(32, value)) };
      instructions[slot + 1] = { ...upper, imm: Number(BigInt.asIntN(32, value >> 32n)) };
    }
  }
}

function resize(opcode: number, bytes: number): number | undefined {
  const width = WIDTHS[bytes];
  return width === undefined ? undefined : (opcode & ~0x18) | width;
}
