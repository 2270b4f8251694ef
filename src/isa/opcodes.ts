/**
 * The bits of a BPF opcode: a class in the low three, and above them what the class makes of them. RFC 9669; Linux's own
 * additions are marked. `include/uapi/linux/bpf_common.h` and `include/uapi/linux/bpf.h`, 6.18.
 */

/** The class: `opcode & 0x07`. */
export const BPF_LD = 0x00;
export const BPF_LDX = 0x01;
export const BPF_ST = 0x02;
export const BPF_STX = 0x03;
export const BPF_ALU = 0x04;
export const BPF_JMP = 0x05;
export const BPF_JMP32 = 0x06;
export const BPF_ALU64 = 0x07;

/** Arithmetic and jumps, `opcode & 0x08`: the second operand is the immediate or the source register. */
export const BPF_K = 0x00;
export const BPF_X = 0x08;

/** Arithmetic: `opcode & 0xf0`. */
export const BPF_ADD = 0x00;
export const BPF_SUB = 0x10;
export const BPF_MUL = 0x20;
/** Signed when the offset is 1. */
export const BPF_DIV = 0x30;
export const BPF_OR = 0x40;
export const BPF_AND = 0x50;
export const BPF_LSH = 0x60;
export const BPF_RSH = 0x70;
export const BPF_NEG = 0x80;
/** Signed when the offset is 1. */
export const BPF_MOD = 0x90;
export const BPF_XOR = 0xa0;
/** Sign-extends when the offset is 8, 16 or 32. */
export const BPF_MOV = 0xb0;
export const BPF_ARSH = 0xc0;
/** Byte swaps: to little or big endian in BPF_ALU by the source bit, unconditional in BPF_ALU64. */
export const BPF_END = 0xd0;

/** Jumps: `opcode & 0xf0`. */
export const BPF_JA = 0x00;
export const BPF_JEQ = 0x10;
export const BPF_JGT = 0x20;
export const BPF_JGE = 0x30;
export const BPF_JSET = 0x40;
export const BPF_JNE = 0x50;
export const BPF_JSGT = 0x60;
export const BPF_JSGE = 0x70;
export const BPF_CALL = 0x80;
export const BPF_EXIT = 0x90;
export const BPF_JLT = 0xa0;
export const BPF_JLE = 0xb0;
export const BPF_JSLT = 0xc0;
export const BPF_JSLE = 0xd0;
/** Linux: `may_goto`. */
export const BPF_JCOND = 0xe0;

/** Loads and stores, `opcode & 0x18`: the width. */
export const BPF_W = 0x00;
export const BPF_H = 0x08;
export const BPF_B = 0x10;
export const BPF_DW = 0x18;

/** Loads and stores, `opcode & 0xe0`: the mode. */
export const BPF_IMM = 0x00;
export const BPF_ABS = 0x20;
export const BPF_IND = 0x40;
export const BPF_MEM = 0x60;
export const BPF_MEMSX = 0x80;
export const BPF_ATOMIC = 0xc0;

/** Atomics: the immediate. */
export const BPF_FETCH = 0x01;
export const BPF_XCHG = 0xe1;
export const BPF_CMPXCHG = 0xf1;
/** Linux 6.15. */
export const BPF_LOAD_ACQ = 0x100;
/** Linux 6.15. */
export const BPF_STORE_REL = 0x110;

/** What the source register of a 64-bit immediate says that it is. */
export const BPF_PSEUDO_MAP_FD = 1;
export const BPF_PSEUDO_MAP_VALUE = 2;
export const BPF_PSEUDO_BTF_ID = 3;
export const BPF_PSEUDO_FUNC = 4;
export const BPF_PSEUDO_MAP_IDX = 5;
export const BPF_PSEUDO_MAP_IDX_VALUE = 6;

/** What the source register of a call says: 0 is a helper by number. */
export const BPF_PSEUDO_CALL = 1;
export const BPF_PSEUDO_KFUNC_CALL = 2;

/** The opcode of a 64-bit immediate, the one instruction of two slots. */
export const LD_IMM64 = BPF_LD | BPF_IMM | BPF_DW;
