import assert from "node:assert/strict";
import { test } from "node:test";
import { u16be } from "./big-endian.ts";
import { enumOf } from "./enum.ts";
import type { Value } from "./layout.ts";
import { i8, u8, u32 } from "./scalar.ts";
import { u64 } from "./wide.ts";

const protocol = enumOf({ ICMP: 1, TCP: 6, UDP: 17 }, u8);

test("an enum is a number in bytes and a name in JavaScript", () => {
  assert.deepEqual(protocol.encode("TCP"), Uint8Array.of(6));
  assert.equal(protocol.decode(Uint8Array.of(17)), "UDP");
  assert.deepEqual(protocol.names, { ICMP: 1, TCP: 6, UDP: 17 });
  assert.equal(protocol.underlying, u8);
  assert.equal(protocol.name, "enum { ICMP: 1, TCP: 6, UDP: 17 }");
});

test("an enum is stored as u32 unless another layout is given", () => {
  assert.deepEqual([enumOf({ A: 0 }).size, enumOf({ A: 0 }).align], [4, 4]);
  assert.deepEqual(enumOf({ A: -1 }, i8).encode("A"), Uint8Array.of(255));
  assert.deepEqual(enumOf({ IPV4: 0x0800 }, u16be).encode("IPV4"), Uint8Array.of(8, 0));
  assert.equal(enumOf({ A: 2 ** 40 }, u64.number).size, 8);
});

test("a number without a name is a RangeError that lists the names", () => {
  assert.throws(() => protocol.decode(Uint8Array.of(7)), {
    name: "RangeError",
    message: "enum: 7 has no name; the enum is { ICMP: 1, TCP: 6, UDP: 17 }",
  });
});

test("a name that is not in the enum is a RangeError that says which was meant", () => {
  const error = { name: "RangeError", message: 'enum: "TPC" is not a name of it; did you mean "TCP"?' };
  assert.throws(() => protocol.encode("TPC" as never), error);
  assert.throws(() => protocol.check("TPC" as never), error);
  assert.throws(() => protocol.encode("SCTP6" as never), /the enum is \{ ICMP: 1, TCP: 6, UDP: 17 \}/);
  assert.throws(() => protocol.encode("constructor" as never), { name: "RangeError" });
});

test("a number is no name", () => {
  assert.throws(() => protocol.encode(6 as never), {
    name: "TypeError",
    message: "enum: expected a name of { ICMP: 1, TCP: 6, UDP: 17 }, got number 6",
  });
});

test("of two names for a number the first is read and both are written", () => {
  const errors = enumOf({ EAGAIN: 11, EWOULDBLOCK: 11 });
  assert.deepEqual(errors.encode("EWOULDBLOCK"), errors.encode("EAGAIN"));
  assert.equal(errors.decode(errors.encode("EWOULDBLOCK")), "EAGAIN");
});

test("a number that the underlying layout cannot hold is refused when the enum is made", () => {
  assert.throws(() => enumOf({ OK: 0, BAD: 256 }, u8), {
    name: "RangeError",
    message: "enumOf: field BAD: u8: 256 is out of range, 0 to 255",
  });
  assert.throws(() => enumOf({ A: 0 }, "u32" as never), { name: "TypeError" });
  assert.throws(() => enumOf({ A: "0" as never }, u32), { name: "TypeError" });
});

test("a long enum is cut in messages", () => {
  const names = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`NAME_${i}`, i]));
  assert.match(enumOf(names).name, /NAME_11: 11, … 88 more \}$/);
});

test("the names are known at compile time", () => {
  const value: Value<typeof protocol> = "TCP";
  const every: ("ICMP" | "TCP" | "UDP")[] = [value, protocol.decode(Uint8Array.of(1))];
  assert.deepEqual(every, ["TCP", "ICMP"]);
  // @ts-expect-error SCTP is not in the enum
  assert.throws(() => protocol.encode("SCTP"), RangeError);
});
