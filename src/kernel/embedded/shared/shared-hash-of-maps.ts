import { EINVAL, ENOTSUPP } from "../../../abi/errno.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { MapBatch } from "../map-batch.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import type { InnerMeta } from "../maps/inner-meta.ts";
import { INNER_SLOT_SIZE, INNER_VALUE_SIZE } from "../maps/map-in-map.ts";
import { copyBytes } from "../user-memory.ts";
import type { SharingHost } from "./agent.ts";
import { SharedHash } from "./shared-hash.ts";
import {
  type Hold,
  type InnerMapHolds,
  readSlot,
  SharedInnerMaps,
  type SharedMapOfMaps,
  writeSlot,
} from "./shared-inner-maps.ts";

/**
 * A hash of maps that threads and processes share: a shared hash of slots, of which user space is given the first half, the id.
 * All that writes has the lock of the inner maps first.
 */
export class SharedHashOfMaps extends SharedHash implements SharedMapOfMaps {
  readonly inner: SharedInnerMaps;
  /** Where a slot lies that is to be written, or was read. */
  readonly #slot: Address;
  /** What elements held that have left their chains in the change that is being made. */
  readonly #dropped: (Hold | undefined)[] = [];

  /** Over a segment whose sizes were checked. */
  constructor(host: SharingHost, holds: InnerMapHolds, base: Address, meta: InnerMeta, isNew: boolean) {
    super(host, base, { userValueSize: INNER_SLOT_SIZE, storedSize: INNER_SLOT_SIZE, isPercpu: false }, isNew);
    this.inner = new SharedInnerMaps(host, holds, this, meta, () => this.#slots());
    this.#slot = host.scratch;
  }

  override get userValueSize(): number {
    return INNER_VALUE_SIZE;
  }

  protected override loadValue(from: Address, to: Address): void {
    copyBytes(this.memory, to, from, INNER_VALUE_SIZE);
  }

  get innerMeta(): InnerMeta {
    return this.inner.meta;
  }

  innerAt(key: Address): EmbeddedMap | undefined {
    return this.inner.findAt(() =>
      super.copyValue(key, this.#slot) === 0 ? (this.memory.u32[this.#slot >>> 2] as number) : 0,
    );
  }

  /** What programs look up is the inner map, not the id that is kept. */
  override get programGeometry(): undefined {
    return undefined;
  }

  /** The fd is looked at before the flags: `bpf_fd_htab_map_update_elem`. */
  override update(key: Address, value: Address, flags: number): number {
    const map = this.inner.mapFrom(value);
    if (typeof map === "number") return map;
    if (this.updateMode(flags) < 0) return -EINVAL;
    return this.#change(() => {
      const hold = this.inner.take(map);
      if (typeof hold === "number") return hold;
      const at = this.lookup(key);
      const previous = at === 0 ? undefined : readSlot(this.memory, at);
      writeSlot(this.memory, this.#slot, hold);
      const result = super.update(key, this.#slot, flags);
      this.inner.drop(result === 0 ? previous : hold);
      return result;
    });
  }

  override delete(key: Address): number {
    return this.#change(() => super.delete(key));
  }

  override lookupAndDelete(_key: Address, _value: Address): number {
    return -ENOTSUPP;
  }

  override lookupAndDeleteBatch(batch: MapBatch): number {
    return this.#change(() => super.lookupAndDeleteBatch(batch));
  }

  override generateLookup(): undefined {
    return undefined;
  }

  override generateUpdate(): undefined {
    return undefined;
  }

  override handOver(): void {
    this.inner.release();
    super.handOver();
  }

  override free(): void {
    this.inner.release();
    super.free();
  }

  protected override dropValue(element: number): void {
    this.#dropped.push(readSlot(this.memory, this.placeOf(element)));
  }

  #change(run: () => number): number {
    return this.inner.change(() => {
      const result = run();
      for (const hold of this.#dropped.splice(0)) this.inner.drop(hold);
      return result;
    });
  }

  #slots(): Address[] {
    const places: Address[] = [];
    this.forEachValue((at) => places.push(at));
    return places;
  }
}
