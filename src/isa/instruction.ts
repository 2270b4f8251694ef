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
  const instructions: Instruction[] = [];
  for (let at = 0; at < bytes.length; at += INSTRUCTION_SIZE) instructions.push(decodeAt(bytes, at));
  return instructions;
}

function decodeAt(bytes: Uint8Array, at: number): Instruction {
  const registers = bytes[at + 1] as number;
  const offset = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
  const low = (bytes[at + 4] as number) | ((bytes[at + 5] as number) << 8);
  const high = (bytes[at + 6] as number) | ((bytes[at + 7] as number) << 8);
  return {
    opcode: bytes[at] as number,
    dst: registers & 0xf,
    src: registers >>> 4,
    offset: (offset << 16) >> 16,
    imm: low | (high << 16),
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
