import { XDP_MD } from "../../../../abi/contexts.ts";
import { EACCES, EINVAL } from "../../../../abi/errno.ts";
import type { Address } from "../../../../memory/address-space.ts";
import { PAGE_SIZE } from "../../../../memory/page-allocator.ts";
import type { ProgramHost } from "../program-host.ts";
import type { HelperFunction } from "./helper-function.ts";
import { xdpLength } from "./packet-bytes.ts";

/** What Linux keeps at the beginning of the buffer: `struct xdp_frame`. */
const XDP_FRAME = 40;
const ETH_HLEN = 14;
const MOST_META = 255;

/** Where a packet and its meta data lie. */
interface Bounds {
  readonly data: Address;
  readonly end: Address;
  readonly meta: Address;
}

function boundsOf({ memory }: ProgramHost, ctx: Address): Bounds {
  const { view } = memory;
  return {
    data: view.getUint32(ctx + XDP_MD.DATA, true),
    end: view.getUint32(ctx + XDP_MD.DATA_END, true),
    meta: view.getUint32(ctx + XDP_MD.DATA_META, true),
  };
}

/** bpf_xdp_adjust_head: the meta data go with it. `net/core/filter.c: bpf_xdp_adjust_head`, 6.18. */
export const XDP_ADJUST_HEAD: HelperFunction = {
  takes: ["u32", "s32"],
  answers: "s32",
  make: (host) => (context, delta) => {
    const ctx = context as number;
    const { data, end, meta } = boundsOf(host, ctx);
    const bytes = data - meta;
    const start = data + (delta as number);
    if (start < host.packets.current.head + XDP_FRAME + bytes || start > end - ETH_HLEN) return -EINVAL;
    const { u8, view } = host.memory;
    if (bytes > 0) u8.copyWithin(start - bytes, meta, data);
    view.setUint32(ctx + XDP_MD.DATA, start, true);
    view.setUint32(ctx + XDP_MD.DATA_META, start - bytes, true);
    return 0;
  },
};

/** bpf_xdp_adjust_meta: `net/core/filter.c: bpf_xdp_adjust_meta`, 6.18. */
export const XDP_ADJUST_META: HelperFunction = {
  takes: ["u32", "s32"],
  answers: "s32",
  make: (host) => (context, delta) => {
    const ctx = context as number;
    const { data, meta } = boundsOf(host, ctx);
    const start = meta + (delta as number);
    if (start < host.packets.current.head + XDP_FRAME || start > data) return -EINVAL;
    const bytes = data - start;
    if (bytes % 4 !== 0 || bytes > MOST_META) return -EACCES;
    host.memory.view.setUint32(ctx + XDP_MD.DATA_META, start, true);
    return 0;
  },
};

/** bpf_xdp_adjust_tail: what is added is 0. A packet of several buffers changes at the end of its last one. */
export const XDP_ADJUST_TAIL: HelperFunction = {
  takes: ["u32", "s32"],
  answers: "s32",
  make: (host) => (context, delta) => {
    const ctx = context as number;
    const { fragments } = host.packets.current;
    if (fragments.bytes > 0) return adjustFragments(host, ctx, delta as number);
    const { data, end } = boundsOf(host, ctx);
    const to = end + (delta as number);
    if (to > host.packets.current.end || to < data + ETH_HLEN) return -EINVAL;
    if (to > end) host.memory.u8.fill(0, end, to);
    host.memory.view.setUint32(ctx + XDP_MD.DATA_END, to, true);
    return 0;
  },
};

/** A packet grows to the end of the page in which it ends, and shrinks into its first buffer: `bpf_xdp_frags_increase_tail`, `bpf_xdp_frags_shrink_tail`. */
function adjustFragments(host: ProgramHost, ctx: Address, delta: number): number {
  const { fragments } = host.packets.current;
  const { u8, view } = host.memory;
  if (delta >= 0) {
    const last = fragments.bytes % PAGE_SIZE || PAGE_SIZE;
    if (delta > PAGE_SIZE - last) return -EINVAL;
    const end = fragments.start + fragments.bytes;
    u8.fill(0, end, end + delta);
    fragments.bytes += delta;
    return 0;
  }
  if (xdpLength(host, ctx) + delta < ETH_HLEN) return -EINVAL;
  const taken = Math.min(-delta, fragments.bytes);
  fragments.bytes -= taken;
  view.setUint32(ctx + XDP_MD.DATA_END, boundsOf(host, ctx).end + delta + taken, true);
  return 0;
}
