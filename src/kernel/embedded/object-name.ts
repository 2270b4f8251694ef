import { BPF_OBJ_NAME_LEN } from "../../abi/attr.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import { isAlphanumeric } from "./ctype.ts";

/** The 16 bytes of a name, cleared behind the first NUL; `undefined` when they are no valid name of an object. */
export function objectName({ u8 }: AddressSpace, at: Address): Uint8Array | undefined {
  const given = u8.subarray(at, at + BPF_OBJ_NAME_LEN);
  const length = given.indexOf(0);
  if (length < 0 || !given.subarray(0, length).every(isNameByte)) return undefined;
  const name = new Uint8Array(BPF_OBJ_NAME_LEN);
  name.set(given.subarray(0, length));
  return name;
}

/** Letters, digits, `_` and `.`: `kernel/bpf/syscall.c: bpf_obj_name_cpy`, 6.18. */
function isNameByte(byte: number): boolean {
  return isAlphanumeric(byte) || byte === 0x5f || byte === 0x2e;
}
