/**
 * `union bpf_attr` as offsets in bytes, one object for each of its anonymous structs (`include/uapi/linux/bpf.h`,
 * Linux 6.18). `END` is the end of the last field that a command reads; behind it an attr must be zero.
 */

/** `sizeof(union bpf_attr)`. */
export const ATTR_SIZE = 168;

/** `BPF_OBJ_NAME_LEN`: the room for a name, its terminating NUL included. */
export const BPF_OBJ_NAME_LEN = 16;

export const MAP_CREATE = {
  MAP_TYPE: 0,
  KEY_SIZE: 4,
  VALUE_SIZE: 8,
  MAX_ENTRIES: 12,
  MAP_FLAGS: 16,
  INNER_MAP_FD: 20,
  NUMA_NODE: 24,
  MAP_NAME: 28,
  MAP_IFINDEX: 44,
  BTF_FD: 48,
  BTF_KEY_TYPE_ID: 52,
  BTF_VALUE_TYPE_ID: 56,
  BTF_VMLINUX_VALUE_TYPE_ID: 60,
  MAP_EXTRA: 64,
  VALUE_TYPE_BTF_OBJ_FD: 72,
  MAP_TOKEN_FD: 76,
  EXCL_PROG_HASH: 80,
  EXCL_PROG_HASH_SIZE: 88,
  END: 92,
} as const;

/** Lookup, update, delete, lookup-and-delete and next key. `NEXT_KEY` shares its place with `VALUE`. */
export const MAP_ELEM = {
  MAP_FD: 0,
  KEY: 8,
  VALUE: 16,
  NEXT_KEY: 16,
  FLAGS: 24,
  /** The end for a delete, which has neither value nor flags. */
  KEY_END: 16,
  /** The end for next key, which has no flags. */
  NEXT_KEY_END: 24,
  END: 32,
} as const;

/** BPF_MAP_FREEZE reads the map's fd alone. */
export const MAP_FREEZE = { MAP_FD: 0, END: 4 } as const;

export const MAP_BATCH = {
  IN_BATCH: 0,
  OUT_BATCH: 8,
  KEYS: 16,
  VALUES: 24,
  COUNT: 32,
  MAP_FD: 36,
  ELEM_FLAGS: 40,
  FLAGS: 48,
  END: 56,
} as const;

/** BPF_OBJ_PIN and BPF_OBJ_GET. */
export const OBJ = { PATHNAME: 0, BPF_FD: 8, FILE_FLAGS: 12, PATH_FD: 16, END: 20 } as const;

/** BPF_…_GET_NEXT_ID (to `NEXT_ID_END`) and BPF_…_GET_FD_BY_ID (to `END`; that of BTF to `TOKEN_END`). */
export const GET_ID = {
  ID: 0,
  NEXT_ID: 4,
  OPEN_FLAGS: 8,
  TOKEN_FD: 12,
  NEXT_ID_END: 8,
  END: 12,
  TOKEN_END: 16,
} as const;

export const OBJ_INFO = { BPF_FD: 0, INFO_LEN: 4, INFO: 8, END: 16 } as const;

export const PROG_LOAD = {
  PROG_TYPE: 0,
  INSN_CNT: 4,
  INSNS: 8,
  LICENSE: 16,
  LOG_LEVEL: 24,
  LOG_SIZE: 28,
  LOG_BUF: 32,
  KERN_VERSION: 40,
  PROG_FLAGS: 44,
  PROG_NAME: 48,
  PROG_IFINDEX: 64,
  EXPECTED_ATTACH_TYPE: 68,
  PROG_BTF_FD: 72,
  FUNC_INFO_REC_SIZE: 76,
  FUNC_INFO: 80,
  FUNC_INFO_CNT: 88,
  LINE_INFO_REC_SIZE: 92,
  LINE_INFO: 96,
  LINE_INFO_CNT: 104,
  ATTACH_BTF_ID: 108,
  /** Shares its place with `attach_btf_obj_fd`. */
  ATTACH_PROG_FD: 112,
  CORE_RELO_CNT: 116,
  FD_ARRAY: 120,
  CORE_RELOS: 128,
  CORE_RELO_REC_SIZE: 136,
  LOG_TRUE_SIZE: 140,
  PROG_TOKEN_FD: 144,
  FD_ARRAY_CNT: 148,
  SIGNATURE: 152,
  SIGNATURE_SIZE: 160,
  KEYRING_ID: 164,
  END: 168,
} as const;

export const PROG_TEST_RUN = {
  PROG_FD: 0,
  RETVAL: 4,
  DATA_SIZE_IN: 8,
  DATA_SIZE_OUT: 12,
  DATA_IN: 16,
  DATA_OUT: 24,
  REPEAT: 32,
  DURATION: 36,
  CTX_SIZE_IN: 40,
  CTX_SIZE_OUT: 44,
  CTX_IN: 48,
  CTX_OUT: 56,
  FLAGS: 64,
  CPU: 68,
  BATCH_SIZE: 72,
  END: 76,
} as const;

export const BTF_LOAD = {
  BTF: 0,
  BTF_LOG_BUF: 8,
  BTF_SIZE: 16,
  BTF_LOG_SIZE: 20,
  BTF_LOG_LEVEL: 24,
  BTF_LOG_TRUE_SIZE: 28,
  BTF_FLAGS: 32,
  BTF_TOKEN_FD: 36,
  END: 40,
} as const;
