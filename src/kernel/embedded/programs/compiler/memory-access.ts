import type { Instruction } from "../../../../isa/instruction.ts";
import {
  BPF_B,
  BPF_DW,
  BPF_H,
  BPF_LOAD_ACQ,
  BPF_MEMSX,
  BPF_ST,
  BPF_STORE_REL,
  BPF_W,
} from "../../../../isa/opcodes.ts";
import type { FunctionBody, Local } from "../wasm/function-body.ts";
import {
  I32,
  I32_ADD,
  I64_LOAD,
  I64_LOAD8_S,
  I64_LOAD8_U,
  I64_LOAD16_S,
  I64_LOAD16_U,
  I64_LOAD32_S,
  I64_LOAD32_U,
  I64_STORE,
  I64_STORE8,
  I64_STORE16,
  I64_STORE32,
} from "../wasm/opcodes.ts";
import { writeAtomic } from "./atomics.ts";
import type { Registers } from "./registers.ts";

/** How an access of some width is done. */
export interface Width {
  readonly bytes: number;
  readonly load: number;
  readonly loadSigned: number;
  readonly store: number;
}

const WIDTHS: ReadonlyMap<number, Width> = new Map([
  [BPF_B, { bytes: 1, load: I64_LOAD8_U, loadSigned: I64_LOAD8_S, store: I64_STORE8 }],
  [BPF_H, { bytes: 2, load: I64_LOAD16_U, loadSigned: I64_LOAD16_S, store: I64_STORE16 }],
  [BPF_W, { bytes: 4, load: I64_LOAD32_U, loadSigned: I64_LOAD32_S, store: I64_STORE32 }],
  [BPF_DW, { bytes: 8, load: I64_LOAD, loadSigned: I64_LOAD, store: I64_STORE }],
]);

/** What a checked access is: the last argument of the check. */
const READS = 1;
export const WRITES = 2;

/** How programs access memory: whether others do at the same time, and whether each access is checked before it is made. */
export interface AccessMode {
  readonly isShared: boolean;
  /** The index of the imported function that is told of each access: address, bytes, READS and WRITES, slot. */
  readonly check: number | undefined;
}

/** Writes the instructions that load and store: RFC 9669, section 5. */
export class MemoryAccess {
  readonly #registers: Registers;
  readonly #body: FunctionBody;
  readonly #mode: AccessMode;

  constructor(registers: Registers, mode: AccessMode) {
    this.#registers = registers;
    this.#body = registers.body;
    this.#mode = mode;
  }

  /** BPF_LDX. */
  load({ opcode, dst, src, offset }: Instruction, slot: number): void {
    const width = widthOf(opcode);
    this.#check(src, offset, width.bytes, READS, slot);
    const constant = this.#registers.address(src, offset);
    this.#body.memory((opcode & 0xe0) === BPF_MEMSX ? width.loadSigned : width.load, constant);
    this.#registers.set(dst);
  }

  /** BPF_ST and BPF_STX. */
  store({ opcode, dst, src, offset, imm }: Instruction, slot: number): void {
    const width = widthOf(opcode);
    this.#check(dst, offset, width.bytes, WRITES, slot);
    const constant = this.#registers.address(dst, offset);
    if ((opcode & 0x07) === BPF_ST) this.#body.i64(imm);
    else this.#registers.get(src);
    this.#body.memory(width.store, constant);
  }

  /** BPF_STX with BPF_ATOMIC. */
  atomic(instruction: Instruction, slot: number): void {
    const { opcode, dst, src, offset, imm } = instruction;
    const isLoad = imm === BPF_LOAD_ACQ;
    const base = isLoad ? src : dst;
    const width = widthOf(opcode);
    const access = isLoad ? READS : imm === BPF_STORE_REL ? WRITES : READS | WRITES;
    this.#check(base, offset, width.bytes, access, slot);
    this.#body.withLocal(I32, (address) => {
      this.#effectiveAddress(base, offset, address);
      writeAtomic(this.#registers, instruction, { address, width, isShared: this.#mode.isShared && base !== 10 });
    });
  }

  #effectiveAddress(register: number, offset: number, into: Local): void {
    const constant = this.#registers.address(register, offset);
    if (constant !== 0) this.#body.i32(constant).op(I32_ADD);
    this.#body.set(into);
  }

  #check(register: number, offset: number, bytes: number, access: number, slot: number): void {
    if (this.#mode.check === undefined) return;
    const constant = this.#registers.address(register, offset);
    this.#body.i32(constant).op(I32_ADD).i32(bytes).i32(access).i32(slot).call(this.#mode.check);
  }
}

function widthOf(opcode: number): Width {
  return WIDTHS.get(opcode & 0x18) as Width;
}
