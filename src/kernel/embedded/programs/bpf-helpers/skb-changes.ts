import { SK_BUFF } from "../../../../abi/contexts.ts";
import { EINVAL, ENOMEM, ENOTSUP } from "../../../../abi/errno.ts";
import type { ProgramHost } from "../program-host.ts";
import type { HelperFunction } from "./helper-function.ts";
import { SkBuff } from "./sk-buff.ts";

/** `BPF_SKB_MAX_LEN`: what a packet may become. */
const MOST_BYTES = 65535;
const ETH_HLEN = 14;

/** bpf_skb_pull_data: every packet here lies in one piece already. */
export const SKB_PULL_DATA: HelperFunction = {
  takes: ["u32", "u32"],
  answers: "s32",
  make: (host) => (ctx, length) => ((length as number) <= new SkBuff(host, ctx as number).length ? 0 : -ENOMEM),
};

/** bpf_skb_change_tail: what is added is 0. `net/core/filter.c: __bpf_skb_change_tail`, 6.18. */
export const SKB_CHANGE_TAIL: HelperFunction = {
  takes: ["u32", "u32", "u64"],
  answers: "s32",
  make: (host) => (ctx, length, flags) => {
    const skb = new SkBuff(host, ctx as number);
    const least = host.packets.current.networkHeader - skb.data;
    if (flags !== 0 || (length as number) > MOST_BYTES || (length as number) < least) return -EINVAL;
    const end = skb.data + (length as number);
    if (end > host.packets.current.end) return -ENOMEM;
    if (end > skb.end) host.memory.u8.fill(0, skb.end, end);
    skb.place(skb.data, end);
    return 0;
  },
};

/** bpf_skb_change_head: `net/core/filter.c: __bpf_skb_change_head`, 6.18. */
export const SKB_CHANGE_HEAD: HelperFunction = {
  takes: ["u32", "u32", "u64"],
  answers: "s32",
  make: (host) => (ctx, room, flags) => {
    const skb = new SkBuff(host, ctx as number);
    if (flags !== 0 || skb.length + (room as number) > MOST_BYTES) return -EINVAL;
    const data = skb.data - (room as number);
    if (data < host.packets.current.head) return -ENOMEM;
    host.memory.u8.fill(0, data, skb.data);
    skb.place(data, skb.end);
    host.packets.current = { ...host.packets.current, macHeader: data };
    return 0;
  },
};

/** bpf_skb_change_type: only among what a packet for this host can be. */
export const SKB_CHANGE_TYPE: HelperFunction = {
  takes: ["u32", "u32"],
  answers: "s32",
  make: (host) => (ctx, type) => {
    const skb = new SkBuff(host, ctx as number);
    if ((type as number) > 3 || skb.field(SK_BUFF.PKT_TYPE) > 3) return -EINVAL;
    skb.setField(SK_BUFF.PKT_TYPE, type as number);
    return 0;
  },
};

/** bpf_set_hash. */
export const SET_HASH: HelperFunction = {
  takes: ["u32", "u32"],
  answers: "s32",
  make: (host) => (ctx, hash) => {
    new SkBuff(host, ctx as number).setField(SK_BUFF.HASH, hash as number);
    return 0;
  },
};

/** bpf_set_hash_invalid. */
export const SET_HASH_INVALID: HelperFunction = {
  takes: ["u32"],
  answers: "s32",
  make: (host) => (ctx) => {
    new SkBuff(host, ctx as number).setField(SK_BUFF.HASH, 0);
    return 0;
  },
};

/** bpf_get_hash_recalc: the hash that was set; flows are not hashed here. */
export const GET_HASH_RECALC: HelperFunction = {
  takes: ["u32"],
  answers: "u32",
  make: (host) => (ctx) => new SkBuff(host, ctx as number).field(SK_BUFF.HASH),
};

const ETH_P_8021Q = 0x0081;
const ETH_P_8021AD = 0xa888;
const VLAN_PRESENT = 1;

