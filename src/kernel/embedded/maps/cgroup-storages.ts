import { E2BIG, EINVAL, ENOENT } from "../../../abi/errno.ts";
import { BPF_ANY, BPF_EXIST, BPF_F_NUMA_NODE } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { ACCESS_FLAGS } from "../map-ops.ts";
import { LOCAL_STORAGE_MAX_VALUE_SIZE } from "./local-storages.ts";
import { lateCheckedMapType, ObjectMap } from "./object-map.ts";

const CREATE_FLAGS = BPF_F_NUMA_NODE | ACCESS_FLAGS;
/** The key is the id of a cgroup, or that with an attach type: `struct bpf_cgroup_storage_key`. */
const KEY_SIZES = [8, 16];
/** `PCPU_MIN_UNIT_SIZE`. */
const PERCPU_MAX_VALUE_SIZE = 32768;

/** `cgroup_storage_map_alloc`. */
function check(attr: MapCreateAttr, mostBytes: number): number {
  if (!KEY_SIZES.includes(attr.keySize) || attr.valueSize === 0) return -EINVAL;
  if (attr.valueSize > mostBytes) return -E2BIG;
  return attr.hasOnlyFlags(CREATE_FLAGS) && attr.maxEntries === 0 ? 0 : -EINVAL;
}

/** Storage comes and goes with the programs that are attached to a cgroup: `kernel/bpf/local_storage.c`, 6.18. */
class CgroupStorage extends ObjectMap {
  override update(_key: Address, _value: Address, flags: number): number {
    const mode = this.updateMode(flags);
    return mode === BPF_ANY || mode === BPF_EXIST ? -ENOENT : -EINVAL;
  }

  override delete(_key: Address): number {
    return -EINVAL;
  }
}

class PercpuCgroupStorage extends CgroupStorage {
  override get userValueSize(): number {
    return Math.ceil(this.valueSize / 8) * 8 * this.host.possibleCpus;
  }
}

/** `"cgroup_storage"`. */
export const CGROUP_STORAGE = lateCheckedMapType({
  check: (attr) => check(attr, LOCAL_STORAGE_MAX_VALUE_SIZE),
  map: CgroupStorage,
});

/** `"percpu_cgroup_storage"`. */
export const PERCPU_CGROUP_STORAGE = lateCheckedMapType({
  check: (attr) => check(attr, PERCPU_MAX_VALUE_SIZE),
  map: PercpuCgroupStorage,
});
