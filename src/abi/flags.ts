/**
 * Flags of `bpf(2)`, by their names in `include/uapi/linux/bpf.h`, Linux 6.18.
 */

// How an element is updated or looked up: the `flags` of the element commands, the `elem_flags` of the batches.
export const BPF_ANY = 0;
export const BPF_NOEXIST = 1;
export const BPF_EXIST = 2;
export const BPF_F_LOCK = 4;

// `map_flags` of BPF_MAP_CREATE, of which RDONLY and WRONLY are also flags of opening.
export const BPF_F_NO_PREALLOC = 1 << 0;
export const BPF_F_NO_COMMON_LRU = 1 << 1;
export const BPF_F_NUMA_NODE = 1 << 2;
export const BPF_F_RDONLY = 1 << 3;
export const BPF_F_WRONLY = 1 << 4;
export const BPF_F_STACK_BUILD_ID = 1 << 5;
export const BPF_F_ZERO_SEED = 1 << 6;
export const BPF_F_RDONLY_PROG = 1 << 7;
export const BPF_F_WRONLY_PROG = 1 << 8;
export const BPF_F_CLONE = 1 << 9;
export const BPF_F_MMAPABLE = 1 << 10;
export const BPF_F_PRESERVE_ELEMS = 1 << 11;
export const BPF_F_INNER_MAP = 1 << 12;
export const BPF_F_LINK = 1 << 13;
export const BPF_F_PATH_FD = 1 << 14;
export const BPF_F_VTYPE_BTF_OBJ_FD = 1 << 15;
export const BPF_F_TOKEN_FD = 1 << 16;
export const BPF_F_SEGV_ON_FAULT = 1 << 17;
export const BPF_F_NO_USER_CONV = 1 << 18;

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

// Protection of mmap(2), `include/uapi/asm-generic/mman-common.h`.
export const PROT_READ = 1;
export const PROT_WRITE = 2;