/** bpf_skb_vlan_push: a tag beside the packet; one that is there already goes into it. `skb_vlan_push`, 6.18. */
export const SKB_VLAN_PUSH: HelperFunction = {
  takes: ["u32", "u32", "u32"],
  answers: "s32",
  make: (host) => (ctx, given, tag) => {
    const skb = new SkBuff(host, ctx as number);
    let protocol = (given as number) & 0xffff;
    if (protocol !== ETH_P_8021Q && protocol !== ETH_P_8021AD) protocol = ETH_P_8021Q;
    if (skb.field(SK_BUFF.VLAN_PRESENT) !== 0 && !insertTag(host, skb)) return -ENOMEM;
    skb.setField(SK_BUFF.VLAN_PRESENT, VLAN_PRESENT);
    skb.setField(SK_BUFF.VLAN_PROTO, protocol);
    skb.setField(SK_BUFF.VLAN_TCI, (tag as number) & 0xffff);
    return 0;
  },
};

/** The tag beside the packet goes behind the addresses of the link header. */
function insertTag(host: ProgramHost, skb: SkBuff): boolean {
  const data = skb.data - 4;
  if (data < host.packets.current.head) return false;
  const { u8, view } = host.memory;
  u8.copyWithin(data, data + 4, data + 4 + 12);
  view.setUint16(data + 12, skb.field(SK_BUFF.VLAN_PROTO), true);
  view.setUint16(data + 14, skb.field(SK_BUFF.VLAN_TCI));
  skb.setField(SK_BUFF.PROTOCOL, skb.field(SK_BUFF.VLAN_PROTO));
  skb.place(data, skb.end);
  host.packets.current = { ...host.packets.current, macHeader: data };
  return true;
}

/** bpf_skb_vlan_pop: the tag beside the packet, and what the packet has behind its addresses takes its place. */
export const SKB_VLAN_POP: HelperFunction = {
  takes: ["u32"],
  answers: "s32",
  make: (host) => (ctx) => {
    const skb = new SkBuff(host, ctx as number);
    const { u8, view } = host.memory;
    const isTag = (protocol: number): boolean => protocol === ETH_P_8021Q || protocol === ETH_P_8021AD;
    const hasOwn = (): boolean => skb.length >= ETH_HLEN + 4 && isTag(view.getUint16(skb.data + 12, true));
    const take = (): { readonly protocol: number; readonly tag: number } => {
      const { data } = skb;
      const taken = { protocol: view.getUint16(data + 12, true), tag: view.getUint16(data + 14) };
      u8.copyWithin(data + 4, data, data + 12);
      skb.place(data + 4, skb.end);
      skb.setField(SK_BUFF.PROTOCOL, view.getUint16(data + 4 + 12, true));
      host.packets.current = { ...host.packets.current, macHeader: data + 4 };
      return taken;
    };
    if (skb.field(SK_BUFF.VLAN_PRESENT) !== 0) {
      for (const field of [SK_BUFF.VLAN_PRESENT, SK_BUFF.VLAN_PROTO, SK_BUFF.VLAN_TCI]) skb.setField(field, 0);
    } else {
      if (!isTag(skb.field(SK_BUFF.PROTOCOL) & 0xffff)) return 0;
      if (!hasOwn()) return 0;
      take();
    }
    if (!isTag(skb.field(SK_BUFF.PROTOCOL) & 0xffff) || !hasOwn()) return 0;
    const { protocol, tag } = take();
    skb.setField(SK_BUFF.VLAN_PRESENT, VLAN_PRESENT);
    skb.setField(SK_BUFF.VLAN_PROTO, protocol);
    skb.setField(SK_BUFF.VLAN_TCI, tag);
    return 0;
  },
};

/** bpf_skb_set_tstamp: a time, or none; which clock it is of, only IP packets can say. */
export const SKB_SET_TSTAMP: HelperFunction = {
  takes: ["u32", "halves", "u32"],
  answers: "s32",
  make: (host) => (ctx, low, high, type) => {
    const skb = new SkBuff(host, ctx as number);
    const protocol = skb.field(SK_BUFF.PROTOCOL);
    if (protocol !== 0x0008 && protocol !== 0xdd86) return -ENOTSUP;
    const hasTime = low !== 0 || high !== 0;
    if ((type as number) > 2 || ((type === 0) === hasTime && type !== 0) || (type === 0 && hasTime)) return -EINVAL;
    skb.setField(SK_BUFF.TSTAMP, low as number);
    skb.setField(SK_BUFF.TSTAMP + 4, high as number);
    host.memory.u8[(ctx as number) + SK_BUFF.TSTAMP_TYPE] = type as number;
    return 0;
  },
};
