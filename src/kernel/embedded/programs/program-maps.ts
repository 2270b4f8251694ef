import { E2BIG, EFAULT, EINVAL, ENOTSUPP, EPROTO } from "../../../abi/errno.ts";
import { type Instruction, isWide } from "../../../isa/instruction.ts";
import {
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
  BPF_PSEUDO_MAP_VALUE,
} from "../../../isa/opcodes.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { KernelState } from "../kernel-state.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import { accessOk } from "../user-memory.ts";

/** `MAX_USED_MAPS`. */
const MOST_MAPS = 64;

/** Why the maps of a program could not be found, and what the log says of it. */
export interface MapRefusal {
  readonly errno: number;
  readonly log: string;
}

const IS_MAP: ReadonlySet<number> = new Set([
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
]);

/**
 * The maps that the 64-bit immediates of a program refer to, by slot: `kernel/bpf/verifier.c: resolve_pseudo_ldimm64`,
 * 6.18. `fdArray` is where the fds of those lie that are referred to by index.
 */
export function findMaps(
  state: KernelState,
  instructions: readonly Instruction[],
  fdArray: Address,
): ReadonlyMap<number, EmbeddedMap> | MapRefusal {
  const maps = new Map<number, EmbeddedMap>();
  const different = new Set<EmbeddedMap>();
  for (let slot = 0; slot < instructions.length; slot++) {
    const instruction = instructions[slot] as Instruction;
    if (!isWide(instruction) || !IS_MAP.has(instruction.src)) continue;
    const upper = instructions[slot + 1];
    // What is not well formed is for the verifier to refuse, in its own words.
    if (upper === undefined || upper.opcode !== 0) continue;
    const found = findMap(state, instruction, fdArray);
    if (!("base" in found)) return found;
    const isValue = instruction.src === BPF_PSEUDO_MAP_VALUE || instruction.src === BPF_PSEUDO_MAP_IDX_VALUE;
    const refusal = isValue ? directValueRefusal(found, upper.imm >>> 0) : undefined;
    if (refusal !== undefined) return refusal;
    maps.set(slot, found);
    different.add(found);
    if (different.size > MOST_MAPS) {
      return { errno: -E2BIG, log: `The total number of maps per program has reached the limit of ${MOST_MAPS}\n` };
    }
  }
  return maps;
}

function findMap(
  { files, memory }: KernelState,
  { src, imm }: Instruction,
  fdArray: Address,
): EmbeddedMap | MapRefusal {
  let fd = imm;
  if (src === BPF_PSEUDO_MAP_IDX || src === BPF_PSEUDO_MAP_IDX_VALUE) {
    if (fdArray === 0) return { errno: -EPROTO, log: "fd_idx without fd_array is invalid\n" };
    if (!accessOk(memory, fdArray + imm * 4, 4)) return { errno: -EFAULT, log: "" };
    fd = memory.view.getInt32(fdArray + imm * 4, true);
  }
  const file = files.map(fd);
  return file?.map ?? { errno: files.refusal(fd), log: `fd ${fd} is not pointing to valid bpf_map\n` };
}

/** `array_map_direct_value_addr`: the only map types whose values have an address are arrays of one element. */
function directValueRefusal(map: EmbeddedMap, offset: number): MapRefusal | undefined {
  if (map.directValue === 0) return { errno: -EINVAL, log: "no support for direct value access of this map\n" };
  const log = `invalid access to map value pointer, value_size=${map.valueSize} off=${offset}\n`;
  if (map.maxEntries !== 1) return { errno: -ENOTSUPP, log };
  return offset >= map.valueSize ? { errno: -EINVAL, log } : undefined;
}
