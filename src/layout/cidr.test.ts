import assert from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import { test } from "node:test";
import { fc } from "../../test/seeded.ts";
import { ipv4, ipv6 } from "./address.ts";
import { cidr, cidr6 } from "./cidr.ts";
import { u32 } from "./scalar.ts";
import { struct } from "./struct.ts";

const FAMILIES = [
  { network: cidr, address: ipv4, bits: 32, isAddress: isIPv4 },
  { network: cidr6, address: ipv6, bits: 128, isAddress: isIPv6 },
] as const;

/** An address of so many bits, some of its bytes likely zero, and a prefix length. */
function addressAndLength(bits: number): fc.Arbitrary<[Uint8Array, number]> {
  const byte = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
  const bytes = fc.array(byte, { minLength: bits / 8, maxLength: bits / 8 }).map((list) => Uint8Array.from(list));
  return fc.tuple(bytes, fc.integer({ min: 0, max: bits }));
}

/** The bytes with every bit from `length` on cleared, bit by bit. */
function masked(address: Uint8Array, length: number): Uint8Array {
  const digits = Array.from(address, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const kept = digits.slice(0, length).padEnd(digits.length, "0");
  return Uint8Array.from(kept.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

test("a network is its prefix length in host order, then its address in network order", () => {
  assert.deepEqual([cidr.size, cidr.align, cidr6.size, cidr6.align], [8, 4, 20, 4]);
  assert.deepEqual(cidr.encode("192.168.16.0/20"), Uint8Array.of(20, 0, 0, 0, 192, 168, 16, 0));
  assert.deepEqual(
    cidr6.encode("2001:db8::/32"),
    Uint8Array.of(32, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  );
});

test("every network is read as it is written", () => {
  for (const { network, address, bits } of FAMILIES) {
    fc.assert(
      fc.property(addressAndLength(bits), ([bytes, length]) => {
        const text = `${address.decode(masked(bytes, length))}/${length}`;
        assert.equal(network.decode(network.encode(text)), text);
      }),
    );
  }
});

test("a network of IPv6 is read in its one form", () => {
  const forms = {
    "2001:DB8:0:0::/32": "2001:db8::/32",
    "0:0:0:0:0:ffff:a00:0/104": "::ffff:10.0.0.0/104",
    "::/0": "::/0",
  };
  for (const [text, form] of Object.entries(forms)) assert.equal(cidr6.decode(cidr6.encode(text)), form);
});

test("an address alone has all of its bits as prefix", () => {
  assert.equal(cidr.decode(cidr.encode("10.1.2.3")), "10.1.2.3/32");
  assert.equal(cidr6.decode(cidr6.encode("2001:db8::1")), "2001:db8::1/128");
});

test("bits behind the prefix are refused, and the network is named", () => {
  assert.throws(() => cidr.encode("10.1.2.3/8"), {
    name: "RangeError",
    message: 'cidr: "10.1.2.3/8" has bits set behind its prefix: the network is 10.0.0.0/8, the address alone 10.1.2.3',
  });
  assert.throws(() => cidr6.encode("2001:db8::1/32"), /the network is 2001:db8::\/32, the address alone 2001:db8::1$/);
  for (const { network, address, bits } of FAMILIES) {
    fc.assert(
      fc.property(addressAndLength(bits), ([bytes, length]) => {
        const isNetwork = Buffer.compare(bytes, masked(bytes, length)) === 0;
        const text = `${address.decode(bytes)}/${length}`;
        if (isNetwork) network.check(text);
        else assert.throws(() => network.check(text), RangeError);
      }),
    );
  }
});

test("bits behind the prefix that another program wrote are read as zeros", () => {
  for (const { network, address, bits } of FAMILIES) {
    fc.assert(
      fc.property(addressAndLength(bits), ([bytes, length]) => {
        const key = Uint8Array.of(length, 0, 0, 0, ...bytes);
        assert.equal(network.decode(key), `${address.decode(masked(bytes, length))}/${length}`);
      }),
    );
  }
});

test("a prefix longer than the address is refused", () => {
  assert.throws(() => cidr.encode("10.0.0.0/33"), {
    name: "RangeError",
    message: 'cidr: the prefix of "10.0.0.0/33" is longer than the 32 bits of an address',
  });
  assert.throws(() => cidr6.encode("::/129"), RangeError);
  assert.throws(() => cidr.encode(`10.0.0.0/${"9".repeat(400)}`), RangeError);
  assert.throws(() => cidr.decode(Uint8Array.of(33, 0, 0, 0, 10, 0, 0, 0)), {
    name: "RangeError",
    message: "cidr: the bytes have a prefix of 33 bits, of an address of 32",
  });
});

test("what is no network is refused, and said to be none", () => {
  const texts = ["", "/", "/8", "10.0.0.0/", "10.0.0/8", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/8.0", "10.0.0.0/8/8"];
  for (const text of [...texts, " 10.0.0.0/8", "10.0.0.0/8 ", "10.0.0.0 /8", "10.0.0.0/0x8", "::/0", "10.0.0.256/8"]) {
    assert.throws(() => cidr.encode(text), {
      name: "RangeError",
      message: `cidr: ${JSON.stringify(text)} is not an IPv4 network, such as 10.0.0.0/8`,
    });
  }
  for (const text of ["", "/0", "::/", "::/-1", "fe80::%eth0/64", ":::/0", "10.0.0.0/8"]) {
    assert.throws(() => cidr6.encode(text), {
      name: "RangeError",
      message: `cidr6: ${JSON.stringify(text)} is not an IPv6 network, such as 2001:db8::/32`,
    });
  }
});

test("what is no string is a TypeError", () => {
  assert.throws(() => cidr.encode(8 as never), { name: "TypeError", message: "cidr: expected a string, got number 8" });
  assert.throws(() => cidr6.check(undefined as never), TypeError);
});

test("only addresses are taken where there is no slash", () => {
  for (const { network, bits, isAddress } of FAMILIES) {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ maxLength: 8 })), (text) => {
        fc.pre(!text.includes("/"));
        if (isAddress(text)) assert.match(network.decode(network.encode(text)), new RegExp(`/${bits}$`));
        else assert.throws(() => network.encode(text), RangeError);
      }),
    );
  }
});

test("a network in a struct is a field like others, and named when it does not fit", () => {
  const rule = struct({ id: u32, network: cidr });
  assert.equal(rule.size, 12);
  assert.deepEqual(rule.decode(rule.encode({ id: 7, network: "10.0.0.0/8" })), { id: 7, network: "10.0.0.0/8" });
  assert.throws(
    () => rule.encode({ id: 7, network: "10.0.0.1/8" }),
    /field network: cidr: .* the network is 10\.0\.0\.0\/8/,
  );
});
