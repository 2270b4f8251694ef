import { closeSync, openSync, writeFileSync } from "node:fs";
import koffi from "koffi";
import { OWN_KEYS, OWN_KINDS, type OwnEntries, type OwnKind, SLOTS } from "./torture-maps.ts";

/** What a slot tells, beside what it writes: words. Times are in microseconds. */
const TOLD = {
  IS_READY: 0,
  ROUNDS: 1,
  SLOWEST: 2,
  SLOWEST_RUNNING: 3,
  FAILED: 4,
  /** Of those who were killed in the slots: see `HeldLocks`. */
  LOCKS: 5,
  SHARES: 6,
  TAKEN_OVER: 7,
  WORDS: 8,
} as const;
type Told = Exclude<keyof typeof TOLD, "WORDS">;

const SLOT_WORDS = TOLD.WORDS + OWN_KEYS * OWN_KINDS.length * 2;
const LOG_BYTES = SLOTS * SLOT_WORDS * 4;

const [PROT_READ_WRITE, MAP_SHARED] = [3, 1];
const mmap = koffi
  .load(null)
  .func("void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)");

/**
 * A file in which each slot notes what it is about to write into an entry of its own, and then that it has written it. Who
 * comes after it knows what there may be: what was written last, or what was about to be. It is mapped, so that who is killed
 * is seldom killed while it takes notes.
 */
export class TortureLog {
  readonly #words: Uint32Array;

  constructor(path: string) {
    const fd = openSync(path, "r+");
    const mapped = mmap(null, LOG_BYTES, PROT_READ_WRITE, MAP_SHARED, fd, 0);
    closeSync(fd);
    this.#words = new Uint32Array(koffi.view(mapped, LOG_BYTES));
  }

  static make(path: string): TortureLog {
    writeFileSync(path, new Uint8Array(LOG_BYTES));
    return new TortureLog(path);
  }

  tell(slot: number, what: Told, number: number): void {
    Atomics.store(this.#words, slot * SLOT_WORDS + TOLD[what], number);
  }

  told(slot: number, what: Told): number {
    return Atomics.load(this.#words, slot * SLOT_WORDS + TOLD[what]);
  }

  /** Writes an entry, as noted. */
  write(entries: OwnEntries, slot: number, kind: OwnKind, own: number, number: number): void {
    const at = placeOf(slot, kind, own);
    Atomics.store(this.#words, at, number);
    entries.write(kind, own, number);
    Atomics.store(this.#words, at + 1, number);
  }

  /**
   * Checks the entries of a slot that nobody hammers for now, and notes what is there. Throws an `Error` for one that is not
   * what it may be.
   */
  settle(entries: OwnEntries, slot: number): void {
    for (const kind of OWN_KINDS) {
      for (let own = 0; own < OWN_KEYS; own++) {
        const at = placeOf(slot, kind, own);
        const [intended, written] = [Atomics.load(this.#words, at), Atomics.load(this.#words, at + 1)];
        const found = entries.read(kind, own);
        if (found !== intended && found !== written)
          throw new Error(`${kind} entry ${own} of slot ${slot} is ${found}: neither ${written} nor ${intended}`);
        Atomics.store(this.#words, at + 1, found);
      }
    }
  }
}

/** The word of what is intended, before that of what is written. */
function placeOf(slot: number, kind: OwnKind, own: number): number {
  return slot * SLOT_WORDS + TOLD.WORDS + (OWN_KINDS.indexOf(kind) * OWN_KEYS + own) * 2;
}
