/** The bits of bloom filters: with a zero seed both kernels take the same values for members, errors included. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { embedded } from "mapiary";
import { linux } from "mapiary/linux";
import { onLinux } from "../kernels.ts";
import { fc } from "../seeded.ts";

const SEED = Number(process.env["MAPIARY_SEED"] ?? 1000);
const LOOKUPS = 300;

const anyFilter = fc.record({
  valueSize: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(255, 256, 257, 1000)),
  maxEntries: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(100, 1000, 2 ** 16, 2 ** 20 + 1)),
  mapExtra: fc.nat(15),
  added: fc.integer({ min: 1, max: 200 }),
  seed: fc.nat(2 ** 31 - 1),
});

onLinux(() => {
  describe("a bloom filter of the embedded kernel against one of linux", () => {
    test("takes the same random values for members", (t) => {
      using here = embedded();
      using there = linux();
      let members = 0;
      let others = 0;
      const property = fc.property(anyFilter, ({ valueSize, maxEntries, mapExtra, added, seed }) => {
        const random = randomBytes(seed);
        const values = Array.from({ length: added + LOOKUPS }, () => random(valueSize));
        const answers = [here, there].map(({ sys }) => {
          const fd = sys.mapCreate({ type: "bloom_filter", valueSize, maxEntries, mapExtra, flags: 64 });
          assert.ok(fd >= 0);
          for (const value of values.slice(0, added)) assert.equal(sys.mapUpdateElem(fd, null, value, 0), 0);
          const found = values.map((value) => sys.mapLookupElem(fd, null, value.slice()));
          sys.close(fd);
          return found;
        });
        assert.deepEqual(answers[0], answers[1]);
        const errors = answers[0]?.slice(added).filter((answer) => answer === 0).length ?? 0;
        members += errors;
        others += LOOKUPS - errors;
      });
      fc.assert(property, { seed: SEED, numRuns: 150 });
      t.diagnostic(`of ${members + others} values that were not added ${members} were found, from seed ${SEED}`);
      assert.ok(members > 100 && others > 100, "both answers were given");
    });
  });
});

/** Bytes by xorshift: the same for one seed. */
function randomBytes(seed: number): (length: number) => Uint8Array {
  let state = seed | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  };
  return (length) => Uint8Array.from({ length }, next);
}
