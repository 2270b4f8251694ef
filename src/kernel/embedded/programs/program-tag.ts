import { encode, type Instruction, isWide } from "../../../isa/instruction.ts";
import { BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE } from "../../../isa/opcodes.ts";
import { sha256 } from "./sha256.ts";

/** `BPF_TAG_SIZE`. */
const TAG_SIZE = 8;

/**
 * What is the same for the same instructions, whatever the fds of their maps are: the beginning of a hash of them.
 * `kernel/bpf/core.c: bpf_prog_calc_tag`, 6.18; before it, Linux took SHA-1.
 */
export function programTag(instructions: readonly Instruction[]): Uint8Array {
  let isUpperHalf = false;
  const withoutMaps = instructions.map((instruction) => {
    const clears = isUpperHalf || refersToMap(instruction);
    isUpperHalf = !isUpperHalf && refersToMap(instruction);
    return clears ? { ...instruction, imm: 0 } : instruction;
  });
  return sha256(encode(withoutMaps)).slice(0, TAG_SIZE);
}

function refersToMap(instruction: Instruction): boolean {
  const { src } = instruction;
  return isWide(instruction) && (src === BPF_PSEUDO_MAP_FD || src === BPF_PSEUDO_MAP_VALUE);
}
