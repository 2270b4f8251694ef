import { ByteWriter } from "./byte-writer.ts";
import {
  BLOCK,
  BR,
  BR_IF,
  BR_TABLE,
  CALL,
  CALL_INDIRECT,
  ELSE,
  EMPTY,
  END,
  F64,
  F64_CONST,
  I32,
  I32_CONST,
  I64,
  I64_CONST,
  IF,
  LOCAL_GET,
  LOCAL_SET,
  LOCAL_TEE,
  LOOP,
  PREFIX_ATOMIC,
  PREFIX_FC,
  type ValueType,
} from "./opcodes.ts";

/** A signature of functions. */
export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A local of a function, parameters included, by its index. */
export type Local = number;

const VALUE_TYPES: readonly ValueType[] = [I32, I64, F64];

/** The code of a function, instruction by instruction, and the locals that it takes. */
export class FunctionBody {
  readonly type: FunctionType;
  readonly #code = new ByteWriter();
  /** The types of the locals behind the parameters. */
  readonly #locals: ValueType[] = [];
  /** The lists of locals that are free to be taken again, by type. */
  readonly #free = new Map<ValueType, Local[]>(VALUE_TYPES.map((type) => [type, []]));
  #depth = 0;

  constructor(type: FunctionType) {
    this.type = type;
  }

  /** How many blocks are open. */
  get depth(): number {
    return this.#depth;
  }

  /** A new local, 0 when the function begins. */
  local(type: ValueType): Local {
    return this.type.params.length + this.#locals.push(type) - 1;
  }

  /** Calls a function with a local that it may use while it runs; its value is whatever it was. */
  withLocal(type: ValueType, use: (local: Local) => void): void {
    const free = this.#free.get(type) as Local[];
    const local = free.pop() ?? this.local(type);
    use(local);
    free.push(local);
  }

  /** Instructions without immediates. */
  op(...opcodes: number[]): this {
    for (let index = 0; index < opcodes.length; index++) this.#code.byte(opcodes[index] as number);
    return this;
  }

  /** An instruction behind the prefix of saturating conversions and bulk memory, with its immediate bytes. */
  opFc(number: number, ...immediates: number[]): this {
    this.#code.byte(PREFIX_FC);
    this.#code.unsigned(number);
    return this.op(...immediates);
  }

  i32(value: number): this {
    this.#code.byteAndSigned32(I32_CONST, value);
    return this;
  }

  /** A constant of 64 bits. A number is a whole number of at most 53 bits. */
  i64(value: bigint | number): this {
    if (typeof value === "number" && (value | 0) === value) {
      this.#code.byteAndSigned32(I64_CONST, value);
      return this;
    }
    this.#code.byte(I64_CONST);
    this.#code.signed64(BigInt(value));
    return this;
  }

  /** The floating point number 0. */
  f64Zero(): this {
    return this.op(F64_CONST, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  get(local: Local): this {
    this.#code.byteAndUnsigned(LOCAL_GET, local);
    return this;
  }

  set(local: Local): this {
    this.#code.byteAndUnsigned(LOCAL_SET, local);
    return this;
  }

  tee(local: Local): this {
    this.#code.byteAndUnsigned(LOCAL_TEE, local);
    return this;
  }

  /** A load or store at a constant offset from the address on the stack. Alignment is only a hint, and none is given. */
  memory(opcode: number, offset = 0): this {
    this.#code.byte(opcode);
    this.#code.byteAndUnsigned(0, offset);
    return this;
  }

  /** An atomic access, whose address must be aligned: `log2` of the bytes is part of it. */
  atomic(opcode: number, log2: number, offset = 0): this {
    this.#code.byte(PREFIX_ATOMIC);
    this.#code.unsigned(opcode);
    this.#code.byte(log2);
    this.#code.unsigned(offset);
    return this;
  }

  call(index: number): this {
    this.#code.byteAndUnsigned(CALL, index);
    return this;
  }

  /** A call through the module's one table. */
  callIndirect(type: number): this {
    this.#code.byte(CALL_INDIRECT);
    this.#code.unsigned(type);
    this.#code.byte(0);
    return this;
  }

  block(type: ValueType | typeof EMPTY = EMPTY): this {
    return this.#open(BLOCK, type);
  }

  loop(type: ValueType | typeof EMPTY = EMPTY): this {
    return this.#open(LOOP, type);
  }

  if(type: ValueType | typeof EMPTY = EMPTY): this {
    return this.#open(IF, type);
  }

  else(): this {
    return this.op(ELSE);
  }

  end(): this {
    this.#depth--;
    return this.op(END);
  }

  /** Branches to a block that is open: 0 is the innermost. */
  br(label: number): this {
    this.#code.byteAndUnsigned(BR, label);
    return this;
  }

  brIf(label: number): this {
    this.#code.byteAndUnsigned(BR_IF, label);
    return this;
  }

  /** Branches to the label that the number on the stack selects; to the last one beyond them. */
  brTable(labels: readonly number[], otherwise: number): this {
    this.#code.byte(BR_TABLE);
    this.#code.unsigned(labels.length);
    for (const label of labels) this.#code.unsigned(label);
    this.#code.unsigned(otherwise);
    return this;
  }

  /** Writes the function as the code section has it. */
  writeTo(writer: ByteWriter): void {
    const locals = new ByteWriter();
    locals.unsigned(this.#locals.length);
    for (const type of this.#locals) {
      locals.unsigned(1);
      locals.byte(type);
    }
    writer.unsigned(locals.length + this.#code.length + 1);
    writer.append(locals.bytes);
    writer.append(this.#code.bytes);
    writer.byte(END);
  }

  #open(opcode: number, type: number): this {
    this.#depth++;
    this.#code.pair(opcode, type);
    return this;
  }
}
