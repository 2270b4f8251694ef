import { type HelperName, helperNumber } from "../abi/helpers.ts";
import type { Instruction } from "./instruction.ts";
import {
  BPF_ABS,
  BPF_ADD,
  BPF_ALU,
  BPF_ALU64,
  BPF_AND,
  BPF_ARSH,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_DIV,
  BPF_END,
  BPF_EXIT,
  BPF_FETCH,
  BPF_IND,
  BPF_JA,
  BPF_JCOND,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JLE,
  BPF_JLT,
  BPF_JMP,
  BPF_JMP32,
  BPF_JNE,
  BPF_JSET,
  BPF_JSGE,
  BPF_JSGT,
  BPF_JSLE,
  BPF_JSLT,
  BPF_K,
  BPF_LD,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_LSH,
  BPF_MEM,
  BPF_MOD,
  BPF_MOV,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_PSEUDO_BTF_ID,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
  BPF_RSH,
  BPF_ST,
  BPF_STORE_REL,
  BPF_STX,
  BPF_SUB,
  BPF_X,
  BPF_XCHG,
  BPF_XOR,
  LD_IMM64,
} from "./opcodes.ts";
import {
  type AtomicType,
  type HalfRegister,
  immediate,
  isRegister,
  type LoadType,
  loadMode,
  type MapReference,
  offset16,
  type Register,
  registerNumber,
  type StoreType,
  widthOf,
} from "./operands.ts";

/** An instruction of two operands: a register, and a register as wide or an immediate of 32 bits. */
interface Arithmetic {
  (dst: Register, src: Register | number): Assembler;
  (dst: HalfRegister, src: HalfRegister | number): Assembler;
}

/** A jump to a label when a comparison holds. */
interface Jump {
  (left: Register, right: Register | number, label: string): Assembler;
  (left: HalfRegister, right: HalfRegister | number, label: string): Assembler;
}

/** An atomic instruction on the memory at a register and an offset. */
type Atomic = (type: AtomicType, base: Register, offset: number, src: Register) => Assembler;

/** Where a label's distance goes. */
type Reach = "offset" | "imm";

type Operand = Register | HalfRegister | number;

/**
 * Writes programs without a compiler: one method for each instruction, which answers the assembler itself. `r0` to `r10`
 * are registers of 64 bits, `w0` to `w10` their lower 32, as in the text of the kernel's verifier. Jumps and calls go to
 * labels. A wrong operand throws a `TypeError` or a `RangeError` at once, a label that is nowhere when `assemble` is called.
 *
 * @example
 * ```ts
 * import { Assembler, embedded, u32, u64 } from "mapiary";
 *
 * using bpf = embedded();
 * using hits = bpf.createMap({ type: "array", name: "hits", key: u32, value: u64, maxEntries: 1 });
 * const count = new Assembler()
 *   .store("u32", "r10", -4, 0) // *(u32 *)(r10 -4) = 0
 *   .mov("r2", "r10")
 *   .add("r2", -4)
 *   .loadMap("r1", hits)
 *   .call("bpf_map_lookup_elem")
 *   .jeq("r0", 0, "out") // if r0 == 0 goto out
 *   .mov("r1", 1)
 *   .atomicAdd("u64", "r0", 0, "r1") // lock *(u64 *)(r0 +0) += r1
 *   .label("out")
 *   .mov("r0", 2)
 *   .exit()
 *   .assemble();
 * ```
 *
 * Source: RFC 9669, and `include/uapi/linux/bpf.h` for what Linux adds.
 */
export class Assembler {
  readonly #instructions: Instruction[] = [];
  readonly #labels = new Map<string, number>();
  readonly #uses: { readonly slot: number; readonly label: string; readonly reach: Reach }[] = [];

  readonly add: Arithmetic = this.#arithmetic(BPF_ADD);
  readonly sub: Arithmetic = this.#arithmetic(BPF_SUB);
  readonly mul: Arithmetic = this.#arithmetic(BPF_MUL);
  /** Unsigned; a division by zero is 0. */
  readonly div: Arithmetic = this.#arithmetic(BPF_DIV);
  /** Signed division, from Linux 6.6. */
  readonly sdiv: Arithmetic = this.#arithmetic(BPF_DIV, 1);
  /** Unsigned; a remainder by zero leaves the register as it is. */
  readonly mod: Arithmetic = this.#arithmetic(BPF_MOD);
  /** Signed remainder, from Linux 6.6. */
  readonly smod: Arithmetic = this.#arithmetic(BPF_MOD, 1);
  readonly or: Arithmetic = this.#arithmetic(BPF_OR);
  readonly and: Arithmetic = this.#arithmetic(BPF_AND);
  readonly xor: Arithmetic = this.#arithmetic(BPF_XOR);
  readonly lsh: Arithmetic = this.#arithmetic(BPF_LSH);
  readonly rsh: Arithmetic = this.#arithmetic(BPF_RSH);
  /** Shifts the sign in. */
  readonly arsh: Arithmetic = this.#arithmetic(BPF_ARSH);
  readonly mov: Arithmetic = this.#arithmetic(BPF_MOV);

