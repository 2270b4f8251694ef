import { EACCES, ENOTSUP, ESTALE, EUCLEAN } from "../../abi/errno.ts";
import type { Address } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import type { MapCreateAttr } from "../embedded/map-create-attr.ts";
import type { MapHost } from "../embedded/map-ops.ts";
import { canBeInner, holdsMaps, INNER, type InnerMeta } from "../embedded/maps/inner-meta.ts";
import { MAP_TYPES } from "../embedded/maps/map-types.ts";
import { SEGMENT } from "../embedded/segment.ts";
import { attrOfSegment } from "../embedded/shared/segment-attr.ts";
import type { SegmentShape } from "../embedded/shared/shared-maps.ts";
import type { SegmentMemory } from "./segment-memory.ts";
import type { System } from "./system.ts";

/** What the header of a segment says, read once and checked: nothing of it is believed twice. */
export interface CheckedHeader extends Omit<SegmentShape, "inner"> {
  readonly id: number;
  readonly attr: MapCreateAttr;
  /** The bytes of the segment. */
  readonly length: number;
  readonly btf: BtfPart;
  /** Of a map of maps: what all its maps are like, and where the BTF of their template is. */
  readonly inner: (Omit<InnerMeta, "btf" | "fields"> & { readonly btfPart: BtfPart }) | undefined;
}

/** Where in a file BTF lies, no bytes of it when there is none. */
export interface BtfPart {
  readonly offset: number;
  readonly length: number;
  readonly id: number;
}

const MAGIC = "mapiary\0";
const VERSION = 1;
const MOST_ID = 2 ** 31 - 1;

/**
 * What a file says that it is a segment of: a map whose attributes are those of a map of this kernel, and which would be
 * just as long. Else −errno: EACCES for what is no segment at all, ENOTSUP for one of a newer version, ESTALE for one of an
 * earlier boot of the machine, EUCLEAN for one that was cut off or tampered with.
 */
export function checkHeader(
  system: System,
  memory: SegmentMemory,
  host: MapHost,
  scratch: Address,
  fd: number,
): CheckedHeader | number {
  const { fs } = system;
  const status = fs.fstatSync(fd);
  if (!status.isFile()) return -EACCES;
  const bytes = new Uint8Array(SEGMENT.HEADER_SIZE);
  const read = fs.readSync(fd, bytes, 0, bytes.length, 0);
  if ([...MAGIC].some((letter, at) => bytes[at] !== letter.charCodeAt(0))) return -EACCES;
  if (read !== bytes.length) return -EUCLEAN;
  const view = new DataView(bytes.buffer);
  const u32 = (offset: number): number => view.getUint32(offset, true);
  if (u32(SEGMENT.VERSION) > VERSION) return -ENOTSUP;
  if (u32(SEGMENT.VERSION) !== VERSION) return -EUCLEAN;
  if (system.boot.some((byte, at) => bytes[SEGMENT.BOOT + at] !== byte)) return -ESTALE;
  const id = u32(SEGMENT.ID);
  if (id === 0 || id >= MOST_ID) return -EUCLEAN;
  const ownFlags = MAP_TYPES.get(u32(SEGMENT.TYPE))?.ownFlags ?? 0;
  if ((u32(SEGMENT.MAP_FLAGS) & ownFlags) !== ownFlags) return -EUCLEAN;
  const attr = attrOfSegment(memory, scratch, bytes, ownFlags);
  const expected = lengthOf(memory, host, attr);
  const length = expected === undefined ? 0 : Math.max(expected, PAGE_SIZE);
  const isAsLong = expected === u32(SEGMENT.LENGTH) + u32(SEGMENT.LENGTH + 4) * 2 ** 32;
  const btf = { offset: length, length: u32(SEGMENT.BTF_LENGTH), id: u32(SEGMENT.BTF_ID) };
  const inner = holdsMaps(attr.type) ? innerOf(u32, length + btf.length) : undefined;
  if (!isAsLong || length + btf.length + (inner?.btfPart.length ?? 0) !== status.size) return -EUCLEAN;
  if (inner !== undefined && !(MAP_TYPES.has(inner.type) && canBeInner(inner.type))) return -EUCLEAN;
  const { type, valueSize, maxEntries, flags, mapExtraLow } = attr;
  return {
    id,
    attr,
    length,
    btf,
    inner,
    type,
    valueSize,
    maxEntries,
    mapFlags: flags,
    mapExtra: mapExtraLow,
  };
}

/** What a header says of the maps in a map of maps. Their template's BTF begins at an offset in the file. */
function innerOf(u32: (offset: number) => number, offset: number): CheckedHeader["inner"] {
  return {
    type: u32(INNER.TYPE),
    keySize: u32(INNER.KEY_SIZE),
    valueSize: u32(INNER.VALUE_SIZE),
    maxEntries: u32(INNER.MAX_ENTRIES),
    flags: u32(INNER.MAP_FLAGS),
    btfKeyTypeId: u32(INNER.BTF_KEY_TYPE_ID),
    btfValueTypeId: u32(INNER.BTF_VALUE_TYPE_ID),
    btfPart: { offset, length: u32(INNER.BTF_LENGTH), id: u32(INNER.BTF_ID) },
  };
}

/** How long the segment of a map with these attributes is; `undefined` when there can be none. */
function lengthOf(memory: SegmentMemory, host: MapHost, attr: MapCreateAttr): number | undefined {
  const type = MAP_TYPES.get(attr.type);
  if (type === undefined || !attr.hasValidName || attr.flags !== attr.permanentFlags) return undefined;
  if (type.allocCheck(attr) !== 0) return undefined;
  return memory.measure(() => type.reserve?.(host, attr) ?? type.alloc(host, attr));
}
