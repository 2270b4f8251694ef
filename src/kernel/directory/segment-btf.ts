import { BTF_MAX_SIZE } from "../../abi/btf.ts";
import { EUCLEAN } from "../../abi/errno.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import type { DescribedMap } from "../embedded/btf/map-btf.ts";
import type { KernelObject } from "../embedded/kernel-object.ts";
import type { EmbeddedMap } from "../embedded/map-ops.ts";
import type { InnerMeta } from "../embedded/maps/inner-meta.ts";
import type { ObjectTable } from "../embedded/object-table.ts";
import { type Described, keepBtf } from "../embedded/shared/segment-btf.ts";
import type { BtfPart, CheckedHeader } from "./segment-file.ts";
import type { System } from "./system.ts";

/** Where BTF is read from, and where it is kept. */
export interface BtfReader {
  readonly system: Pick<System, "fs">;
  readonly memory: AddressSpace;
  readonly btfs: ObjectTable<KernelObject>;
  readonly fd: number;
}

/** Gives a map the BTF that lies behind its segment, checked as if it were loaded; 0, or −EUCLEAN when it is not what the map needs. */
export function describeFromFile(reader: BtfReader, map: EmbeddedMap, { attr, btf }: CheckedHeader): number {
  const found = readBtf(reader, btf, attr, attr.flags);
  if (typeof found === "number") return found;
  if (found.btf !== undefined) map.describe(found.btf, attr.btfKeyTypeId, attr.btfValueTypeId, found.fields);
  return 0;
}

/** What the maps of a map of maps are like by its header, and by the BTF that lies behind its segment; or −EUCLEAN. */
export function innerMetaFromFile(reader: BtfReader, { inner }: CheckedHeader): InnerMeta | undefined | number {
  if (inner === undefined) return undefined;
  const found = readBtf(reader, inner.btfPart, inner, inner.flags);
  return typeof found === "number" ? found : { ...inner, ...found };
}

/** What some part of a file says about the keys and values of a map; or −EUCLEAN when it does not fit. */
function readBtf(
  { system, memory, btfs, fd }: BtfReader,
  { offset, length, id }: BtfPart,
  map: DescribedMap,
  mapFlags: number,
): Described | number {
  if (map.btfValueTypeId === 0) return length === 0 ? { btf: undefined, fields: [] } : -EUCLEAN;
  if (length === 0 || length > BTF_MAX_SIZE) return -EUCLEAN;
  const bytes = new Uint8Array(length);
  if (system.fs.readSync(fd, bytes, 0, length, offset) !== length) return -EUCLEAN;
  return keepBtf(btfs, memory, { id, bytes }, map, mapFlags);
}
