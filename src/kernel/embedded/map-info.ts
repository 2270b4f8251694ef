import { MAP_INFO } from "../../abi/info.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import { answerInfo } from "./info-answer.ts";
import type { EmbeddedMap } from "./map-ops.ts";
import { SEGMENT } from "./segment.ts";

/**
 * BPF_OBJ_GET_INFO_BY_FD on a map: as much of `struct bpf_map_info` as the caller has room for, and its length in the
 * caller's attr at `uattr`. `kernel/bpf/syscall.c: bpf_map_get_info_by_fd`, 6.18.
 */
export function getMapInfo(memory: AddressSpace, map: EmbeddedMap, attr: Address, uattr: Address): number {
  return answerInfo(memory, { attr, uattr }, MAP_INFO.SIZE, (info) => {
    new Uint8Array(info.buffer).set(mapInfo(map));
    return 0;
  });
}

function mapInfo(map: EmbeddedMap): Uint8Array {
  const bytes = new Uint8Array(MAP_INFO.SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(MAP_INFO.TYPE, map.type, true);
  view.setUint32(MAP_INFO.ID, map.id, true);
  view.setUint32(MAP_INFO.KEY_SIZE, map.keySize, true);
  view.setUint32(MAP_INFO.VALUE_SIZE, map.valueSize, true);
  view.setUint32(MAP_INFO.MAX_ENTRIES, map.maxEntries, true);
  view.setUint32(MAP_INFO.MAP_FLAGS, map.header(SEGMENT.MAP_FLAGS), true);
  const name = map.base + SEGMENT.NAME;
  bytes.set(map.memory.u8.subarray(name, name + 16), MAP_INFO.NAME);
  view.setUint32(MAP_INFO.BTF_ID, map.btf?.id ?? 0, true);
  view.setUint32(MAP_INFO.BTF_KEY_TYPE_ID, map.header(SEGMENT.BTF_KEY_TYPE_ID), true);
  view.setUint32(MAP_INFO.BTF_VALUE_TYPE_ID, map.header(SEGMENT.BTF_VALUE_TYPE_ID), true);
  view.setUint32(MAP_INFO.MAP_EXTRA, map.header(SEGMENT.MAP_EXTRA), true);
  view.setUint32(MAP_INFO.MAP_EXTRA + 4, map.header(SEGMENT.MAP_EXTRA + 4), true);
  return bytes;
}
