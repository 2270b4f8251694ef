import { helperNumber } from "../../src/abi/helpers.ts";
import type { Instruction } from "../../src/isa/instruction.ts";
import * as op from "../../src/isa/opcodes.ts";
import { hasHelper } from "../../src/kernel/embedded/programs/compiler/call-plan.ts";
import { mayCall } from "../../src/kernel/embedded/programs/helper-availability.ts";
import {
  type HelperArgument,
  type HelperProto,
  helperProtos,
} from "../../src/kernel/embedded/programs/helper-protos.ts";
import type { TestMap, TestProgram } from "./verdict.ts";

/** The maps that random programs use. */
export const MAPS: readonly TestMap[] = [
  { type: "hash", keySize: 4, valueSize: 16, maxEntries: 8 },
  { type: "array", keySize: 4, valueSize: 48, maxEntries: 4 },
  { type: "ringbuf", keySize: 0, valueSize: 0, maxEntries: 4096 },
  { type: "array", keySize: 4, valueSize: 64, maxEntries: 1 },
  { type: "percpu_array", keySize: 4, valueSize: 8, maxEntries: 2 },
  { type: "lru_hash", keySize: 8, valueSize: 24, maxEntries: 8 },
  { type: "queue", keySize: 0, valueSize: 12, maxEntries: 4 },
  { type: "array_of_maps", keySize: 4, valueSize: 4, maxEntries: 2, inner: 1 },
  {
    type: "array",
    keySize: 4,
    valueSize: 16,
    maxEntries: 1,
    flags: 1 << 7,
    constant: Uint8Array.from([5, 0, 0, 0, 255, 255, 255, 255, 7, 1, 0, 0, 0, 0, 0, 0]),
  },
  { type: "prog_array", keySize: 4, valueSize: 4, maxEntries: 2 },
  { type: "hash", keySize: 4, valueSize: 8, maxEntries: 4, flags: 1 << 7 },
];

/** The last helper of Linux. The embedded kernel has some more, with which Linux refuses a program. */
const LAST_HELPER = 211;

/** The helpers that both kernels have, but for those that take a function, which takes BTF. */
const CALLABLE: readonly HelperProto[] = helperProtos()
  .filter((proto) => proto !== undefined)
  .filter(
    ({ id, parameters }) =>
      id <= LAST_HELPER && hasHelper(id) && parameters !== undefined && !parameters.includes("callback"),
  );

/** Whether a program calls a helper that the embedded kernel alone has. */
export function callsOwnHelper({ insns }: TestProgram): boolean {
  return insns.some(({ opcode, src, imm }) => opcode === (op.BPF_JMP | op.BPF_CALL) && src === 0 && imm > LAST_HELPER);
}

/** A stream of random numbers that a seed decides: xorshift of 32 bits. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e37_79b9) | 0 || 1;
    for (let round = 0; round < 8; round++) this.next();
  }

  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  below(bound: number): number {
    return this.next() % bound;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** What the generator believes a register to hold. */
type Kind = "none" | "number" | "ctx" | "value" | "maybe" | "packet" | "end" | "stack" | "inner" | "record";

const XDP = 6;
const TYPES = [XDP, XDP, 1, 3, 8, 2, 17];
const PACKET_TYPES = new Set([XDP, 3, 8]);
const COMPARISONS = [
  op.BPF_JEQ,
  op.BPF_JNE,
  op.BPF_JGT,
  op.BPF_JGE,
  op.BPF_JLT,
  op.BPF_JLE,
  op.BPF_JSGT,
  op.BPF_JSGE,
  op.BPF_JSLT,
  op.BPF_JSLE,
  op.BPF_JSET,
];
const ARITHMETIC = [
  op.BPF_ADD,
  op.BPF_SUB,
  op.BPF_MUL,
  op.BPF_DIV,
  op.BPF_OR,
  op.BPF_AND,
  op.BPF_AND,
  op.BPF_LSH,
  op.BPF_RSH,
  op.BPF_MOD,
  op.BPF_XOR,
  op.BPF_ARSH,
  op.BPF_NEG,
  op.BPF_MOV,
];
const WIDTHS = [op.BPF_B, op.BPF_H, op.BPF_W, op.BPF_DW] as const;
const SIZES: Readonly<Record<number, number>> = { [op.BPF_B]: 1, [op.BPF_H]: 2, [op.BPF_W]: 4, [op.BPF_DW]: 8 };
const VALUE_SIZES = MAPS.map(({ valueSize }) => valueSize);
const IMMEDIATES = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 48, 63, 64, 100, 127, 128, 255, 256, 4095, 65535, 0x7fffffff, -1, -2, -8, -16,
  -128, -0x80000000,
];

