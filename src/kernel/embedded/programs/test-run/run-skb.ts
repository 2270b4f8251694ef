import { SK_BUFF } from "../../../../abi/contexts.ts";
import { EINVAL, ENODEV, ENOMEM } from "../../../../abi/errno.ts";
import { BPF_F_TEST_SKB_CHECKSUM_COMPLETE } from "../../../../abi/prog-flags.ts";
import { BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SCHED_CLS } from "../../../../abi/prog-types.ts";
import type { Address, AddressSpace } from "../../../../memory/address-space.ts";
import { PAGE_SIZE } from "../../../../memory/page-allocator.ts";
import type { EmbeddedProgram } from "../embedded-program.ts";
import { type Packet, SHARED_INFO } from "../packet.ts";
import type { ProgramHost } from "../program-host.ts";
import { runTimes } from "./run.ts";
import { ETH_HLEN, type TestRunAttr } from "./test-run-attr.ts";

/** What Linux keeps before a packet: `NET_SKB_PAD`, and `NET_IP_ALIGN`, which is 0 on x64. */
const HEADROOM = 64;
/** How far packets can grow at their beginning: helpers that need more room on Linux get a new buffer there. */
const ROOM = PAGE_SIZE;
const LOOPBACK = 1;
const GSO_MOST_BYTES = 65536;
const GSO_MOST_SEGS = 65535;
const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
const ETH_P_802_3_MIN = 0x0600;
const ETH_P_802_3 = 0x0001;
const ETH_P_802_2 = 0x0004;
const AF_INET = 2;
const AF_INET6 = 10;
const PACKET_HOST = 0;
const PACKET_BROADCAST = 1;
const PACKET_MULTICAST = 2;
const PACKET_OTHERHOST = 3;

/** BPF_PROG_TEST_RUN of a program on packets of the network stack: `net/bpf/test_run.c: bpf_prog_test_run_skb`, 6.18. */
export function runSkb(host: ProgramHost, program: EmbeddedProgram, attr: TestRunAttr): number {
  // That the checksum of the packet comes to be right is for those to see who keep one: no packet here has it.
  const flags = attr.flags & ~BPF_F_TEST_SKB_CHECKSUM_COMPLETE;
  if (flags !== 0 || attr.cpu !== 0 || attr.batchSize !== 0) return -EINVAL;
  const head = host.packets.buffer(3 * PAGE_SIZE);
  if (head === 0) return -ENOMEM;
  const start = head + ROOM;
  const size = attr.dataSizeIn;
  const unfit = attr.takeData(start, size, size, HEADROOM + SHARED_INFO);
  if (unfit !== 0) return unfit;
  const given = attr.takeContext(SK_BUFF.SIZE);
  if (typeof given === "number") return given;
  const device = given?.getUint32(SK_BUFF.IFINDEX, true) ?? 0;
  if (device > LOOPBACK) return -ENODEV;

  const seesLinkHeader = program.type === BPF_PROG_TYPE_SCHED_CLS || program.type === BPF_PROG_TYPE_SCHED_ACT;
  const ctx = host.context;
  const packet: Packet = {
    head,
    end: head + 3 * PAGE_SIZE,
    macHeader: start,
    networkHeader: start + ETH_HLEN,
    fragments: { start: 0, bytes: 0 },
  };
  host.memory.u8.fill(0, ctx, ctx + SK_BUFF.SIZE);
  writePacket(host.memory, ctx, seesLinkHeader ? start : start + ETH_HLEN, start + size);
  if (!writeHeaders(host.memory, ctx, packet, start + size)) return -EINVAL;
  if (given !== undefined) {
    const error = writeGiven(host.memory, ctx, given);
    if (error !== 0) return error;
  } else writeDefaults(host.memory, ctx);
  const result = host.packets.during(packet, () => runTimes(host, program, ctx, attr.times));
  return finish(host.memory, ctx, attr, { given, result, seesLinkHeader });
}

/** Where the packet begins and ends, for the program and for helpers. */
function writePacket({ view }: AddressSpace, ctx: Address, start: Address, end: Address): void {
  view.setUint32(ctx + SK_BUFF.LEN, end - start, true);
  view.setUint32(ctx + SK_BUFF.DATA, start, true);
  view.setUint32(ctx + SK_BUFF.DATA_META, start, true);
  view.setUint32(ctx + SK_BUFF.DATA_END, end, true);
}

