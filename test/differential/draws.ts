import { fc } from "../seeded.ts";

/** Mostly the slots that every program fills first. */
export const slot = fc.constantFrom(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3);
/** Few keys, so that programs meet them again. */
export const key = fc.oneof(
  { weight: 12, arbitrary: fc.nat(5) },
  { weight: 2, arbitrary: fc.nat(40) },
  { weight: 1, arbitrary: fc.nat() },
);
export const value = fc.nat();
export const updateFlags = fc.oneof(
  { weight: 10, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.constantFrom(1, 2) },
  { weight: 1, arbitrary: fc.constantFrom(3, 4, 5, 6, 7, 8, 16, 2 ** 32, 2 ** 32 + 4, 2 ** 52) },
);
export const rarely = (...values: number[]): fc.Arbitrary<number> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(...values) });
