import { BTF_MAX_SIZE } from "../../abi/btf.ts";
import { EUCLEAN } from "../../abi/errno.ts";
import { BtfCheck } from "../embedded/btf/btf-check.ts";
import { BtfObject } from "../embedded/btf/btf-object.ts";
import { checkMapBtf } from "../embedded/btf/map-btf.ts";
import { RawBtf } from "../embedded/btf/raw-btf.ts";
import type { KernelObject } from "../embedded/kernel-object.ts";
import type { EmbeddedMap } from "../embedded/map-ops.ts";
import type { ObjectTable } from "../embedded/object-table.ts";
import { VerifierLog } from "../embedded/verifier-log.ts";
import type { CheckedHeader } from "./segment-file.ts";
import type { System } from "./system.ts";

/** Gives a map the BTF that lies behind its segment, checked as if it were loaded; 0, or −EUCLEAN when it is not what the map needs. */
export function describeFromFile(
  system: System,
  btfs: ObjectTable<KernelObject>,
  map: EmbeddedMap,
  { attr, length, btfLength, btfId }: CheckedHeader,
  fd: number,
): number {
  if (attr.btfValueTypeId === 0) return btfLength === 0 ? 0 : -EUCLEAN;
  if (btfLength === 0 || btfLength > BTF_MAX_SIZE) return -EUCLEAN;
  const known = btfs.get(btfId);
  const bytes = new Uint8Array(btfLength);
  const log = VerifierLog.open(map.memory, 0, 0, 0);
  if (typeof log === "number" || system.fs.readSync(fd, bytes, 0, btfLength, length) !== btfLength) return -EUCLEAN;
  const btf = BtfObject.check(btfs, new BtfCheck(new RawBtf(bytes), log));
  if (typeof btf === "number") return -EUCLEAN;
  const fields = checkMapBtf(btf, attr, attr.flags);
  if (typeof fields === "number") return -EUCLEAN;
  // Maps of one BTF have it once, unless somebody has put something else behind one of them.
  const isKnown = known instanceof BtfObject && isSame(known.bytes, bytes);
  if (known !== undefined && !isKnown) return -EUCLEAN;
  const kept = isKnown ? known : btfs.keep(btf, btfId);
  map.describe(kept as BtfObject, attr.btfKeyTypeId, attr.btfValueTypeId, fields);
  return 0;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