  readonly jeq: Jump = this.#jump(BPF_JEQ);
  readonly jne: Jump = this.#jump(BPF_JNE);
  readonly jgt: Jump = this.#jump(BPF_JGT);
  readonly jge: Jump = this.#jump(BPF_JGE);
  readonly jlt: Jump = this.#jump(BPF_JLT);
  readonly jle: Jump = this.#jump(BPF_JLE);
  /** Jumps when the two have a bit in common. */
  readonly jset: Jump = this.#jump(BPF_JSET);
  readonly jsgt: Jump = this.#jump(BPF_JSGT);
  readonly jsge: Jump = this.#jump(BPF_JSGE);
  readonly jslt: Jump = this.#jump(BPF_JSLT);
  readonly jsle: Jump = this.#jump(BPF_JSLE);

  /** `lock *(u64 *)(base +offset) += src` */
  readonly atomicAdd: Atomic = this.#atomic(BPF_ADD);
  readonly atomicOr: Atomic = this.#atomic(BPF_OR);
  readonly atomicAnd: Atomic = this.#atomic(BPF_AND);
  readonly atomicXor: Atomic = this.#atomic(BPF_XOR);
  /** As `atomicAdd`, and `src` becomes what was there before. */
  readonly atomicFetchAdd: Atomic = this.#atomic(BPF_ADD | BPF_FETCH);
  readonly atomicFetchOr: Atomic = this.#atomic(BPF_OR | BPF_FETCH);
  readonly atomicFetchAnd: Atomic = this.#atomic(BPF_AND | BPF_FETCH);
  readonly atomicFetchXor: Atomic = this.#atomic(BPF_XOR | BPF_FETCH);
  /** Puts `src` there; `src` becomes what was there before. */
  readonly atomicExchange: Atomic = this.#atomic(BPF_XCHG);
  /** Puts `src` there if `r0` is there; `r0` becomes what was there before. */
  readonly atomicCompareExchange: Atomic = this.#atomic(BPF_CMPXCHG);
  /** `store_release((u64 *)(base +offset), src)`, from Linux 6.15. */
  readonly storeRelease: Atomic = this.#atomic(BPF_STORE_REL);

  /** `dst = -dst` */
  neg(dst: Register | HalfRegister): this {
    return this.#put({ opcode: classOf(dst) | BPF_NEG, dst: registerNumber(dst) });
  }

  /** `r1 = (s8)r2`: `src` with its lowest `bits` taken as signed, from Linux 6.6. */
  movsx(bits: 8 | 16 | 32, dst: Register, src: Register): this;
  movsx(bits: 8 | 16, dst: HalfRegister, src: HalfRegister): this;
  movsx(bits: number, dst: Register | HalfRegister, src: Register | HalfRegister): this {
    sameWidth(dst, src);
    const opcode = classOf(dst) | BPF_MOV | BPF_X;
    return this.#put({ opcode, dst: registerNumber(dst), src: registerNumber(src), offset: bits });
  }

  /** `r1 = be16 r1`: between the byte order of the network and that of this machine. */
  be(bits: 16 | 32 | 64, dst: Register): this {
    return this.#put({ opcode: BPF_ALU | BPF_END | BPF_X, dst: registerNumber(dst), imm: bits });
  }

  /** `r1 = le16 r1`: keeps the lowest `bits`, on a machine that is little-endian. */
  le(bits: 16 | 32 | 64, dst: Register): this {
    return this.#put({ opcode: BPF_ALU | BPF_END | BPF_K, dst: registerNumber(dst), imm: bits });
  }

  /** `r1 = bswap16 r1`: turns the bytes around on any machine, from Linux 6.6. */
  bswap(bits: 16 | 32 | 64, dst: Register): this {
    return this.#put({ opcode: BPF_ALU64 | BPF_END, dst: registerNumber(dst), imm: bits });
  }

