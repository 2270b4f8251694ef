import { BTF_KIND_DATASEC, BTF_KIND_INT, BTF_KIND_STRUCT } from "../../../abi/btf.ts";
import { EACCES, EINVAL, ENOTSUP, ENOTSUPP } from "../../../abi/errno.ts";
import { BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG } from "../../../abi/flags.ts";
import {
  BPF_MAP_TYPE_ARENA,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_BLOOM_FILTER,
  BPF_MAP_TYPE_CGROUP_ARRAY,
  BPF_MAP_TYPE_CGROUP_STORAGE,
  BPF_MAP_TYPE_CGRP_STORAGE,
  BPF_MAP_TYPE_CPUMAP,
  BPF_MAP_TYPE_DEVMAP,
  BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_INODE_STORAGE,
  BPF_MAP_TYPE_LPM_TRIE,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BPF_MAP_TYPE_SK_STORAGE,
  BPF_MAP_TYPE_SOCKHASH,
  BPF_MAP_TYPE_SOCKMAP,
  BPF_MAP_TYPE_STACK_TRACE,
  BPF_MAP_TYPE_TASK_STORAGE,
  BPF_MAP_TYPE_XSKMAP,
} from "../../../abi/map-types.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { BtfRefusal } from "./btf-check.ts";
import type { BtfObject } from "./btf-object.ts";
import { intBits, intOffset, type RawBtf } from "./raw-btf.ts";
import type { SpecialField, SpecialFieldType } from "./special-fields.ts";
import { checkOwnership, findValueRecord } from "./struct-records.ts";

/** What types of keys and values must fit. */
export type DescribedMap = Pick<
  MapCreateAttr,
  "type" | "keySize" | "valueSize" | "maxEntries" | "btfKeyTypeId" | "btfValueTypeId"
>;

/** What a map type asks of the types of its keys and values; 0 for no type. Answers 0 or `−errno`. */
type TypeCheck = (btf: RawBtf, key: number, value: number, map: DescribedMap) => number;

const takesNone: TypeCheck = () => -ENOTSUPP;
const takesI32Key: TypeCheck = (btf, key) => (isInt(btf, key, 32) ? 0 : -EINVAL);

/** Without a type of keys an array is the section of an object file: `array_map_check_btf`. */
const takesIndexOrSection: TypeCheck = (btf, key, value, attr) => {
  if (key !== 0) return takesI32Key(btf, key, value, attr);
  const isSection = attr.type === BPF_MAP_TYPE_ARRAY && attr.maxEntries === 1 && btf.kind(value) === BTF_KIND_DATASEC;
  return isSection ? 0 : -EINVAL;
};

const takesStructKey: TypeCheck = (btf, key) => (btf.kind(key) === BTF_KIND_STRUCT ? 0 : -EINVAL);
const takesNoKey: TypeCheck = (_btf, key) => (key === 0 ? 0 : -EINVAL);

/** `struct bpf_cgroup_storage_key`, or the id of a cgroup alone: `cgroup_storage_check_btf`. */
const takesCgroupKey: TypeCheck = (btf, key, _value, attr) => {
  if (attr.keySize !== 16) return isInt(btf, key, 64) ? 0 : -EINVAL;
  const isKey =
    btf.kind(key) === BTF_KIND_STRUCT &&
    btf.vlen(key) === 2 &&
    isIntMember(btf, key, 0, 0, 8) &&
    isIntMember(btf, key, 1, 8, 4);
  return isKey ? 0 : -EINVAL;
};

/** The types whose `map_ops` have a `map_check_btf`, and what it asks. */
const TYPE_CHECKS: ReadonlyMap<number, TypeCheck> = new Map([
  [BPF_MAP_TYPE_ARRAY, takesIndexOrSection],
  [BPF_MAP_TYPE_PERCPU_ARRAY, takesIndexOrSection],
  [BPF_MAP_TYPE_LPM_TRIE, takesStructKey],
  [BPF_MAP_TYPE_BLOOM_FILTER, takesNoKey],
  [BPF_MAP_TYPE_SK_STORAGE, takesI32Key],
  [BPF_MAP_TYPE_INODE_STORAGE, takesI32Key],
  [BPF_MAP_TYPE_TASK_STORAGE, takesI32Key],
  [BPF_MAP_TYPE_CGRP_STORAGE, takesI32Key],
  [BPF_MAP_TYPE_CGROUP_STORAGE, takesCgroupKey],
  [BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, takesCgroupKey],
  [BPF_MAP_TYPE_ARENA, () => 0],
  ...[
    BPF_MAP_TYPE_PERF_EVENT_ARRAY,
    BPF_MAP_TYPE_STACK_TRACE,
    BPF_MAP_TYPE_CGROUP_ARRAY,
    BPF_MAP_TYPE_ARRAY_OF_MAPS,
    BPF_MAP_TYPE_HASH_OF_MAPS,
    BPF_MAP_TYPE_DEVMAP,
    BPF_MAP_TYPE_DEVMAP_HASH,
    BPF_MAP_TYPE_SOCKMAP,
    BPF_MAP_TYPE_SOCKHASH,
    BPF_MAP_TYPE_CPUMAP,
    BPF_MAP_TYPE_XSKMAP,
  ].map((type): [number, TypeCheck] => [type, takesNone]),
]);

