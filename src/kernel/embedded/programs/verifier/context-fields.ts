import {
  BPF_PROG_TYPE_CGROUP_DEVICE,
  BPF_PROG_TYPE_CGROUP_SKB,
  BPF_PROG_TYPE_CGROUP_SOCK,
  BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
  BPF_PROG_TYPE_CGROUP_SOCKOPT,
  BPF_PROG_TYPE_CGROUP_SYSCTL,
  BPF_PROG_TYPE_FLOW_DISSECTOR,
  BPF_PROG_TYPE_KPROBE,
  BPF_PROG_TYPE_LWT_IN,
  BPF_PROG_TYPE_LWT_OUT,
  BPF_PROG_TYPE_LWT_SEG6LOCAL,
  BPF_PROG_TYPE_LWT_XMIT,
  BPF_PROG_TYPE_PERF_EVENT,
  BPF_PROG_TYPE_RAW_TRACEPOINT,
  BPF_PROG_TYPE_SCHED_ACT,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_SK_LOOKUP,
  BPF_PROG_TYPE_SK_MSG,
  BPF_PROG_TYPE_SK_REUSEPORT,
  BPF_PROG_TYPE_SK_SKB,
  BPF_PROG_TYPE_SOCK_OPS,
  BPF_PROG_TYPE_SOCKET_FILTER,
  BPF_PROG_TYPE_SYSCALL,
  BPF_PROG_TYPE_TRACEPOINT,
  BPF_PROG_TYPE_XDP,
} from "../../../../abi/prog-types.ts";

/** What a load from the context gives when it is no number. */
export type ContextPointer = "packet" | "packet_meta" | "packet_end" | "sock" | "sock_or_null";

/** A part of a context that programs may touch: accesses within it, of these sizes, each aligned to its size. */
export interface ContextField {
  readonly from: number;
  readonly to: number;
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly pointer: ContextPointer | undefined;
}

/*
 * Field by field what Linux 6.18 lets programs of each type do, as it answered when every access at every offset was tried
 * (`is_valid_access` of each type's `struct bpf_verifier_ops`): `8-12 r124 w4` is, from byte 8 up to 12, loads of 1, 2 and 4
 * bytes and stores of 4.
 */
const SKB_CB = "48-64 r1248 w1248, 64-68 r124 w124, 68-72 r124";
const SKB_PACKET = "76-80 r4 packet, 80-84 r4 packet_end";
const SKB_SOCK = "164-168 r124, 168-176 r8 sock_or_null, 176-180 r124";
const SKB_FAMILY = "84-92 r124, 92-132 r4, 132-140 r124";

const SOCKET_FILTER = `0-48 r124, ${SKB_CB}, 84-88 r124, ${SKB_SOCK}`;
const SCHED = `0-8 r124, 8-16 r124 w4, 16-32 r124, 32-36 r124 w4, 36-44 r124, 44-48 r124 w4, ${SKB_CB}, 72-76 r124 w4,
  ${SKB_PACKET}, 84-88 r124, 140-144 r4 packet_meta, 152-160 r8 w8, 160-164 r124, ${SKB_SOCK}, 180-181 r1, 184-192 r8`;
const CGROUP_SKB = `0-8 r124, 8-12 r124 w4, 12-32 r124, 32-36 r124 w4, 36-48 r124, ${SKB_CB}, ${SKB_PACKET}, ${SKB_FAMILY},
  152-160 r8 w8, ${SKB_SOCK}, 184-192 r8`;
const LWT = `0-8 r124, 8-12 r124 w4, 12-32 r124, 32-36 r124 w4, 36-48 r124, ${SKB_CB}, ${SKB_PACKET}, 84-88 r124, ${SKB_SOCK}`;
const SK_SKB = `0-8 r124, 12-32 r124, 32-36 r124 w4, 36-44 r124, 44-48 r124 w4, 48-64 r1248, 64-72 r124, ${SKB_PACKET},
  ${SKB_FAMILY}, ${SKB_SOCK}`;
/** Of some words of a socket only the first bytes can be read on their own. */
const SOCK_WORDS = "4-5 r1, 4-6 r2, 4-8 r4, 8-9 r1, 8-10 r2, 8-12 r4, 12-13 r1, 12-14 r2, 12-16 r4";
const SOCK_STATE =
  "48-50 r1, 48-50 r2, 48-52 r4, 52-72 r124, 72-73 r1, 72-74 r2, 72-76 r4, 76-77 r1, 76-78 r2, 76-80 r4";
const SOCK_CREATE = `0-4 r4 w4, ${SOCK_WORDS}, 16-24 r4 w4, ${SOCK_STATE}`;
const SOCK_BIND4 = `${SOCK_WORDS}, 24-28 r124, 44-45 r1, 44-46 r2, 44-48 r4, ${SOCK_STATE}`;
const SOCK_BIND6 = `${SOCK_WORDS}, 28-44 r124, 44-45 r1, 44-46 r2, 44-48 r4, ${SOCK_STATE}`;
const ADDR_REST = "24-28 r124 w4, 28-40 r4, 64-72 r8 sock";
const ADDR4 = `0-4 r4, 4-8 r124 w4, ${ADDR_REST}`;
const ADDR6 = `0-4 r4, 8-24 r1248 w48, ${ADDR_REST}`;
const ADDR_UNIX = `0-4 r4, 24-40 r4, 64-72 r8 sock`;
const SOCKOPT = "0-8 r8 sock, 8-16 r8 packet, 16-24 r8 packet_end";

