import { E2BIG, EINVAL, ENOENT } from "../../../abi/errno.ts";
import { BPF_F_STACK_BUILD_ID } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { lateCheckedMapType, OBJECT_MAP_FLAGS, ObjectMap } from "./object-map.ts";

/** The sysctl kernel.perf_event_max_stack as Linux sets it. */
const MAX_STACK = 127;
const ADDRESS = 8;
/** `sizeof(struct bpf_stack_build_id)`. */
const BUILD_ID = 32;
/** `sizeof(struct stack_map_bucket)`, which lies before each stack. */
const BUCKET = 16;

/** `stack_map_alloc`. */
function check(attr: MapCreateAttr): number {
  if (!attr.hasOnlyFlags(OBJECT_MAP_FLAGS | BPF_F_STACK_BUILD_ID)) return -EINVAL;
  if (attr.maxEntries === 0 || attr.keySize !== 4 || attr.valueSize < ADDRESS) return -EINVAL;
  const frame = (attr.flags & BPF_F_STACK_BUILD_ID) !== 0 ? BUILD_ID : ADDRESS;
  if (attr.valueSize % frame !== 0 || attr.valueSize / frame > MAX_STACK) return -EINVAL;
  return attr.maxEntries > 2 ** 31 ? -E2BIG : 0;
}

/** Only programs put stacks in: `kernel/bpf/stackmap.c`, 6.18. */
class StackTrace extends ObjectMap {
  override lookupAndDelete(_key: Address, _value: Address): number {
    return -ENOENT;
  }

  override update(_key: Address, _value: Address, _flags: number): number {
    return -EINVAL;
  }

  override delete(key: Address): number {
    const buckets = 2 ** Math.ceil(Math.log2(this.maxEntries));
    return (this.memory.u32[key >>> 2] as number) < buckets ? -ENOENT : -E2BIG;
  }
}

/** `"stack_trace"`. */
export const STACK_TRACE = lateCheckedMapType({
  check,
  map: StackTrace,
  bytes: ({ maxEntries, valueSize }) => maxEntries * (2 * ADDRESS + BUCKET + valueSize),
});