const LOCAL_STORAGES = [
  BPF_MAP_TYPE_SK_STORAGE,
  BPF_MAP_TYPE_INODE_STORAGE,
  BPF_MAP_TYPE_TASK_STORAGE,
  BPF_MAP_TYPE_CGRP_STORAGE,
];
const OF_LOCKS = new Set([BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_CGROUP_STORAGE, ...LOCAL_STORAGES]);
const OF_CALLBACKS = new Set([BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_ARRAY]);
const OF_POINTERS = new Set([
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  ...LOCAL_STORAGES,
]);

/** The map types whose values may have a special field: `map_check_btf`. */
const MAP_TYPES_OF_FIELD: Readonly<Partial<Record<SpecialFieldType, ReadonlySet<number>>>> = {
  bpf_spin_lock: OF_LOCKS,
  bpf_res_spin_lock: OF_LOCKS,
  bpf_timer: OF_CALLBACKS,
  bpf_wq: OF_CALLBACKS,
  bpf_task_work: OF_CALLBACKS,
  bpf_list_head: OF_CALLBACKS,
  bpf_rb_root: OF_CALLBACKS,
  kptr: OF_POINTERS,
  kptr_untrusted: OF_POINTERS,
  percpu_kptr: OF_POINTERS,
  bpf_refcount: OF_POINTERS,
  uptr: new Set([BPF_MAP_TYPE_TASK_STORAGE]),
};

/**
 * The special fields of the values of a map with BTF, or `−errno` when the types are not those of its keys and values:
 * `kernel/bpf/syscall.c: map_check_btf`, 6.18. `mapFlags` are those that the map has in the end.
 */
export function checkMapBtf(
  { raw, records }: BtfObject,
  attr: DescribedMap,
  mapFlags: number,
): readonly SpecialField[] | number {
  const checkTypes = TYPE_CHECKS.get(attr.type);
  const key = attr.btfKeyTypeId === 0 ? undefined : sizedType(raw, attr.btfKeyTypeId);
  if (attr.btfKeyTypeId === 0 ? checkTypes === undefined : key?.size !== attr.keySize) return -EINVAL;
  const value = sizedType(raw, attr.btfValueTypeId);
  if (value?.size !== attr.valueSize) return -EINVAL;
  const fields = findValueRecord(raw, value.id, attr.valueSize);
  if (fields.length > 0) {
    if ((mapFlags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)) !== 0) return -EACCES;
    if (!fields.every(({ type }) => MAP_TYPES_OF_FIELD[type]?.has(attr.type))) return -ENOTSUP;
  }
  try {
    checkOwnership(raw, fields, records);
  } catch (error) {
    if (error instanceof BtfRefusal) return -error.errno;
    throw error;
  }
  const error = checkTypes?.(raw, key?.id ?? 0, value.id, attr) ?? 0;
  return error === 0 ? fields : error;
}

function sizedType(btf: RawBtf, id: number): { readonly id: number; readonly size: number } | undefined {
  return btf.has(id) ? btf.sized(id) : undefined;
}

function isInt(btf: RawBtf, id: number, bits: number): boolean {
  if (btf.kind(id) !== BTF_KIND_INT) return false;
  const data = btf.extra(id, 0);
  return intBits(data) === bits && intOffset(data) === 0;
}

/** `btf_member_is_reg_int`. */
function isIntMember(btf: RawBtf, struct: number, index: number, offset: number, size: number): boolean {
  const type = btf.sized(btf.extra(struct, 4, index, 12));
  if (type === undefined || !isInt(btf, type.id, size * 8) || type.size !== size) return false;
  const place = btf.extra(struct, 8, index, 12);
  if (!btf.hasKindFlag(struct)) return place === offset * 8;
  const bits = place >>> 24;
  return (place & 0xff_ffff) === offset * 8 && (bits === 0 || bits === size * 8);
}
