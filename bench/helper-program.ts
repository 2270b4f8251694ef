import { Assembler, type HashMap, type Instruction } from "mapiary";

/** Elements that the program deals with in one run: as many as make what surrounds the loop small. */
export const ELEMENTS_PER_RUN = 1000;

const GOLDEN_RATIO = 0x9e3779b1 | 0;
const KEY = -4;
const VALUE = -16;

/**
 * A program that calls a helper for the elements of a map in an order that no cache foresees, from a random one on: keys
 * from 0 to `entries` − 1. It returns how many there were, or were updated.
 */
export function helperProgram(
  helper: "bpf_map_lookup_elem" | "bpf_map_update_elem",
  map: HashMap<number, number>,
  entries: number,
): Instruction[] {
  const program = new Assembler()
    .call("bpf_get_prandom_u32")
    .mov("w6", "w0")
    .mov("r7", 0)
    .mov("r8", 0)
    .label("next")
    // The high half of hash × entries: a number below `entries`, without a division.
    .mov("w1", "w6")
    .mul("w1", GOLDEN_RATIO)
    .mul("r1", entries)
    .rsh("r1", 32)
    .store("u32", "r10", KEY, "r1")
    .add("w6", 1)
    .mov("r2", "r10")
    .add("r2", KEY);
  if (helper === "bpf_map_lookup_elem") {
    program
      .loadMap("r1", map)
      .call(helper)
      .jeq("r0", 0, "done")
      .load("u64", "r1", "r0", 0)
      .store("u64", "r10", VALUE, "r1")
      .add("r7", 1);
  } else {
    // The value of a key as in every other peer: three times the key, and one.
    program
      .mul("r1", 3)
      .add("r1", 1)
      .store("u64", "r10", VALUE, "r1")
      .loadMap("r1", map)
      .mov("r3", "r10")
      .add("r3", VALUE)
      .mov("r4", 0)
      .call(helper)
      .jne("r0", 0, "done")
      .add("r7", 1);
  }
  return program.label("done").add("r8", 1).jlt("r8", ELEMENTS_PER_RUN, "next").mov("r0", "r7").exit().assemble();
}