const FIELDS: Readonly<Record<number, string>> = {
  [BPF_PROG_TYPE_SOCKET_FILTER]: SOCKET_FILTER,
  [BPF_PROG_TYPE_KPROBE]: "0-168 r1248",
  [BPF_PROG_TYPE_SCHED_CLS]: SCHED,
  [BPF_PROG_TYPE_SCHED_ACT]: SCHED,
  [BPF_PROG_TYPE_TRACEPOINT]: "8-8192 r1248",
  [BPF_PROG_TYPE_XDP]: "0-4 r4 packet, 4-8 r4 packet_end, 8-12 r4 packet_meta, 12-20 r4",
  [BPF_PROG_TYPE_PERF_EVENT]: "0-168 r8, 168-184 r1248",
  [BPF_PROG_TYPE_CGROUP_SKB]: CGROUP_SKB,
  [BPF_PROG_TYPE_CGROUP_SOCK]: SOCK_CREATE,
  [BPF_PROG_TYPE_LWT_IN]: LWT,
  [BPF_PROG_TYPE_LWT_OUT]: LWT,
  [BPF_PROG_TYPE_LWT_XMIT]: LWT,
  [BPF_PROG_TYPE_SOCK_OPS]: `0-4 r4, 4-8 r4 w4, 8-164 r4, 164-168 r4 w4, 168-184 r8, 184-192 r8 sock_or_null,
    192-200 r8 packet, 200-208 r8 packet_end, 208-212 r4, 212-213 r1, 212-214 r2, 212-216 r4, 216-224 r8`,
  [BPF_PROG_TYPE_SK_SKB]: SK_SKB,
  [BPF_PROG_TYPE_CGROUP_DEVICE]: "0-4 r124, 4-12 r4",
  [BPF_PROG_TYPE_SK_MSG]: "0-8 r8 packet, 8-16 r8 packet_end, 16-72 r4, 72-80 r8 sock",
  [BPF_PROG_TYPE_RAW_TRACEPOINT]: "0-96 r1248",
  [BPF_PROG_TYPE_CGROUP_SOCK_ADDR]: "",
  [BPF_PROG_TYPE_LWT_SEG6LOCAL]: LWT,
  [BPF_PROG_TYPE_SK_REUSEPORT]: `0-8 r8 packet, 8-16 r8 packet_end, 16-20 r124, 20-24 r24, 24-32 r124, 32-36 r4, 40-48 r8 sock,
    48-56 r8 sock_or_null`,
  [BPF_PROG_TYPE_FLOW_DISSECTOR]: SKB_PACKET,
  [BPF_PROG_TYPE_CGROUP_SYSCTL]: "0-4 r124, 4-8 r124 w4",
  [BPF_PROG_TYPE_CGROUP_SOCKOPT]: `${SOCKOPT}, 24-32 r4, 32-40 r4 w4`,
  [BPF_PROG_TYPE_SK_LOOKUP]: "0-8 r8 sock_or_null, 8-68 r124",
  [BPF_PROG_TYPE_SYSCALL]: "0-65535 r1248 w1248",
};

/** Where it depends on what the program is to be attached to: by program type, then by `expected_attach_type`. */
function byAttachType(): Readonly<Record<number, Readonly<Record<number, string>>>> {
  return {
    [BPF_PROG_TYPE_CGROUP_SOCK]: { 12: SOCK_BIND4, 13: SOCK_BIND6 },
    [BPF_PROG_TYPE_CGROUP_SOCK_ADDR]: {
      ...Object.fromEntries([8, 10, 19, 29, 31].map((type) => [type, ADDR4])),
      ...Object.fromEntries([9, 11, 20, 30, 32].map((type) => [type, ADDR6])),
      14: `${ADDR4}, 40-44 r124 w4`,
      15: `${ADDR6}, 44-48 r124 w4, 48-56 r1248 w48, 56-60 r124 w4`,
      ...Object.fromEntries([48, 49, 50, 51, 52, 53].map((type) => [type, ADDR_UNIX])),
    },
    [BPF_PROG_TYPE_CGROUP_SOCKOPT]: { 22: `${SOCKOPT}, 24-36 r4 w4` },
  };
}

let ofAttachType: ReturnType<typeof byAttachType> | undefined;
const parsed = new Map<string, readonly ContextField[]>();

/** The fields of the context of a program, or `undefined` for a type that the embedded kernel does not verify. */
export function contextFields(programType: number, expectedAttachType: number): readonly ContextField[] | undefined {
  ofAttachType ??= byAttachType();
  const text = ofAttachType[programType]?.[expectedAttachType] ?? FIELDS[programType];
  if (text === undefined) return undefined;
  let fields = parsed.get(text);
  if (fields === undefined) {
    fields = text === "" ? [] : text.split(",").map(parseField);
    parsed.set(text, fields);
  }
  return fields;
}

function parseField(text: string): ContextField {
  const [range = "", ...rest] = text.trim().split(/\s+/);
  const [from, to] = range.split("-").map(Number) as [number, number];
  const sizes = (letter: string): number[] => {
    const word = rest.find((part) => part.startsWith(letter) && /^[rw]\d+$/.test(part));
    return [...(word ?? "").slice(1)].map(Number);
  };
  const pointer = rest.find((part) => !/^[rw]\d+$/.test(part)) as ContextPointer | undefined;
  return { from, to, reads: sizes("r"), writes: sizes("w"), pointer };
}
