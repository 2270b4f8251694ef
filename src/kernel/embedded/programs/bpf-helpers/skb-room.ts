import { SK_BUFF } from "../../../../abi/contexts.ts";
import { EALREADY, EFAULT, EINVAL, ENOMEM, ENOTSUPP } from "../../../../abi/errno.ts";
import type { Address } from "../../../../memory/address-space.ts";
import type { ProgramHost } from "../program-host.ts";
import type { HelperFunction } from "./helper-function.ts";
import { SkBuff } from "./sk-buff.ts";

/** ETH_P_IP and ETH_P_IPV6 in network byte order, and the bytes of the headers without options. */
const IPV4 = 0x0008;
const IPV6 = 0xdd86;
const HEADER_SIZE: Readonly<Record<number, number>> = { [IPV4]: 20, [IPV6]: 40 };
const ETH_HLEN = 14;

/** `BPF_ADJ_ROOM_NET`, `BPF_ADJ_ROOM_MAC`: what stays before the room, the network header or the link header alone. */
const ROOM_NET = 0;
const ROOM_MAC = 1;
const MOST_ROOM = 0xfff;
/** `BPF_F_ADJ_ROOM_…`. */
const ENCAP_IPV4 = 1 << 1;
const ENCAP_IPV6 = 1 << 2;
const ENCAP_GRE = 1 << 3;
const ENCAP_UDP = 1 << 4;
const NO_CSUM_RESET = 1 << 5;
const ENCAP_ETH = 1 << 6;
const DECAP_IPV4 = 1 << 7;
const DECAP_IPV6 = 1 << 8;
const ALL_FLAGS = 0x1ff;
const SHRINK_FLAGS = 1 | NO_CSUM_RESET | DECAP_IPV4 | DECAP_IPV6;
/** The length of an inner link header stands in the uppermost 8 of the 64 bits. */
const INNER_MAC_SHIFT = 24;

/** Makes room behind the first bytes of a packet, which is zeroed, or takes it away: `bpf_skb_net_hdr_push`, `bpf_skb_net_hdr_pop`. */
function moveHeaders(host: ProgramHost, skb: SkBuff, headers: number, room: number): number {
  const { current } = host.packets;
  const data = skb.data - room;
  if (room > 0 ? data < current.head : headers - room > skb.length) return -ENOMEM;
  const { u8 } = host.memory;
  u8.copyWithin(data, skb.data, skb.data + headers);
  if (room > 0) u8.fill(0, data + headers, data + headers + room);
  skb.place(data, skb.end);
  const [macHeader, networkHeader] = [current.macHeader - room, current.networkHeader - room];
  host.packets.current = { ...current, macHeader, networkHeader };
  return 0;
}

/** bpf_skb_change_proto, from one version of IP to the other: `net/core/filter.c: bpf_skb_proto_xlat`, 6.18. */
export const SKB_CHANGE_PROTO: HelperFunction = {
  takes: ["u32", "u32", "u64"],
  answers: "s32",
  make: (host) => (ctx, to, flags) => {
    if (flags !== 0) return -EINVAL;
    const skb = new SkBuff(host, ctx as number);
    const protocol = (to as number) & 0xffff;
    const [before, after] = [HEADER_SIZE[skb.field(SK_BUFF.PROTOCOL)], HEADER_SIZE[protocol]];
    if (before === undefined || after === undefined || before === after) return -ENOTSUPP;
    const { macHeader, networkHeader } = host.packets.current;
    const result = moveHeaders(host, skb, networkHeader - macHeader, after - before);
    if (result !== 0) return result;
    skb.setField(SK_BUFF.PROTOCOL, protocol);
    skb.setField(SK_BUFF.HASH, 0);
    return 0;
  },
};

/** What bpf_skb_adjust_room is asked for. */
interface Adjustment {
  /** Bytes, fewer than 0 to take them away. */
  readonly room: number;
  readonly mode: number;
  readonly flags: number;
  readonly innerMac: number;
}

