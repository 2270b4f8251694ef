import { fc } from "../seeded.ts";
import { anyCommand } from "./any-command.ts";
import type { Command } from "./command.ts";
import { goodCreate, goodKeylessCreate, goodLpmTrie, goodObjectCreate, goodPercpuOrLru } from "./map-shapes.ts";
import { mapOfMapsProgram } from "./maps-of-maps.ts";
import { typedMapOfMapsProgram, typedMapProgram } from "./typed-maps.ts";

/** A program: it begins with good maps in the first slots, and goes on with anything. */
const mapProgram: fc.Arbitrary<readonly Command[]> = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 8, arbitrary: goodCreate },
        { weight: 6, arbitrary: goodPercpuOrLru },
        { weight: 2, arbitrary: goodLpmTrie },
        { weight: 4, arbitrary: goodObjectCreate },
        { weight: 5, arbitrary: goodKeylessCreate },
      ),
      {
        minLength: 1,
        maxLength: 3,
        size: "max",
      },
    ),
    fc.array(anyCommand, { minLength: 1, maxLength: 160, size: "max" }),
  )
  .map(([maps, rest]) => [...maps.map((map, slot) => ({ ...map, slot })), ...rest]);

/** Any program. */
export const anyProgram: fc.Arbitrary<readonly Command[]> = fc.oneof(
  { weight: 120, arbitrary: mapProgram },
  { weight: 40, arbitrary: typedMapProgram },
  { weight: 3, arbitrary: mapOfMapsProgram },
  { weight: 1, arbitrary: typedMapOfMapsProgram },
);
