import { EBADF, EFAULT, EINVAL } from "../../abi/errno.ts";
import { BPF_F_RDONLY, BPF_F_WRONLY } from "../../abi/flags.ts";
import { BPF_MAP_TYPE_ARENA, BPF_MAP_TYPE_BLOOM_FILTER, BPF_MAP_TYPE_STRUCT_OPS } from "../../abi/map-types.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import type { MapCreateAttr } from "./map-create-attr.ts";
import type { EmbeddedMap } from "./map-ops.ts";
import { MAP_TYPES } from "./maps/map-types.ts";
import { accessOk } from "./user-memory.ts";

/** The one NUMA node of the embedded kernel. */
const NUMA_NODE = 0;
const SHA256_SIZE = 32;

/**
 * A new map, without id and fd, or `−errno`. The checks and their order are `kernel/bpf/syscall.c: map_create`, 6.18,
 * for a caller with every capability.
 */
export function createMap(memory: AddressSpace, attr: MapCreateAttr): EmbeddedMap | number {
  if (!hasConsistentTypeIds(attr)) return -EINVAL;
  const takesExtra = attr.type === BPF_MAP_TYPE_BLOOM_FILTER || attr.type === BPF_MAP_TYPE_ARENA;
  if (!takesExtra && (attr.mapExtraLow | attr.mapExtraHigh) !== 0) return -EINVAL;
  if (!hasValidAccessMode(attr.flags)) return -EINVAL;
  if (attr.hasNumaNode && attr.numaNode !== NUMA_NODE) return -EINVAL;
  const type = MAP_TYPES.get(attr.type);
  if (type === undefined) return -EINVAL;
  const unfit = type.allocCheck(attr);
  if (unfit !== 0) return unfit;
  // A map for a network card needs a card that offloads programs, and there is none: `bpf_map_offload_map_alloc`.
  if (attr.ifindex !== 0) return -EINVAL;
  if (attr.hasTokenFlag) return -EBADF;
  const map = type.alloc(memory, attr);
  if (typeof map === "number") return map;
  const error = attachError(memory, attr);
  if (error === 0) return map;
  map.free();
  return error;
}

/** Whether flags of opening a map ask for at most one of reading only and writing only: `bpf_get_file_flag`. */
export function hasValidAccessMode(flags: number): boolean {
  const both = BPF_F_RDONLY | BPF_F_WRONLY;
  return (flags & both) !== both;
}

function hasConsistentTypeIds(attr: MapCreateAttr): boolean {
  if (attr.btfVmlinuxValueTypeId !== 0) {
    return attr.type === BPF_MAP_TYPE_STRUCT_OPS && attr.btfKeyTypeId === 0 && attr.btfValueTypeId === 0;
  }
  return attr.btfKeyTypeId === 0 || attr.btfValueTypeId !== 0;
}

/** What is wrong with what a map carries besides its own data: its name, its BTF, the one program it is for. */
function attachError(memory: AddressSpace, attr: MapCreateAttr): number {
  if (!attr.hasValidName) return -EINVAL;
  // No fd is one of BTF yet, and an fd of anything else is EINVAL, one that is not open EBADF.
  if (attr.btfValueTypeId !== 0) return -EBADF;
  if (attr.exclProgHash === 0) return attr.exclProgHashSize === 0 ? 0 : -EINVAL;
  if (attr.exclProgHashSize !== SHA256_SIZE) return -EINVAL;
  return accessOk(memory, attr.exclProgHash, SHA256_SIZE) ? 0 : -EFAULT;
}
