import type { Address } from "../../../memory/address-space.ts";
import { HashKey } from "../maps/hash-key.ts";
import type { FunctionBody, Local } from "../programs/wasm/function-body.ts";
import {
  ELSE,
  I32,
  I32_ADD,
  I32_AND,
  I32_EQZ,
  I32_LOAD,
  I32_LT_U,
  I32_MUL,
  I32_OR,
  I32_SHL,
  I32_SUB,
  I32_XOR,
} from "../programs/wasm/opcodes.ts";
import { WORD_LOG2 } from "./command-code.ts";

/** Where everything lies in a hash table that is shared: see `sharedHashPlan`. */
export interface SharedHashGeometry {
  readonly buckets: Address;
  readonly bucketMask: number;
  readonly guards: Address;
  readonly guardMask: number;
  /** The first share of the first guard, the bytes from one share to the next, and the share of the agent that runs the code. */
  readonly shares: Address;
  readonly shareBytes: number;
  readonly ownShare: Address;
  /** The bits of a link that are the number of an element, and how many elements there are. */
  readonly linkMask: number;
  readonly elements: number;
  /** A word before the link of the first element, and an element before the first. */
  readonly links: Address;
  readonly elementZero: Address;
  readonly elementBytes: number;
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
  /** The addresses of the guard and the bucket. */
  readonly guard: Local;
  readonly bucket: Local;
  /** What lies between the shares of the first guard and those of its own. */
  readonly share: Local;
  /** The number and the address of the element that was found, the address of the word that links to it, and what that holds. */
  readonly number: Local;
  readonly element: Local;
  readonly link: Local;
  readonly linking: Local;
  readonly #body: FunctionBody;
  readonly #geometry: SharedHashGeometry;

  constructor(body: FunctionBody, geometry: SharedHashGeometry, key: Address) {
    this.#body = body;
    this.#geometry = geometry;
    this.key = new HashKey(body, geometry.keySize, geometry.seed, 0);
    this.guard = body.local(I32);
    this.bucket = body.local(I32);
    this.share = body.local(I32);
    this.number = body.local(I32);
    this.element = body.local(I32);
    this.link = body.local(I32);
    this.linking = body.local(I32);
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
    const left = body.local(I32);
    body.i32(this.#geometry.elements).set(left);
    body.get(this.bucket).set(this.link);
    body.block().loop();
    body.get(this.link).memory(I32_LOAD).tee(this.linking);
    this.setNumber(this.number);
    this.pushIsElement(this.number);
    body.op(I32_EQZ).brIf(1);
    body.get(left).op(I32_EQZ).brIf(1);
    body.get(this.linking).get(this.key.hashed).op(I32_XOR).i32(~this.#geometry.linkMask).op(I32_AND);
    body.if(I32).i32(1).op(ELSE);
    this.setAddress(this.number, this.element);
    this.key.compare(this.element);
    body.end().if();
    body.get(left).i32(1).op(I32_SUB).set(left);
    this.pushLinkOf(this.number);
    body.set(this.link).br(1);
    body.end();
    found();
    body.end().end();
  }

  /** Takes a link from the stack: the number of its element, which need not be there. */
  setNumber(number: Local): void {
    this.#body.i32(this.#geometry.linkMask).op(I32_AND).set(number);
  }

  /** Pushes whether there is an element of a number. */
  pushIsElement(number: Local): void {
    this.#body.get(number).i32(1).op(I32_SUB).i32(this.#geometry.elements).op(I32_LT_U);
  }

  setAddress(number: Local, element: Local): void {
    const { elementBytes, elementZero } = this.#geometry;
    this.#body.get(number).i32(elementBytes).op(I32_MUL).i32(elementZero).op(I32_ADD).set(element);
  }

  /** Pushes the address of the word that links from an element to the next. */
  pushLinkOf(number: Local): void {
    this.#body.get(number).i32(WORD_LOG2).op(I32_SHL).i32(this.#geometry.links).op(I32_ADD);
  }

  /** Pushes a link to an element that has the key. */
  pushLink(number: Local): void {
    this.#body.get(this.key.hashed).i32(~this.#geometry.linkMask).op(I32_AND).get(number).op(I32_OR);
  }
}
