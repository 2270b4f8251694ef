/**
 * A unit test of an XDP program: no root, no Linux, no network device. The object that clang made of xdp-counter.bpf.c is
 * verified and runs on the embedded kernel, packet by packet, and its maps and variables are there to be filled and looked at.
 *
 *     clang -O2 -g -target bpf -c xdp-counter.bpf.c -o xdp-counter.bpf.o
 *     npx tsx --test xdp-counter.test.ts
 *
 * With `linux()` from "mapiary/linux" in place of `embedded()` the same test asks the running kernel, as root.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { type BpfProgram, embedded, type HashMap } from "mapiary";

/** What is in the object: its maps, its global variables, its programs. `mapiary types xdp-counter.bpf.o` writes it. */
interface XdpCounter {
  maps: { packets: HashMap<number, bigint> };
  variables: { readonly longest: number; dropped: bigint };
  programs: { count: BpfProgram };
}

const OBJECT = join(import.meta.dirname, "xdp-counter.bpf.o");
const XDP_DROP = 1;
const XDP_PASS = 2;
const TCP = 6;
const UDP = 17;

/** An Ethernet frame of so many bytes, with an IPv4 packet of some protocol in it. */
function packet(protocol: number, length = 60): Uint8Array {
  const frame = new Uint8Array(length);
  frame.set([0x08, 0x00], 12); // IPv4
  frame.set([0x45], 14); // version 4, a header of 5 words
  frame[23] = protocol;
  return frame;
}

test("packets are counted by protocol", () => {
  using bpf = embedded();
  using counter = bpf.load<XdpCounter>(OBJECT);
  const { count } = counter.programs;
  for (const protocol of [TCP, UDP, TCP]) assert.equal(count.run({ data: packet(protocol) }).retval, XDP_PASS);
  assert.deepEqual(
    new Map(counter.maps.packets),
    new Map([
      [TCP, 2n],
      [UDP, 1n],
    ]),
  ); // a map of Linux, read as any Map
});

test("a protocol that was counted before counts on", () => {
  using bpf = embedded();
  using counter = bpf.load<XdpCounter>(OBJECT);
  counter.maps.packets.set(TCP, 1000n);
  counter.programs.count.run({ data: packet(TCP), repeat: 10 }); // the same packet ten times
  assert.equal(counter.maps.packets.get(TCP), 1010n);
});

test("packets that are too long are dropped, and not counted", () => {
  using bpf = embedded();
  using counter = bpf.load<XdpCounter>(OBJECT, { variables: { longest: 100 } }); // a constant, set before the program loads
  assert.equal(counter.programs.count.run({ data: packet(TCP, 101) }).retval, XDP_DROP);
  assert.equal(counter.programs.count.run({ data: packet(TCP, 100) }).retval, XDP_PASS);
  assert.equal(counter.variables.dropped, 1n);
  assert.equal(counter.maps.packets.get(TCP), 1n);
});

test("what is no IP passes, however short", () => {
  using bpf = embedded();
  using counter = bpf.load<XdpCounter>(OBJECT);
  const { retval, data } = counter.programs.count.run({ data: new Uint8Array(14) });
  assert.equal(retval, XDP_PASS);
  assert.deepEqual(data, new Uint8Array(14));
  assert.equal(counter.maps.packets.count(), 0);
});
