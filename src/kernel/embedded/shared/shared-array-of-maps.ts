import { E2BIG, EINVAL, ENOENT } from "../../../abi/errno.ts";
import { BPF_ANY } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import { genericLookupBatch, genericUpdateBatch } from "../generic-batch.ts";
import type { MapBatch } from "../map-batch.ts";
import { EmbeddedMap } from "../map-ops.ts";
import type { InnerMeta } from "../maps/inner-meta.ts";
import { INNER_SLOT_SIZE } from "../maps/map-in-map.ts";
import { nextIndex } from "../maps/next-index.ts";
import { SEGMENT } from "../segment.ts";
import type { SharingHost } from "./agent.ts";
import { type InnerMapHolds, readSlot, SharedInnerMaps, type SharedMapOfMaps, writeSlot } from "./shared-inner-maps.ts";

/** An array of maps that threads and processes share. Who reads takes no lock: a slot changes by one store. */
export class SharedArrayOfMaps extends EmbeddedMap implements SharedMapOfMaps {
  readonly inner: SharedInnerMaps;

  /** Over a segment whose sizes were checked. */
  constructor(host: SharingHost, holds: InnerMapHolds, base: Address, meta: InnerMeta) {
    super(host.memory, base);
    this.inner = new SharedInnerMaps(host, holds, this, meta, () => this.#slots());
  }

  get innerMeta(): InnerMeta {
    return this.inner.meta;
  }

  innerAt(key: Address): EmbeddedMap | undefined {
    return this.inner.findAt(() => this.#idAt(key));
  }

  /** Where the id of the inner map lies. */
  override lookup(key: Address): Address {
    return this.#idAt(key) === 0 ? 0 : this.#placeOf(key);
  }

  override copyValue(key: Address, value: Address): number {
    const id = this.#idAt(key);
    if (id === 0) return -ENOENT;
    this.memory.view.setUint32(value, id, true);
    return 0;
  }

  /** `bpf_fd_array_map_update_elem`: the flags, the index, the fd, in this order. */
  override update(key: Address, value: Address, flags: number): number {
    if (flags !== BPF_ANY) return -EINVAL;
    const at = this.#placeOf(key);
    if (at === 0) return -E2BIG;
    const map = this.inner.mapFrom(value);
    if (typeof map === "number") return map;
    return this.inner.change(() => {
      const hold = this.inner.take(map);
      if (typeof hold === "number") return hold;
      const previous = readSlot(this.memory, at);
      writeSlot(this.memory, at, hold);
      this.inner.drop(previous);
      return 0;
    });
  }

  /** `fd_array_map_delete_elem`. */
  override delete(key: Address): number {
    const at = this.#placeOf(key);
    if (at === 0) return -E2BIG;
    return this.inner.change(() => {
      const previous = readSlot(this.memory, at);
      writeSlot(this.memory, at, undefined);
      this.inner.drop(previous);
      return previous === undefined ? -ENOENT : 0;
    });
  }

  /** Every index, whether there is a map or not: `bpf_array_get_next_key`. */
  override getNextKey(key: Address, next: Address): number {
    return nextIndex(this, key, next);
  }

  override lookupBatch(batch: MapBatch): number {
    return genericLookupBatch(this, batch);
  }

  override updateBatch(batch: MapBatch): number {
    return genericUpdateBatch(this, batch);
  }

  override handOver(): void {
    this.inner.release();
    super.handOver();
  }

  override free(): void {
    this.inner.release();
    super.free();
  }

  *#slots(): Iterable<Address> {
    const first = this.base + SEGMENT.HEADER_SIZE;
    for (let index = 0; index < this.maxEntries; index++) yield first + INNER_SLOT_SIZE * index;
  }

  #idAt(key: Address): number {
    const at = this.#placeOf(key);
    return at === 0 ? 0 : Atomics.load(this.memory.u32, at >>> 2);
  }

  /** Where an index keeps its hold; 0 past the end. */
  #placeOf(key: Address): Address {
    const index = this.memory.u32[key >>> 2] as number;
    return index < this.maxEntries ? this.base + SEGMENT.HEADER_SIZE + INNER_SLOT_SIZE * index : 0;
  }
}
