import type { Address } from "../../../memory/address-space.ts";
import { GUARD, SHARES } from "../guards.ts";
import type { ElementCode } from "../map-ops.ts";
import type { FunctionBody, Local } from "../programs/wasm/function-body.ts";
import {
  ATOMIC_I32_CMPXCHG,
  ATOMIC_I32_LOAD,
  ATOMIC_I32_STORE,
  ELSE,
  I32,
  I32_ADD,
  I32_EQZ,
  I32_GE_U,
  I32_LOAD,
  I32_NE,
  I32_OR,
  I32_STORE,
  RETURN,
} from "../programs/wasm/opcodes.ts";
import { compileCommand, SLOW, WORD_LOG2, writeCopy } from "./command-code.ts";
import { HashChain, type SharedHashGeometry } from "./hash-chain.ts";

const [LOCK, VERSION, SPARE] = [GUARD.LOCK * 4, GUARD.VERSION * 4, GUARD.SPARE * 4];
const NOT_FOUND = -2;

/** Beyond so many bytes a key is not worth being spelled out. */
const MOST_KEY_BYTES = 64;

/** Whether code for a table of this shape can be made: what is one piece must be as long as a number is. */
function isFit({ keySize, valueSize, isOnePiece }: SharedHashGeometry): boolean {
  return keySize <= MOST_KEY_BYTES && (!isOnePiece || valueSize === 4 || valueSize === 8);
}

/**
 * BPF_MAP_LOOKUP_ELEM on one hash table that is shared: `SharedHash.copyValue` with all numbers spelled out. When the version
 * has moved meanwhile, the plain command does it all again. `undefined` where no such code can be made.
 */
export function compileSharedLookup(geometry: SharedHashGeometry, code: ElementCode): (() => number) | undefined {
  if (!isFit(geometry)) return undefined;
  return compileCommand(code, (body) => {
    const chain = new HashChain(body, geometry, code.key);
    const version = body.local(I32);
    const pushUnlessMoved = (result: number): void => {
      if (geometry.fence !== 0) body.i32(0).i32(0).atomic(ATOMIC_I32_STORE, WORD_LOG2, geometry.fence);
      body.get(chain.guard).atomic(ATOMIC_I32_LOAD, WORD_LOG2, VERSION).get(version).op(I32_NE);
      body.if(I32).i32(SLOW).op(ELSE).i32(result).end();
    };
    body.get(chain.guard).atomic(ATOMIC_I32_LOAD, WORD_LOG2, VERSION).set(version);
    chain.search(() => {
      const from = { base: chain.element, offset: geometry.valueOffset };
      writeCopy(body, { offset: code.value }, from, geometry.valueSize);
      pushUnlessMoved(0);
      body.op(RETURN);
    });
    pushUnlessMoved(NOT_FOUND);
  });
}

/**
 * BPF_MAP_UPDATE_ELEM with BPF_ANY on one hash table that is shared, of a type that keeps nothing but values:
 * `SharedHash.update` with all numbers spelled out, and the same stores in the same order. What it would have to wait or to make
 * room for, it leaves to the plain command, and the locks as they were. `undefined` where no such code can be made.
 */
export function compileSharedUpdate(geometry: SharedHashGeometry, code: ElementCode): (() => number) | undefined {
  if (!isFit(geometry)) return undefined;
  return compileCommand(code, (body) => {
    body.i32(0).memory(I32_LOAD, geometry.frozen).if().i32(SLOW).op(RETURN).end();
    const update = new Update(body, geometry, code);
    if (geometry.isOnePiece) update.overwriteShared();
    update.lockGuard();
    update.overwrite();
    update.insert();
  });
}

/** The parts of an update. */
class Update {
  readonly #body: FunctionBody;
  readonly #geometry: SharedHashGeometry;
  readonly #value: Address;
  readonly #chain: HashChain;
  /** The number of the element that is filled, and its address. */
  readonly #number: Local;
  readonly #element: Local;

  constructor(body: FunctionBody, geometry: SharedHashGeometry, code: ElementCode) {
    this.#body = body;
    this.#geometry = geometry;
    this.#value = code.value;
    this.#chain = new HashChain(body, geometry, code.key);
    this.#number = body.local(I32);
    this.#element = body.local(I32);
  }

