import { BPF_F_INNER_MAP } from "../../../abi/flags.ts";
import {
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_CGROUP_STORAGE,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
  BPF_MAP_TYPE_PROG_ARRAY,
  BPF_MAP_TYPE_STRUCT_OPS,
  BPF_MAP_TYPE_XSKMAP,
} from "../../../abi/map-types.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import type { BtfObject } from "../btf/btf-object.ts";
import type { SpecialField } from "../btf/special-fields.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import { SEGMENT } from "../segment.ts";

/** Where a map of maps says in its header what all its maps are like. */
export const INNER = {
  TYPE: SEGMENT.TYPE_HEADER + 32,
  KEY_SIZE: SEGMENT.TYPE_HEADER + 36,
  VALUE_SIZE: SEGMENT.TYPE_HEADER + 40,
  MAX_ENTRIES: SEGMENT.TYPE_HEADER + 44,
  MAP_FLAGS: SEGMENT.TYPE_HEADER + 48,
  /** In memory that is shared: the lock of whoever changes which maps are held, and the number of the last hold. */
  LOCK: SEGMENT.TYPE_HEADER + 52,
  LAST_HOLD: SEGMENT.TYPE_HEADER + 56,
  /** In a segment that is a file: the template's types of keys and values, and its BTF, which lies behind the map's own. */
  BTF_KEY_TYPE_ID: 168,
  BTF_VALUE_TYPE_ID: 172,
  BTF_LENGTH: 176,
  BTF_ID: 180,
} as const;

const MAPS_OF_MAPS: ReadonlySet<number> = new Set([BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS]);

/** The types whose `map_ops` have no `map_meta_equal`. */
const NEVER_INNER: ReadonlySet<number> = new Set([
  BPF_MAP_TYPE_PROG_ARRAY,
  BPF_MAP_TYPE_CGROUP_STORAGE,
  BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
  BPF_MAP_TYPE_STRUCT_OPS,
]);

/** The types whose inner maps have as many entries as their template, unless they have BPF_F_INNER_MAP. */
const FIXED_END: ReadonlySet<number> = new Set([BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_XSKMAP]);

/** The numbers that all maps in a map of maps have in common. */
export interface InnerShape {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

/** What every map in a map of maps is like: `inner_map_meta`. */
export interface InnerMeta extends InnerShape {
  /** What describes the keys and values of the template, and their types in it, 0 for none. */
  readonly btf: BtfObject | undefined;
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  /** What in the values is not data. */
  readonly fields: readonly SpecialField[];
}

/** A map whose values are maps. */
export interface MapOfMaps extends EmbeddedMap {
  readonly innerMeta: InnerMeta;
  /** The map that a key has; `undefined` when it has none. */
  innerAt(key: Address): EmbeddedMap | undefined;
}

export function isMapOfMaps(map: EmbeddedMap): map is MapOfMaps {
  return holdsMaps(map.type);
}

/** Whether the values of a type are maps. */
export function holdsMaps(type: number): boolean {
  return MAPS_OF_MAPS.has(type);
}

/** Whether maps of a type can be in a map of maps. */
export function canBeInner(type: number): boolean {
  return !MAPS_OF_MAPS.has(type) && !NEVER_INNER.has(type);
}

/** What maps are like that are made as this one. */
export function innerMetaOf(template: EmbeddedMap): InnerMeta {
  const { type, keySize, valueSize, maxEntries, btf } = template;
  return {
    ...{ type, keySize, valueSize, maxEntries, btf },
    flags: template.header(SEGMENT.MAP_FLAGS),
    btfKeyTypeId: template.header(SEGMENT.BTF_KEY_TYPE_ID),
    btfValueTypeId: template.header(SEGMENT.BTF_VALUE_TYPE_ID),
    fields: template.record?.fields ?? [],
  };
}

/** Writes the numbers into the segment of a map of maps. */
export function keepInnerShape({ u32 }: AddressSpace, base: Address, shape: InnerShape): void {
  u32[(base + INNER.TYPE) >>> 2] = shape.type;
  u32[(base + INNER.KEY_SIZE) >>> 2] = shape.keySize;
  u32[(base + INNER.VALUE_SIZE) >>> 2] = shape.valueSize;
  u32[(base + INNER.MAX_ENTRIES) >>> 2] = shape.maxEntries;
  u32[(base + INNER.MAP_FLAGS) >>> 2] = shape.flags;
}

/** `bpf_map_meta_equal`; `array_map_meta_equal` and `xsk_map_meta_equal` for those whose programs know where they end. */
export function isAlike(map: EmbeddedMap, meta: InnerMeta): boolean {
  const isSame =
    map.type === meta.type &&
    map.keySize === meta.keySize &&
    map.valueSize === meta.valueSize &&
    map.header(SEGMENT.MAP_FLAGS) === meta.flags &&
    hasSameFields(map, meta);
  const hasFixedEnd = FIXED_END.has(map.type) && (meta.flags & BPF_F_INNER_MAP) === 0;
  return isSame && (!hasFixedEnd || map.maxEntries === meta.maxEntries);
}

/** Whether the same places in values are special, and in the same way: `btf_record_equal`. What points to a type is of one BTF. */
function hasSameFields({ btf, record }: EmbeddedMap, meta: InnerMeta): boolean {
  const fields = record?.fields ?? [];
  return (
    fields.length === meta.fields.length &&
    fields.every(({ type, offset, target }, index) => {
      const other = meta.fields[index];
      const isSame = type === other?.type && offset === other.offset && target === other.target;
      return isSame && (target === undefined || btf === meta.btf);
    })
  );
}