/** What the packet's own headers say: `eth_type_trans`, and the addresses of its socket. False for an IP packet without its header. */
function writeHeaders({ u8, view }: AddressSpace, ctx: Address, packet: Packet, end: Address): boolean {
  const { macHeader, networkHeader } = packet;
  view.setUint32(ctx + SK_BUFF.PKT_TYPE, packetType(u8.subarray(macHeader, macHeader + 6)), true);
  let protocol = view.getUint16(macHeader + 12);
  if (protocol < ETH_P_802_3_MIN) {
    const isNovell = end - networkHeader >= 2 && view.getUint16(networkHeader) === 0xffff;
    protocol = isNovell ? ETH_P_802_3 : ETH_P_802_2;
  }
  view.setUint16(ctx + SK_BUFF.PROTOCOL, protocol);
  view.setUint32(ctx + SK_BUFF.IFINDEX, LOOPBACK, true);
  const payload = end - networkHeader;
  if (protocol === ETH_P_IP) {
    view.setUint32(ctx + SK_BUFF.FAMILY, AF_INET, true);
    if (payload < 20) return false;
    u8.copyWithin(ctx + SK_BUFF.LOCAL_IP4, networkHeader + 12, networkHeader + 16);
    u8.copyWithin(ctx + SK_BUFF.REMOTE_IP4, networkHeader + 16, networkHeader + 20);
  } else if (protocol === ETH_P_IPV6) {
    view.setUint32(ctx + SK_BUFF.FAMILY, AF_INET6, true);
    if (payload < 40) return false;
    u8.copyWithin(ctx + SK_BUFF.LOCAL_IP6, networkHeader + 8, networkHeader + 24);
    u8.copyWithin(ctx + SK_BUFF.REMOTE_IP6, networkHeader + 24, networkHeader + 40);
  }
  return true;
}

/** By the address that a frame is for; that of the loopback device is all zeros. */
function packetType(destination: Uint8Array): number {
  if (destination.every((byte) => byte === 0)) return PACKET_HOST;
  if (destination.every((byte) => byte === 0xff)) return PACKET_BROADCAST;
  return ((destination[0] as number) & 1) !== 0 ? PACKET_MULTICAST : PACKET_OTHERHOST;
}

/** The fields of the context that the caller may say, from the first byte to that behind the last: all others are 0. */
const ALLOWED: readonly (readonly [from: number, to: number])[] = [
  [SK_BUFF.MARK, SK_BUFF.QUEUE_MAPPING],
  [SK_BUFF.PRIORITY, SK_BUFF.TC_INDEX],
  [SK_BUFF.CB, SK_BUFF.HASH],
  [SK_BUFF.TSTAMP, SK_BUFF.SK],
  [SK_BUFF.GSO_SIZE, SK_BUFF.TSTAMP_TYPE],
  [SK_BUFF.HWTSTAMP, SK_BUFF.SIZE],
];

/** `convert___skb_to_skb`. */
function writeGiven(memory: AddressSpace, ctx: Address, given: DataView): number {
  const bytes = new Uint8Array(given.buffer);
  const isAllowed = (at: number): boolean => ALLOWED.some(([from, to]) => at >= from && at < to);
  if (bytes.some((byte, at) => byte !== 0 && !isAllowed(at))) return -EINVAL;
  const { u8, view } = memory;
  for (const [from, to] of ALLOWED) {
    if (from !== SK_BUFF.PRIORITY) u8.set(bytes.subarray(from, to), ctx + from);
  }
  u8.set(bytes.subarray(SK_BUFF.PRIORITY, SK_BUFF.IFINDEX), ctx + SK_BUFF.PRIORITY);
  const length = view.getUint32(ctx + SK_BUFF.LEN, true);
  const wireLength = given.getUint32(SK_BUFF.WIRE_LEN, true);
  if (wireLength !== 0 && (wireLength < length || wireLength > GSO_MOST_BYTES)) return -EINVAL;
  view.setUint32(ctx + SK_BUFF.WIRE_LEN, wireLength === 0 ? length : wireLength, true);
  if (given.getUint32(SK_BUFF.GSO_SEGS, true) > GSO_MOST_SEGS) return -EINVAL;
  // It is kept in 16 bits.
  view.setUint32(ctx + SK_BUFF.GSO_SIZE, given.getUint16(SK_BUFF.GSO_SIZE, true), true);
  return 0;
}

function writeDefaults({ view }: AddressSpace, ctx: Address): void {
  view.setUint32(ctx + SK_BUFF.WIRE_LEN, 0, true);
}

interface SkbRun {
  readonly given: DataView | undefined;
  readonly result: { readonly retval: number; readonly duration: number };
  readonly seesLinkHeader: boolean;
}

/** A program that does not see the link header leaves zeros in its place. `convert_skb_to___skb`. */
function finish(memory: AddressSpace, ctx: Address, attr: TestRunAttr, run: SkbRun): number {
  const { u8, view } = memory;
  const { given, result } = run;
  let start = view.getUint32(ctx + SK_BUFF.DATA, true);
  const end = view.getUint32(ctx + SK_BUFF.DATA_END, true);
  if (!run.seesLinkHeader) {
    start -= ETH_HLEN;
    u8.fill(0, start, start + ETH_HLEN);
  }
  if (given !== undefined) {
    const out = new Uint8Array(given.buffer);
    const copy = (from: number, to: number): void => out.set(u8.subarray(ctx + from, ctx + to), from);
    copy(SK_BUFF.MARK, SK_BUFF.QUEUE_MAPPING);
    copy(SK_BUFF.PRIORITY, SK_BUFF.TC_INDEX);
    copy(SK_BUFF.CB, SK_BUFF.HASH);
    copy(SK_BUFF.TSTAMP, SK_BUFF.SK);
    copy(SK_BUFF.HWTSTAMP, SK_BUFF.SIZE);
  }
  return attr.finish([{ start, bytes: end - start }], result) || attr.finishContext(given);
}