  /** When the key is there, overwrites its value with a share of the guard alone, and returns. */
  overwriteShared(): void {
    const body = this.#body;
    const { guard, share } = this.#chain;
    const { ownShare } = this.#geometry;
    const unshare = (): void => {
      body.get(share).i32(0).atomic(ATOMIC_I32_STORE, WORD_LOG2, ownShare);
    };
    body.get(share);
    this.#takeOrElse(ownShare, () => {});
    body.get(guard).atomic(ATOMIC_I32_LOAD, WORD_LOG2, LOCK).if();
    unshare();
    body.i32(SLOW).op(RETURN).end();
    this.#chain.search(() => {
      this.#store();
      unshare();
      body.i32(0).op(RETURN);
    });
    unshare();
  }

  lockGuard(): void {
    const body = this.#body;
    const { shares, shareBytes } = this.#geometry;
    body.get(this.#chain.guard);
    this.#takeOrElse(LOCK, () => {});
    for (let index = 0; index < SHARES; index++) {
      body.get(this.#chain.share).atomic(ATOMIC_I32_LOAD, WORD_LOG2, shares + index * shareBytes);
      if (index > 0) body.op(I32_OR);
    }
    body.if();
    this.#unlock();
    body.i32(SLOW).op(RETURN).end();
  }

  /** When the key is there, gives it the value, and returns. */
  overwrite(): void {
    const body = this.#body;
    this.#chain.search(() => {
      if (this.#geometry.isOnePiece) this.#store();
      else this.#replace();
      this.#unlock();
      body.i32(0).op(RETURN);
    });
  }

  /** Overwrites the value of the element that was found. */
  #store(): void {
    const { valueOffset, valueSize } = this.#geometry;
    const to = { base: this.#chain.element, offset: valueOffset };
    writeCopy(this.#body, to, { offset: this.#value }, valueSize);
  }

  /** Puts the spare element of the guard in the place of the one that was found. */
  #replace(): void {
    const body = this.#body;
    const { guard, number: old, link } = this.#chain;
    body.get(guard).memory(I32_LOAD, SPARE);
    this.#chain.setNumber(this.#number);
    this.#chain.pushIsElement(this.#number);
    body.op(I32_EQZ).if();
    this.#unlock();
    body.i32(SLOW).op(RETURN).end();
    body.get(guard).i32(0).atomic(ATOMIC_I32_STORE, WORD_LOG2, SPARE);
    this.#fill();
    this.#chain.pushLinkOf(this.#number);
    this.#chain.pushLinkOf(old);
    body.memory(I32_LOAD).memory(I32_STORE);
    body.get(link);
    this.#chain.pushLink(this.#number);
    body.atomic(ATOMIC_I32_STORE, WORD_LOG2);
    body.get(guard).get(guard).memory(I32_LOAD, VERSION).i32(1).op(I32_ADD);
    body.atomic(ATOMIC_I32_STORE, WORD_LOG2, VERSION);
    body.get(guard).get(old).atomic(ATOMIC_I32_STORE, WORD_LOG2, SPARE);
  }

  /** Puts a free element at the head of the chain, and ends the function. */
  insert(): void {
    const body = this.#body;
    const { bucket } = this.#chain;
    const { free, freeLock, used, maxEntries } = this.#geometry;
    const unlockFree = (): void => {
      body.i32(0).i32(0).atomic(ATOMIC_I32_STORE, WORD_LOG2, freeLock);
    };
    body.i32(0);
    this.#takeOrElse(freeLock, () => this.#unlock());
    body.i32(0).memory(I32_LOAD, free);
    this.#chain.setNumber(this.#number);
    this.#chain.pushIsElement(this.#number);
    body.if();
    body.i32(0);
    this.#chain.pushLinkOf(this.#number);
    body.memory(I32_LOAD).atomic(ATOMIC_I32_STORE, WORD_LOG2, free);
    body.op(ELSE);
    body.i32(0).memory(I32_LOAD, used).tee(this.#number).i32(maxEntries).op(I32_GE_U).if();
    unlockFree();
    this.#unlock();
    body.i32(SLOW).op(RETURN).end();
    body.get(this.#number).i32(1).op(I32_ADD).set(this.#number);
    body.i32(0).get(this.#number).atomic(ATOMIC_I32_STORE, WORD_LOG2, used);
    body.end();
    unlockFree();
    this.#fill();
    this.#chain.pushLinkOf(this.#number);
    body.get(bucket).memory(I32_LOAD).memory(I32_STORE);
    body.get(bucket);
    this.#chain.pushLink(this.#number);
    body.atomic(ATOMIC_I32_STORE, WORD_LOG2);
    this.#unlock();
    body.i32(0);
  }

  /** Takes a lock in the word at the address on the stack, or does something and returns `SLOW`. */
  #takeOrElse(offset: number, otherwise: () => void): void {
    const body = this.#body;
    body.i32(0).i32(this.#geometry.agent).atomic(ATOMIC_I32_CMPXCHG, WORD_LOG2, offset).if();
    otherwise();
    body.i32(SLOW).op(RETURN).end();
  }

  /** Fills the element that nobody sees yet. */
  #fill(): void {
    const { valueOffset, valueSize } = this.#geometry;
    this.#chain.setAddress(this.#number, this.#element);
    this.#chain.key.write(this.#element);
    writeCopy(this.#body, { base: this.#element, offset: valueOffset }, { offset: this.#value }, valueSize);
  }

  #unlock(): void {
    this.#body.get(this.#chain.guard).i32(0).atomic(ATOMIC_I32_STORE, WORD_LOG2, LOCK);
  }
}
