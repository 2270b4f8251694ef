import type { Address } from "../../../memory/address-space.ts";
import { HashKey } from "../maps/hash-key.ts";
import type { FunctionBody, Local } from "../programs/wasm/function-body.ts";
import {
  I32,
  I32_ADD,
  I32_AND,
  I32_EQZ,
  I32_LE_U,
  I32_LOAD,
  I32_SHL,
  I32_SHR_U,
  I32_SUB,
} from "../programs/wasm/opcodes.ts";
import { WORD_LOG2 } from "./command-code.ts";

/** Where everything lies in a hash table that is shared. Links count words from the segment. */
export interface SharedHashGeometry {
  readonly segment: Address;
  readonly buckets: Address;
  readonly bucketMask: number;
  readonly guards: Address;
  readonly guardMask: number;
  /** The first share of the first guard, the bytes from one share to the next, and the share of the agent that runs the code. */
  readonly shares: Address;
  readonly shareBytes: number;
  readonly ownShare: Address;
  /** The link to the first element, how far behind it the last one lies, and how many there are. */
  readonly first: number;
  readonly last: number;
  readonly elements: number;
  readonly elementWords: number;
  readonly maxEntries: number;
  readonly keySize: number;
  /** Where in an element its value lies, and the bytes of it that user space sees. */
  readonly valueOffset: number;
  readonly valueSize: number;
  /** Whether one load reads a value and one store overwrites it. */
  readonly isOnePiece: boolean;
  readonly seed: number;
  /** The words that hold the free list, its lock, how many elements were ever used, and whether the map is frozen. */
  readonly free: Address;
  readonly freeLock: Address;
  readonly used: Address;
  readonly frozen: Address;
  /** The number of the agent that runs the code, and the word by which it orders its loads, 0 for none: see `Agent`. */
  readonly agent: number;
  readonly fence: Address;
}

const GUARD_LOG2 = 6;

/** The chain that a key at a fixed address belongs to, in the code of a function. Made, it has hashed the key. */
export class HashChain {
  readonly key: HashKey;
  /** The addresses of the guard, the bucket, an element, and the word that links to it. */
  readonly guard: Local;
  readonly bucket: Local;
  /** What lies between the shares of the first guard and those of its own. */
  readonly share: Local;
  readonly element: Local;
  readonly link: Local;
  readonly #body: FunctionBody;
  readonly #geometry: SharedHashGeometry;

  constructor(body: FunctionBody, geometry: SharedHashGeometry, key: Address) {
    this.#body = body;
    this.#geometry = geometry;
    this.key = new HashKey(body, geometry.keySize, geometry.seed);
    this.guard = body.local(I32);
    this.bucket = body.local(I32);
    this.share = body.local(I32);
    this.element = body.local(I32);
    this.link = body.local(I32);
    body.i32(key).set(this.element);
    this.key.read(this.element);
    this.key.hash();
    this.#place(geometry.guards, geometry.guardMask, GUARD_LOG2, this.guard);
    this.#place(0, geometry.guardMask, WORD_LOG2, this.share);
    this.#place(geometry.buckets, geometry.bucketMask, WORD_LOG2, this.bucket);
  }

  #place(base: Address, mask: number, log2: number, place: Local): void {
    this.#body.get(this.key.hashed).i32(mask).op(I32_AND).i32(log2).op(I32_SHL).i32(base).op(I32_ADD).set(place);
  }

  /**
   * Writes the search for the key, and what happens with its element, which must return: the code behind it is for a key that
   * is not there. What is read on the way may be anything. An element is one only where one can be, and no chain has more
   * than all.
   */
  search(found: () => void): void {
    const body = this.#body;
    const next = body.local(I32);
    const left = body.local(I32);
    body.i32(this.#geometry.elements).set(left);
    body.get(this.bucket).set(this.link);
    body.block().loop();
    body.get(this.link).memory(I32_LOAD).set(next);
    this.pushIsElement(next);
    body.op(I32_EQZ).brIf(1);
    body.get(left).op(I32_EQZ).brIf(1);
    this.pushAddress(next);
    body.set(this.element);
    this.key.compare(this.element);
    body.if();
    body.get(left).i32(1).op(I32_SUB).set(left);
    body.get(this.element).set(this.link).br(1);
    body.end();
    found();
    body.end().end();
  }

  /** Pushes whether a link leads to an element. */
  pushIsElement(link: Local): void {
    const { first, last } = this.#geometry;
    this.#body.get(link).i32(first).op(I32_SUB).i32(last).op(I32_LE_U);
  }

  /** Pushes the address of the element that a link leads to. */
  pushAddress(link: Local): void {
    this.#body.get(link).i32(WORD_LOG2).op(I32_SHL).i32(this.#geometry.segment).op(I32_ADD);
  }

  /** Pushes the link to the element at an address. */
  pushLink(element: Local): void {
    this.#body.get(element).i32(this.#geometry.segment).op(I32_SUB).i32(WORD_LOG2).op(I32_SHR_U);
  }
}