  /** `dst = *(u32 *)(base +offset)` */
  load(type: LoadType, dst: Register, base: Register, offset: number): this {
    const opcode = BPF_LDX | loadMode(type) | widthOf(type);
    return this.#put({ opcode, dst: registerNumber(dst), src: registerNumber(base), offset: offset16(offset) });
  }

  /** `*(u32 *)(base +offset) = value`, a register or an immediate. */
  store(type: StoreType, base: Register, offset: number, value: Register | number): this {
    const kind = isRegister(value) ? BPF_STX : BPF_ST;
    const opcode = kind | BPF_MEM | widthOf(type);
    return this.#put({ opcode, dst: registerNumber(base), offset: offset16(offset), ...sourceOf(value) });
  }

  /** `dst = load_acquire((u64 *)(base +offset))`, from Linux 6.15. */
  loadAcquire(type: StoreType, dst: Register, base: Register, offset: number): this {
    const opcode = BPF_STX | BPF_ATOMIC | widthOf(type);
    const registers = { dst: registerNumber(dst), src: registerNumber(base) };
    return this.#put({ opcode, ...registers, offset: offset16(offset), imm: BPF_LOAD_ACQ });
  }

  /** `r0 = *(u16 *)skb[offset]`: from the packet, in the byte order of this machine. The program ends where the packet does. */
  loadAbsolute(type: "u8" | "u16" | "u32", offset: number): this {
    return this.#put({ opcode: BPF_LD | BPF_ABS | widthOf(type), imm: immediate(offset) });
  }

  /** `r0 = *(u16 *)skb[src + offset]` */
  loadIndirect(type: "u8" | "u16" | "u32", src: Register, offset: number): this {
    return this.#put({ opcode: BPF_LD | BPF_IND | widthOf(type), src: registerNumber(src), imm: immediate(offset) });
  }

  /** `dst = value`, of 64 bits. */
  loadImmediate(dst: Register, value: bigint | number): this {
    const wide = BigInt(value);
    if (wide < -(2n ** 63n) || wide >= 2n ** 64n) throw new RangeError(`${value} does not fit 64 bits`);
    return this.#wide(dst, 0, Number(BigInt.asIntN(32, wide)), Number(BigInt.asIntN(32, wide >> 32n)));
  }

  /** `dst` becomes the map, for a helper that takes one. */
  loadMap(dst: Register, map: MapReference): this {
    return this.#wide(dst, BPF_PSEUDO_MAP_FD, fdOf(map), 0);
  }

  /** `dst` becomes the address of the value of an array's first element, and `offset` bytes further. */
  loadMapValue(dst: Register, map: MapReference, offset = 0): this {
    return this.#wide(dst, BPF_PSEUDO_MAP_VALUE, fdOf(map), immediate(offset));
  }

  /** `dst` becomes the address of a variable of the kernel, by its id in the kernel's BTF. */
  loadKernelVariable(dst: Register, btfId: number): this {
    return this.#wide(dst, BPF_PSEUDO_BTF_ID, immediate(btfId), 0);
  }

  /** `dst` becomes the address of the function at a label, for a helper that calls it back. */
  loadFunction(dst: Register, label: string): this {
    this.#use(label, "imm");
    return this.#wide(dst, BPF_PSEUDO_FUNC, 0, 0);
  }

  /** `dst = addr_space_cast(src, to, from)`: a pointer to an arena as the program's, or as user space's. */
  addrSpaceCast(dst: Register, src: Register, to: 0 | 1, from: 0 | 1): this {
    const registers = { dst: registerNumber(dst), src: registerNumber(src) };
    return this.#put({ opcode: BPF_ALU64 | BPF_MOV | BPF_X, ...registers, offset: 1, imm: (to << 16) | from });
  }

  /** `goto label` */
  jump(label: string): this {
    this.#use(label, "offset");
    return this.#put({ opcode: BPF_JMP | BPF_JA });
  }

  /** `gotol label`: as far away as it may be, from Linux 6.6. */
  jumpLong(label: string): this {
    this.#use(label, "imm");
    return this.#put({ opcode: BPF_JMP32 | BPF_JA });
  }

  /** `may_goto label`: jumps when the loop has run too often for the kernel, from Linux 6.9. */
  mayGoto(label: string): this {
    this.#use(label, "offset");
    return this.#put({ opcode: BPF_JMP | BPF_JCOND });
  }

  /** Calls a helper: `call("bpf_map_lookup_elem")`; or the one of a number. Throws a `TypeError` for a name that none has. */
  call(helper: HelperName | number): this {
    const number = typeof helper === "number" ? helper : helperNumber(helper);
    if (number === undefined) throw new TypeError(`there is no helper ${helper}`);
    return this.#put({ opcode: BPF_JMP | BPF_CALL, imm: number });
  }

