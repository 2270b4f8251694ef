import {
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
  BPF_MAP_TYPE_PERCPU_HASH,
  HASH_TABLE_TYPES,
  mapTypeNumber,
} from "../abi/map-types.ts";
import type { MapInfo } from "./map-info.ts";

/** How many bytes a kernel reads and writes for a map, wherever a caller gives it a key, a value or a cursor. */
export interface MapShape {
  readonly keySize: number;
  /** In a per-CPU map: each CPU's value rounded up to 8 bytes, times the possible CPUs. */
  readonly valueSize: number;
  /** `in_batch` and `out_batch`. */
  readonly cursorSize: number;
}

const PER_CPU: ReadonlySet<number> = new Set([
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
]);

/** The shape of a map: `kernel/bpf/syscall.c: bpf_map_value_size`, and what the batch commands take as a cursor, 6.18. */
export function mapShape(info: MapInfo, possibleCpus: number): MapShape {
  const type = typeof info.type === "number" ? info.type : (mapTypeNumber(info.type) ?? 0);
  return {
    keySize: info.keySize,
    valueSize: PER_CPU.has(type) ? Math.ceil(info.valueSize / 8) * 8 * possibleCpus : info.valueSize,
    cursorSize: HASH_TABLE_TYPES.has(type) ? 4 : info.keySize,
  };
}
