import { BTF_KIND_TYPE_TAG } from "../../../abi/btf.ts";
import { EINVAL, ELOOP } from "../../../abi/errno.ts";
import type { BtfCheck } from "./btf-check.ts";

const LONGEST_CHAIN = 32;

/** Type tags come before other modifiers, and chains of modifiers end: `btf_check_type_tags`. */
export function checkTypeTags(check: BtfCheck): void {
  const { btf } = check;
  let good = 0;
  for (let id = 1; id < btf.count; id++) {
    if (!btf.isModifier(id)) continue;
    let areTags = btf.isKind(id, BTF_KIND_TYPE_TAG);
    let left = LONGEST_CHAIN;
    for (let at = id; btf.isModifier(at); at = btf.type(at)) {
      if (left-- === 0) check.refuse("Max chain length or cycle detected", ELOOP);
      const isTag = btf.isKind(at, BTF_KIND_TYPE_TAG);
      if (isTag && !areTags) check.refuse("Type tags don't precede modifiers", EINVAL);
      areTags &&= isTag;
      if (at <= good) break;
    }
    good = id;
  }
}
