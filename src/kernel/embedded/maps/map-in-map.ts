import { EINVAL, ENOTSUPP } from "../../../abi/errno.ts";
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
import type { Address } from "../../../memory/address-space.ts";
import type { BtfObject } from "../btf/btf-object.ts";
import type { SpecialField } from "../btf/special-fields.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import type { EmbeddedMap, MapHost } from "../map-ops.ts";
import { SEGMENT } from "../segment.ts";

/*
 * What maps of maps have in common: in user space a value is the fd of a map when it is written and the map's id when
 * it is read, and it is the id that is kept. What the map was made for, the inner map's meta data, lies behind the words
 * of the type's own header.
 */
const INNER = {
  TYPE: SEGMENT.TYPE_HEADER + 32,
  KEY_SIZE: SEGMENT.TYPE_HEADER + 36,
  VALUE_SIZE: SEGMENT.TYPE_HEADER + 40,
  MAX_ENTRIES: SEGMENT.TYPE_HEADER + 44,
  MAP_FLAGS: SEGMENT.TYPE_HEADER + 48,
} as const;

/** What user space gives and takes: an fd, an id. */
export const INNER_VALUE_SIZE = 4;

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

/** The map that a map of maps is made after, or `−errno`: `kernel/bpf/map_in_map.c: bpf_map_meta_alloc`, 6.18. */
export function innerTemplate({ files }: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
  const file = files.map(attr.innerMapFd);
  if (file === undefined) return files.refusal(attr.innerMapFd);
  if (MAPS_OF_MAPS.has(file.map.type)) return -EINVAL;
  return NEVER_INNER.has(file.map.type) ? -ENOTSUPP : file.map;
}

/** Keeps the meta data of the template in the segment of a map of maps. */
function keepInnerMeta({ memory }: MapHost, base: Address, template: EmbeddedMap): void {
  const { u32 } = memory;
  u32[(base + INNER.TYPE) >>> 2] = template.type;
  u32[(base + INNER.KEY_SIZE) >>> 2] = template.keySize;
  u32[(base + INNER.VALUE_SIZE) >>> 2] = template.valueSize;
  u32[(base + INNER.MAX_ENTRIES) >>> 2] = template.maxEntries;
  u32[(base + INNER.MAP_FLAGS) >>> 2] = template.header(SEGMENT.MAP_FLAGS);
}

/** What every map in a map of maps is like: `inner_map_meta`. */
export interface InnerMeta {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

/** The meta data that a map of maps was made with. */
export function innerMeta(outer: EmbeddedMap): InnerMeta {
  return {
    type: outer.header(INNER.TYPE),
    keySize: outer.header(INNER.KEY_SIZE),
    valueSize: outer.header(INNER.VALUE_SIZE),
    maxEntries: outer.header(INNER.MAX_ENTRIES),
    flags: outer.header(INNER.MAP_FLAGS),
  };
}

/** The inner maps of one map of maps: which it takes, and the references by which it keeps them. */
export class InnerMaps {
  readonly #host: MapHost;
  readonly #base: Address;
  /** What describes the values of the template, and lives as long as the map of maps. */
  readonly #btf: BtfObject | undefined;
  readonly #fields: readonly SpecialField[];

  /** `base` is where the segment of the map of maps begins, which keeps the meta data of the template from now on. */
  constructor(host: MapHost, base: Address, template: EmbeddedMap) {
    this.#host = host;
    this.#base = base;
    this.#btf = template.btf;
    this.#fields = template.record?.fields ?? [];
    if (this.#btf !== undefined) this.#btf.references++;
    keepInnerMeta(host, base, template);
  }

  /** The map of maps is gone, and all that it kept is dropped. */
  release(): void {
    this.#btf?.put();
  }

  /** Why the fd at an address is not that of a map which can be kept here; 0 when it is: `bpf_map_fd_get_ptr`. */
  refusal(value: Address): number {
    const fd = this.#fdAt(value);
    const file = this.#host.files.map(fd);
    if (file === undefined) return this.#host.files.refusal(fd);
    return this.#isAlike(file.map) ? 0 : -EINVAL;
  }

  /** Puts the id of the map whose fd is at an address, and which is not refused, in the place of the map that is at `at`. */
  keep(at: Address, value: Address): void {
    const { files, memory } = this.#host;
    const map = files.map(this.#fdAt(value))?.map;
    if (map === undefined) return;
    const previous = memory.u32[at >>> 2] as number;
    map.references++;
    map.kernelReferences++;
    memory.u32[at >>> 2] = map.id;
    this.#put(previous);
  }

  /** Lets the map go that is kept at an address; false when there is none. */
  drop(at: Address): boolean {
    const { u32 } = this.#host.memory;
    const id = u32[at >>> 2] as number;
    u32[at >>> 2] = 0;
    this.#put(id);
    return id !== 0;
  }

  #put(id: number): void {
    const map = id === 0 ? undefined : this.#host.maps.get(id);
    if (map === undefined) return;
    map.kernelReferences--;
    this.#host.maps.put(map);
  }

  #fdAt(value: Address): number {
    return this.#host.memory.view.getInt32(value, true);
  }

  /** `bpf_map_meta_equal`; `array_map_meta_equal` and `xsk_map_meta_equal` for those whose programs know where they end. */
  #isAlike(map: EmbeddedMap): boolean {
    const flags = this.#meta(INNER.MAP_FLAGS);
    const isSame =
      map.type === this.#meta(INNER.TYPE) &&
      map.keySize === this.#meta(INNER.KEY_SIZE) &&
      map.valueSize === this.#meta(INNER.VALUE_SIZE) &&
      map.header(SEGMENT.MAP_FLAGS) === flags &&
      this.#hasSameFields(map);
    const hasFixedEnd = FIXED_END.has(map.type) && (flags & BPF_F_INNER_MAP) === 0;
    return isSame && (!hasFixedEnd || map.maxEntries === this.#meta(INNER.MAX_ENTRIES));
  }

  /** Whether the same places in values are special, and in the same way: `btf_record_equal`. What points to a type is of one BTF. */
  #hasSameFields({ btf, record }: EmbeddedMap): boolean {
    const fields = record?.fields ?? [];
    return (
      fields.length === this.#fields.length &&
      fields.every(({ type, offset, target }, index) => {
        const other = this.#fields[index];
        const isSame = type === other?.type && offset === other.offset && target === other.target;
        return isSame && (target === undefined || btf === this.#btf);
      })
    );
  }

  #meta(offset: number): number {
    return this.#host.memory.u32[(this.#base + offset) >>> 2] as number;
  }
}
