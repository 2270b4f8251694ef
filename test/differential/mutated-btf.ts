import { BTF_MAGIC } from "../../src/abi/btf.ts";

/** A small generator of random numbers, the same for the same seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number below `end`: mulberry32. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

const HEADER_SIZE = 24;

/** BTF with one to three things changed: mostly words of types, to what is near to being right. */
export function mutate(good: Uint8Array, random: Random): Uint8Array {
  const bytes = good.slice();
  const view = new DataView(bytes.buffer);
  const isLittleEndian = view.getUint16(0, true) === BTF_MAGIC;
  const strings = HEADER_SIZE + view.getUint32(16, isLittleEndian);
  for (let left = 1 + random.below(3); left > 0; left--) {
    switch (random.below(10)) {
      case 0:
        bytes[random.below(bytes.length)] = random.below(256);
        break;
      case 1:
        bytes[random.below(HEADER_SIZE)] = random.below(256);
        break;
      case 2:
        bytes[strings + random.below(bytes.length - strings)] = random.pick([
          0, 32, 46, 48, 65, 0x80, 0xa0, 0xe4, 0xf7,
        ]);
        break;
      default: {
        const at = HEADER_SIZE + 4 * random.below((strings - HEADER_SIZE) / 4);
        view.setUint32(at, changedWord(view.getUint32(at, isLittleEndian), random), isLittleEndian);
      }
    }
  }
  return random.below(20) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

function changedWord(word: number, random: Random): number {
  return random.pick([
    word + 1,
    word - 1,
    word + 8,
    word * 2,
    0,
    1,
    random.below(80),
    random.below(2 ** 32),
    word ^ (1 << random.below(32)),
    word | 0x8000_0000,
    random.below(22) * 2 ** 24 + (word & 0xffff),
  ]);
}
