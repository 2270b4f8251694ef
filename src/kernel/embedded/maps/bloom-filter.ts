import { E2BIG, EINVAL, ENOENT, ENOMEM, ENOTSUP } from "../../../abi/errno.ts";
import { BPF_ANY, BPF_F_NUMA_NODE, BPF_F_ZERO_SEED } from "../../../abi/flags.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { jhash } from "../jhash.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { ACCESS_FLAGS, EmbeddedMap, type MapHost, type MapType } from "../map-ops.ts";
import { allocateSegment, SEGMENT } from "../segment.ts";

/* The segment: the header, then the bits, a power of two of them and at least 64. */
const BLOOM_HEADER = {
  SEED: SEGMENT.TYPE_HEADER,
  HASHES: SEGMENT.TYPE_HEADER + 4,
  /** The number of bits, less one. */
  MASK: SEGMENT.TYPE_HEADER + 8,
} as const;

const CREATE_FLAGS = BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | ACCESS_FLAGS;
const KMALLOC_MAX_SIZE = 1 << 22;
const U32_MAX = 2 ** 32 - 1;
const DEFAULT_HASHES = 5;
const MOST_HASHES = 15;
const LEAST_BITS = 64;
/** Up to so many bytes a loop is faster than `TypedArray.prototype.set`. */
const LONG_VALUE = 64;

/** `"bloom_filter"`: `kernel/bpf/bloom_filter.c`, 6.18. */
export const BLOOM_FILTER: MapType = {
  /** Linux checks the rest only when it allocates, which is after tokens and devices. */
  allocCheck: (attr) => (attr.valueSize > KMALLOC_MAX_SIZE ? -E2BIG : 0),

  alloc({ memory }: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
    if (attr.keySize !== 0 || attr.valueSize === 0 || attr.maxEntries === 0) return -EINVAL;
    if (!attr.hasOnlyFlags(CREATE_FLAGS)) return -EINVAL;
    if (attr.mapExtraHigh !== 0 || attr.mapExtraLow > MOST_HASHES) return -EINVAL;
    const size = bloomBits(attr.maxEntries, attr.mapExtraLow);
    const { hashes, bits } = size;
    const base = allocateSegment(memory, attr, SEGMENT.HEADER_SIZE + bits / 8);
    if (base === 0) return -ENOMEM;
    const { u32 } = memory;
    const seed = (attr.flags & BPF_F_ZERO_SEED) !== 0 ? 0 : Math.floor(Math.random() * 2 ** 32);
    u32[(base + BLOOM_HEADER.SEED) >>> 2] = seed;
    u32[(base + BLOOM_HEADER.HASHES) >>> 2] = hashes;
    u32[(base + BLOOM_HEADER.MASK) >>> 2] = bits - 1;
    return new BloomFilter(memory, base, size);
  },
};

/** How many bits a filter has, and how many of them a value sets. */
export interface BloomBits {
  readonly bits: number;
  readonly hashes: number;
}

/** The bits of a filter for so many values, whose map was given this extra. */
export function bloomBits(maxEntries: number, mapExtra: number): BloomBits {
  const hashes = mapExtra === 0 ? DEFAULT_HASHES : mapExtra;
  return { bits: bitCount(maxEntries, hashes), hashes };
}

/**
 * The number of bits: of entries × hashes ÷ ln 2, which is where a filter of so many entries errs least often, 1 ÷ ln 2
 * being 7 ÷ 5 in whole numbers, the next power of two. What does not fit into a u32 on the way is 2³²: `bloom_map_alloc`.
 */
function bitCount(maxEntries: number, hashes: number): number {
  const set = maxEntries * hashes;
  const wanted = Math.floor(set / 5) * 7;
  if (set > U32_MAX || wanted > 2 ** 31) return 2 ** 32;
  return wanted <= LEAST_BITS ? LEAST_BITS : 2 ** Math.ceil(Math.log2(wanted));
}

/** Words to be hashed from `at` on. */
interface Words {
  readonly words: Int32Array;
  readonly at: number;
}

interface PaddedCopy extends Words {
  readonly bytes: Uint8Array;
}

function paddedCopy(valueSize: number): PaddedCopy {
  const words = new Int32Array(Math.ceil(valueSize / 4));
  return { words, at: 0, bytes: new Uint8Array(words.buffer) };
}

/** A filter over a segment of which nothing but the seed and the bits is read. */
export class BloomFilter extends EmbeddedMap {
  readonly #seed: number;
  readonly #hashes: number;
  readonly #mask: number;
  /** The word of the memory at which the bits begin. */
  readonly #bits: number;
  /** A copy of a value, padded with zeros to whole words, as the hash wants it. */
  #padded: PaddedCopy | undefined;

  constructor(memory: AddressSpace, base: Address, { bits, hashes }: BloomBits) {
    super(memory, base);
    this.#seed = this.header(BLOOM_HEADER.SEED);
    this.#hashes = hashes;
    this.#mask = (bits - 1) | 0;
    this.#bits = (base + SEGMENT.HEADER_SIZE) >>> 2;
  }

  override get looksForValue(): boolean {
    return true;
  }

  /** There are no keys to look for: `bloom_map_lookup_elem`. */
  override lookup(_key: Address): Address {
    return 0;
  }

  /** `bloom_map_push_elem`. */
  override update(_key: Address, value: Address, flags: number): number {
    if (flags !== BPF_ANY) return -EINVAL;
    const { words, at } = this.#wholeWords(value);
    for (let index = 0; index < this.#hashes; index++) {
      const bit = this.#bit(words, at, index);
      this.setBit(this.#bits + (bit >>> 5), 1 << (bit & 31));
    }
    return 0;
  }

  protected setBit(word: number, bit: number): void {
    const { i32 } = this.memory;
    i32[word] = (i32[word] as number) | bit;
  }

  override delete(_key: Address): number {
    return -ENOTSUP;
  }

  override getNextKey(_key: Address, _next: Address): number {
    return -ENOTSUP;
  }

  /** Looks for the caller's value, which stays as it is: `bloom_map_peek_elem`. */
  override copyValue(_key: Address, value: Address): number {
    const { i32 } = this.memory;
    const { words, at } = this.#wholeWords(value);
    for (let index = 0; index < this.#hashes; index++) {
      const bit = this.#bit(words, at, index);
      if (((i32[this.#bits + (bit >>> 5)] as number) & (1 << (bit & 31))) === 0) return -ENOENT;
    }
    return 0;
  }

  #bit(words: Int32Array, at: number, index: number): number {
    return jhash(words, at, this.valueSize, (this.#seed + index) | 0) & this.#mask;
  }

  /** A value as the hash wants it: where it lies when it is aligned and whole words, else the padded copy. */
  #wholeWords(value: Address): Words {
    const { memory, valueSize } = this;
    if (((value | valueSize) & 3) === 0) return { words: memory.i32, at: value >>> 2 };
    this.#padded ??= paddedCopy(valueSize);
    const { bytes } = this.#padded;
    if (valueSize > LONG_VALUE) bytes.set(memory.u8.subarray(value, value + valueSize));
    else for (let i = 0; i < valueSize; i++) bytes[i] = memory.u8[value + i] as number;
    return this.#padded;
  }
}
