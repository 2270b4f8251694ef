import { openSync, readSync, writeFileSync, writeSync } from "node:fs";
import { OWN_KEYS, OWN_KINDS, type OwnEntries, type OwnKind, SLOTS } from "./torture-maps.ts";

/** What a slot tells, beside what it writes: offsets in bytes. */
export const TOLD = { IS_READY: 0, ROUNDS: 4, SLOWEST: 8, SLOWEST_RUNNING: 12, FAILED: 16, BYTES: 20 } as const;

const ENTRIES = OWN_KEYS * OWN_KINDS.length;
const SLOT_BYTES = TOLD.BYTES + ENTRIES * 8;

/**
 * A file in which each slot notes what it is about to write into an entry of its own, and then that it has written it. Who
 * comes after it knows what there may be: what was written last, or what was about to be.
 */
export class TortureLog {
  readonly #fd: number;
  readonly #word = new Uint32Array(1);

  constructor(path: string) {
    this.#fd = openSync(path, "r+");
  }

  static make(path: string): TortureLog {
    writeFileSync(path, new Uint8Array(SLOTS * SLOT_BYTES));
    return new TortureLog(path);
  }

  tell(slot: number, what: Exclude<keyof typeof TOLD, "BYTES">, number: number): void {
    this.#write(slot * SLOT_BYTES + TOLD[what], number);
  }

  told(slot: number, what: Exclude<keyof typeof TOLD, "BYTES">): number {
    return this.#read(slot * SLOT_BYTES + TOLD[what]);
  }

  /** Writes an entry, as noted. */
  write(entries: OwnEntries, slot: number, kind: OwnKind, own: number, number: number): void {
    const at = placeOf(slot, kind, own);
    this.#write(at, number);
    entries.write(kind, own, number);
    this.#write(at + 4, number);
  }

  /**
   * Checks the entries of a slot that nobody hammers for now, and notes what is there. Throws an `Error` for one that is not
   * what it may be.
   */
  settle(entries: OwnEntries, slot: number): void {
    for (const kind of OWN_KINDS) {
      for (let own = 0; own < OWN_KEYS; own++) {
        const at = placeOf(slot, kind, own);
        const [intended, written] = [this.#read(at), this.#read(at + 4)];
        const found = entries.read(kind, own);
        if (found !== intended && found !== written)
          throw new Error(`${kind} entry ${own} of slot ${slot} is ${found}: neither ${written} nor ${intended}`);
        this.#write(at + 4, found);
      }
    }
  }

  #write(at: number, number: number): void {
    this.#word[0] = number;
    writeSync(this.#fd, this.#word, 0, 4, at);
  }

  #read(at: number): number {
    readSync(this.#fd, this.#word, 0, 4, at);
    return this.#word[0] as number;
  }
}

function placeOf(slot: number, kind: OwnKind, own: number): number {
  return slot * SLOT_BYTES + TOLD.BYTES + (OWN_KINDS.indexOf(kind) * OWN_KEYS + own) * 8;
}
