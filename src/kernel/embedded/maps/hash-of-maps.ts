import { EINVAL, ENOTSUPP } from "../../../abi/errno.ts";
import { BPF_EXIST, BPF_NOEXIST } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import type { EmbeddedMap, MapHost, MapType } from "../map-ops.ts";
import { HASH } from "./hash.ts";
import { allocateHashTable } from "./hash-segment.ts";
import { HashTable } from "./hash-table.ts";
import type { InnerMeta, MapOfMaps } from "./inner-meta.ts";
import { INNER_SLOT_SIZE, INNER_VALUE_SIZE, InnerMaps, innerTemplate } from "./map-in-map.ts";

/** `"hash_of_maps"`: `kernel/bpf/hashtab.c`, 6.18. A hash whose elements keep the ids of their inner maps. */
export const HASH_OF_MAPS: MapType = {
  allocCheck: (attr) => (attr.valueSize === INNER_VALUE_SIZE ? HASH.allocCheck(attr) : -EINVAL),

  alloc(host: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
    const template = innerTemplate(host, attr);
    if (typeof template === "number") return template;
    const base = reserve(host, attr);
    return base < 0 ? base : new HashOfMaps(host, base, template);
  },

  reserve,
};

function reserve({ memory }: MapHost, attr: MapCreateAttr): Address | number {
  return allocateHashTable(memory, attr, INNER_SLOT_SIZE);
}

class HashOfMaps extends HashTable implements MapOfMaps {
  readonly #inner: InnerMaps;

  constructor(host: MapHost, base: Address, template: EmbeddedMap) {
    super(host.memory, base, INNER_SLOT_SIZE);
    this.#inner = new InnerMaps(host, base, template);
  }

  get innerMeta(): InnerMeta {
    return this.#inner.meta;
  }

  innerAt(key: Address): EmbeddedMap | undefined {
    return this.#inner.mapAt(this.lookup(key));
  }

  /** What programs look up is the inner map, not the id that is kept. */
  override get programGeometry(): undefined {
    return undefined;
  }

  /**
   * The fd is looked at before the flags, and a key that is there keeps its place in the chain:
   * `bpf_fd_htab_map_update_elem`, `htab_map_update_elem_in_place`.
   */
  override update(key: Address, value: Address, flags: number): number {
    const refusal = this.#inner.refusal(value);
    if (refusal !== 0) return refusal;
    const isAllowed = flags <= BPF_EXIST && flags !== BPF_NOEXIST;
    const at = isAllowed ? this.lookup(key) : 0;
    if (at === 0) return super.update(key, value, flags);
    this.#inner.keep(at, value);
    return 0;
  }

  override lookupAndDelete(_key: Address, _value: Address): number {
    return -ENOTSUPP;
  }

  override free(): void {
    this.forEachValue((at) => this.#inner.drop(at));
    this.#inner.release();
    super.free();
  }

  override handOver(): void {
    this.#inner.release();
    super.handOver();
  }

  /** Only ever for an element that is new, whose place holds what was there before. */
  protected override storeValue(at: Address, value: Address): void {
    this.memory.u32[at >>> 2] = 0;
    this.#inner.keep(at, value);
  }

  protected override dropValue(at: Address): void {
    this.#inner.drop(at);
  }
}
