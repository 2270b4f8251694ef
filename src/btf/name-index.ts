import type { Btf } from "./btf.ts";

const FNV_PRIME = 0x0100_0193;
const FNV_BASIS = 0x811c_9dc5;

/** Types by name: a hash table of numbers, so that an index of a hundred thousand names makes no object and no string. */
export class NameIndex {
  readonly #btf: Btf;
  readonly #nameOf: (index: number) => number;
  /** For each bucket one more than the index of its first type; for each type one more than that of the next. */
  readonly #first: Uint32Array;
  readonly #next: Uint32Array;

  /** `nameOf` says for each of `count` types the offset of its name among the strings. */
  constructor(btf: Btf, count: number, nameOf: (index: number) => number) {
    this.#btf = btf;
    this.#nameOf = nameOf;
    this.#first = new Uint32Array(2 ** Math.ceil(Math.log2(count + 1)));
    this.#next = new Uint32Array(count);
    for (let index = count - 1; index >= 0; index--) {
      const name = nameOf(index);
      const bucket = this.#bucket(btf.stringBytes(name), btf.stringPlace(name));
      this.#next[index] = this.#first[bucket] as number;
      this.#first[bucket] = index + 1;
    }
  }

  /** The indexes of the types of a name, ascending. */
  *find(name: string): Generator<number, void, undefined> {
    const wanted = new TextEncoder().encode(`${name}\0`);
    let found = this.#first[this.#bucket(wanted, 0)] as number;
    for (; found !== 0; found = this.#next[found - 1] as number) {
      if (this.#isName(wanted, this.#nameOf(found - 1))) yield found - 1;
    }
  }

  #bucket(u8: Uint8Array, at: number): number {
    let hash = FNV_BASIS;
    for (let byte = u8[at]; byte !== 0 && byte !== undefined; byte = u8[++at]) hash = Math.imul(hash ^ byte, FNV_PRIME);
    return hash & (this.#first.length - 1);
  }

  #isName(wanted: Uint8Array, name: number): boolean {
    const u8 = this.#btf.stringBytes(name);
    const at = this.#btf.stringPlace(name);
    for (let i = 0; i < wanted.length; i++) if (u8[at + i] !== wanted[i]) return false;
    return true;
  }
}
