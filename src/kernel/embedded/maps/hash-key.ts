import type { FunctionBody, Local } from "../programs/wasm/function-body.ts";
import {
  I32,
  I32_ADD,
  I32_LOAD,
  I32_LOAD8_U,
  I32_LOAD16_U,
  I32_NE,
  I32_OR,
  I32_ROTL,
  I32_SHL,
  I32_STORE,
  I32_SUB,
  I32_XOR,
} from "../programs/wasm/opcodes.ts";

/** A key of a hash table in the code of a function: its words, and `jhash` of them, unrolled. */
export class HashKey {
  /** Its hash, once `hash` was written. */
  readonly hashed: Local;
  readonly #body: FunctionBody;
  readonly #keySize: number;
  readonly #seed: number;
  readonly #offset: number;
  readonly #key: readonly Local[];
  readonly #hash: { readonly a: Local; readonly b: Local; readonly c: Local };

  /** `offset`: where in an element its key begins. */
  constructor(body: FunctionBody, keySize: number, seed: number, offset: number) {
    const local = (): Local => body.local(I32);
    this.#body = body;
    this.#keySize = keySize;
    this.#seed = seed;
    this.#offset = offset;
    this.#key = Array.from({ length: Math.ceil(keySize / 4) }, local);
    this.#hash = { a: local(), b: local(), c: local() };
    this.hashed = this.#hash.c;
  }

  /** Reads the key at an address. The last word is padded with zeros, and nothing behind the key is read. */
  read(key: Local): void {
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

  /** Pushes whether the key of the element at an address is another. */
  compare(element: Local): void {
    const body = this.#body;
    this.#key.forEach((word, index) => {
      body
        .get(element)
        .memory(I32_LOAD, this.#offset + index * 4)
        .get(word);
      body.op(this.#key.length === 1 ? I32_NE : I32_XOR);
      if (index > 0) body.op(I32_OR);
    });
  }

  /** Writes the key that was read into the element at an address. */
  write(element: Local): void {
    this.#key.forEach((word, index) => {
      this.#body
        .get(element)
        .get(word)
        .memory(I32_STORE, this.#offset + index * 4);
    });
  }

  /** Hashes the key that was read. */
  hash(): void {
    const body = this.#body;
    const { a, b, c } = this.#hash;
    body
      .i32((0xdeadbeef + this.#keySize + this.#seed) | 0)
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
