import { EEXIST, ENOENT, ENOMEM } from "../../abi/errno.ts";
import type { Address } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import { CONTROL, type Control, type ControlLock } from "./control.ts";
import { OWNER, type SharedPages } from "./shared-pages.ts";
import type { ThreadMemory } from "./thread-memory.ts";

/** The root of the BPF filesystem, which is in no directory. Below 0 are the outer maps, whose holds on inner ones are names too. */
export const ROOT = 0;

/** Names lie in pieces of memory, each of which begins with the address of the next piece. */
const PIECE_BYTES = 4 * PAGE_SIZE;
const FIRST_NAME = 16;

/** A name in a directory: offsets in bytes. */
const NAME = {
  /** A number that no other name ever has; 0 while there is no name here. */
  NUMBER: 0,
  /** The number of the directory that it is in; that of an outer map, below 0, when it is a hold on an inner one. */
  DIRECTORY: 4,
  /** The id of the map that is pinned; 0 of a directory. */
  MAP: 8,
  LENGTH: 12,
  TEXT: 16,
  BYTES: 16 + 256,
} as const;

/** A name, as long as the lock is held. */
export interface FoundName {
  readonly at: Address;
  readonly number: number;
  readonly map: number;
}

/**
 * The names of the BPF filesystem in a memory that threads share. Only for who holds the lock of the control, but for
 * `makeRoom`.
 */
export class PinTable {
  readonly #control: Control;
  readonly #pages: SharedPages;
  readonly #memory: ThreadMemory;

  constructor(control: Control, pages: SharedPages, memory: ThreadMemory) {
    this.#control = control;
    this.#pages = pages;
    this.#memory = memory;
  }

  /** A name in a directory; `undefined` when it is not there. */
  find(directory: number, text: Uint8Array): FoundName | undefined {
    for (const name of this.#names()) {
      if (this.#word(name.at + NAME.DIRECTORY) === directory && this.#isNamed(name.at, text)) return name;
    }
    return undefined;
  }

  /** What is in a directory. */
  namesIn(directory: number): FoundName[] {
    return [...this.#names()].filter(({ at }) => this.#word(at + NAME.DIRECTORY) === directory);
  }

  textOf({ at }: FoundName): Uint8Array {
    return this.#memory.u8.slice(at + NAME.TEXT, at + NAME.TEXT + this.#word(at + NAME.LENGTH));
  }

  /** Whether there is a directory of a number; the holds of an outer map are one. */
  hasDirectory(number: number): boolean {
    if (number <= ROOT) return true;
    for (const name of this.#names()) if (name.number === number) return name.map === 0;
    return false;
  }

  isPinned(map: number): boolean {
    for (const name of this.#names()) if (name.map === map) return true;
    return false;
  }

  /** Gives a map a name, or makes a directory when `map` is 0. False when there is no room: see `makeRoom`. */
  add(directory: number, text: Uint8Array, map: number): boolean {
    const { u8, i32 } = this.#memory;
    for (const at of this.#places()) {
      if (this.#word(at + NAME.NUMBER) !== 0) continue;
      i32[(at + NAME.DIRECTORY) >>> 2] = directory;
      i32[(at + NAME.MAP) >>> 2] = map;
      i32[(at + NAME.LENGTH) >>> 2] = text.length;
      u8.set(text, at + NAME.TEXT);
      Atomics.store(i32, (at + NAME.NUMBER) >>> 2, this.#control.next(CONTROL.LAST_NAME));
      return true;
    }
    return false;
  }

  remove({ at }: FoundName): void {
    Atomics.store(this.#memory.i32, (at + NAME.NUMBER) >>> 2, 0);
  }

  /** Takes memory for more names, which nobody sees yet: the address for `addRoom`, or 0. Without the lock. */
  makeRoom(): Address {
    return this.#memory.tryAllocateShared(PIECE_BYTES);
  }

  addRoom(piece: Address): void {
    const { i32 } = this.#control;
    this.#memory.u32[piece >>> 2] = this.#control.u32[CONTROL.PINS >>> 2] as number;
    this.#pages.give(piece, OWNER.ATTACHED);
    Atomics.store(i32, CONTROL.PINS >>> 2, piece | 0);
  }

  *#names(): Generator<FoundName> {
    for (const at of this.#places()) {
      const number = this.#word(at + NAME.NUMBER);
      if (number !== 0) yield { at, number, map: this.#word(at + NAME.MAP) };
    }
  }

  /** Where names can be. */
  *#places(): Generator<Address> {
    let piece = this.#control.u32[CONTROL.PINS >>> 2] as number;
    while (piece !== 0) {
      this.#memory.see(piece);
      for (let at = piece + FIRST_NAME; at + NAME.BYTES <= piece + PIECE_BYTES; at += NAME.BYTES) yield at;
      piece = this.#memory.u32[piece >>> 2] as number;
    }
  }

  #word(address: Address): number {
    return this.#memory.i32[address >>> 2] as number;
  }

  #isNamed(at: Address, text: Uint8Array): boolean {
    if (this.#word(at + NAME.LENGTH) !== text.length) return false;
    const { u8 } = this.#memory;
    for (let index = 0; index < text.length; index++) if (u8[at + NAME.TEXT + index] !== text[index]) return false;
    return true;
  }
}

/** Adds a name, and memory for it if need be: 0; −EEXIST when it is there, −ENOENT when the directory is not, or −ENOMEM. */
export function addName(
  lock: ControlLock,
  pins: PinTable,
  directory: number,
  { text, map }: { readonly text: Uint8Array; readonly map: number },
): number {
  for (;;) {
    const result = lock.hold(() => {
      // Others may have been quicker since it was looked for.
      if (!pins.hasDirectory(directory)) return -ENOENT;
      if (pins.find(directory, text) !== undefined) return -EEXIST;
      return pins.add(directory, text, map) ? 0 : -ENOMEM;
    });
    if (result !== -ENOMEM) return result;
    const room = pins.makeRoom();
    if (room === 0) return -ENOMEM;
    lock.hold(() => pins.addRoom(room));
  }
}
