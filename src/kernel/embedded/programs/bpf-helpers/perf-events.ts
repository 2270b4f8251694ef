import { SK_BUFF } from "../../../../abi/contexts.ts";
import { E2BIG, EFAULT, EINVAL, ENOENT, ENOTSUP } from "../../../../abi/errno.ts";
import {
  BPF_PROG_TYPE_CGROUP_SKB,
  BPF_PROG_TYPE_LWT_IN,
  BPF_PROG_TYPE_LWT_OUT,
  BPF_PROG_TYPE_LWT_XMIT,
  BPF_PROG_TYPE_SCHED_ACT,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_SOCKET_FILTER,
  BPF_PROG_TYPE_XDP,
} from "../../../../abi/prog-types.ts";
import type { Address } from "../../../../memory/address-space.ts";
import type { EmbeddedMap } from "../../map-ops.ts";
import type { PerfEventArrayMap } from "../../maps/perf-event-array.ts";
import type { Bytes, PerfEvent } from "../../perf-event.ts";
import type { ProgramHost } from "../program-host.ts";
import type { HelperFunction } from "./helper-function.ts";
import { forEachXdpPiece, xdpLength } from "./packet-bytes.ts";

const U32 = 2 ** 32;
/** `BPF_F_INDEX_MASK`, and `BPF_F_CURRENT_CPU`, which is all of it. */
const INDEX_MASK = U32 - 1;
/** `BPF_F_CTXLEN_MASK`, above the index: how much of the packet goes with the record. */
const CONTEXT_LENGTH = 2 ** 20;

const ON_SKBS: ReadonlySet<number> = new Set([
  BPF_PROG_TYPE_SOCKET_FILTER,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_SCHED_ACT,
  BPF_PROG_TYPE_CGROUP_SKB,
  BPF_PROG_TYPE_LWT_IN,
  BPF_PROG_TYPE_LWT_OUT,
  BPF_PROG_TYPE_LWT_XMIT,
]);

/** The event at an index, which may be that of the CPU; `−errno`. */
function eventAt(host: ProgramHost, map: EmbeddedMap, flags: number): PerfEvent | number {
  const index = flags % U32;
  const at = index === INDEX_MASK ? host.cpu : index;
  if (at >= map.maxEntries) return -E2BIG;
  return (map as PerfEventArrayMap).eventAt(at) ?? -ENOENT;
}

/**
 * bpf_perf_event_output: `kernel/trace/bpf_trace.c: bpf_perf_event_output`, and in `net/core/filter.c`
 * `bpf_skb_event_output` and `bpf_xdp_event_output`, 6.18. A record longer than its header can say, which Linux writes over
 * others, is lost here.
 */
export const PERF_EVENT_OUTPUT: HelperFunction = {
  takes: ["u32", "map", "u64", "u32", "u32"],
  answers: "s64",
  make: (host, { type }, map) => {
    const packetOf = type === BPF_PROG_TYPE_XDP ? xdpBytes : ON_SKBS.has(type) ? skbBytes : undefined;
    return (ctx, flags, data, size) => {
      if ((flags as number) >= (packetOf === undefined ? U32 : U32 * CONTEXT_LENGTH)) return -EINVAL;
      const bytes = Math.floor((flags as number) / U32);
      const packet = packetOf?.(host, ctx as number, bytes) ?? [];
      if (packet === "too short") return -EFAULT;
      const event = eventAt(host, map, flags as number);
      if (typeof event === "number") return event;
      if (event.cpu !== host.cpu) return -ENOTSUP;
      return event.output([{ at: data as number, bytes: size as number }, ...packet]);
    };
  },
};

function xdpBytes(host: ProgramHost, ctx: Address, bytes: number): readonly Bytes[] | "too short" {
  if (bytes > xdpLength(host, ctx)) return "too short";
  const pieces: Bytes[] = [];
  forEachXdpPiece(host, ctx, 0, bytes, (at, _done, length) => pieces.push({ at, bytes: length }));
  return pieces;
}

function skbBytes({ memory }: ProgramHost, ctx: Address, bytes: number): readonly Bytes[] | "too short" {
  const at = memory.view.getUint32(ctx + SK_BUFF.DATA, true);
  return bytes > memory.view.getUint32(ctx + SK_BUFF.LEN, true) ? "too short" : [{ at, bytes }];
}

/** bpf_perf_event_read: what such events count is nothing. */
export const PERF_EVENT_READ: HelperFunction = {
  takes: ["map", "u64"],
  answers: "s64",
  make: (host, _program, map) => (flags) => {
    if ((flags as number) >= U32) return -EINVAL;
    const event = eventAt(host, map, flags as number);
    if (typeof event === "number") return event;
    return event.cpu === host.cpu ? 0 : -EINVAL;
  },
};

/** `struct bpf_perf_event_value`. */
const VALUE = { ENABLED: 8, RUNNING: 16, SIZE: 24 } as const;

/** bpf_perf_event_read_value: nothing, and for how long. What fails clears the value. */
export const PERF_EVENT_READ_VALUE: HelperFunction = {
  takes: ["map", "u64", "u32", "u32"],
  answers: "s64",
  make: (host, program, map) => {
    const read = PERF_EVENT_READ.make(host, program, map);
    return (flags, value, size) => {
      const at = value as number;
      host.memory.u8.fill(0, at, at + (size as number));
      if (size !== VALUE.SIZE) return -EINVAL;
      const result = read(flags as number);
      const event = result < 0 ? result : eventAt(host, map, flags as number);
      if (typeof event === "number") return event;
      const time = BigInt(Math.floor(host.clock.monotonic() - event.openedAt));
      host.memory.view.setBigUint64(at + VALUE.ENABLED, time, true);
      host.memory.view.setBigUint64(at + VALUE.RUNNING, time, true);
      return 0;
    };
  },
};
