import { BatchCursor } from "../../maps/batch-cursor.ts";
import type { MapHandle } from "../map-reference.ts";

/** Some entries of a map: their keys one behind the other, and so their values. */
export interface RawEntries {
  readonly count: number;
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
}

/** Reads a map from its beginning, or from a cursor on, in batches. */
export class MapReader {
  readonly #map: MapHandle;
  readonly #batches: BatchCursor;
  #keys = new Uint8Array(0);
  #values = new Uint8Array(0);

  constructor(map: MapHandle, cursor?: Uint8Array) {
    this.#map = map;
    this.#batches = new BatchCursor(map.cli.context, map.fd, map.shape, false, cursor);
  }

  /** Where the next batch begins; `undefined` at the end, and for a map that can only be read key by key. */
  get cursor(): Uint8Array | undefined {
    return this.#batches.position;
  }

  /** The next entries, which may be none, until it is asked again; `undefined` at the end. */
  next(): RawEntries | undefined {
    if (this.#batches.isDone) return undefined;
    const batch = this.#batches.next();
    const { cli, shape } = this.#map;
    if (typeof batch === "number") throw this.#map.failure("can't read the map", this.#batches.command, batch);
    const { u8 } = cli.kernel.memory;
    const { count, keys, values } = batch;
    const keyBytes = count * shape.keySize;
    const valueBytes = count * shape.valueSize;
    if (this.#keys.length < keyBytes) this.#keys = new Uint8Array(keyBytes);
    if (this.#values.length < valueBytes) this.#values = new Uint8Array(valueBytes);
    this.#keys.set(u8.subarray(keys, keys + keyBytes));
    this.#values.set(u8.subarray(values, values + valueBytes));
    return { count, keys: this.#keys.subarray(0, keyBytes), values: this.#values.subarray(0, valueBytes) };
  }
}

/** Every batch of a map, each until the next one. */
export function* readAll(map: MapHandle): Generator<RawEntries> {
  const reader = new MapReader(map);
  for (let entries = reader.next(); entries !== undefined; entries = reader.next()) yield entries;
}
