import { type Bpf, embedded } from "mapiary";
import { generator, type Random } from "./random.ts";
import type { TortureLog } from "./torture-log.ts";
import {
  FIRST_SHARED_WORD,
  OWN_KEYS,
  OwnEntries,
  type OwnKind,
  openMaps,
  SHARED_KEYS,
  SHARED_SMALL,
  type TortureMaps,
} from "./torture-maps.ts";
import { bytesOf, keyIn, lockedOf, numberIn, numberInLocked, numberInSmall, smallOf } from "./torture-values.ts";

const MEMORY = 2 ** 21;
/**
 * What is written next. Small values come more often, and are overwritten many times in a row: each of these times is short, and
 * somebody has to be killed amid one.
 */
const KINDS: readonly OwnKind[] = ["hash", "array", "trie", "words", "small", "small", "small", "locked", "staged"];
const BURSTS: readonly OwnKind[] = ["small", "words", "locked", "staged"];
const BURST = 500;

/** One who writes, reads and checks the maps of a directory in a slot of its own, round after round. */
export class Hammer {
  readonly #bpf: Bpf;
  readonly #maps: TortureMaps;
  readonly #entries: OwnEntries;
  readonly #log: TortureLog;
  readonly #slot: number;
  readonly #random: Random;

  /** First checks what is there of its slot. Throws an `Error` for what must not be. */
  constructor(directory: string, log: TortureLog, slot: number, seed: number) {
    // Little memory: V8 looks for garbage whenever somebody has asked for much.
    this.#bpf = embedded({ bpffs: directory, maxMemory: MEMORY });
    this.#maps = openMaps(this.#bpf);
    this.#entries = new OwnEntries(this.#maps, slot);
    this.#log = log;
    this.#slot = slot;
    this.#random = generator(seed);
    log.settle(this.#entries, slot);
  }

  close(): void {
    this.#bpf.close();
  }

  /** One change of its own, and one thing more. Throws an `Error` when it meets a value that is torn. */
  round(): void {
    const random = this.#random;
    this.#writeOwn();
    const { hash, lru, trie, queue, stack } = this.#maps;
    const shared = random(SHARED_KEYS);
    const some = random(1000);
    switch (random(26)) {
      case 0:
      case 1:
      case 2:
      case 3:
        hash.set(shared, bytesOf(shared, some));
        return;
      case 4:
        hash.delete(shared);
        return;
      case 5:
        check("taken", shared, hash.take(shared));
        return;
      case 6:
        hash.deleteMany([shared, (shared + 1) % SHARED_KEYS]);
        return;
      case 7:
        check("hash", shared, hash.get(shared));
        return;
      case 8:
      case 9:
        lru.set(some, bytesOf(1, some));
        return;
      case 10:
        lru.delete(some);
        return;
      case 11:
        trie.set(this.#network(), bytesOf(2, some));
        return;
      case 12:
        trie.delete(this.#network());
        return;
      case 13:
        check("trie", 2, trie.get("10.1.2.3"));
        return;
      case 14:
        queue.push(bytesOf(3, some), "exist");
        return;
      case 15:
        check("queue", 3, queue.pop());
        return;
      case 16:
        stack.push(bytesOf(4, some), "exist");
        return;
      case 17:
        check("stack", 4, stack.pop());
        return;
      case 18:
      case 19:
      case 20:
      case 21:
        this.#useSmall(random(SHARED_SMALL), some);
        return;
      case 22:
      case 23:
        this.#useLocked(random(SHARED_SMALL), some);
        return;
      default:
        if (random(8) === 0) this.#checkAll();
    }
  }

  /** One entry of its own, or a small one again and again, each time as noted. */
  #writeOwn(): void {
    const random = this.#random;
    const kind = KINDS[random(KINDS.length)] as OwnKind;
    const own = random(OWN_KEYS);
    const first = random(4) === 0 ? 0 : 1 + random(2 ** 32 - 2);
    this.#log.write(this.#entries, this.#slot, kind, own, first);
    if (!BURSTS.includes(kind)) return;
    for (let time = 0; time < BURST; time++) {
      this.#log.write(this.#entries, this.#slot, kind, own, 1 + random(2 ** 32 - 2));
    }
  }

  /** Something with a small value that all share, most often overwriting it many times. */
  #useSmall(key: number, some: number): void {
    const { small, words } = this.#maps;
    const random = this.#random;
    const index = FIRST_SHARED_WORD + key;
    switch (random(10)) {
      case 0:
        small.delete(key);
        return;
      case 1:
        checkSmall("taken", key, small.take(key));
        return;
      case 2:
        small.setMany([[key, smallOf(key, some)]]);
        return;
      case 3:
        words.setMany([[index, smallOf(index, some)]]);
        return;
      case 4:
        checkSmall("small", key, small.get(key));
        return;
      case 5:
        for (let time = 0; time < BURST; time++) words.set(index, smallOf(index, some + time));
        return;
      default:
        for (let time = 0; time < BURST; time++) small.set(key, smallOf(key, some + time));
    }
  }

  /** Something with a value with a lock that all share, most often overwriting it many times where it is. */
  #useLocked(key: number, some: number): void {
    const { locked, staged } = this.#maps;
    const random = this.#random;
    const index = FIRST_SHARED_WORD + key;
    switch (random(10)) {
      case 0:
        locked.delete(key);
        return;
      case 1:
        locked.expect(locked.set(key, lockedOf(key, some), true));
        return;
      case 2:
        checkLocked("locked", key, locked.get(key, random(2) === 0));
        return;
      case 3:
        checkLocked("staged", index, staged.get(index, random(2) === 0));
        return;
      case 4:
      case 5:
      case 6:
        for (let time = 0; time < BURST; time++) staged.expect(staged.set(index, lockedOf(index, some + time)));
        return;
      default:
        for (let time = 0; time < BURST; time++) locked.expect(locked.set(key, lockedOf(key, some + time)));
    }
  }

