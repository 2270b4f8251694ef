import type { Batch } from "./batch-cursor.ts";
import { ReadingIterator } from "./batch-iterator.ts";
import type { BpfMap } from "./bpf-map.ts";
import { DeletingMap } from "./deleting-map.ts";
import type { InnerMapLayout } from "./inner-map.ts";
import type { KeyedMapParts } from "./keyed-map.ts";

/** What a map of maps is made of besides its fd. */
export interface MapOfMapsParts<K, M extends BpfMap> extends KeyedMapParts<K, M> {
  readonly value: InnerMapLayout<M>;
}

/**
 * A map whose values are maps, all made alike: what array_of_maps and hash_of_maps have in common. It keeps its maps
 * alive; what was replaced or deleted lives on only while something else refers to it.
 *
 * **Who closes.** Whatever answers a map opens it, and it is the caller's to close, best by `using`: `get`, `values`,
 * `entries`, iteration and `lookupBatch`. An iterator opens each map when its turn comes, so a loop that ends early has
 * opened no more than it saw. `forEach` closes each map when the call returns, and `ids` and `idOf` open none. A map that
 * was given to `set` stays the giver's, who may close it at once. On Linux opening takes CAP_SYS_ADMIN, as `bpf.mapById`
 * does; `ids`, `idOf`, `has`, `keys` and all that writes do without.
 */
export abstract class MapOfMaps<K, M extends BpfMap> extends DeletingMap<K, M> {
  readonly #inner: InnerMapLayout<M>;

  /** @internal */
  constructor(parts: MapOfMapsParts<K, M>, fd: number) {
    super(parts, fd);
    this.#inner = parts.value;
  }

  /** The map of a key, opened, which is the caller's to close; `undefined` when there is none. */
  override get(key: K): M | undefined {
    for (;;) {
      const id = this.idOf(key);
      const map = id === undefined ? undefined : this.#inner.open(id);
      // A map that has an id here and cannot be opened was replaced or deleted between the two: look again.
      if (map !== undefined || id === undefined) return map;
    }
  }

  /** The id of the map of a key, by which `bpf.mapById` opens it; `undefined` when there is none. */
  idOf(key: K): number | undefined {
    return this.has(key) ? this.context.kernel.memory.view.getUint32(this.frame.value, true) : undefined;
  }

  /** The keys with the ids of their maps, in the kernel's own order. None of them is opened. */
  ids(): IterableIterator<[K, number]> {
    const { key } = this;
    return new ReadingIterator(this.batchSource(), (memory, keyAt, valueAt) => [
      key.read(memory, keyAt),
      memory.view.getUint32(valueAt, true),
    ]);
  }

  /** The maps, in the order of their keys; each is opened when its turn comes, and is the caller's to close. */
  override *values(): IterableIterator<M> {
    for (const [, map] of this.entries()) yield map;
  }

  /** The keys with their maps, in the kernel's own order; each is opened when its turn comes, and is the caller's to close. */
  override *entries(): IterableIterator<[K, M]> {
    for (const [key, id] of this.ids()) {
      const map = this.#inner.open(id);
      if (map !== undefined) yield [key, map];
    }
  }

  /** Calls a function with each map, opened, and its key. The map is closed when the call returns. */
  override forEach(call: (value: M, key: K, map: this) => void): void {
    for (const [key, inner] of this.entries()) {
      try {
        call(inner, key, this);
      } finally {
        inner.close();
      }
    }
  }

  /** @internal */
  protected override decodeEntries({ count, keys, values }: Batch): [K, M][] {
    const { memory } = this.context.kernel;
    const { keySize, valueSize } = this.shape;
    const ids: [K, number][] = [];
    for (let index = 0; index < count; index++) {
      const id = memory.view.getUint32(values + index * valueSize, true);
      ids.push([this.key.read(memory, keys + index * keySize), id]);
    }
    return this.#openAll(ids);
  }

  #openAll(ids: readonly (readonly [K, number])[]): [K, M][] {
    const entries: [K, M][] = [];
    try {
      for (const [key, id] of ids) {
        const map = this.#inner.open(id);
        if (map !== undefined) entries.push([key, map]);
      }
    } catch (error) {
      for (const [, map] of entries) map.close();
      throw error;
    }
    return entries;
  }
}
