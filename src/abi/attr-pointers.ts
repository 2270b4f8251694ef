import { ATTR_SIZE, GET_ID, MAP_BATCH, MAP_CREATE, MAP_ELEM, MAP_FREEZE, OBJ, OBJ_INFO } from "./attr.ts";
import { MAP_INFO } from "./info.ts";

/** What `bpf(2)` does with the attr of one command: all that one must know to pass an attr on to another address space. */
export interface AttrUse {
  /** Offsets of the fields that hold addresses, 8 bytes each, ascending. */
  readonly pointers: readonly number[];
  /** The fields that the kernel writes back into the attr, by offset and bytes. */
  readonly written: readonly (readonly [offset: number, bytes: number])[];
  /** Whether what the command answers is a new fd. */
  readonly opensFd: boolean;
  /** The end of the last field that Linux 6.18 gives the command. */
  readonly end: number;
}

function use(end: number, pointers: readonly number[] = [], written: AttrUse["written"] = []): AttrUse {
  return { pointers, written, opensFd: false, end };
}

function opens(end: number, pointers: readonly number[] = [], written: AttrUse["written"] = []): AttrUse {
  return { pointers, written, opensFd: true, end };
}

const ELEM = use(MAP_ELEM.END, [MAP_ELEM.KEY, MAP_ELEM.VALUE]);
const BATCH = use(
  MAP_BATCH.END,
  [MAP_BATCH.IN_BATCH, MAP_BATCH.OUT_BATCH, MAP_BATCH.KEYS, MAP_BATCH.VALUES],
  [[MAP_BATCH.COUNT, 4]],
);
const NEXT_ID = use(GET_ID.NEXT_ID_END, [], [[GET_ID.NEXT_ID, 4]]);
/** The common struct ends with `fd_by_id_token_fd`. */
const FD_BY_ID = opens(16);
/** `target_fd` to `expected_revision`. */
const ATTACH = use(32);

const PROG_LOAD_LOG_TRUE_SIZE = 140;
const BTF_LOAD_LOG_TRUE_SIZE = 28;

/**
 * The commands of Linux 6.18 by number (`include/uapi/linux/bpf.h`: `enum bpf_cmd`, `union bpf_attr`;
 * `kernel/bpf/syscall.c` for what is written back).
 */
