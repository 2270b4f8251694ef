import { ATTR_SIZE, MAP_CREATE } from "../../../abi/attr.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { MapCreateAttr } from "../map-create-attr.ts";
import { SEGMENT } from "../segment.ts";

/** The attributes of BPF_MAP_CREATE that the header of a segment stands for, of a type that sets some flags itself; in room for an attr at `scratch`. */
export function attrOfSegment(
  memory: AddressSpace,
  scratch: Address,
  header: Uint8Array,
  ownFlags: number,
): MapCreateAttr {
  const from = new DataView(header.buffer, header.byteOffset);
  const { u8, view } = memory;
  u8.fill(0, scratch, scratch + ATTR_SIZE);
  const copy = (to: number, offset: number): void => view.setUint32(scratch + to, from.getUint32(offset, true), true);
  copy(MAP_CREATE.MAP_TYPE, SEGMENT.TYPE);
  copy(MAP_CREATE.KEY_SIZE, SEGMENT.KEY_SIZE);
  copy(MAP_CREATE.VALUE_SIZE, SEGMENT.VALUE_SIZE);
  copy(MAP_CREATE.MAX_ENTRIES, SEGMENT.MAX_ENTRIES);
  const flags = from.getUint32(SEGMENT.MAP_FLAGS, true);
  view.setUint32(scratch + MAP_CREATE.MAP_FLAGS, flags & ~ownFlags, true);
  copy(MAP_CREATE.BTF_KEY_TYPE_ID, SEGMENT.BTF_KEY_TYPE_ID);
  copy(MAP_CREATE.BTF_VALUE_TYPE_ID, SEGMENT.BTF_VALUE_TYPE_ID);
  copy(MAP_CREATE.MAP_EXTRA, SEGMENT.MAP_EXTRA);
  copy(MAP_CREATE.MAP_EXTRA + 4, SEGMENT.MAP_EXTRA + 4);
  u8.set(header.subarray(SEGMENT.NAME, SEGMENT.NAME + 16), scratch + MAP_CREATE.MAP_NAME);
  return new MapCreateAttr(memory, scratch);
}
