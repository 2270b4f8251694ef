import { MAP_ELEM } from "../abi/attr.ts";
import type { Address, AddressSpace } from "../memory/address-space.ts";

/**
 * The call frame of a map with keys: its attrs, key, value and next key side by side in the address space, filled in
 * once, so that a command writes a key, makes one call and reads an answer.
 */
export interface ElementFrame {
  /** The attr of lookup, take and delete: no flags. The whole frame begins here. */
  readonly lookupAttr: Address;
  /** The attr of update, whose flags each call writes. */
  readonly updateAttr: Address;
  readonly nextKeyAttr: Address;
  /** The attr of the first key: next key of NULL. */
  readonly firstKeyAttr: Address;
  readonly key: Address;
  readonly nextKey: Address;
  readonly value: Address;
}

const ATTRS = 4 * MAP_ELEM.END;

/** Takes a frame for a map from the address space. Throws an `OutOfMemoryError` when there is no room for it. */
export function allocateElementFrame(
  memory: AddressSpace,
  fd: number,
  keySize: number,
  valueSize: number,
  label: string,
): ElementFrame {
  const keyBytes = Math.ceil(keySize / 8) * 8;
  const bytes = ATTRS + 2 * keyBytes + valueSize;
  const start = memory.allocate(bytes, `the call frame of map ${label}`);
  const frame: ElementFrame = {
    lookupAttr: start,
    updateAttr: start + MAP_ELEM.END,
    nextKeyAttr: start + 2 * MAP_ELEM.END,
    firstKeyAttr: start + 3 * MAP_ELEM.END,
    key: start + ATTRS,
    nextKey: start + ATTRS + keyBytes,
    value: start + ATTRS + 2 * keyBytes,
  };
  const u32 = (at: Address, value: number): void => memory.view.setUint32(at, value, true);
  for (const attr of [frame.lookupAttr, frame.updateAttr]) {
    u32(attr + MAP_ELEM.MAP_FD, fd);
    u32(attr + MAP_ELEM.KEY, frame.key);
    u32(attr + MAP_ELEM.VALUE, frame.value);
  }
  u32(frame.nextKeyAttr + MAP_ELEM.MAP_FD, fd);
  u32(frame.nextKeyAttr + MAP_ELEM.KEY, frame.key);
  u32(frame.nextKeyAttr + MAP_ELEM.NEXT_KEY, frame.nextKey);
  u32(frame.firstKeyAttr + MAP_ELEM.MAP_FD, fd);
  u32(frame.firstKeyAttr + MAP_ELEM.NEXT_KEY, frame.nextKey);
  return frame;
}
