import { type Bpf, embedded } from "mapiary";
import { generator, type Random } from "./random.ts";
import type { TortureLog } from "./torture-log.ts";
import {
  bytesOf,
  isWhole,
  keyIn,
  OWN_KEYS,
  OWN_KINDS,
  OwnEntries,
  openMaps,
  SHARED_KEYS,
  type TortureMaps,
} from "./torture-maps.ts";

const MEMORY = 2 ** 21;

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
    const kind = OWN_KINDS[random(OWN_KINDS.length)] ?? "hash";
    const number = random(4) === 0 ? 0 : 1 + random(2 ** 32 - 2);
    this.#log.write(this.#entries, this.#slot, kind, random(OWN_KEYS), number);
    const { hash, lru, trie, queue, stack } = this.#maps;
    const shared = random(SHARED_KEYS);
    const some = random(1000);
    switch (random(20)) {
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
      default:
        if (random(8) === 0) this.#checkAll();
    }
  }

  /** One of 21 networks, some of them in others. */
  #network(): string {
    const random = this.#random;
    const [second, third] = [random(4), random(4)];
    return [`10.${second}.${third}.0/24`, `10.${second}.0.0/16`, "10.0.0.0/8"][random(3)] as string;
  }

  #checkAll(): void {
    const { hash, array, lru, trie, queue, stack } = this.#maps;
    const seen = new Set<number>();
    for (const [key, value] of hash) {
      if (seen.has(key) && key >= SHARED_KEYS) throw new Error(`hash entry ${key} comes twice`);
      seen.add(key);
      check("hash", key, value);
    }
    for (const [, value] of array) if (value.some((byte) => byte !== 0)) check("array", keyIn(value), value);
    for (const [network, value] of trie) check("trie", network.startsWith("10.") ? 2 : keyIn(value), value);
    for (const [, value] of lru) check("lru", 1, value);
    check("queue", 3, queue.peek());
    check("stack", 4, stack.peek());
  }
}

/** Throws an `Error` for a value that is not whole, or not of its key. */
function check(map: string, key: number, value: Uint8Array | undefined): void {
  if (value !== undefined && (keyIn(value) !== key || !isWhole(value))) throw new Error(`torn in ${map}: ${value}`);
}
