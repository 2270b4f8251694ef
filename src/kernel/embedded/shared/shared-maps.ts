import {
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_BLOOM_FILTER,
  BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_LPM_TRIE,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_QUEUE,
  BPF_MAP_TYPE_RINGBUF,
  BPF_MAP_TYPE_STACK,
  BPF_MAP_TYPE_USER_RINGBUF,
} from "../../../abi/map-types.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import type { InnerMeta } from "../maps/inner-meta.ts";
import { MAP_TYPES } from "../maps/map-types.ts";
import { allCpusSize } from "../maps/percpu-values.ts";
import type { SharingHost } from "./agent.ts";
import { SharedArray } from "./shared-array.ts";
import { SharedArrayOfMaps } from "./shared-array-of-maps.ts";
import { SharedBloomFilter } from "./shared-bloom-filter.ts";
import { SharedDevmapHash } from "./shared-devmap-hash.ts";
import { SharedHash } from "./shared-hash.ts";
import { SharedHashOfMaps } from "./shared-hash-of-maps.ts";
import { SharedLpmTrie } from "./shared-lpm-trie.ts";
import { SharedLruHash } from "./shared-lru-hash.ts";
import { SharedRing } from "./shared-ring.ts";
import { SharedRingbuf } from "./shared-ringbuf.ts";
import { SharedUserRingbuf } from "./shared-user-ringbuf.ts";

/** What is known of a segment before it is used: its header, as it was read once and checked. */
export interface SegmentShape {
  readonly type: number;
  readonly valueSize: number;
  readonly mapFlags: number;
  readonly maxEntries: number;
  /** The lower word of the extra. */
  readonly mapExtra: number;
  /** Of a map of maps: what all its maps are like. */
  readonly inner?: InnerMeta | undefined;
}

/**
 * How a map of a type is made over a segment that is shared; `isNew` says that nobody has used it yet. `undefined` when
 * the host lacks what it needs.
 */
type MakeShared = (host: SharingHost, base: Address, shape: SegmentShape, isNew: boolean) => EmbeddedMap | undefined;

const SHARED_TYPES: ReadonlyMap<number, MakeShared> = new Map<number, MakeShared>([
  [
    BPF_MAP_TYPE_ARRAY,
    (host, base, { valueSize, mapFlags }) =>
      new SharedArray(host, base, { userValueSize: valueSize, mapFlags, isPercpu: false }),
  ],
  [
    BPF_MAP_TYPE_PERCPU_ARRAY,
    (host, base, { valueSize, mapFlags }) =>
      new SharedArray(host, base, {
        userValueSize: allCpusSize(valueSize, host.possibleCpus),
        mapFlags,
        isPercpu: true,
      }),
  ],
  [
    BPF_MAP_TYPE_HASH,
    (host, base, { valueSize }, isNew) =>
      new SharedHash(host, base, { userValueSize: valueSize, storedSize: valueSize, isPercpu: false }, isNew),
  ],
  [
    BPF_MAP_TYPE_PERCPU_HASH,
    (host, base, { valueSize }, isNew) => {
      const userValueSize = allCpusSize(valueSize, host.possibleCpus);
      return new SharedHash(host, base, { userValueSize, storedSize: userValueSize, isPercpu: true }, isNew);
    },
  ],
  [BPF_MAP_TYPE_LRU_HASH, (host, base, { valueSize }, isNew) => new SharedLruHash(host, base, valueSize, false, isNew)],
  [
    BPF_MAP_TYPE_LRU_PERCPU_HASH,
    (host, base, { valueSize }, isNew) =>
      new SharedLruHash(host, base, allCpusSize(valueSize, host.possibleCpus), true, isNew),
  ],
  [BPF_MAP_TYPE_LPM_TRIE, (host, base, _shape, isNew) => new SharedLpmTrie(host, base, isNew)],
  [BPF_MAP_TYPE_QUEUE, (host, base) => new SharedRing(host, base, false)],
  [BPF_MAP_TYPE_STACK, (host, base) => new SharedRing(host, base, true)],
  [BPF_MAP_TYPE_RINGBUF, (host, base) => new SharedRingbuf(host, base)],
  [BPF_MAP_TYPE_USER_RINGBUF, (host, base) => new SharedUserRingbuf(host, base)],
  [
    BPF_MAP_TYPE_BLOOM_FILTER,
    (host, base, { mapExtra, maxEntries }) => new SharedBloomFilter(host, base, mapExtra, maxEntries),
  ],
  [BPF_MAP_TYPE_DEVMAP_HASH, (host, base, { valueSize }, isNew) => new SharedDevmapHash(host, base, valueSize, isNew)],
  [
    BPF_MAP_TYPE_ARRAY_OF_MAPS,
    (host, base, { inner }) => {
      const { innerMapHolds: holds } = host;
      return holds && inner && new SharedArrayOfMaps(host, holds, base, inner);
    },
  ],
  [
    BPF_MAP_TYPE_HASH_OF_MAPS,
    (host, base, { inner }, isNew) => {
      const { innerMapHolds: holds } = host;
      return holds && inner && new SharedHashOfMaps(host, holds, base, inner, isNew);
    },
  ],
]);

/** The map over a segment that is shared; `undefined` for types that can only be private here. */
export function makeShared(
  host: SharingHost,
  base: Address,
  shape: SegmentShape,
  isNew: boolean,
): EmbeddedMap | undefined {
  const make = SHARED_TYPES.get(shape.type);
  return make === undefined ? MAP_TYPES.get(shape.type)?.share?.(host, base) : make(host, base, shape, isNew);
}
