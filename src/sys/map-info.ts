import { MAP_INFO } from "../abi/info.ts";
import { type MapTypeName, mapTypeName } from "../abi/map-types.ts";
import type { Memory } from "../memory/address-space.ts";

/** What a kernel says of a map: `struct bpf_map_info`. */
export interface MapInfo {
  /** bpftool's name of the type; the number of one that Linux 6.18 does not have. */
  readonly type: MapTypeName | number;
  /** The kernel's number for the map, unique while it lives. */
  readonly id: number;
  /** Bytes of a key. */
  readonly keySize: number;
  /** Bytes of a value; in a per-CPU map, of one CPU's value. */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** Bits of `BPF_F_…`, without those that only concern the first fd. */
  readonly mapFlags: number;
  readonly name: string;
  /** The network device that a map is offloaded to, 0 for none. */
  readonly ifindex: number;
  readonly btfVmlinuxValueTypeId: number;
  /** The id of the BTF that describes key and value, 0 for none. */
  readonly btfId: number;
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  /** What the type makes of it: the number of hash functions of a bloom filter, for one. */
  readonly mapExtra: number;
}

/** Reads the `struct bpf_map_info` at an address. */
export function readMapInfo(memory: Memory, at: number): MapInfo {
  const u32 = (offset: number): number => memory.view.getUint32(at + offset, true);
  const name = memory.u8.subarray(at + MAP_INFO.NAME, at + MAP_INFO.NAME + 16);
  const nameEnd = name.indexOf(0);
  const type = u32(MAP_INFO.TYPE);
  return {
    type: mapTypeName(type) ?? type,
    id: u32(MAP_INFO.ID),
    keySize: u32(MAP_INFO.KEY_SIZE),
    valueSize: u32(MAP_INFO.VALUE_SIZE),
    maxEntries: u32(MAP_INFO.MAX_ENTRIES),
    mapFlags: u32(MAP_INFO.MAP_FLAGS),
    name: new TextDecoder("latin1").decode(name.slice(0, nameEnd < 0 ? name.length : nameEnd)),
    ifindex: u32(MAP_INFO.IFINDEX),
    btfVmlinuxValueTypeId: u32(MAP_INFO.BTF_VMLINUX_VALUE_TYPE_ID),
    btfId: u32(MAP_INFO.BTF_ID),
    btfKeyTypeId: u32(MAP_INFO.BTF_KEY_TYPE_ID),
    btfValueTypeId: u32(MAP_INFO.BTF_VALUE_TYPE_ID),
    mapExtra: u32(MAP_INFO.MAP_EXTRA) + u32(MAP_INFO.MAP_EXTRA + 4) * 2 ** 32,
  };
}
