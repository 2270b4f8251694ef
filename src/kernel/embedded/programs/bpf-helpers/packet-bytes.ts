import { SK_BUFF, XDP_MD } from "../../../../abi/contexts.ts";
import { EFAULT, EINVAL } from "../../../../abi/errno.ts";
import type { ProgramHost } from "../program-host.ts";
import type { HelperFunction } from "./helper-function.ts";

const U16_MAX = 0xffff;
const INT_MAX = 0x7fffffff;
/** `BPF_F_RECOMPUTE_CSUM`, `BPF_F_INVALIDATE_HASH`. */
const STORE_FLAGS = 3;
const FROM_MAC_HEADER = 0;
const FROM_NETWORK_HEADER = 1;

/** bpf_skb_load_bytes: what is not all there clears the destination. `net/core/filter.c`, 6.18. */
export const SKB_LOAD_BYTES: HelperFunction = {
  takes: ["u32", "u32", "u32", "u32"],
  answers: "s32",
  make: (host) => (ctx, offset, to, length) => {
    const start = host.memory.view.getUint32((ctx as number) + SK_BUFF.DATA, true);
    const from = (offset as number) > INT_MAX ? -1 : start + (offset as number);
    return load(host, from, to as number, length as number, endOf(host, ctx as number));
  },
};

/** bpf_skb_load_bytes_relative: from a header of the packet. */
export const SKB_LOAD_BYTES_RELATIVE: HelperFunction = {
  takes: ["u32", "u32", "u32", "u32", "u32"],
  answers: "s32",
  make: (host) => (ctx, offset, to, length, header) => {
    const { macHeader, networkHeader } = host.packets.current;
    let from = -1;
    if ((offset as number) <= U16_MAX) {
      if (header === FROM_MAC_HEADER) from = macHeader + (offset as number);
      if (header === FROM_NETWORK_HEADER) from = networkHeader + (offset as number);
    }
    return load(host, from, to as number, length as number, endOf(host, ctx as number));
  },
};

/** bpf_skb_store_bytes. */
export const SKB_STORE_BYTES: HelperFunction = {
  takes: ["u32", "u32", "u32", "u32", "u64"],
  answers: "s32",
  make: (host) => (ctx, offset, from, length, flags) => {
    if ((flags as number) > STORE_FLAGS) return -EINVAL;
    const to = host.memory.view.getUint32((ctx as number) + SK_BUFF.DATA, true) + (offset as number);
    if ((offset as number) > INT_MAX || to + (length as number) > endOf(host, ctx as number)) return -EFAULT;
    host.memory.u8.copyWithin(to, from as number, (from as number) + (length as number));
    return 0;
  },
};

function endOf({ memory }: ProgramHost, ctx: number): number {
  return memory.view.getUint32(ctx + SK_BUFF.DATA_END, true);
}

function load({ memory }: ProgramHost, from: number, to: number, length: number, end: number): number {
  if (from >= 0 && from + length <= end) {
    memory.u8.copyWithin(to, from, from + length);
    return 0;
  }
  memory.u8.fill(0, to, to + length);
  return -EFAULT;
}

/** bpf_xdp_get_buff_len. */
export const XDP_GET_BUFF_LEN: HelperFunction = {
  takes: ["u32"],
  answers: "s64",
  make: (host) => (ctx) => xdpLength(host, ctx as number),
};

/** bpf_xdp_load_bytes. */
export const XDP_LOAD_BYTES: HelperFunction = {
  takes: ["u32", "u32", "u32", "u32"],
  answers: "s32",
  make: (host) => (ctx, offset, to, length) => {
    const refusal = xdpRefusal(host, ctx as number, offset as number, length as number);
    if (refusal !== 0) return refusal;
    forEachXdpPiece(host, ctx as number, offset as number, length as number, (at, done, bytes) => {
      host.memory.u8.copyWithin((to as number) + done, at, at + bytes);
    });
    return 0;
  },
};

/** bpf_xdp_store_bytes. */
export const XDP_STORE_BYTES: HelperFunction = {
  takes: ["u32", "u32", "u32", "u32"],
  answers: "s32",
  make: (host) => (ctx, offset, from, length) => {
    const refusal = xdpRefusal(host, ctx as number, offset as number, length as number);
    if (refusal !== 0) return refusal;
    forEachXdpPiece(host, ctx as number, offset as number, length as number, (at, done, bytes) => {
      host.memory.u8.copyWithin(at, (from as number) + done, (from as number) + done + bytes);
    });
    return 0;
  },
};

/** The bytes of a packet, in all its buffers. */
export function xdpLength(host: ProgramHost, ctx: number): number {
  return linearLength(host, ctx) + host.packets.current.fragments.bytes;
}

function linearLength({ memory }: ProgramHost, ctx: number): number {
  return memory.view.getUint32(ctx + XDP_MD.DATA_END, true) - memory.view.getUint32(ctx + XDP_MD.DATA, true);
}

/** Why a stretch of a packet cannot be reached: both are of 16 bits, and end inside it. `bpf_xdp_pointer`. */
function xdpRefusal(host: ProgramHost, ctx: number, offset: number, length: number): number {
  if (offset > U16_MAX || length > U16_MAX) return -EFAULT;
  return offset + length <= xdpLength(host, ctx) ? 0 : -EINVAL;
}

/** Calls a function with the parts of a stretch of the packet that lie together: in the first buffer, and behind it. */
export function forEachXdpPiece(
  host: ProgramHost,
  ctx: number,
  offset: number,
  length: number,
  call: (at: number, done: number, bytes: number) => void,
): void {
  const linear = linearLength(host, ctx);
  const first = Math.max(0, Math.min(length, linear - offset));
  const data = host.memory.view.getUint32(ctx + XDP_MD.DATA, true);
  if (first > 0) call(data + offset, 0, first);
  const { start } = host.packets.current.fragments;
  if (first < length) call(start + offset + first - linear, first, length - first);
}
