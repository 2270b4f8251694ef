/**
 * The commands of `bpf(2)`: its first argument. `include/uapi/linux/bpf.h`, `enum bpf_cmd`, Linux 6.18.
 */
export const BPF_MAP_CREATE = 0;
export const BPF_MAP_LOOKUP_ELEM = 1;
export const BPF_MAP_UPDATE_ELEM = 2;
export const BPF_MAP_DELETE_ELEM = 3;
export const BPF_MAP_GET_NEXT_KEY = 4;
export const BPF_PROG_LOAD = 5;
export const BPF_OBJ_PIN = 6;
export const BPF_OBJ_GET = 7;
export const BPF_PROG_TEST_RUN = 10;
export const BPF_PROG_GET_NEXT_ID = 11;
export const BPF_MAP_GET_NEXT_ID = 12;
export const BPF_PROG_GET_FD_BY_ID = 13;
export const BPF_MAP_GET_FD_BY_ID = 14;
export const BPF_OBJ_GET_INFO_BY_FD = 15;
export const BPF_BTF_LOAD = 18;
export const BPF_BTF_GET_FD_BY_ID = 19;
export const BPF_MAP_LOOKUP_AND_DELETE_ELEM = 21;
export const BPF_MAP_FREEZE = 22;
export const BPF_BTF_GET_NEXT_ID = 23;
export const BPF_MAP_LOOKUP_BATCH = 24;
export const BPF_MAP_LOOKUP_AND_DELETE_BATCH = 25;
export const BPF_MAP_UPDATE_BATCH = 26;
export const BPF_MAP_DELETE_BATCH = 27;
export const BPF_PROG_BIND_MAP = 35;

/** The commands that mapiary speaks, by number, as the kernel's own sources and `strace` name them. */
export const COMMAND_NAMES: Readonly<Record<number, string>> = {
  [BPF_MAP_CREATE]: "BPF_MAP_CREATE",
  [BPF_MAP_LOOKUP_ELEM]: "BPF_MAP_LOOKUP_ELEM",
  [BPF_MAP_UPDATE_ELEM]: "BPF_MAP_UPDATE_ELEM",
  [BPF_MAP_DELETE_ELEM]: "BPF_MAP_DELETE_ELEM",
  [BPF_MAP_GET_NEXT_KEY]: "BPF_MAP_GET_NEXT_KEY",
  [BPF_PROG_LOAD]: "BPF_PROG_LOAD",
  [BPF_OBJ_PIN]: "BPF_OBJ_PIN",
  [BPF_OBJ_GET]: "BPF_OBJ_GET",
  [BPF_PROG_TEST_RUN]: "BPF_PROG_TEST_RUN",
  [BPF_PROG_GET_NEXT_ID]: "BPF_PROG_GET_NEXT_ID",
  [BPF_MAP_GET_NEXT_ID]: "BPF_MAP_GET_NEXT_ID",
  [BPF_PROG_GET_FD_BY_ID]: "BPF_PROG_GET_FD_BY_ID",
  [BPF_MAP_GET_FD_BY_ID]: "BPF_MAP_GET_FD_BY_ID",
  [BPF_OBJ_GET_INFO_BY_FD]: "BPF_OBJ_GET_INFO_BY_FD",
  [BPF_BTF_LOAD]: "BPF_BTF_LOAD",
  [BPF_BTF_GET_FD_BY_ID]: "BPF_BTF_GET_FD_BY_ID",
  [BPF_MAP_LOOKUP_AND_DELETE_ELEM]: "BPF_MAP_LOOKUP_AND_DELETE_ELEM",
  [BPF_MAP_FREEZE]: "BPF_MAP_FREEZE",
  [BPF_BTF_GET_NEXT_ID]: "BPF_BTF_GET_NEXT_ID",
  [BPF_MAP_LOOKUP_BATCH]: "BPF_MAP_LOOKUP_BATCH",
  [BPF_MAP_LOOKUP_AND_DELETE_BATCH]: "BPF_MAP_LOOKUP_AND_DELETE_BATCH",
  [BPF_MAP_UPDATE_BATCH]: "BPF_MAP_UPDATE_BATCH",
  [BPF_MAP_DELETE_BATCH]: "BPF_MAP_DELETE_BATCH",
  [BPF_PROG_BIND_MAP]: "BPF_PROG_BIND_MAP",
};
