import { EUCLEAN } from "../../../abi/errno.ts";
import type { AddressSpace } from "../../../memory/address-space.ts";
import { BtfCheck } from "../btf/btf-check.ts";
import { BtfObject } from "../btf/btf-object.ts";
import { checkMapBtf, type DescribedMap } from "../btf/map-btf.ts";
import { RawBtf } from "../btf/raw-btf.ts";
import type { SpecialField } from "../btf/special-fields.ts";
import type { KernelObject } from "../kernel-object.ts";
import type { ObjectTable } from "../object-table.ts";
import { VerifierLog } from "../verifier-log.ts";

/** BTF that somebody who shares a map has given it: its id among all of them, and its bytes. */
interface SegmentBtf {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** What describes the keys and values of a map, and what in its values is not data. */
export interface Described {
  readonly btf: BtfObject | undefined;
  readonly fields: readonly SpecialField[];
}

/** Keeps the BTF of a map that somebody else has made, checked as if it were loaded; −EUCLEAN when it is not what the map needs. */
export function keepBtf(
  btfs: ObjectTable<KernelObject>,
  memory: AddressSpace,
  { id, bytes }: SegmentBtf,
  map: DescribedMap,
  mapFlags: number,
): Described | number {
  const known = btfs.get(id);
  const log = VerifierLog.open(memory, 0, 0, 0);
  if (typeof log === "number") return -EUCLEAN;
  const btf = BtfObject.check(btfs, new BtfCheck(new RawBtf(bytes), log));
  if (typeof btf === "number") return -EUCLEAN;
  const fields = checkMapBtf(btf, map, mapFlags);
  if (typeof fields === "number") return -EUCLEAN;
  // Maps of one BTF have it once, unless somebody has put something else behind one of them.
  const isKnown = known instanceof BtfObject && isSame(known.bytes, bytes);
  if (known !== undefined && !isKnown) return -EUCLEAN;
  const kept = isKnown ? known : btfs.keep(btf, id);
  return { btf: kept as BtfObject, fields };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
