import type { HashGeometry } from "../../maps/hash-code.ts";
import type { FunctionBody, Local } from "../wasm/function-body.ts";
import {
  I32,
  I32_ADD,
  I32_AND,
  I32_EQZ,
  I32_LOAD,
  I32_LOAD8_U,
  I32_LOAD16_U,
  I32_NE,
  I32_OR,
  I32_ROTL,
  I32_SHL,
  I32_SUB,
  I32_XOR,
  RETURN,
} from "../wasm/opcodes.ts";

/**
 * `jhash` of the words of a key, unrolled, and the walk along the chain of the bucket that it leads to, with the sizes and
 * addresses of one table as constants.
 */
export class HashWalk {
  /** The address of the bucket's word, less where the buckets begin. */
  readonly bucket: Local;
  /** The first link of the chain, and that of the element which was found. */
  readonly first: Local;
  readonly link: Local;
  /** The address of the element that was found, and of the one before it, 0 for the first. */
  readonly element: Local;
  readonly previous: Local;
  readonly #body: FunctionBody;
  readonly #table: HashGeometry;
  readonly #keySize: number;
  readonly #key: readonly Local[];
  readonly #hash: { readonly a: Local; readonly b: Local; readonly c: Local };

  constructor(body: FunctionBody, table: HashGeometry, keySize: number) {
    const local = (): Local => body.local(I32);
    this.#body = body;
    this.#table = table;
    this.#keySize = keySize;
    this.#key = Array.from({ length: Math.ceil(keySize / 4) }, local);
    this.#hash = { a: local(), b: local(), c: local() };
    this.bucket = local();
    this.first = local();
    this.link = local();
    this.element = local();
    this.previous = local();
  }

  /** Where the buckets begin. */
  get buckets(): number {
    return this.#table.buckets * 4;
  }

  /** Finds the element of the key at an address, or returns 0 from the function. */
  find(key: Local): void {
    const body = this.#body;
    const { bucketMask, origin } = this.#table;
    this.#readKey(key);
    this.#hashKey();
    body.get(this.#hash.c).i32(bucketMask).op(I32_AND).i32(2).op(I32_SHL).tee(this.bucket);
    body.memory(I32_LOAD, this.buckets).tee(this.first).set(this.link).loop();
    body.get(this.link).op(I32_EQZ).if().i32(0).op(RETURN).end();
    body
      .get(this.link)
      .i32(2)
      .op(I32_SHL)
      .i32(origin * 4)
      .op(I32_ADD)
      .set(this.element);
    this.#compareKey();
    body.if().get(this.element).tee(this.previous).memory(I32_LOAD).set(this.link).br(1).end().end();
  }

  /** The last word is padded with zeros, and nothing behind the key is read. */
  #readKey(key: Local): void {
    const body = this.#body;
    this.#key.forEach((word, index) => {
      const at = index * 4;
      const rest = this.#keySize - at;
      body.get(key);
      if (rest >= 4) body.memory(I32_LOAD, at);
      else if (rest === 1) body.memory(I32_LOAD8_U, at);
      else body.memory(I32_LOAD16_U, at);
      if (rest === 3)
        body
          .get(key)
          .memory(I32_LOAD8_U, at + 2)
          .i32(16)
          .op(I32_SHL, I32_OR);
      body.set(word);
    });
  }

  /** Pushes whether the key of the element is another. */
  #compareKey(): void {
    const body = this.#body;
    this.#key.forEach((word, index) => {
      body
        .get(this.element)
        .memory(I32_LOAD, 4 + index * 4)
        .get(word);
      body.op(this.#key.length === 1 ? I32_NE : I32_XOR);
      if (index > 0) body.op(I32_OR);
    });
  }

  #hashKey(): void {
    const body = this.#body;
    const { a, b, c } = this.#hash;
    body
      .i32((0xdeadbeef + this.#keySize + this.#table.seed) | 0)
      .tee(a)
      .tee(b)
      .set(c);
    let word = 0;
    for (; this.#key.length - word > 3; word += 3) {
      this.#add(word);
      this.#mix(a, c, b, 4);
      this.#mix(b, a, c, 6);
      this.#mix(c, b, a, 8);
      this.#mix(a, c, b, 16);
      this.#mix(b, a, c, 19);
      this.#mix(c, b, a, 4);
    }
    this.#add(word);
    this.#final(c, b, 14);
    this.#final(a, c, 11);
    this.#final(b, a, 25);
    this.#final(c, b, 16);
    this.#final(a, c, 4);
    this.#final(b, a, 14);
    this.#final(c, b, 24);
  }

  #add(word: number): void {
    const { a, b, c } = this.#hash;
    [a, b, c].forEach((sum, index) => {
      const key = this.#key[word + index];
      if (key !== undefined) this.#body.get(sum).get(key).op(I32_ADD).set(sum);
    });
  }

  #mix(x: Local, y: Local, z: Local, bits: number): void {
    this.#body.get(x).get(y).op(I32_SUB).get(y).i32(bits).op(I32_ROTL, I32_XOR).set(x);
    this.#body.get(y).get(z).op(I32_ADD).set(y);
  }

  #final(x: Local, y: Local, bits: number): void {
    this.#body.get(x).get(y).op(I32_XOR).get(y).i32(bits).op(I32_ROTL, I32_SUB).set(x);
  }
}