  /** Calls the function of this program that begins at a label. */
  callFunction(label: string): this {
    this.#use(label, "imm");
    return this.#put({ opcode: BPF_JMP | BPF_CALL, src: BPF_PSEUDO_CALL });
  }

  /** Calls a function of the kernel by its id in the kernel's BTF; in a module's, which is the `btfIndex`th of the program's fds. */
  callKernelFunction(btfId: number, btfIndex = 0): this {
    const place = { offset: offset16(btfIndex), imm: immediate(btfId) };
    return this.#put({ opcode: BPF_JMP | BPF_CALL, src: BPF_PSEUDO_KFUNC_CALL, ...place });
  }

  /** `exit` */
  exit(): this {
    return this.#put({ opcode: BPF_JMP | BPF_EXIT });
  }

  /** Names the place of the next instruction. Throws a `TypeError` for a name that is taken. */
  label(name: string): this {
    if (this.#labels.has(name)) throw new TypeError(`there are two labels ${name}`);
    this.#labels.set(name, this.#instructions.length);
    return this;
  }

  /** An instruction as it is. */
  raw(instruction: Instruction): this {
    return this.#put(instruction);
  }

  /**
   * The program. Throws a `TypeError` for a jump to a label that is nowhere, and a `RangeError` for one that is too far
   * away.
   */
  assemble(): Instruction[] {
    const program = [...this.#instructions];
    for (const { slot, label, reach } of this.#uses) {
      const target = this.#labels.get(label);
      if (target === undefined)
        throw new TypeError(`instruction ${slot} refers to the label ${label}, which is nowhere`);
      const distance = target - slot - 1;
      if (reach === "offset" && (distance < -(2 ** 15) || distance >= 2 ** 15)) {
        throw new RangeError(`instruction ${slot}: the label ${label} is too far away for 16 bits: use jumpLong`);
      }
      program[slot] = { ...(program[slot] as Instruction), [reach]: distance };
    }
    return program;
  }

  #arithmetic(operation: number, offset = 0): Arithmetic {
    return (dst: Register | HalfRegister, src: Operand) => {
      const opcode = classOf(dst) | operation | operandBit(dst, src);
      return this.#put({ opcode, dst: registerNumber(dst), offset, ...sourceOf(src) });
    };
  }

  #jump(comparison: number): Jump {
    return (left: Register | HalfRegister, right: Operand, label: string) => {
      const jumpClass = left.startsWith("w") ? BPF_JMP32 : BPF_JMP;
      this.#use(label, "offset");
      const opcode = jumpClass | comparison | operandBit(left, right);
      return this.#put({ opcode, dst: registerNumber(left), ...sourceOf(right) });
    };
  }

  #atomic(operation: number): Atomic {
    return (type, base, offset, src) => {
      const registers = { dst: registerNumber(base), src: registerNumber(src) };
      const opcode = BPF_STX | BPF_ATOMIC | widthOf(type);
      return this.#put({ opcode, ...registers, offset: offset16(offset), imm: operation });
    };
  }

  #wide(dst: Register, src: number, low: number, high: number): this {
    this.#put({ opcode: LD_IMM64, dst: registerNumber(dst), src, imm: low });
    return this.#put({ opcode: 0, imm: high });
  }

  #put(instruction: Partial<Instruction> & Pick<Instruction, "opcode">): this {
    this.#instructions.push({ dst: 0, src: 0, offset: 0, imm: 0, ...instruction });
    return this;
  }

  #use(label: string, reach: Reach): void {
    this.#uses.push({ slot: this.#instructions.length, label, reach });
  }
}

function classOf(register: Register | HalfRegister): number {
  return register.startsWith("w") ? BPF_ALU : BPF_ALU64;
}

function operandBit(dst: Register | HalfRegister, src: Operand): number {
  if (!isRegister(src)) return BPF_K;
  sameWidth(dst, src);
  return BPF_X;
}

function sourceOf(operand: Operand): { readonly src: number } | { readonly imm: number } {
  return isRegister(operand) ? { src: registerNumber(operand) } : { imm: immediate(operand) };
}

function sameWidth(left: Register | HalfRegister, right: Register | HalfRegister): void {
  if (left.charAt(0) === right.charAt(0)) return;
  throw new TypeError(`${left} and ${right} are not of the same width`);
}

function fdOf(map: MapReference): number {
  return typeof map === "number" ? map : map.fd;
}
