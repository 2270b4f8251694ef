import { LD_IMM64 } from "./opcodes.ts";

/** Bytes of an instruction slot; a 64-bit immediate takes two. */
export const INSTRUCTION_SIZE = 8;

/**
 * One slot of a program. Jumps count slots, so a decoded program has as many elements as slots: behind a 64-bit
 * immediate stands its second half, whose `opcode`, registers and offset are 0 and whose `imm` is the upper word.
 */
export interface Instruction {
  readonly opcode: number;
  /** The destination register, 0 to 10. */
  readonly dst: number;
  /** The source register, 0 to 10, or what the opcode makes of it. */
  readonly src: number;
  /** 16 bits, signed. */
  readonly offset: number;
  /** 32 bits, signed. */
  readonly imm: number;
}

/** Reads a program, little-endian as Linux takes it here. Throws a `RangeError` when the bytes are no whole slots. */
export function decode(bytes: Uint8Array): Instruction[] {
  if (bytes.length % INSTRUCTION_SIZE !== 0) {
    throw new RangeError(`a program is whole instructions of ${INSTRUCTION_SIZE} bytes, not ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / INSTRUCTION_SIZE }, (_, slot) => decodeAt(view, slot * INSTRUCTION_SIZE));
}

function decodeAt(view: DataView, at: number): Instruction {
  const registers = view.getUint8(at + 1);
  return {
    opcode: view.getUint8(at),
    dst: registers & 0xf,
    src: registers >>> 4,
    offset: view.getInt16(at + 2, true),
    imm: view.getInt32(at + 4, true),
  };
}

/** Writes a program as Linux takes it. */
export function encode(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_SIZE);
  const view = new DataView(bytes.buffer);
  instructions.forEach(({ opcode, dst, src, offset, imm }, slot) => {
    const at = slot * INSTRUCTION_SIZE;
    view.setUint8(at, opcode);
    view.setUint8(at + 1, (src << 4) | dst);
    view.setInt16(at + 2, offset, true);
    view.setInt32(at + 4, imm, true);
  });
  return bytes;
}

/** Whether an instruction has a second slot. */
export function isWide({ opcode }: Instruction): boolean {
  return opcode === LD_IMM64;
}