/** Writes one random program: one that a person could have meant, with a mistake now and then. */
export class ProgramWriter {
  readonly #random: Random;
  readonly #insns: Instruction[] = [];
  #kinds: Kind[] = [];
  /** Which map a value is of. */
  #mapOf: number[] = [];
  #type = XDP;
  readonly #carelessness: number;
  readonly #room: number;
  #depth = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#carelessness = this.#random.pick([0, 0, 1, 3, 10]);
    this.#room = 6 + this.#random.below(this.#random.pick([10, 30, 80]));
  }

  write(): TestProgram {
    const r = this.#random;
    this.#type = r.pick(TYPES);
    this.#kinds = new Array<Kind>(11).fill("none");
    this.#mapOf = new Array<number>(11).fill(0);
    this.#kinds[1] = "ctx";
    this.#kinds[10] = "stack";
    if (r.chance(80)) this.#move(6, 1);
    while (this.#insns.length < this.#room) this.#step();
    this.#finish();
    const functions = this.#functions();
    void functions;
    const insns = this.#insns;
    if (r.chance(25)) this.#mutate();
    return { type: this.#type, expectedAttachType: 0, license: "GPL", insns };
  }

  #functions(): number {
    const { length } = this.#insns;
    const calls = this.#insns
      .map((insn, slot) => [slot, insn] as const)
      .filter(([, insn]) => insn.opcode === (op.BPF_JMP | op.BPF_CALL) && insn.src === op.BPF_PSEUDO_CALL);
    if (calls.length === 0) return 0;
    for (const [slot, insn] of calls) this.#insns[slot] = { ...insn, imm: length - slot - 1 };
    this.#kinds = new Array<Kind>(11).fill("none");
    this.#kinds[1] = this.#random.pick<Kind>(["number", "number", "stack"]);
    this.#kinds[2] = "number";
    this.#kinds[10] = "stack";
    const room = length + 3 + this.#random.below(12);
    this.#inFunction = true;
    while (this.#insns.length < room) this.#step();
    this.#finish();
    return 1;
  }

  #inFunction = false;

  /** Ends the path here. */
  #finish(): void {
    const r = this.#random;
    if (this.#kinds[0] !== "number" || r.chance(30)) this.#emit(op.BPF_ALU64 | op.BPF_MOV, 0, 0, 0, r.below(2));
    this.#emit(op.BPF_JMP | op.BPF_EXIT);
  }

  #emit(opcode: number, dst = 0, src = 0, offset = 0, imm = 0): void {
    this.#insns.push({ opcode, dst, src, offset, imm });
  }

  #careless(): boolean {
    return this.#random.chance(this.#carelessness);
  }

  #any(...kinds: Kind[]): number | undefined {
    const found = this.#kinds
      .map((kind, number) => [kind, number] as const)
      .filter(([kind, number]) => kinds.includes(kind) && (number !== 10 || kinds.includes("stack")));
    if (this.#careless()) return this.#random.below(11);
    return found.length === 0 ? undefined : this.#random.pick(found)[1];
  }

  #target(): number {
    return this.#careless() ? this.#random.below(11) : this.#random.below(10);
  }

  #immediate(): number {
    const r = this.#random;
    return r.chance(70) ? r.pick(IMMEDIATES) : (r.next() | 0) >> r.below(32);
  }

  #set(register: number, kind: Kind, map = 0): void {
    this.#kinds[register] = kind;
    this.#mapOf[register] = map;
  }

  #move(dst: number, src: number): void {
    this.#emit(op.BPF_ALU64 | op.BPF_MOV | op.BPF_X, dst, src);
    this.#set(dst, this.#kinds[src] ?? "none", this.#mapOf[src]);
  }

  #step(): void {
    const r = this.#random;
    const steps: (() => void)[] = [
      () => this.#constant(),
      () => this.#arithmetic(),
      () => this.#arithmetic(),
      () => this.#arithmetic(),
      () => this.#stackAccess(),
      () => this.#stackAccess(),
      () => this.#pointer(),
      () => this.#valueAccess(),
      () => this.#valueAccess(),
      () => this.#lookup(),
      () => this.#branch(),
      () => this.#branch(),
      () => this.#branch(),
      () => this.#loop(),
      () => this.#packet(),
      () => this.#packetAccess(),
      () => this.#call(),
      () => this.#call(),
      () => this.#atomic(),
      () => this.#context(),
      () => this.#index(),
      () => this.#copy(),
      () => this.#helperOnMemory(),
      () => this.#record(),
      () => this.#checkNull(),
      () => this.#checkNull(),
      () => this.#wide(),
      () => this.#functionCall(),
      () => this.#innerLookup(),
      () => this.#anyHelper(),
      () => this.#anyHelper(),
      () => this.#packetLoad(),
      () => this.#acquireRelease(),
      () => this.#mayGoto(),
      () => this.#dynptr(),
    ];
    r.pick(steps)();
  }

  #constant(): void {
    const dst = this.#target();
    this.#emit((this.#random.chance(70) ? op.BPF_ALU64 : op.BPF_ALU) | op.BPF_MOV, dst, 0, 0, this.#immediate());
    this.#set(dst, "number");
  }

  #copy(): void {
    const src = this.#any("number", "ctx", "value", "maybe", "packet", "end", "stack", "inner");
    if (src === undefined) return;
    const r = this.#random;
    const dst = this.#target();
    if (r.chance(70)) return this.#move(dst, src);
    const is64 = r.chance(50);
    const extend = r.pick([0, 8, 16, is64 ? 32 : 0]);
    this.#emit((is64 ? op.BPF_ALU64 : op.BPF_ALU) | op.BPF_MOV | op.BPF_X, dst, src, extend);
    this.#set(dst, is64 && extend === 0 ? (this.#kinds[src] ?? "none") : "number", this.#mapOf[src]);
  }

  #arithmetic(): void {
    const dst = this.#any("number");
    if (dst === undefined) return this.#constant();
    const r = this.#random;
    const kind = r.chance(60) ? op.BPF_ALU64 : op.BPF_ALU;
    const operation = r.pick(ARITHMETIC);
    if (operation === op.BPF_NEG) return this.#emit(kind | op.BPF_NEG, dst);
    if (r.chance(6))
      return this.#emit(
        r.pick([op.BPF_ALU, op.BPF_ALU | op.BPF_X, op.BPF_ALU64]) | op.BPF_END,
        dst,
        0,
        0,
        r.pick([16, 32, 64]),
      );
    const offset = (operation === op.BPF_DIV || operation === op.BPF_MOD) && r.chance(30) ? 1 : 0;
    const src = r.chance(45) ? this.#any("number") : undefined;
    if (src !== undefined) return this.#emit(kind | operation | op.BPF_X, dst, src, offset);
    const isShift = operation === op.BPF_LSH || operation === op.BPF_RSH || operation === op.BPF_ARSH;
    const shift = r.below(kind === op.BPF_ALU64 ? 64 : 32);
    const imm = isShift && !this.#careless() ? shift : this.#immediate();
    this.#emit(
      kind | operation,
      dst,
      0,
      offset,
      imm === 0 && (operation === op.BPF_DIV || operation === op.BPF_MOD) ? 3 : imm,
    );
  }

  #stackOffset(size: number): number {
    const r = this.#random;
    const offset = -size * (1 + r.below(Math.floor((r.chance(80) ? 40 : 512) / size)));
    return this.#careless() ? offset + r.pick([-1, 1, 600, -600]) : offset;
  }

  #stackAccess(): void {
    const r = this.#random;
    const width = r.pick(WIDTHS);
    const offset = this.#stackOffset(SIZES[width] ?? 8);
    if (r.chance(25)) return this.#emit(op.BPF_ST | op.BPF_MEM | width, 10, 0, offset, this.#immediate());
    if (r.chance(50)) {
      const src =
        width === op.BPF_DW
          ? this.#any("number", "ctx", "value", "maybe", "packet", "stack", "end")
          : this.#any("number");
      if (src !== undefined) this.#emit(op.BPF_STX | op.BPF_MEM | width, 10, src, offset);
      return;
    }
    const dst = this.#target();
    const isSigned = width !== op.BPF_DW && r.chance(25);
    this.#emit(op.BPF_LDX | (isSigned ? op.BPF_MEMSX : op.BPF_MEM) | width, dst, 10, offset);
    this.#set(dst, "number");
  }

  /** A pointer to somewhere on the stack, at a number from the register perhaps. */
  #pointer(): void {
    const r = this.#random;
    const dst = this.#target();
    this.#move(dst, 10);
    this.#emit(op.BPF_ALU64 | op.BPF_ADD, dst, 0, 0, -8 * (1 + r.below(8)));
    const index = r.chance(30) ? this.#any("number") : undefined;
    if (index !== undefined && index !== dst) {
      if (r.chance(80)) this.#emit(op.BPF_ALU64 | op.BPF_AND, index, 0, 0, r.pick([7, 8, 15, 3, 31]));
      this.#emit(op.BPF_ALU64 | op.BPF_ADD | op.BPF_X, dst, index);
    }
    if (r.chance(60)) this.#accessBy(dst, 8);
  }

  #accessBy(base: number, room: number): void {
    const r = this.#random;
    const width = r.pick(WIDTHS);
    const size = SIZES[width] ?? 8;
    const last = Math.max(1, Math.floor((room - size) / size) + 1);
    const offset = size * r.below(last) + (this.#careless() ? r.pick([-8, 1, 8, 64]) : 0) + (r.chance(2) ? 8 : 0);
    const choice = r.below(3);
    if (choice === 0) return this.#emit(op.BPF_ST | op.BPF_MEM | width, base, 0, offset, this.#immediate());
    if (choice === 1) {
      const src = this.#any("number");
      if (src !== undefined) this.#emit(op.BPF_STX | op.BPF_MEM | width, base, src, offset);
      return;
    }
    const dst = this.#target();
    this.#emit(
      op.BPF_LDX | (width !== op.BPF_DW && r.chance(25) ? op.BPF_MEMSX : op.BPF_MEM) | width,
      dst,
      base,
      offset,
    );
    this.#set(dst, "number");
  }

  #valueAccess(): void {
    const base = this.#any("value");
    if (base !== undefined) this.#accessBy(base, VALUE_SIZES[this.#mapOf[base] ?? 0] ?? 8);
  }

  #loadMap(dst: number, map: number): void {
    this.#emit(op.LD_IMM64, dst, op.BPF_PSEUDO_MAP_FD, 0, map);
    this.#emit(0);
  }

  /** A key on the stack, and its address in a register. */
  #key(register: number, size: number): void {
    const r = this.#random;
    const offset = -8 * (1 + r.below(4));
    if (!this.#careless()) {
      const src = r.chance(50) ? this.#any("number") : undefined;
      const width = size === 8 ? op.BPF_DW : op.BPF_W;
      if (src === undefined) this.#emit(op.BPF_ST | op.BPF_MEM | width, 10, 0, offset, r.below(5));
      else this.#emit(op.BPF_STX | op.BPF_MEM | width, 10, src, offset);
    }
    this.#move(register, 10);
    this.#emit(op.BPF_ALU64 | op.BPF_ADD, register, 0, 0, offset);
  }

  #helper(name: string): void {
    this.#emit(op.BPF_JMP | op.BPF_CALL, 0, 0, 0, helperNumber(`bpf_${name}`) ?? 0);
    for (let register = 1; register <= 5; register++) this.#set(register, "none");
    this.#set(0, "number");
  }

  #lookup(): void {
    const r = this.#random;
    const map = r.pick([0, 1, 1, 3, 4, 5, 7, 8, 10]);
    this.#key(2, MAPS[map]?.keySize ?? 4);
    this.#loadMap(1, this.#careless() ? r.below(MAPS.length) : map);
    this.#helper("map_lookup_elem");
    this.#set(0, map === 7 ? "inner" : "maybe", map);
    if (r.chance(70)) this.#checkNull();
  }

  #innerLookup(): void {
    const inner = this.#kinds.indexOf("inner");
    if (inner < 0) return;
    const r = this.#random;
    this.#emit(op.BPF_JMP | op.BPF_JEQ, inner, 0, r.chance(90) ? 5 : 4, 0);
    this.#emit(op.BPF_ST | op.BPF_MEM | op.BPF_W, 10, 0, -4, r.below(5));
    this.#emit(op.BPF_ALU64 | op.BPF_MOV | op.BPF_X, 2, 10);
    this.#emit(op.BPF_ALU64 | op.BPF_ADD, 2, 0, 0, -4);
    this.#emit(op.BPF_ALU64 | op.BPF_MOV | op.BPF_X, 1, inner);
    this.#emit(op.BPF_JMP | op.BPF_JA, 0, 0, 2);
    this.#emit(op.BPF_ALU64 | op.BPF_MOV, 0, 0, 0, 0);
    this.#emit(op.BPF_JMP | op.BPF_EXIT);
    this.#helper("map_lookup_elem");
    this.#set(0, "maybe", 1);
  }

  #checkNull(): void {
    const register = this.#any("maybe", "inner");
    if (register === undefined) return;
    const r = this.#random;
    const map = this.#mapOf[register] ?? 0;
    if (r.chance(60)) {
      this.#emit(op.BPF_JMP | op.BPF_JNE, register, 0, 2, 0);
      this.#emit(op.BPF_ALU64 | op.BPF_MOV, 0, 0, 0, 0);
      this.#emit(op.BPF_JMP | op.BPF_EXIT);
      if (this.#kinds[register] === "maybe") this.#set(register, "value", map);
      return;
    }
    const before = [...this.#kinds];
    const maps = [...this.#mapOf];
    if (this.#kinds[register] === "maybe") this.#set(register, "value", map);
    this.#block(op.BPF_JMP | op.BPF_JEQ, register, 0, 0);
    this.#meet(before);
    this.#mapOf = this.#mapOf.map((of, index) => (of === maps[index] ? of : 0));
    if (this.#kinds[register] !== "none")
      this.#set(register, this.#kinds[register] === "value" ? "maybe" : (this.#kinds[register] ?? "none"), map);
  }

  /** A conditional jump over a few steps. */
  #block(opcode: number, dst: number, src: number, imm: number): void {
    const at = this.#insns.length;
    this.#emit(opcode, dst, src, 0, imm);
    this.#depth++;
    const steps = 1 + this.#random.below(4);
    for (let step = 0; step < steps && this.#depth < 5; step++) this.#step();
    if (this.#random.chance(8)) this.#finish();
    this.#depth--;
    this.#insns[at] = { ...(this.#insns[at] as Instruction), offset: this.#insns.length - at - 1 };
  }

  #meet(before: readonly Kind[]): void {
    this.#kinds = this.#kinds.map((kind, index) => (kind === before[index] ? kind : "none"));
  }

  #branch(): void {
    const a = this.#any("number");
    if (a === undefined) return this.#constant();
    const r = this.#random;
    const kind = r.chance(65) ? op.BPF_JMP : op.BPF_JMP32;
    const b = r.chance(40) ? this.#any("number") : undefined;
    const before = [...this.#kinds];
    const operation = r.pick(COMPARISONS);
    if (b === undefined) this.#block(kind | operation, a, 0, this.#immediate());
    else this.#block(kind | operation | op.BPF_X, a, b, 0);
    this.#meet(before);
  }

  #loop(): void {
    if (this.#depth > 1) return;
    const r = this.#random;
    const counter = 6 + r.below(4);
    this.#emit(op.BPF_ALU64 | op.BPF_MOV, counter, 0, 0, 0);
    this.#set(counter, "number");
    const start = this.#insns.length;
    const before = [...this.#kinds];
    this.#depth += 2;
    const steps = 1 + r.below(3);
    for (let step = 0; step < steps; step++) this.#step();
    this.#depth -= 2;
    if (!this.#careless()) this.#emit(op.BPF_ALU64 | op.BPF_ADD, counter, 0, 0, 1);
    const bound = r.pick([2, 4, 10, 40]);
    const limit = r.chance(4) ? this.#any("number") : undefined;
    const offset = start - this.#insns.length - 1;
    if (limit === undefined)
      this.#emit(r.pick([op.BPF_JMP, op.BPF_JMP, op.BPF_JMP32]) | op.BPF_JLT, counter, 0, offset, bound);
    else this.#emit(op.BPF_JMP | op.BPF_JLT | op.BPF_X, counter, limit, offset);
    this.#meet(before);
    this.#set(counter, "number");
  }

  #packet(): void {
    const context = this.#any("ctx");
    if (context === undefined || (!PACKET_TYPES.has(this.#type) && !this.#careless())) return;
    const r = this.#random;
    const data = 2 + r.below(4);
    const end = data === 5 ? 4 : data + 1;
    if (context === data || context === end) return;
    const [dataAt, endAt] = this.#type === XDP ? [0, 4] : [76, 80];
    this.#emit(op.BPF_LDX | op.BPF_MEM | op.BPF_W, data, context, dataAt);
    this.#emit(op.BPF_LDX | op.BPF_MEM | op.BPF_W, end, context, endAt);
    this.#set(data, "packet");
    this.#set(end, "end");
    const index = r.chance(25) ? this.#any("number") : undefined;
    if (index !== undefined && index !== data && index !== end) {
      this.#emit(op.BPF_ALU64 | op.BPF_AND, index, 0, 0, r.pick([15, 63, 255, 0x7fff]));
      this.#emit(op.BPF_ALU64 | op.BPF_ADD | op.BPF_X, data, index);
    }
    const bound = r.pick([1, 7]);
    this.#move(bound, data);
    this.#emit(op.BPF_ALU64 | op.BPF_ADD, bound, 0, 0, r.pick([4, 8, 14, 14, 20, 40]));
    if (r.chance(15)) this.#emit(op.BPF_ALU64 | op.BPF_MOV | op.BPF_X, r.pick([8, 9]), bound);
    const comparison = r.pick([op.BPF_JGT, op.BPF_JGT, op.BPF_JGE, op.BPF_JLE, op.BPF_JLT]);
    const isMirrored = r.chance(30);
    const isGreater = comparison === op.BPF_JGT || comparison === op.BPF_JGE;
    const before = [...this.#kinds];
    const skipsBad = isGreater !== isMirrored;
    this.#emit(
      op.BPF_JMP | comparison | op.BPF_X,
      isMirrored ? end : bound,
      isMirrored ? bound : end,
      skipsBad ? 1 : 2,
    );
    if (skipsBad) this.#emit(op.BPF_JMP | op.BPF_JA, 0, 0, 2);
    this.#emit(op.BPF_ALU64 | op.BPF_MOV, 0, 0, 0, 0);
    this.#emit(op.BPF_JMP | op.BPF_EXIT);
    void before;
    for (let access = r.below(3); access > 0; access--) this.#packetAccess();
  }

  #packetAccess(): void {
    const base = this.#any("packet");
    if (base !== undefined) this.#accessBy(base, this.#random.pick([4, 8, 14, 20]));
  }

  #call(): void {
    const r = this.#random;
    const name = r.pick(["get_prandom_u32", "ktime_get_ns", "get_smp_processor_id", "jiffies64", "get_numa_node_id"]);
    this.#helper(name);
    if (r.chance(40)) {
      const dst = 6 + r.below(4);
      this.#move(dst, 0);
    }
  }

  #atomic(): void {
    const r = this.#random;
    const base = r.chance(50) ? 10 : this.#any("value");
    const src = this.#any("number");
    if (base === undefined || src === undefined || src === base) return;
    const width = r.pick([op.BPF_W, op.BPF_DW]);
    const size = width === op.BPF_W ? 4 : 8;
    const offset =
      base === 10
        ? this.#stackOffset(size)
        : size * r.below(Math.floor((VALUE_SIZES[this.#mapOf[base] ?? 0] ?? 8) / size));
    const imm = r.pick([
      op.BPF_ADD,
      op.BPF_OR,
      op.BPF_AND | op.BPF_FETCH,
      op.BPF_ADD | op.BPF_FETCH,
      op.BPF_XOR,
      op.BPF_XCHG,
      op.BPF_CMPXCHG,
    ]);
    if (imm === op.BPF_CMPXCHG && this.#kinds[0] !== "number" && !this.#careless()) return;
    this.#emit(op.BPF_STX | op.BPF_ATOMIC | width, base, src, offset, imm);
  }

  #context(): void {
    const base = this.#any("ctx");
    if (base === undefined) return;
    const r = this.#random;
    const width = r.pick(WIDTHS);
    const size = SIZES[width] ?? 4;
    const dst = this.#target();
    const offset = size * r.below(Math.ceil((this.#type === XDP ? 24 : 100) / size));
    if (r.chance(85)) {
      const isGood = this.#type === XDP ? width === op.BPF_W && offset >= 12 && offset < 20 : offset < 40 && size <= 4;
      if (!isGood && !this.#careless()) return;
      this.#emit(op.BPF_LDX | op.BPF_MEM | width, dst, base, offset);
      this.#set(dst, "number");
    } else if (this.#type !== XDP || this.#careless()) {
      const src = this.#any("number");
      if (src !== undefined) this.#emit(op.BPF_STX | op.BPF_MEM | op.BPF_W, base, src, 48 + 4 * r.below(5));
    }
  }

  /** A value by an index that was bounded, one way or another. */
  #index(): void {
    const value = this.#any("value");
    const index = this.#any("number");
    if (value === undefined || index === undefined || value === index) return;
    const r = this.#random;
    const size = VALUE_SIZES[this.#mapOf[value] ?? 0] ?? 8;
    const dst = this.#target();
    if (dst === index || dst === 10) return;
    this.#move(dst, value);
    const before = [...this.#kinds];
    const choice = r.below(4);
    if (choice === 0)
      this.#emit(r.pick([op.BPF_ALU64, op.BPF_ALU]) | op.BPF_AND, index, 0, 0, r.pick([1, 3, 7, 15, size - 1]));
    let jump = -1;
    if (choice === 1 || choice === 2) {
      jump = this.#insns.length;
      const kind = r.pick([op.BPF_JMP, op.BPF_JMP, op.BPF_JMP32]);
      this.#emit(kind | r.pick([op.BPF_JGT, op.BPF_JGE, op.BPF_JSGT]), index, 0, 0, size - r.pick([1, 4, 8]));
    }
    this.#emit(op.BPF_ALU64 | r.pick([op.BPF_ADD, op.BPF_ADD, op.BPF_ADD, op.BPF_SUB]) | op.BPF_X, dst, index);
    this.#accessBy(dst, 1);
    if (jump >= 0) this.#insns[jump] = { ...(this.#insns[jump] as Instruction), offset: this.#insns.length - jump - 1 };
    this.#meet(before);
    this.#set(dst, "none");
  }

  #helperOnMemory(): void {
    const r = this.#random;
    const choice = r.below(7);
    if (choice === 0) {
      this.#key(2, 4);
      this.#emit(op.BPF_ALU64 | op.BPF_MOV | op.BPF_X, 3, 10);
      this.#emit(op.BPF_ALU64 | op.BPF_ADD, 3, 0, 0, -8 * (2 + r.below(5)));
      this.#emit(op.BPF_ALU64 | op.BPF_MOV, 4, 0, 0, 0);
      this.#loadMap(1, r.pick([0, 0, 1, 4, 10]));
      return this.#helper("map_update_elem");
    }
    if (choice === 1) {
      this.#key(2, 4);
      this.#loadMap(1, r.pick([0, 1, 5, 10]));
      return this.#helper("map_delete_elem");
    }
    const size = r.chance(40) ? this.#any("number") : undefined;
    const sizeAt = choice === 2 ? 3 : 2;
    if (size !== undefined && r.chance(70)) this.#emit(op.BPF_ALU64 | op.BPF_AND, size, 0, 0, r.pick([7, 15, 16, 31]));
    if (size === undefined) this.#emit(op.BPF_ALU64 | op.BPF_MOV, sizeAt, 0, 0, r.pick([0, 1, 4, 8, 12, 16, 32]));
    else this.#emit(op.BPF_ALU64 | op.BPF_MOV | op.BPF_X, sizeAt, size);
    const memory = sizeAt - 1;
    const value = r.chance(40) ? this.#any("value", "packet") : undefined;
    if (value !== undefined && value !== sizeAt) {
      this.#emit(op.BPF_ALU64 | op.BPF_MOV | op.BPF_X, memory, value);
    } else {
      this.#emit(op.BPF_ALU64 | op.BPF_MOV | op.BPF_X, memory, 10);
      this.#emit(op.BPF_ALU64 | op.BPF_ADD, memory, 0, 0, r.pick([-8, -16, -32, -32, -12]));
    }
    if (choice === 2) {
      this.#loadMap(1, 2);
      this.#emit(op.BPF_ALU64 | op.BPF_MOV, 4, 0, 0, 0);
      return this.#helper("ringbuf_output");
    }
    if (choice === 3) {
      this.#emit(op.BPF_ALU64 | op.BPF_MOV, 3, 0, 0, 0);
      return this.#helper(r.pick(["probe_read_kernel", "probe_read_kernel_str"]));
    }
    if (choice === 4) return this.#helper("trace_printk");
    if (choice === 5) return this.#helper("get_current_comm");
    this.#emit(op.BPF_ALU64 | op.BPF_MOV, 3, 0, 0, 0);
    this.#emit(op.BPF_ALU64 | op.BPF_MOV, 4, 0, 0, 0);
    this.#emit(op.BPF_ALU64 | op.BPF_MOV, 5, 0, 0, 0);
    this.#helper("csum_diff");
  }

  #record(): void {
    const r = this.#random;
    this.#loadMap(1, 2);
    this.#emit(op.BPF_ALU64 | op.BPF_MOV, 2, 0, 0, r.pick([8, 16, 24]));
    this.#emit(op.BPF_ALU64 | op.BPF_MOV, 3, 0, 0, 0);
    this.#helper("ringbuf_reserve");
    const skip = this.#careless() ? 1 : 2;
    this.#emit(op.BPF_JMP | op.BPF_JNE, 0, 0, skip, 0);
    this.#emit(op.BPF_ALU64 | op.BPF_MOV, 0, 0, 0, 0);
    this.#emit(op.BPF_JMP | op.BPF_EXIT);
    const kept = 6 + r.below(4);
    this.#move(kept, 0);
    for (let access = r.below(3); access > 0; access--) this.#accessBy(kept, 8);
    if (this.#careless()) return;
    if (r.chance(15)) this.#arithmetic();
    this.#emit(op.BPF_ALU64 | op.BPF_MOV | op.BPF_X, 1, kept);
    this.#emit(op.BPF_ALU64 | op.BPF_MOV, 2, 0, 0, 0);
    this.#helper(r.pick(["ringbuf_submit", "ringbuf_discard"]));
    this.#set(0, "none");
    this.#set(kept, this.#careless() ? "value" : "number");
  }

  #wide(): void {
    const r = this.#random;
    const dst = this.#target();
    if (r.chance(40)) {
      this.#emit(op.LD_IMM64, dst, 0, 0, this.#immediate());
      this.#emit(0, 0, 0, 0, this.#immediate());
      return this.#set(dst, "number");
    }
    const map = r.pick([3, 8]);
    this.#emit(op.LD_IMM64, dst, op.BPF_PSEUDO_MAP_VALUE, 0, map);
    this.#emit(0, 0, 0, 0, r.pick([0, 0, 0, 4, 8, this.#careless() ? 63 : 0]));
    this.#set(dst, "value", map);
    if (map === 8) this.#set(dst, r.chance(90) ? "none" : "value", map);
    if (map === 8)
      this.#emit(op.BPF_LDX | op.BPF_MEM | r.pick([op.BPF_B, op.BPF_H, op.BPF_W]), dst, dst, r.pick([0, 0, 2, 4]));
    if (map === 8) this.#set(dst, "number");
  }

  #functionCall(): void {
    if (this.#inFunction) return;
    const argument = this.#any("number", "stack");
    if (argument === undefined) return;
    this.#move(1, argument);
    this.#emit(op.BPF_ALU64 | op.BPF_MOV, 2, 0, 0, this.#immediate());
    this.#emit(op.BPF_JMP | op.BPF_CALL, 0, op.BPF_PSEUDO_CALL, 0, 0);
    for (let register = 1; register <= 5; register++) this.#set(register, "none");
    this.#set(0, "number");
  }

  /** A helper out of all of them, with arguments that could be meant. */
  #anyHelper(): void {
    const r = this.#random;
    const callable = CALLABLE.filter(({ id }) => mayCall(this.#type, 0, id));
    const proto = r.pick(callable);
    const parameters = proto.parameters ?? [];
    const size = r.pick([0, 1, 4, 8, 8, 16, 16, 32]);
    for (const [index, parameter] of parameters.entries()) this.#argument(parameter, index + 1, size);
    if (parameters.includes("ctx") && this.#kinds[parameters.indexOf("ctx") + 1] !== "ctx" && !this.#careless()) return;
    this.#helper(proto.name);
    if (proto.result === "map_value_or_null") this.#set(0, "maybe", 0);
    else if (proto.result !== "integer") this.#set(0, "none");
    if (proto.changesPacket)
      this.#kinds = this.#kinds.map((kind) => (kind === "packet" || kind === "end" ? "none" : kind));
  }

  #argument(parameter: HelperArgument, register: number, size: number): void {
    const r = this.#random;
    const set = (value: number): void => this.#emit(op.BPF_ALU64 | op.BPF_MOV, register, 0, 0, value);
    this.#kinds[register] = "none";
    if (parameter.startsWith("ctx")) {
      const context = this.#any("ctx");
      if (context !== undefined) return this.#move(register, context);
      return set(0);
    }
    if (parameter === "map") return this.#loadMap(register, r.below(MAPS.length));
    if (parameter === "constant_string") {
      this.#emit(op.LD_IMM64, register, op.BPF_PSEUDO_MAP_VALUE, 0, r.pick([8, 8, 3]));
      return this.#emit(0);
    }
    if (parameter.startsWith("size")) return set(size);
    if (parameter === "allocation_size") return set(r.pick([0, 8, 16]));
    if (parameter === "anything") {
      const value = r.chance(30) ? this.#any("number") : undefined;
      return value === undefined ? set(r.pick([0, 0, 1, 8, 20])) : this.#move(register, value);
    }
    if (parameter.endsWith("_or_null") && r.chance(40)) return set(0);
    const value = r.chance(30) ? this.#any("value", "packet") : undefined;
    if (value !== undefined) return this.#move(register, value);
    this.#emit(op.BPF_ALU64 | op.BPF_MOV | op.BPF_X, register, 10);
    this.#emit(op.BPF_ALU64 | op.BPF_ADD, register, 0, 0, r.pick([-8, -16, -32, -32, -64]));
  }

  #packetLoad(): void {
    const r = this.#random;
    if (this.#kinds[6] !== "ctx" || (this.#type !== 1 && this.#type !== 3 && !this.#careless())) return;
    const index = r.chance(40) ? this.#any("number") : undefined;
    this.#emit(
      op.BPF_LD | (index === undefined ? op.BPF_ABS : op.BPF_IND) | r.pick([op.BPF_B, op.BPF_H, op.BPF_W]),
      0,
      index ?? 0,
      0,
      r.below(40),
    );
    for (let register = 1; register <= 5; register++) this.#set(register, "none");
    this.#set(0, "number");
  }

  #acquireRelease(): void {
    const r = this.#random;
    const width = r.pick(WIDTHS);
    const offset = this.#stackOffset(SIZES[width] ?? 8);
    if (r.chance(50)) {
      const dst = this.#target();
      this.#emit(op.BPF_STX | op.BPF_ATOMIC | width, dst, 10, offset, op.BPF_LOAD_ACQ);
      return this.#set(dst, "number");
    }
    const src = this.#any("number");
    if (src !== undefined) this.#emit(op.BPF_STX | op.BPF_ATOMIC | width, 10, src, offset, op.BPF_STORE_REL);
  }

  #mayGoto(): void {
    if (this.#depth > 1) return;
    const before = [...this.#kinds];
    const start = this.#insns.length;
    this.#emit(op.BPF_JMP | op.BPF_JCOND);
    this.#depth += 2;
    for (let steps = 1 + this.#random.below(3); steps > 0; steps--) this.#step();
    this.#depth -= 2;
    this.#meet(before);
    this.#emit(op.BPF_JMP | op.BPF_JA, 0, 0, start - this.#insns.length - 1);
    this.#insns[start] = { ...(this.#insns[start] as Instruction), offset: this.#insns.length - start - 1 };
  }

  #dynptr(): void {
    const r = this.#random;
    const at = r.pick([-16, -16, -32, -24]);
    const place = (register: number): void => {
      this.#emit(op.BPF_ALU64 | op.BPF_MOV | op.BPF_X, register, 10);
      this.#emit(op.BPF_ALU64 | op.BPF_ADD, register, 0, 0, this.#careless() ? at - 8 : at);
    };
    const set = (register: number, value: number): void => this.#emit(op.BPF_ALU64 | op.BPF_MOV, register, 0, 0, value);
    this.#loadMap(1, 2);
    set(2, 16);
    set(3, 0);
    place(4);
    this.#helper("ringbuf_reserve_dynptr");
    if (r.chance(50)) {
      place(1);
      set(2, r.pick([0, 4]));
      set(3, r.pick([4, 8, 8]));
      this.#helper("dynptr_data");
      this.#emit(op.BPF_JMP | op.BPF_JEQ, 0, 0, 1, 0);
      this.#emit(op.BPF_ST | op.BPF_MEM | r.pick(WIDTHS), 0, 0, r.pick([0, 0, 4]), 7);
      this.#set(0, "none");
    }
    if (this.#careless()) this.#stackAccess();
    if (this.#careless()) return;
    place(1);
    set(2, 0);
    this.#helper(r.pick(["ringbuf_submit_dynptr", "ringbuf_discard_dynptr"]));
    this.#set(0, "none");
  }

  /** Changes something somewhere: most often the program is worse for it. */
  #mutate(): void {
    const r = this.#random;
    for (let times = 1 + r.below(2); times > 0; times--) {
      const at = r.below(this.#insns.length);
      const insn = this.#insns[at] as Instruction;
      const isSecond = at > 0 && this.#insns[at - 1]?.opcode === op.LD_IMM64;
      if (isSecond) continue;
      const change = r.below(7);
      if (change === 0) this.#insns[at] = { ...insn, dst: r.below(11) };
      else if (change === 1) this.#insns[at] = { ...insn, src: r.below(11) };
      else if (change === 2) this.#insns[at] = { ...insn, offset: insn.offset + r.pick([-8, -4, -1, 1, 4, 8]) };
      else if (change === 3)
        this.#insns[at] = { ...insn, imm: r.chance(50) ? insn.imm + r.pick([-1, 1, 8, -8]) : this.#immediate() };
      else if (change === 4) this.#insns[at] = { ...insn, opcode: insn.opcode ^ (1 << r.below(8)) };
      else if (change === 5) this.#insns[at] = { opcode: op.BPF_JMP | op.BPF_JA, dst: 0, src: 0, offset: 0, imm: 0 };
      else this.#insns[at] = { ...(this.#insns[r.below(this.#insns.length)] as Instruction) };
    }
  }
}
