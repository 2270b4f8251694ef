import type { Address, AddressSpace } from "../../memory/address-space.ts";
import type { MapCreateAttr } from "./map-create-attr.ts";

/**
 * A map is a segment: one contiguous range of whole pages that begins with this header and holds everything that the
 * map is. Links inside it count words from its start, so it means the same wherever it lies. Offsets in bytes,
 * everything little-endian.
 */
export const SEGMENT = {
  /** Eight bytes that say what this is. */
  MAGIC: 0,
  /** The version of this format. */
  VERSION: 8,
  TYPE: 12,
  KEY_SIZE: 16,
  VALUE_SIZE: 20,
  MAX_ENTRIES: 24,
  MAP_FLAGS: 28,
  MAP_EXTRA: 32,
  ID: 40,
  /** 1 once BPF_MAP_FREEZE succeeded. */
  FROZEN: 44,
  NAME: 48,
  /** From here on a header belongs to the map type. */
  TYPE_HEADER: 64,
  /** The bytes of the whole segment, a u64. */
  LENGTH: 128,
  /** In a segment that is a file: the boot of the machine that it was made in, 16 bytes. What is older cannot be trusted. */
  BOOT: 136,
  /** The types of keys and values in the map's BTF; 0 when it has none. */
  BTF_KEY_TYPE_ID: 152,
  BTF_VALUE_TYPE_ID: 156,
  /** In a segment that is shared: the bytes of its BTF, which lie behind it when it is a file. */
  BTF_LENGTH: 160,
  /** In a segment that is shared: the id of that BTF. */
  BTF_ID: 164,
  /** In a segment that is a file: a byte that is written by `write(2)`, so that those who watch the file look at the map. */
  BELL: 184,
  /** In memory that threads share: a bit for each agent that uses the segment, 16 bytes. */
  USERS: 232,
  /** In memory that threads share: where the BTF lies; 0 when there is none. */
  BTF_ADDRESS: 248,
  /** The size of the header: where the map type's own tables begin. */
  HEADER_SIZE: 256,
} as const;

const MAGIC_LOW = 0x6970616d; // "mapi"
const MAGIC_HIGH = 0x00797261; // "ary\0"
const VERSION = 1;

/** Takes a zeroed segment of `bytes` and writes its header; 0 when the address space has no room for it. */
export function allocateSegment(memory: AddressSpace, attr: MapCreateAttr, bytes: number): Address {
  if (bytes > memory.limit) return 0;
  const base = memory.tryAllocateSegment(bytes);
  if (base === 0) return 0;
  const word = base >>> 2;
  const { u32, u8 } = memory;
  u32[word + SEGMENT.MAGIC / 4] = MAGIC_LOW;
  u32[word + SEGMENT.MAGIC / 4 + 1] = MAGIC_HIGH;
  u32[word + SEGMENT.VERSION / 4] = VERSION;
  u32[word + SEGMENT.TYPE / 4] = attr.type;
  u32[word + SEGMENT.KEY_SIZE / 4] = attr.keySize;
  u32[word + SEGMENT.VALUE_SIZE / 4] = attr.valueSize;
  u32[word + SEGMENT.MAX_ENTRIES / 4] = attr.maxEntries;
  u32[word + SEGMENT.MAP_FLAGS / 4] = attr.permanentFlags;
  u32[word + SEGMENT.MAP_EXTRA / 4] = attr.mapExtraLow;
  u32[word + SEGMENT.MAP_EXTRA / 4 + 1] = attr.mapExtraHigh;
  u8.set(attr.name, base + SEGMENT.NAME);
  u32[word + SEGMENT.LENGTH / 4] = bytes;
  u32[word + SEGMENT.LENGTH / 4 + 1] = Math.floor(bytes / 2 ** 32);
  return base;
}
