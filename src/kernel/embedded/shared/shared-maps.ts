import {
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
} from "../../../abi/map-types.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import { allCpusSize } from "../maps/percpu-values.ts";
import type { SharingHost } from "./agent.ts";
import { SharedArray } from "./shared-array.ts";
import { SharedHash } from "./shared-hash.ts";

/** What is known of a segment before it is used: its header, as it was read once and checked. */
export interface SegmentShape {
  readonly type: number;
  readonly valueSize: number;
  readonly mapFlags: number;
}

/** How a map of a type is made over a segment that is shared; `isNew` says that nobody has used it yet. */
type MakeShared = (host: SharingHost, base: Address, shape: SegmentShape, isNew: boolean) => EmbeddedMap;

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
      new SharedHash(host, base, { userValueSize: valueSize, storedSize: valueSize }, isNew),
  ],
  [
    BPF_MAP_TYPE_PERCPU_HASH,
    (host, base, { valueSize }, isNew) => {
      const userValueSize = allCpusSize(valueSize, host.possibleCpus);
      return new SharedHash(host, base, { userValueSize, storedSize: userValueSize }, isNew);
    },
  ],
]);

/** The map over a segment that is shared; `undefined` for types that can only be private. */
export function makeShared(
  host: SharingHost,
  base: Address,
  shape: SegmentShape,
  isNew: boolean,
): EmbeddedMap | undefined {
  return SHARED_TYPES.get(shape.type)?.(host, base, shape, isNew);
}
