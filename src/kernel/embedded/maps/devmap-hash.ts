import { E2BIG, EEXIST, EINVAL, ENOENT } from "../../../abi/errno.ts";
import { BPF_EXIST, BPF_NOEXIST } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import type { MapHost } from "../map-ops.ts";
import { SEGMENT } from "../segment.ts";
import { bucketCount } from "./bucket-count.ts";
import { checkDevmap, deviceRefusal, devmapType } from "./devmap.ts";
import { ObjectMap } from "./object-map.ts";
import { sharedHashPlan } from "./shared-hash-plan.ts";

/*
 * Private memory has this segment: the header, one word for each bucket (the first entry of its chain, 0 for none), then the entries of 16
 * bytes. Links count words from the start of the segment. A free entry is chained to the other free ones; those that
 * were never used are not even that. Memory that is shared has a hash table in its place.
 */
const DEVMAP_HASH_HEADER = {
  /** The first entry of the free list, 0 when it is empty. */
  FREE: SEGMENT.TYPE_HEADER,
  /** How many entries were ever used. */
  USED: SEGMENT.TYPE_HEADER + 4,
} as const;

/** An entry, in words. */
const NEXT = 0;
const KEY = 1;
const DEVICE = 2;
const ENTRY_WORDS = 4;

const MOST_ENTRIES = 2 ** 31;

/** `dev_map_alloc_check`, and `dev_map_init_map`, after which nothing that Linux asks can fail. */
function check(attr: MapCreateAttr): number {
  const unfit = checkDevmap(attr);
  if (unfit !== 0) return unfit;
  return attr.maxEntries > MOST_ENTRIES ? -EINVAL : 0;
}

/** Devices by any number. The bucket of a key is its low bits, and a new or replaced entry comes first in it. */
class DevmapHash extends ObjectMap {
  readonly #origin: number;
  readonly #buckets: number;
  readonly #mask: number;

  constructor(host: MapHost, base: Address) {
    super(host, base);
    this.#origin = base >>> 2;
    this.#buckets = this.#origin + SEGMENT.HEADER_SIZE / 4;
    this.#mask = bucketCount(this.maxEntries) - 1;
  }

  override lookup(key: Address): Address {
    const link = this.#linkTo(this.memory.u32[key >>> 2] as number);
    return link === 0 ? 0 : (this.#entryOf(link) + DEVICE) * 4;
  }

  /** `__dev_map_hash_update_elem`. BPF_EXIST asks for nothing. */
  override update(key: Address, value: Address, flags: number): number {
    const { u32, view } = this.memory;
    const device = view.getUint32(value, true);
    if (flags > BPF_EXIST || device === 0) return -EINVAL;
    const index = u32[key >>> 2] as number;
    const link = this.#linkTo(index);
    if (link !== 0 && flags === BPF_NOEXIST) return -EEXIST;
    const refusal = deviceRefusal(this.memory, value, this.valueSize);
    if (refusal !== 0) return refusal;
    const entry = link === 0 ? this.#takeFree() : this.#unlink(link);
    if (entry === 0) return -E2BIG;
    const bucket = this.#buckets + (index & this.#mask);
    u32[entry + KEY] = index;
    u32[entry + DEVICE] = device;
    u32[entry + NEXT] = u32[bucket] as number;
    u32[bucket] = entry - this.#origin;
    return 0;
  }

  override delete(key: Address): number {
    const link = this.#linkTo(this.memory.u32[key >>> 2] as number);
    if (link === 0) return -ENOENT;
    const entry = this.#unlink(link);
    const free = (this.base + DEVMAP_HASH_HEADER.FREE) >>> 2;
    this.memory.u32[entry + NEXT] = this.memory.u32[free] as number;
    this.memory.u32[free] = entry - this.#origin;
    return 0;
  }

  /** `dev_map_hash_get_next_key`: after a key that is not there comes the first one. */
  override getNextKey(key: Address, next: Address): number {
    const { u32, view } = this.memory;
    const index = key === 0 ? 0 : (u32[key >>> 2] as number);
    const link = key === 0 ? 0 : this.#linkTo(index);
    let found = link === 0 ? 0 : (u32[this.#entryOf(link) + NEXT] as number);
    for (let bucket = link === 0 ? 0 : (index & this.#mask) + 1; found === 0 && bucket <= this.#mask; bucket++) {
      found = u32[this.#buckets + bucket] as number;
    }
    if (found === 0) return -ENOENT;
    view.setUint32(next, u32[this.#origin + found + KEY] as number, true);
    return 0;
  }

  /** The word that links to the entry of a key; 0 when it is not there. */
  #linkTo(index: number): number {
    const { u32 } = this.memory;
    let link = this.#buckets + (index & this.#mask);
    while (u32[link] !== 0) {
      const entry = this.#entryOf(link);
      if (u32[entry + KEY] === index) return link;
      link = entry + NEXT;
    }
    return 0;
  }

  #entryOf(link: number): number {
    return this.#origin + (this.memory.u32[link] as number);
  }

  /** Takes the entry that a word links to out of its chain. */
  #unlink(link: number): number {
    const entry = this.#entryOf(link);
    this.memory.u32[link] = this.memory.u32[entry + NEXT] as number;
    return entry;
  }

  /** An entry that is in no chain; 0 when the map is full. */
  #takeFree(): number {
    const { u32 } = this.memory;
    const free = (this.base + DEVMAP_HASH_HEADER.FREE) >>> 2;
    if (u32[free] !== 0) return this.#unlink(free);
    const used = (this.base + DEVMAP_HASH_HEADER.USED) >>> 2;
    const count = u32[used] as number;
    if (count === this.maxEntries) return 0;
    u32[used] = count + 1;
    return this.#buckets + this.#mask + 1 + count * ENTRY_WORDS;
  }
}

/** `"devmap_hash"`: `kernel/bpf/devmap.c`, 6.18. */
export const DEVMAP_HASH = devmapType({
  check,
  map: DevmapHash,
  isPrivate: true,
  bytes: ({ keySize, valueSize, maxEntries }, { isShared }) =>
    isShared
      ? sharedHashPlan(keySize, valueSize, maxEntries).end - SEGMENT.HEADER_SIZE
      : 4 * bucketCount(maxEntries) + 4 * ENTRY_WORDS * maxEntries,
});
