import { mapFlagCNames } from "../../abi/flag-names.ts";
import type { MapCreateOptions } from "../sys.ts";
import { type CreationRule, tryOut } from "./creation.ts";

/** A trial takes no more than this for a value, so that it costs little. */
const MOST_VALUE = 2 ** 20;

/** The attributes that one can leave out, and what is said when the kernel then makes the map. */
const WITHOUT: readonly (readonly [leaveOut: Partial<MapCreateOptions>, sentence: string])[] = [
  [{ name: undefined }, "the kernel makes this map without its name: choose another, or none."],
  [
    { btfFd: 0, btfKeyTypeId: 0, btfValueTypeId: 0 },
    "the kernel makes this map without its BTF: the types of btfKeyTypeId and btfValueTypeId are not as long as key and value.",
  ],
  [{ mapExtra: 0 }, "the kernel makes this map without mapExtra: leave it out."],
  [
    { exclProgHash: undefined },
    "the kernel makes this map without exclProgHash, which is of Linux 6.18: leave it out.",
  ],
];

/**
 * What no rule knows is tried: the same map, small, without one attribute after another. The one without which the
 * kernel makes it is to blame.
 */
export const culprit: CreationRule = (creation) => {
  const { sys, given, facts, flags, maxEntries, valueSize } = creation;
  const small = {
    ...given,
    maxEntries: facts?.maxEntries[0] ?? 1,
    valueSize: Math.min(valueSize, MOST_VALUE),
  };
  if (tryOut(sys, small) === 0) {
    return `a smaller one is made: maxEntries ${maxEntries} with values of ${valueSize} bytes is more than this kernel takes.`;
  }
  for (const [leaveOut, sentence] of WITHOUT) {
    if (tryOut(sys, { ...small, ...leaveOut }) === 0) return sentence;
  }
  const flag = bitsOf(flags).find((bit) => tryOut(sys, { ...small, flags: (flags & ~bit) >>> 0 }) === 0);
  if (flag === undefined) return undefined;
  return `the kernel makes this map without ${mapFlagCNames(flag).join()}: leave it out.`;
};

function bitsOf(flags: number): number[] {
  const bits = Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0);
  return bits.filter((bit) => (flags & bit) !== 0);
}
