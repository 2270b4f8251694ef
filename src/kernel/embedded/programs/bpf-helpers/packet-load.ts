import { SK_BUFF } from "../../../../abi/contexts.ts";
import type { ProgramHost } from "../program-host.ts";

/** Classic BPF counts from the network header with offsets from this on: `SKF_NET_OFF`. */
const SKF_NET_OFF = -0x100000;
/** And from the link header from this on: `SKF_LL_OFF`. */
const SKF_LL_OFF = -0x200000;

/**
 * What a packet load reads: the number in network byte order at an offset in the packet of a context, or −1 when it is not
 * all inside. `net/core/filter.c: bpf_skb_load_helper_8` and its like, 6.18.
 */
export function loadPacket({ memory, packets }: ProgramHost): (ctx: number, offset: number, bytes: number) => number {
  return (ctx, offset, bytes) => {
    const { view } = memory;
    const { head, macHeader, networkHeader } = packets.current;
    let at = view.getUint32(ctx + SK_BUFF.DATA, true) + offset;
    if (offset < SKF_LL_OFF) return -1;
    if (offset < SKF_NET_OFF) at = macHeader + (offset - SKF_LL_OFF);
    else if (offset < 0) at = networkHeader + (offset - SKF_NET_OFF);
    if (at < head || at + bytes > view.getUint32(ctx + SK_BUFF.DATA_END, true)) return -1;
    if (bytes === 1) return view.getUint8(at);
    return bytes === 2 ? view.getUint16(at) : view.getUint32(at);
  };
}
