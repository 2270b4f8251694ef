import {
  BPF_F_CLONE,
  BPF_F_INNER_MAP,
  BPF_F_LINK,
  BPF_F_MMAPABLE,
  BPF_F_NO_COMMON_LRU,
  BPF_F_NO_PREALLOC,
  BPF_F_NO_USER_CONV,
  BPF_F_NUMA_NODE,
  BPF_F_PATH_FD,
  BPF_F_PRESERVE_ELEMS,
  BPF_F_RDONLY,
  BPF_F_RDONLY_PROG,
  BPF_F_SEGV_ON_FAULT,
  BPF_F_STACK_BUILD_ID,
  BPF_F_TOKEN_FD,
  BPF_F_VTYPE_BTF_OBJ_FD,
  BPF_F_WRONLY,
  BPF_F_WRONLY_PROG,
  BPF_F_ZERO_SEED,
} from "./flags.ts";

const MAP_FLAGS = {
  no_prealloc: BPF_F_NO_PREALLOC,
  no_common_lru: BPF_F_NO_COMMON_LRU,
  numa_node: BPF_F_NUMA_NODE,
  rdonly: BPF_F_RDONLY,
  wronly: BPF_F_WRONLY,
  stack_build_id: BPF_F_STACK_BUILD_ID,
  zero_seed: BPF_F_ZERO_SEED,
  rdonly_prog: BPF_F_RDONLY_PROG,
  wronly_prog: BPF_F_WRONLY_PROG,
  clone: BPF_F_CLONE,
  mmapable: BPF_F_MMAPABLE,
  preserve_elems: BPF_F_PRESERVE_ELEMS,
  inner_map: BPF_F_INNER_MAP,
  link: BPF_F_LINK,
  path_fd: BPF_F_PATH_FD,
  vtype_btf_obj_fd: BPF_F_VTYPE_BTF_OBJ_FD,
  token_fd: BPF_F_TOKEN_FD,
  segv_on_fault: BPF_F_SEGV_ON_FAULT,
  no_user_conv: BPF_F_NO_USER_CONV,
} as const;

/** A flag of `BPF_MAP_CREATE` by its name in lower case without `BPF_F_`: `"no_prealloc"`, `"zero_seed"`, `"mmapable"` … */
export type MapFlagName = keyof typeof MAP_FLAGS;

/** The bits of some named map flags. Throws a `TypeError` for a name that is none. */
export function mapFlagBits(names: readonly MapFlagName[]): number {
  let bits = 0;
  for (const name of names) {
    const bit = MAP_FLAGS[name];
    if (bit === undefined) {
      throw new TypeError(
        `unknown map flag ${JSON.stringify(name)}; the flags are ${Object.keys(MAP_FLAGS).join(", ")}`,
      );
    }
    bits |= bit;
  }
  return bits;
}

/** The C names of the map flags that are set in `bits`, lowest first; bits that have no name come as one hexadecimal number. */
export function mapFlagCNames(bits: number): string[] {
  const names: string[] = [];
  let rest = bits >>> 0;
  for (const [name, bit] of Object.entries(MAP_FLAGS)) {
    if ((rest & bit) === 0) continue;
    names.push(`BPF_F_${name.toUpperCase()}`);
    rest &= ~bit;
  }
  if (rest !== 0) names.push(`0x${(rest >>> 0).toString(16)}`);
  return names;
}
