import { BPF_OBJ_NAME_LEN } from "../../abi/attr.ts";
import { quote } from "../../layout/fault.ts";
import type { CreationRule } from "./creation.ts";

const KEPT = BPF_OBJ_NAME_LEN - 1;

/** A character of the name that no object name has, among the bytes that are kept. `kernel/bpf/syscall.c: bpf_obj_name_cpy`. */
export const nameFault: CreationRule = ({ given: { name } }) => {
  if (name === undefined) return undefined;
  let index = 0;
  let bytes = 0;
  for (const character of name) {
    if (bytes >= KEPT || character === "\0") return undefined;
    if (!/^[A-Za-z0-9_.]$/.test(character)) {
      return (
        `the name ${quote(name)} has ${quote(character)} at index ${index}: ` +
        "a map's name is made of letters from A to Z, digits, _ and dots."
      );
    }
    index += character.length;
    bytes += new TextEncoder().encode(character).length;
  }
  return undefined;
};
