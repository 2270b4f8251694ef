import { Assembler } from "../../src/isa/assembler.ts";
import type { Register } from "../../src/isa/operands.ts";
import { Random } from "./random-program.ts";

/** The fds of the maps that random computations work on. */
export interface ComputationMaps {
  /** One value of 64 bytes. */
  readonly array: number;
  /** Keys of 4 bytes, of which those from 0 to 15 are used, and values of 16. */
  readonly hash: number;
}

const OPERATIONS = ["add", "sub", "mul", "div", "sdiv", "mod", "smod", "or", "and", "xor"] as const;
const SHIFTS = ["lsh", "rsh", "arsh"] as const;
const JUMPS = ["jeq", "jne", "jgt", "jge", "jlt", "jle", "jsgt", "jsge", "jslt", "jsle", "jset"] as const;
const ATOMICS = [
  "atomicAdd",
  "atomicOr",
  "atomicAnd",
  "atomicXor",
  "atomicFetchAdd",
  "atomicFetchOr",
  "atomicFetchAnd",
  "atomicFetchXor",
  "atomicExchange",
  "atomicCompareExchange",
] as const;
const WIDTHS = [
  ["u8", 1],
  ["u16", 2],
  ["u32", 4],
  ["u64", 8],
] as const;
const SIGNED = ["s8", "s16", "s32"] as const;
const IMMEDIATES = [0, 1, 2, 3, 7, 8, 31, 63, 100, 255, 4096, 65535, 0x7fffffff, -1, -2, -128, -0x80000000];

/** Numbers live here from beginning to end; r9 points to the array's value. */
const NUMBERS = ["r6", "r7", "r8"] as const;
/** And here between calls. */
const PASSING = ["r0", "r1", "r2", "r3", "r4"] as const;
/** Words of the stack that hold numbers. */
const SLOTS = [-8, -16, -24, -32, -40, -48];
const VALUE_BYTES = 64;
const KEY = -60;
const NEW_VALUE = -80;
const CONTEXT = -88;

/**
 * Writes a random program whose result, and what it leaves in its maps and its packet, is decided by its instructions
 * alone: an XDP program with arithmetic, branches, loops, functions, atomics, helpers, and memory of every kind. It keeps
 * to the verifier's rules, so both kernels load it.
 */
export class ComputationWriter {
  readonly #random: Random;
  readonly #maps: ComputationMaps;
  readonly #code = new Assembler();
  #labels = 0;
  readonly #functions = new Set<number>();

  constructor(seed: number, maps: ComputationMaps) {
    this.#random = new Random(seed);
    this.#maps = maps;
  }

  write(): Assembler {
    const code = this.#code;
    code.store("u64", "r10", CONTEXT, "r1").loadMapValue("r9", this.#maps.array);
    for (const register of NUMBERS) code.loadImmediate(register, this.#wide());
    for (const slot of [...SLOTS, NEW_VALUE, NEW_VALUE + 8]) code.store("u64", "r10", slot, this.#immediate());
    this.#passNumbers();
    const statements = 4 + this.#random.below(24);
    for (let i = 0; i < statements; i++) this.#statement(0);
    code.mov("r0", "r6").mul("r0", 31).add("r0", "r7").mul("r0", 31).add("r0", "r8");
    code.mov("r1", "r0").rsh("r1", 32).xor("r0", "r1").exit();
    for (const index of this.#functions) this.#function(index);
    return code;
  }

  #statement(depth: number): void {
    const kind = this.#random.below(100);
    if (kind < 35) this.#arithmetic();
    else if (kind < 50) this.#memory();
    else if (kind < 58) this.#atomic();
    else if (kind < 70 && depth < 3) this.#branch(depth);
    else if (kind < 75) this.#loop();
    else if (kind < 83) this.#lookup();
    else if (kind < 88) this.#update();
    else if (kind < 90) this.#delete();
    else if (kind < 94) this.#packet();
    else if (kind < 97) this.#call();
    else this.#indexed();
  }

  /** After a call nothing is in r1 to r5. */
  #passNumbers(): void {
    for (const register of PASSING) this.#code.mov(register, this.#random.pick(NUMBERS));
  }

  #number(): Register {
    return this.#random.pick([...NUMBERS, ...NUMBERS, ...PASSING]);
  }

  #immediate(): number {
    return this.#random.pick(IMMEDIATES);
  }

