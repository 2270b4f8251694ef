import assert from "node:assert/strict";
import { isIPv4, isIPv6, SocketAddress } from "node:net";
import { test } from "node:test";
import { fc } from "../../test/seeded.ts";
import { ipv4, ipv6, mac } from "./address.ts";
import type { Value } from "./layout.ts";

/** What the platform's `inet_ntop` writes. */
function canonical(address: string): string {
  return new SocketAddress({ address, family: "ipv6" }).address;
}

const addressBytes = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })), {
  minLength: 16,
  maxLength: 16,
});

/** Texts that are nearly addresses. */
const nearlyAddress = fc
  .array(
    fc.constantFrom("0", "1", "db8", "ffff", "FFFF", "10000", ":", ":", "::", ".", "255", "256", "01", "1.2.3.4"),
    {
      maxLength: 16,
    },
  )
  .map((parts) => parts.join(""));

test("ipv4 is four bytes in network order, aligned to four", () => {
  assert.deepEqual([ipv4.size, ipv4.align], [4, 4]);
  assert.deepEqual(ipv4.encode("10.0.0.1"), Uint8Array.of(10, 0, 0, 1));
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      assert.equal(ipv4.decode(ipv4.encode(text)), text);
    }),
  );
});

test("ipv4 takes exactly what Node takes for an IPv4 address", () => {
  const texts = [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1..2.3",
    "1.2.3.",
    ".1.2.3",
    " 1.2.3.4",
    "1.2.3.4 ",
  ];
  for (const text of ["0.0.0.0", "255.255.255.255", "00.0.0.0", "1.2.3.-4", "1.2.3.4\0", "0x1.2.3.4", ...texts]) {
    assert.equal(accepts(ipv4, text), isIPv4(text), JSON.stringify(text));
  }
  fc.assert(
    fc.property(nearlyAddress, (text) => {
      assert.equal(accepts(ipv4, text), isIPv4(text), text);
    }),
  );
});

test("ipv6 is sixteen bytes in network order, aligned to four", () => {
  assert.deepEqual([ipv6.size, ipv6.align], [16, 4]);
  assert.deepEqual(ipv6.encode("2001:db8::1"), Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
});

test("ipv6 takes exactly what Node takes for an IPv6 address, but no zone", () => {
  const texts = [
    "",
    ":",
    ":::",
    "1",
    "1:2",
    "::1:",
    ":1::",
    "1::2::3",
    "1:2:3:4:5:6:7:8:9",
    "::1.2.3",
    "1.2.3.4",
    "::g",
  ];
  const valid = ["::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "::ffff:1.2.3.4"];
  const more = ["1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "12345::"];
  for (const text of [
    ...texts,
    ...valid,
    ...more,
    "::1.2.3.4:5",
    "::00001",
    "::1 ",
    "::ffff:01.2.3.4",
    "::256.1.1.1",
  ]) {
    assert.equal(accepts(ipv6, text), isIPv6(text), JSON.stringify(text));
  }
  fc.assert(
    fc.property(fc.oneof(nearlyAddress, fc.ipV6()), (text) => {
      assert.equal(accepts(ipv6, text), isIPv6(text), text);
    }),
    { numRuns: 1000 },
  );
  assert.equal(accepts(ipv6, "fe80::1%eth0"), false);
});

test("ipv6 reads as inet_ntop writes", () => {
  fc.assert(
    fc.property(addressBytes, (bytes) => {
      // inet_ntop also writes the deprecated ::a.b.c.d with dots, which RFC 5952 does not ask for.
      fc.pre(bytes.slice(0, 12).some((byte) => byte !== 0));
      const text = ipv6.decode(Uint8Array.from(bytes));
      assert.equal(text, canonical(text));
      assert.deepEqual(ipv6.encode(text), Uint8Array.from(bytes));
    }),
    { numRuns: 1000 },
  );
});

test("ipv6 reads every valid text as its one form", () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const once = ipv6.decode(ipv6.encode(text));
      assert.equal(ipv6.decode(ipv6.encode(once)), once);
      if (!/^::[0-9a-f]*:?[0-9a-f]*$/.test(once)) assert.equal(once, canonical(text));
    }),
  );
  for (const [text, form] of [
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["::ffff:0a00:0001", "::ffff:10.0.0.1"],
    ["64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
    ["::0001:0203", "::1:203"],
  ] as const) {
    assert.equal(ipv6.decode(ipv6.encode(text)), form);
  }
});

test("mac is six bytes, read with colons in lower case", () => {
  assert.deepEqual([mac.size, mac.align], [6, 1]);
  assert.deepEqual(mac.encode("aa:bb:cc:dd:ee:0f"), Uint8Array.of(0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0x0f));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
      const text = mac.decode(bytes);
      assert.equal(
        text,
        Buffer.from(bytes)
          .toString("hex")
          .replace(/..(?=.)/g, "$&:"),
      );
      assert.deepEqual(mac.encode(text.toUpperCase().replaceAll(":", "-")), bytes);
    }),
  );
});

test("mac refuses other writings", () => {
  const texts = [
    "",
    "aa:bb:cc:dd:ee",
    "aa:bb:cc:dd:ee:ff:00",
    "aabbccddeeff",
    "aa:bb-cc:dd-ee:ff",
    "ag:bb:cc:dd:ee:ff",
  ];
  for (const text of [...texts, "aa bb cc dd ee ff", "a:bb:cc:dd:ee:ff0", "aa:bb:cc:dd:ee:f"]) {
    assert.equal(accepts(mac, text), false, text);
  }
});

test("a refused address leaves the bytes as they were and says what is expected", () => {
  const u8 = new Uint8Array(4).fill(0xee);
  assert.throws(() => ipv4.write({ u8, view: new DataView(u8.buffer) }, 0, "10.0.0.256"), {
    name: "RangeError",
    message: 'ipv4: "10.0.0.256" is not an IPv4 address, such as 10.0.0.1',
  });
  assert.deepEqual(u8, new Uint8Array(4).fill(0xee));
  assert.throws(() => mac.check("x"), { message: 'mac: "x" is not an Ethernet address, such as aa:bb:cc:dd:ee:ff' });
});

test("only a string is an address", () => {
  for (const layout of [ipv4, ipv6, mac]) {
    for (const value of [5, null, undefined, new Uint8Array(layout.size)]) {
      assert.throws(() => layout.encode(value as never), { name: "TypeError" });
    }
  }
});

test("the type of values is known at compile time", () => {
  const value: Value<typeof ipv4> = "10.0.0.1";
  assert.equal(ipv4.decode(ipv4.encode(value)), value);
  // @ts-expect-error a number is no address
  assert.throws(() => ipv4.encode(0x0a000001), TypeError);
});

/** Whether a layout takes a text; `check` and `write` must agree. */
function accepts(layout: typeof ipv4, text: string): boolean {
  const outcomes = [() => layout.check(text), () => layout.encode(text)].map((action) => {
    try {
      action();
      return true;
    } catch (error) {
      assert.ok(error instanceof RangeError);
      return false;
    }
  });
  assert.equal(outcomes[0], outcomes[1]);
  return outcomes[0] === true;
}