/** bpf_skb_adjust_room: `net/core/filter.c: bpf_skb_adjust_room`, 6.18. */
export const SKB_ADJUST_ROOM: HelperFunction = {
  takes: ["u32", "s32", "u32", "halves"],
  answers: "s32",
  make: (host) => (ctx, room, mode, low, high) => {
    const innerMac = (high as number) >>> INNER_MAC_SHIFT;
    if (((low as number) & ~ALL_FLAGS) !== 0 || (high as number) % 2 ** INNER_MAC_SHIFT !== 0) return -EINVAL;
    const adjustment = { room: room as number, mode: mode as number, flags: low as number, innerMac };
    return adjustRoom(host, ctx as number, adjustment);
  },
};

function adjustRoom(host: ProgramHost, ctx: Address, adjustment: Adjustment): number {
  const { room, mode, flags } = adjustment;
  const skb = new SkBuff(host, ctx);
  if (Math.abs(room) > MOST_ROOM) return -EFAULT;
  const base = HEADER_SIZE[skb.field(SK_BUFF.PROTOCOL)];
  if (base === undefined || (mode !== ROOM_NET && mode !== ROOM_MAC)) return -ENOTSUPP;
  const least = leastRest(base, adjustment);
  if (least < 0) return least;
  const { macHeader, networkHeader } = host.packets.current;
  const rest = skb.length - (networkHeader - skb.data) + room;
  if (room < 0 && (rest <= 0 || rest < least)) return -ENOTSUPP;
  const refusal = room < 0 ? shrinkRefusal(flags) : encapRefusal(host, adjustment);
  if (refusal !== 0) return refusal;
  const headers = networkHeader - macHeader + (mode === ROOM_NET ? base : 0);
  const result = moveHeaders(host, skb, headers, room);
  if (result !== 0) return result;
  const { current } = host.packets;
  const isEncapsulated = current.isEncapsulated || (flags & (ENCAP_IPV4 | ENCAP_IPV6)) !== 0;
  const checksumLevel = (flags & NO_CSUM_RESET) === 0 ? undefined : current.checksumLevel;
  host.packets.current = { ...current, isEncapsulated, checksumLevel };
  if ((flags & (ENCAP_IPV4 | DECAP_IPV4)) !== 0) skb.setField(SK_BUFF.PROTOCOL, IPV4);
  if ((flags & (ENCAP_IPV6 | DECAP_IPV6)) !== 0) skb.setField(SK_BUFF.PROTOCOL, IPV6);
  return 0;
}

/** The network header that must be left behind the link header: that of the inner packet, when one is said. */
function leastRest(base: number, { flags, room }: Adjustment): number {
  const decap = flags & (DECAP_IPV4 | DECAP_IPV6);
  if (decap === 0) return base;
  if (room >= 0) return -EINVAL;
  if (decap === DECAP_IPV4) return HEADER_SIZE[IPV4] as number;
  return decap === DECAP_IPV6 ? (HEADER_SIZE[IPV6] as number) : -EINVAL;
}

function shrinkRefusal(flags: number): number {
  return (flags & ~SHRINK_FLAGS) === 0 ? 0 : -EINVAL;
}

function encapRefusal(host: ProgramHost, { flags, room, innerMac }: Adjustment): number {
  const has = (bits: number): boolean => (flags & bits) === bits;
  if ((flags & (ENCAP_IPV4 | ENCAP_IPV6)) === 0) return 0;
  if (has(ENCAP_IPV4 | ENCAP_IPV6) || has(ENCAP_GRE | ENCAP_UDP)) return -EINVAL;
  if (has(ENCAP_ETH) && innerMac < ETH_HLEN) return -EINVAL;
  if (host.packets.current.isEncapsulated) return -EALREADY;
  return innerMac > room ? -EINVAL : 0;
}