  #wide(): bigint {
    const high = BigInt(this.#random.pick([0, 0, 1, this.#random.next(), 0x80000000, 0xffffffff]));
    return (high << 32n) | BigInt(this.#random.next());
  }

  #label(): string {
    return `label ${this.#labels++}`;
  }

  #arithmetic(): void {
    const code = this.#code;
    const dst = this.#number();
    const src = this.#number();
    const half = (register: Register) => register.replace("r", "w") as "w0";
    const isWide = this.#random.chance(60);
    const kind = this.#random.below(100);
    if (kind < 60) {
      const operation = this.#random.pick(OPERATIONS);
      const takesRegister = this.#random.chance(60);
      let immediate = this.#immediate();
      // Linux refuses a division by a constant 0.
      if (immediate === 0) immediate = 5;
      if (isWide) code[operation](dst, takesRegister ? src : immediate);
      else code[operation](half(dst), takesRegister ? half(src) : immediate);
    } else if (kind < 80) {
      const shift = this.#random.pick(SHIFTS);
      if (this.#random.chance(50)) {
        // What is beyond the width is masked on every machine that Linux compiles for, but is not accepted as a constant.
        if (isWide) code[shift](dst, src);
        else code[shift](half(dst), half(src));
      } else if (isWide) code[shift](dst, this.#random.below(64));
      else code[shift](half(dst), this.#random.below(32));
    } else if (kind < 85) code.neg(isWide ? dst : half(dst));
    else if (kind < 90) code.movsx(this.#random.pick([8, 16, 32] as const), dst, src);
    else if (kind < 95) code[this.#random.pick(["be", "le", "bswap"] as const)](this.#random.pick([16, 32, 64]), dst);
    else if (isWide) code.loadImmediate(dst, this.#wide());
    else code.mov(half(dst), half(src));
  }

  /** A base and an offset of some bytes that are a number: the stack, or the array's value. */
  #place(bytes: number): { readonly base: Register; readonly offset: number } {
    if (this.#random.chance(50)) {
      return { base: "r9", offset: this.#random.below(VALUE_BYTES / bytes) * bytes };
    }
    return { base: "r10", offset: this.#random.pick(SLOTS) + this.#random.below(8 / bytes) * bytes };
  }

  #memory(): void {
    const [type, bytes] = this.#random.pick(WIDTHS);
    const { base, offset } = this.#place(bytes);
    const kind = this.#random.below(3);
    if (kind === 0) this.#code.load(type, this.#number(), base, offset);
    else if (kind === 1)
      this.#code.store(type, base, offset, this.#random.chance(60) ? this.#number() : this.#immediate());
    else {
      const signed = this.#random.pick(SIGNED);
      const place = this.#place(Number(signed.slice(1)) / 8);
      this.#code.load(signed, this.#number(), place.base, place.offset);
    }
  }

  #atomic(): void {
    const [type, bytes] = this.#random.pick([WIDTHS[2], WIDTHS[3]]);
    const { base, offset } = this.#place(bytes);
    this.#code[this.#random.pick(ATOMICS)](type, base, offset, this.#number());
  }

  #branch(depth: number): void {
    const code = this.#code;
    const [other, end] = [this.#label(), this.#label()];
    const jump = this.#random.pick(JUMPS);
    const left = this.#number();
    const right = this.#number();
    const isWide = this.#random.chance(50);
    if (isWide) code[jump](left, this.#random.chance(50) ? right : this.#immediate(), other);
    else code[jump](left.replace("r", "w") as "w0", this.#immediate(), other);
    for (let i = this.#random.below(3); i >= 0; i--) this.#statement(depth + 1);
    // Calls on one side only would leave nothing in the registers on the other.
    this.#passNumbers();
    if (this.#random.chance(60)) {
      if (this.#random.chance(30)) code.jumpLong(end);
      else code.jump(end);
      code.label(other);
      for (let i = this.#random.below(3); i >= 0; i--) this.#statement(depth + 1);
      this.#passNumbers();
      code.label(end);
    } else code.label(other);
    this.#passNumbers();
  }

  #loop(): void {
    const code = this.#code;
    const start = this.#label();
    code.mov("r5", 1 + this.#random.below(6)).label(start);
    for (let i = this.#random.below(4); i >= 0; i--) {
      if (this.#random.chance(70)) this.#arithmetic();
      else this.#memory();
    }
    code.sub("r5", 1).jne("r5", 0, start);
  }

  #key(): void {
    this.#code.mov("r1", this.#random.pick(NUMBERS)).and("r1", 15).store("u32", "r10", KEY, "r1");
    this.#code.mov("r2", "r10").add("r2", KEY).loadMap("r1", this.#maps.hash);
  }

  #lookup(): void {
    const code = this.#code;
    const missing = this.#label();
    this.#key();
    code.call("bpf_map_lookup_elem").jeq("r0", 0, missing);
    const register = this.#random.pick(NUMBERS);
    code.load("u64", "r1", "r0", 0).add(register, "r1");
    if (this.#random.chance(60)) code.store("u32", "r0", 8, register);
    if (this.#random.chance(40)) code.atomicAdd("u64", "r0", 0, register);
    code.label(missing);
    this.#passNumbers();
  }

  #update(): void {
    const code = this.#code;
    code.store("u64", "r10", NEW_VALUE, this.#random.pick(NUMBERS));
    this.#key();
    code
      .mov("r3", "r10")
      .add("r3", NEW_VALUE)
      .mov("r4", this.#random.pick([0, 0, 0, 1, 2, 3]));
    code.call("bpf_map_update_elem").add(this.#random.pick(NUMBERS), "r0");
    this.#passNumbers();
  }

  #delete(): void {
    this.#key();
    this.#code.call("bpf_map_delete_elem").add(this.#random.pick(NUMBERS), "r0");
    this.#passNumbers();
  }

  #packet(): void {
    const code = this.#code;
    const short = this.#label();
    code.load("u64", "r1", "r10", CONTEXT).load("u32", "r2", "r1", 0).load("u32", "r3", "r1", 4);
    code.mov("r4", "r2").add("r4", 32).jgt("r4", "r3", short);
    const register = this.#random.pick(NUMBERS);
    const [type, bytes] = this.#random.pick(WIDTHS);
    const offset = this.#random.below(32 / bytes) * bytes;
    code.load(type, "r5", "r2", offset).add(register, "r5");
    if (this.#random.chance(50)) code.store(type, "r2", offset, register);
    code.label(short);
    this.#passNumbers();
  }

  #call(): void {
    const index = this.#random.below(3);
    this.#functions.add(index);
    for (const register of ["r1", "r2"] as const) this.#code.mov(register, this.#random.pick(NUMBERS));
    this.#code.callFunction(`function ${index}`).xor(this.#random.pick(NUMBERS), "r0");
    this.#passNumbers();
  }

  /** A function of two numbers, with registers and a stack of its own. */
  #function(index: number): void {
    const code = this.#code;
    code
      .label(`function ${index}`)
      .mov("r6", "r1")
      .mov("r7", "r2")
      .mov("r8", index)
      .loadMapValue("r9", this.#maps.array);
    for (const slot of SLOTS) code.store("u64", "r10", slot, "r6");
    this.#passNumbers();
    for (let i = this.#random.below(6); i >= 0; i--) {
      if (this.#random.chance(60)) this.#arithmetic();
      else this.#memory();
    }
    code.mov("r0", "r6").add("r0", "r7").sub("r0", "r8").exit();
  }

  /** An offset that only running it shows, within bounds that the verifier sees. */
  #indexed(): void {
    const code = this.#code;
    const register = this.#random.pick(NUMBERS);
    code.mov("r1", register).and("r1", 0x38).mov("r2", "r9").add("r2", "r1");
    if (this.#random.chance(50)) code.load("u64", register, "r2", 0);
    else code.store("u64", "r2", 0, register);
    this.#passNumbers();
  }
}
