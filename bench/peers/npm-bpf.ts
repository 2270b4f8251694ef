import { createRequire } from "node:module";
import type { MapLike, Peer } from "./peer.ts";

/** What is used of npm `bpf`, which is loaded only in the process that measures it. */
interface NpmBpf {
  readonly MapType: { readonly HASH: number };
  readonly u32type: Conversion<number>;
  createMap(definition: { type: number; keySize: number; valueSize: number; maxEntries: number }): object;
  readonly RawMap: new (reference: object) => RawMap;
  readonly ConvMap: new <K, V>(reference: object, key: Conversion<K>, value: Conversion<V>) => ConvMap<K, V>;
}

interface Conversion<T> {
  parse(buffer: Buffer): T;
  format(buffer: Buffer, value: T): void;
}

interface RawMap extends Iterable<[Buffer, Buffer]> {
  get(key: Buffer, flags?: number, out?: Buffer): Buffer | undefined;
  set(key: Buffer, value: Buffer): unknown;
  delete(key: Buffer): boolean;
  getBatch(entries: number): Iterable<[Buffer, Buffer][]>;
  setBatch(entries: [Buffer, Buffer][]): unknown;
}

interface ConvMap<K, V> extends Iterable<[K, V]> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
  delete(key: K): boolean;
  getBatch(entries: number): Iterable<[K, V][]>;
  setBatch(entries: readonly (readonly [K, V])[]): unknown;
}

const TWO_TO_32 = 2 ** 32;

/** The conversion that its documentation leaves to its users, in the fastest way that a `Buffer` offers. */
const u64AsNumber: Conversion<number> = {
  parse: (buffer) => buffer.readUInt32LE(4) * TWO_TO_32 + buffer.readUInt32LE(0),
  format(buffer, value) {
    buffer.writeUInt32LE(value >>> 0, 0);
    buffer.writeUInt32LE(Math.floor(value / TWO_TO_32), 4);
  },
};

/** Its `ConvMap`: values by conversions, `u32type` of its own for the keys. */
export function npmBpfConvMap(entries: number): Peer<number> {
  const bpf = load();
  const map = new bpf.ConvMap(createMap(bpf, entries), bpf.u32type, u64AsNumber);
  return {
    map,
    iteratesByKey: true,
    value: (of) => of,
    batches: (count) => map.getBatch(count),
    prepareSetMany: (all) => () => map.setBatch(all),
  };
}

/** Its `RawMap`, at its best: the same two buffers for every call, the caller reads and writes numbers in them. */
export function npmBpfRawMap(entries: number): Peer<number> {
  const bpf = load();
  const map = new bpf.RawMap(createMap(bpf, entries));
  return {
    map: new NumbersInBuffers(map),
    iteratesByKey: true,
    value: (of) => of,
    *batches(count) {
      for (const batch of map.getBatch(count)) yield batch.map(numbersOf);
    },
    prepareSetMany(all) {
      const buffers = all.map(([key, value]): [Buffer, Buffer] => {
        const entry: [Buffer, Buffer] = [Buffer.alloc(4), Buffer.alloc(8)];
        entry[0].writeUInt32LE(key);
        u64AsNumber.format(entry[1], value);
        return entry;
      });
      return () => map.setBatch(buffers);
    },
  };
}

class NumbersInBuffers implements MapLike<number> {
  readonly #map: RawMap;
  readonly #key = Buffer.alloc(4);
  readonly #value = Buffer.alloc(8);

  constructor(map: RawMap) {
    this.#map = map;
  }

  get(key: number): number | undefined {
    this.#key.writeUInt32LE(key);
    const found = this.#map.get(this.#key, 0, this.#value);
    return found === undefined ? undefined : u64AsNumber.parse(found);
  }

  set(key: number, value: number): void {
    this.#key.writeUInt32LE(key);
    u64AsNumber.format(this.#value, value);
    this.#map.set(this.#key, this.#value);
  }

  delete(key: number): boolean {
    this.#key.writeUInt32LE(key);
    return this.#map.delete(this.#key);
  }

  *[Symbol.iterator](): Iterator<[number, number]> {
    for (const entry of this.#map) yield numbersOf(entry);
  }
}

function numbersOf([key, value]: [Buffer, Buffer]): [number, number] {
  return [key.readUInt32LE(), u64AsNumber.parse(value)];
}

function load(): NpmBpf {
  return createRequire(import.meta.url)("bpf") as NpmBpf;
}

function createMap(bpf: NpmBpf, entries: number): object {
  return bpf.createMap({ type: bpf.MapType.HASH, keySize: 4, valueSize: 8, maxEntries: entries });
}
