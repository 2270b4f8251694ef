import type { EmbeddedMap } from "./map-ops.ts";

/** Ids stay below this: `include/linux/idr.h` as `bpf_map_alloc_id` uses it, 6.18. */
const INT_MAX = 2 ** 31 - 1;

/** Every map that lives, by id. A map lives while an fd, a pin or a mapping refers to it. */
export class MapTable {
  readonly #maps = new Map<number, EmbeddedMap>();
  #lastId = 0;

  /** Gives a new map its id: the one after the last that was given, from 1 again when they run out. */
  add(map: EmbeddedMap): void {
    do this.#lastId = this.#lastId >= INT_MAX - 1 ? 1 : this.#lastId + 1;
    while (this.#maps.has(this.#lastId));
    map.id = this.#lastId;
    this.#maps.set(map.id, map);
  }

  get(id: number): EmbeddedMap | undefined {
    return this.#maps.get(id);
  }

  /** The lowest id from `id` on; `undefined` when there is none. */
  idFrom(id: number): number | undefined {
    let lowest: number | undefined;
    for (const candidate of this.#maps.keys()) {
      if (candidate >= id && (lowest === undefined || candidate < lowest)) lowest = candidate;
    }
    return lowest;
  }

  /** Drops one reference; with the last one the map is freed. */
  put(map: EmbeddedMap): void {
    map.references--;
    if (map.references > 0) return;
    this.#maps.delete(map.id);
    map.free();
  }
}
