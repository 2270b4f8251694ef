import { SK_BUFF } from "../../../../abi/contexts.ts";
import { EACCES, EINVAL } from "../../../../abi/errno.ts";
import type { AddressSpace } from "../../../../memory/address-space.ts";
import type { HelperFunction } from "./helper-function.ts";
import { SkBuff } from "./sk-buff.ts";

/** `BPF_CSUM_LEVEL_…`. */
const LEVEL = { QUERY: 0, INC: 1, DEC: 2, RESET: 3 } as const;
/** `SKB_MAX_CSUM_LEVEL`. */
const MOST_CHECKSUMS = 3;

/** bpf_csum_level: how many checksums one behind the other are known to be right. `net/core/filter.c: bpf_csum_level`, 6.18. */
export const CSUM_LEVEL: HelperFunction = {
  takes: ["u32", "u64"],
  answers: "s32",
  make:
    ({ packets }) =>
    (_ctx, what) => {
      const level = packets.current.checksumLevel;
      const set = (checksumLevel: number | undefined): number => {
        packets.current = { ...packets.current, checksumLevel };
        return 0;
      };
      switch (what) {
        case LEVEL.QUERY:
          return level ?? -EACCES;
        case LEVEL.INC:
          return set(Math.min((level ?? -1) + 1, MOST_CHECKSUMS));
        case LEVEL.DEC:
          return set(level === undefined || level === 0 ? undefined : level - 1);
        case LEVEL.RESET:
          return set(undefined);
        default:
          return -EINVAL;
      }
    },
};

const IPV4 = { PROTOCOL: 0x0008, SIZE: 20, TOS: 1, CHECKSUM: 10 } as const;
const IPV6 = { PROTOCOL: 0xdd86, SIZE: 40, SECOND: 1 } as const;
/** `INET_ECN_…`: the lowest two bits of the type of service, and where IPv6 has them in its second byte. */
const CONGESTED = 3;
const IPV6_ECN_SHIFT = 4;

/** bpf_skb_ecn_set_ce: 1 when the packet says now that there is congestion. `include/net/inet_ecn.h: INET_ECN_set_ce`, 6.18. */
export const SKB_ECN_SET_CE: HelperFunction = {
  takes: ["u32"],
  answers: "s32",
  make: (host) => (ctx) => {
    const { networkHeader } = host.packets.current;
    const skb = new SkBuff(host, ctx as number);
    const protocol = skb.field(SK_BUFF.PROTOCOL);
    const holds = (bytes: number): boolean => networkHeader + bytes <= skb.end;
    if (protocol === IPV4.PROTOCOL && holds(IPV4.SIZE)) return markIpv4(host.memory, networkHeader);
    if (protocol === IPV6.PROTOCOL && holds(IPV6.SIZE)) return markIpv6(host.memory, networkHeader);
    return 0;
  },
};

function markIpv4({ u8, view }: AddressSpace, at: number): number {
  const ecn = (u8[at + IPV4.TOS] as number) & CONGESTED;
  if (ecn === 0 || ecn === CONGESTED) return ecn === 0 ? 0 : 1;
  // The checksum changes as the type of service does, which becomes greater by so much: RFC 1624.
  const sum = view.getUint16(at + IPV4.CHECKSUM) + 0xffff - (CONGESTED - ecn);
  view.setUint16(at + IPV4.CHECKSUM, sum > 0xffff ? (sum & 0xffff) + 1 : sum);
  u8[at + IPV4.TOS] = (u8[at + IPV4.TOS] as number) | CONGESTED;
  return 1;
}

function markIpv6({ u8 }: AddressSpace, at: number): number {
  const byte = u8[at + IPV6.SECOND] as number;
  if (((byte >> IPV6_ECN_SHIFT) & CONGESTED) === 0) return 0;
  u8[at + IPV6.SECOND] = byte | (CONGESTED << IPV6_ECN_SHIFT);
  return 1;
}
