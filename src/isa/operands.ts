import { BPF_B, BPF_DW, BPF_H, BPF_MEM, BPF_MEMSX, BPF_W } from "./opcodes.ts";

/** A register as the whole 64 bits that it has. `r10` is the frame pointer, which cannot be written. */
export type Register = "r0" | "r1" | "r2" | "r3" | "r4" | "r5" | "r6" | "r7" | "r8" | "r9" | "r10";

/** The lower 32 bits of a register. An instruction that writes them clears the upper ones. */
export type HalfRegister = "w0" | "w1" | "w2" | "w3" | "w4" | "w5" | "w6" | "w7" | "w8" | "w9" | "w10";

/** What an instruction stores. */
export type StoreType = "u8" | "u16" | "u32" | "u64";

/** What an instruction loads. A signed type fills the upper bits of the register with its sign. */
export type LoadType = StoreType | "s8" | "s16" | "s32";

/** What an atomic instruction works on. */
export type AtomicType = "u32" | "u64";

/** A map, or its fd. */
export type MapReference = number | { readonly fd: number };

const WIDTHS: Readonly<Record<string, number>> = { 8: BPF_B, 16: BPF_H, 32: BPF_W, 64: BPF_DW };

/** The number of a register. Throws a `TypeError` for anything else. */
export function registerNumber(register: Register | HalfRegister): number {
  const number = /^[rw](\d|10)$/.exec(register)?.[1];
  if (number === undefined) throw new TypeError(`a register is r0 to r10 or w0 to w10, not ${String(register)}`);
  return Number(number);
}

/** Whether an operand is a register. */
export function isRegister(operand: Register | HalfRegister | number): operand is Register | HalfRegister {
  return typeof operand === "string";
}

/** The bits of an opcode that say how wide a type is. Throws a `TypeError` for no type. */
export function widthOf(type: LoadType): number {
  const width = WIDTHS[/^[us](8|16|32|64)$/.exec(type)?.[1] ?? ""];
  if (width === undefined) throw new TypeError(`a type is u8, u16, u32, u64, s8, s16 or s32, not ${String(type)}`);
  return width;
}

/** The bits of an opcode that say whether a load of a type extends its sign. */
export function loadMode(type: LoadType): number {
  return type.startsWith("s") ? BPF_MEMSX : BPF_MEM;
}

/** An immediate as the 32 bits of an instruction. Throws a `RangeError` for one that does not fit, signed or unsigned. */
export function immediate(value: number): number {
  if (Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32) return value | 0;
  throw new RangeError(`an immediate has 32 bits, which ${value} does not fit: load it with loadImmediate`);
}

/** An offset as the 16 bits of an instruction. Throws a `RangeError` for one that does not fit. */
export function offset16(value: number): number {
  if (Number.isInteger(value) && value >= -(2 ** 15) && value < 2 ** 15) return value;
  throw new RangeError(`an offset has 16 bits, which ${value} does not fit`);
}
