/** Packets that the programs of the corpus are run on: the protocols that they look for, well formed and cut short. */
const IP = 0x0800;
const IPV6 = 0x86dd;
const VLAN = 0x8100;
const ICMP = 1;
const TCP = 6;
const UDP = 17;

const be16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];

function ethernet(type: number, payload: readonly number[]): number[] {
  return [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, ...be16(type), ...payload];
}

function ipv4(
  protocol: number,
  from: readonly number[],
  payload: readonly number[],
  options: readonly number[] = [],
): number[] {
  const header = [
    ...[0x45 + options.length / 4, 0, ...be16(20 + options.length + payload.length), 0x12, 0x34, 0x40, 0],
    ...[64, protocol, 0, 0, ...from, 10, 0, 0, 254, ...options],
  ];
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += ((header[at] as number) << 8) + (header[at + 1] as number);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  header.splice(10, 2, ...be16(~sum));
  return [...header, ...payload];
}

const udp = (from: number, to: number, payload: readonly number[]): number[] => [
  ...be16(from),
  ...be16(to),
  ...be16(8 + payload.length),
  ...be16(0),
  ...payload,
];

const tcp = (from: number, to: number, flags: number): number[] => [
  ...[...be16(from), ...be16(to), 0, 0, 0, 1, 0, 0, 0, 2],
  ...[0x50, flags, ...be16(1024), 0, 0, 0, 0],
];

const text = (value: string): number[] => [...new TextEncoder().encode(value)];

const SYN = 2;
const ACK = 16;
const FIN = 1;

const FRAMES: readonly (readonly number[])[] = [
  ethernet(
    IP,
    ipv4(UDP, [10, 0, 0, 7], udp(4000, 53, [...Array(12).fill(0), 7, ...text("mapiary"), 2, ...text("io"), 0])),
  ),
  ethernet(IP, ipv4(TCP, [10, 0, 0, 1], tcp(4001, 80, SYN))),
  ethernet(IP, ipv4(TCP, [10, 0, 0, 1], tcp(4001, 80, ACK))),
  ethernet(IP, ipv4(TCP, [10, 0, 0, 1], tcp(4001, 80, FIN))),
  ethernet(IP, ipv4(TCP, [10, 0, 0, 2], tcp(4002, 22, SYN))),
  ethernet(IP, ipv4(ICMP, [192, 168, 1, 5], [8, 0, 0x12, 0x34, 0, 1, 0, 2, ...text("ping")])),
  ethernet(IP, ipv4(UDP, [10, 0, 0, 7], udp(4000, 53, Array(70).fill(9)), [1, 1, 1, 0])),
  ethernet(VLAN, [...be16(42), ...be16(IP), ...ipv4(UDP, [172, 16, 0, 1], udp(1, 2, []))]),
  ethernet(IPV6, [0x60, 0, 0, 0, 0, 0, TCP, 64, ...Array(15).fill(0), 1, ...Array(15).fill(0), 2]),
  ethernet(0x0806, Array(28).fill(1)),
  ethernet(IP, [0x45, 0, 0]),
  ethernet(IP, ipv4(UDP, [10, 0, 0, 7], [1, 2, 3])),
];

export const PACKETS: readonly Uint8Array[] = [...FRAMES, ...FRAMES.slice(0, 6)].map((frame) => Uint8Array.from(frame));