const COMMANDS: readonly AttrUse[] = [
  /* BPF_MAP_CREATE */ opens(MAP_CREATE.END, [MAP_CREATE.EXCL_PROG_HASH]),
  /* BPF_MAP_LOOKUP_ELEM */ ELEM,
  /* BPF_MAP_UPDATE_ELEM */ ELEM,
  /* BPF_MAP_DELETE_ELEM */ use(MAP_ELEM.KEY_END, [MAP_ELEM.KEY]),
  /* BPF_MAP_GET_NEXT_KEY */ use(MAP_ELEM.NEXT_KEY_END, [MAP_ELEM.KEY, MAP_ELEM.NEXT_KEY]),
  /* BPF_PROG_LOAD: insns, license, log_buf, func_info, line_info, fd_array, core_relos, signature */
  opens(ATTR_SIZE, [8, 16, 32, 80, 96, 120, 128, 152], [[PROG_LOAD_LOG_TRUE_SIZE, 4]]),
  /* BPF_OBJ_PIN */ use(OBJ.END, [OBJ.PATHNAME]),
  /* BPF_OBJ_GET */ opens(OBJ.END, [OBJ.PATHNAME]),
  /* BPF_PROG_ATTACH */ ATTACH,
  /* BPF_PROG_DETACH */ ATTACH,
  /* BPF_PROG_TEST_RUN: data_in, data_out, ctx_in, ctx_out; retval, data_size_out, duration, ctx_size_out */
  use(
    76,
    [16, 24, 48, 56],
    [
      [4, 4],
      [12, 4],
      [36, 4],
      [44, 4],
    ],
  ),
  /* BPF_PROG_GET_NEXT_ID */ NEXT_ID,
  /* BPF_MAP_GET_NEXT_ID */ NEXT_ID,
  /* BPF_PROG_GET_FD_BY_ID */ FD_BY_ID,
  /* BPF_MAP_GET_FD_BY_ID */ FD_BY_ID,
  /* BPF_OBJ_GET_INFO_BY_FD */ use(OBJ_INFO.END, [OBJ_INFO.INFO], [[OBJ_INFO.INFO_LEN, 4]]),
  /* BPF_PROG_QUERY: prog_ids, prog_attach_flags, link_ids, link_attach_flags; attach_flags, count, revision */
  use(
    64,
    [16, 32, 40, 48],
    [
      [12, 4],
      [24, 4],
      [56, 8],
    ],
  ),
  /* BPF_RAW_TRACEPOINT_OPEN: name */ opens(24, [0]),
  /* BPF_BTF_LOAD: btf, btf_log_buf */ opens(40, [0, 8], [[BTF_LOAD_LOG_TRUE_SIZE, 4]]),
  /* BPF_BTF_GET_FD_BY_ID */ FD_BY_ID,
  /* BPF_TASK_FD_QUERY: buf; buf_len, prog_id, fd_type, probe_offset, probe_addr */
  use(
    48,
    [16],
    [
      [12, 4],
      [24, 4],
      [28, 4],
      [32, 8],
      [40, 8],
    ],
  ),
  /* BPF_MAP_LOOKUP_AND_DELETE_ELEM */ ELEM,
  /* BPF_MAP_FREEZE */ use(MAP_FREEZE.END),
  /* BPF_BTF_GET_NEXT_ID */ NEXT_ID,
  /* BPF_MAP_LOOKUP_BATCH */ BATCH,
  /* BPF_MAP_LOOKUP_AND_DELETE_BATCH */ BATCH,
  /* BPF_MAP_UPDATE_BATCH */ BATCH,
  /* BPF_MAP_DELETE_BATCH */ BATCH,
  /* BPF_LINK_CREATE */ opens(64),
  /* BPF_LINK_UPDATE */ use(16),
  /* BPF_LINK_GET_FD_BY_ID */ FD_BY_ID,
  /* BPF_LINK_GET_NEXT_ID */ NEXT_ID,
  /* BPF_ENABLE_STATS */ opens(4),
  /* BPF_ITER_CREATE */ opens(8),
  /* BPF_LINK_DETACH */ use(4),
  /* BPF_PROG_BIND_MAP */ use(12),
  /* BPF_TOKEN_CREATE */ opens(8),
  /* BPF_PROG_STREAM_READ_BY_FD: stream_buf */ use(20, [0]),
];

const BPF_LINK_CREATE = 28;
const LINK_CREATE_ATTACH_TYPE = 8;

/** BPF_LINK_CREATE ends in a union: where it holds pointers, by the attach type that chooses the member. */
const LINK_CREATE_BY_ATTACH_TYPE: Readonly<Record<number, AttrUse>> = {
  /* BPF_TRACE_ITER: iter_info */ 28: opens(64, [16]),
  /* BPF_TRACE_KPROBE_MULTI: syms, addrs, cookies */ 42: opens(64, [24, 32, 40]),
  /* BPF_TRACE_UPROBE_MULTI: path, offsets, ref_ctr_offsets, cookies */ 48: opens(64, [16, 24, 32, 40]),
  /* BPF_TRACE_KPROBE_SESSION */ 56: opens(64, [24, 32, 40]),
  /* BPF_TRACE_UPROBE_SESSION */ 57: opens(64, [16, 24, 32, 40]),
};

/**
 * What `bpf(2)` does with the attr of a command, or `undefined` for a command that Linux 6.18 does not have. `attr`
 * is the attr itself, of which BPF_LINK_CREATE's attach type is read.
 */
export function attrUse(command: number, attr: DataView): AttrUse | undefined {
  if (command !== BPF_LINK_CREATE) return COMMANDS[command];
  return LINK_CREATE_BY_ATTACH_TYPE[attr.getUint32(LINK_CREATE_ATTACH_TYPE, true)] ?? COMMANDS[BPF_LINK_CREATE];
}

/** What an fd of `bpf(2)` refers to. */
export type BpfObjectKind = "map" | "prog" | "btf" | "link";

/**
 * The fields of the info structs that BPF_OBJ_GET_INFO_BY_FD follows, as offsets of 8 bytes, ascending: `hash`; the
 * instructions, ids, symbols, lengths, lines and tags of a program; `btf` and `name`. A link's info is a union whose
 * members hold pointers at any of its offsets.
 */
export const INFO_POINTERS: Readonly<Record<BpfObjectKind, readonly number[]>> = {
  map: [MAP_INFO.HASH],
  prog: [24, 32, 56, 112, 120, 136, 152, 160, 184],
  btf: [0, 16],
  link: [16, 24, 32, 40],
};
