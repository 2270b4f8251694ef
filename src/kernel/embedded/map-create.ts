import { EBADF, EFAULT, EINVAL, ENOTSUP } from "../../abi/errno.ts";
import { BPF_F_RDONLY, BPF_F_WRONLY } from "../../abi/flags.ts";
import {
  BPF_MAP_TYPE_ARENA,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_BLOOM_FILTER,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_STRUCT_OPS,
} from "../../abi/map-types.ts";
import { BtfObject } from "./btf/btf-object.ts";
import { checkMapBtf } from "./btf/map-btf.ts";
import type { MapCreateAttr } from "./map-create-attr.ts";
import type { EmbeddedMap, MapHost } from "./map-ops.ts";
import { MAP_TYPES } from "./maps/map-types.ts";
import { SEGMENT } from "./segment.ts";
import { accessOk } from "./user-memory.ts";

/** The one NUMA node of the embedded kernel. */
const NUMA_NODE = 0;
const LOOPBACK = 1;
const SHA256_SIZE = 32;

/**
 * A new map, without id and fd, or `−errno`. The checks and their order are `kernel/bpf/syscall.c: map_create`, 6.18,
 * for a caller with every capability.
 */
export function createMap(host: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
  if (!hasConsistentTypeIds(attr)) return -EINVAL;
  const takesExtra = attr.type === BPF_MAP_TYPE_BLOOM_FILTER || attr.type === BPF_MAP_TYPE_ARENA;
  if (!takesExtra && (attr.mapExtraLow | attr.mapExtraHigh) !== 0) return -EINVAL;
  if (!hasValidAccessMode(attr.flags)) return -EINVAL;
  if (attr.hasNumaNode && attr.numaNode !== NUMA_NODE) return -EINVAL;
  const type = MAP_TYPES.get(attr.type);
  if (type === undefined) return -EINVAL;
  const unfit = type.allocCheck(attr);
  if (unfit !== 0) return unfit;
  // No file is a token.
  if (attr.hasTokenFlag) return host.files.isOpen(attr.tokenFd) ? -EINVAL : -EBADF;
  if (attr.ifindex !== 0) return refusalToOffload(attr);
  const map = type.alloc(host, attr);
  if (typeof map === "number") return map;
  const error = attach(host, attr, map);
  if (error === 0) return map;
  map.free();
  return error;
}

/** Whether flags of opening a map ask for at most one of reading only and writing only: `bpf_get_file_flag`. */
export function hasValidAccessMode(flags: number): boolean {
  const both = BPF_F_RDONLY | BPF_F_WRONLY;
  return (flags & both) !== both;
}

/** The only network device is the loopback device, which takes no programs and no maps: `bpf_map_offload_map_alloc`. */
function refusalToOffload(attr: MapCreateAttr): number {
  const canBeOffloaded = attr.type === BPF_MAP_TYPE_HASH || attr.type === BPF_MAP_TYPE_ARRAY;
  return canBeOffloaded && attr.ifindex === LOOPBACK ? -ENOTSUP : -EINVAL;
}

function hasConsistentTypeIds(attr: MapCreateAttr): boolean {
  if (attr.btfVmlinuxValueTypeId !== 0) {
    return attr.type === BPF_MAP_TYPE_STRUCT_OPS && attr.btfKeyTypeId === 0 && attr.btfValueTypeId === 0;
  }
  return attr.btfKeyTypeId === 0 || attr.btfValueTypeId !== 0;
}

/** Gives a map what it carries besides its own data: its name, its BTF, the one program it is for. */
function attach(host: MapHost, attr: MapCreateAttr, map: EmbeddedMap): number {
  const { memory } = host;
  if (!attr.hasValidName) return -EINVAL;
  const error = attr.btfValueTypeId === 0 ? 0 : attachBtf(host, attr, map);
  if (error !== 0) return error;
  if (attr.exclProgHash === 0) return attr.exclProgHashSize === 0 ? 0 : -EINVAL;
  if (attr.exclProgHashSize !== SHA256_SIZE) return -EINVAL;
  return accessOk(memory, attr.exclProgHash, SHA256_SIZE) ? 0 : -EFAULT;
}

function attachBtf({ files }: MapHost, attr: MapCreateAttr, map: EmbeddedMap): number {
  const btf = files.file(attr.btfFd)?.object;
  if (!(btf instanceof BtfObject)) return files.refusal(attr.btfFd);
  const fields = checkMapBtf(btf, attr, map.header(SEGMENT.MAP_FLAGS));
  if (typeof fields === "number") return fields;
  map.describe(btf, attr.btfKeyTypeId, attr.btfValueTypeId, fields);
  return 0;
}
