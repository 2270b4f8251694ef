/*
 * The info structs of BPF_OBJ_GET_INFO_BY_FD as offsets in bytes (`include/uapi/linux/bpf.h`, Linux 6.18).
 */

/** `struct bpf_map_info`. */
export const MAP_INFO = {
  TYPE: 0,
  ID: 4,
  KEY_SIZE: 8,
  VALUE_SIZE: 12,
  MAX_ENTRIES: 16,
  MAP_FLAGS: 20,
  NAME: 24,
  IFINDEX: 40,
  BTF_VMLINUX_VALUE_TYPE_ID: 44,
  NETNS_DEV: 48,
  NETNS_INO: 56,
  BTF_ID: 64,
  BTF_KEY_TYPE_ID: 68,
  BTF_VALUE_TYPE_ID: 72,
  BTF_VMLINUX_ID: 76,
  MAP_EXTRA: 80,
  HASH: 88,
  HASH_SIZE: 96,
  SIZE: 104,
} as const;

/** `struct bpf_prog_info`. */
export const PROG_INFO = {
  TYPE: 0,
  ID: 4,
  TAG: 8,
  JITED_PROG_LEN: 16,
  XLATED_PROG_LEN: 20,
  JITED_PROG_INSNS: 24,
  XLATED_PROG_INSNS: 32,
  LOAD_TIME: 40,
  CREATED_BY_UID: 48,
  NR_MAP_IDS: 52,
  MAP_IDS: 56,
  NAME: 64,
  IFINDEX: 80,
  /** The lowest bit of a word. */
  GPL_COMPATIBLE: 84,
  NETNS_DEV: 88,
  NETNS_INO: 96,
  NR_JITED_KSYMS: 104,
  NR_JITED_FUNC_LENS: 108,
  JITED_KSYMS: 112,
  JITED_FUNC_LENS: 120,
  BTF_ID: 128,
  FUNC_INFO_REC_SIZE: 132,
  FUNC_INFO: 136,
  NR_FUNC_INFO: 144,
  NR_LINE_INFO: 148,
  LINE_INFO: 152,
  JITED_LINE_INFO: 160,
  NR_JITED_LINE_INFO: 168,
  LINE_INFO_REC_SIZE: 172,
  JITED_LINE_INFO_REC_SIZE: 176,
  NR_PROG_TAGS: 180,
  PROG_TAGS: 184,
  RUN_TIME_NS: 192,
  RUN_CNT: 200,
  RECURSION_MISSES: 208,
  VERIFIED_INSNS: 216,
  ATTACH_BTF_OBJ_ID: 220,
  ATTACH_BTF_ID: 224,
  SIZE: 232,
} as const;

/** `struct bpf_btf_info`. */
export const BTF_INFO = {
  BTF: 0,
  BTF_SIZE: 8,
  ID: 12,
  NAME: 16,
  NAME_LEN: 24,
  KERNEL_BTF: 28,
  SIZE: 32,
} as const;