  /** One of 21 networks, some of them in others. */
  #network(): string {
    const random = this.#random;
    const [second, third] = [random(4), random(4)];
    return [`10.${second}.${third}.0/24`, `10.${second}.0.0/16`, "10.0.0.0/8"][random(3)] as string;
  }

  #checkAll(): void {
    const { hash, small, array, words, locked, staged, lru, trie, queue, stack } = this.#maps;
    const seen = new Set<number>();
    for (const [key, value] of hash) {
      if (seen.has(key) && key >= SHARED_KEYS) throw new Error(`hash entry ${key} comes twice`);
      seen.add(key);
      check("hash", key, value);
    }
    seen.clear();
    for (const [key, value] of small) {
      if (seen.has(key) && key >= SHARED_SMALL) throw new Error(`small entry ${key} comes twice`);
      seen.add(key);
      checkSmall("small", key, value);
    }
    for (let index = FIRST_SHARED_WORD; index < FIRST_SHARED_WORD + SHARED_SMALL; index++) {
      const value = words.get(index);
      if (value?.some((byte) => byte !== 0)) checkSmall("words", index, value);
      checkLocked("staged", index, staged.get(index, true));
    }
    for (const key of locked.keys()) if (key < SHARED_SMALL) checkLocked("locked", key, locked.get(key, true));
    for (const [, value] of array) if (value.some((byte) => byte !== 0)) check("array", keyIn(value), value);
    for (const [network, value] of trie) check("trie", network.startsWith("10.") ? 2 : keyIn(value), value);
    for (const [, value] of lru) check("lru", 1, value);
    check("queue", 3, queue.peek());
    check("stack", 4, stack.peek());
  }
}

/** Throws an `Error` for a value that is not whole, or not of its key. */
function check(map: string, key: number, value: Uint8Array | undefined): void {
  if (value !== undefined) numberIn(value, key, map);
}

function checkSmall(map: string, key: number, value: Uint8Array | undefined): void {
  if (value !== undefined) numberInSmall(value, key, map);
}

/** A value of nothing but zeros is that of an index which nobody has written yet. */
function checkLocked(map: string, key: number, value: Uint8Array | undefined): void {
  if (value?.some((byte) => byte !== 0)) numberInLocked(value, key, map);
}
