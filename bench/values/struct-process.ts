/**
 * Reads structs of ten fields by a layout and by code that someone wrote for it, in turn, and prints how many times as
 * long the layout takes, a number for each round: `struct-process.js ROUNDS`.
 */
import { bool, f32, f64, i16, i32, i64, struct, u8, u16, u32, u64, type Value } from "mapiary";
import { cpuTime } from "../cpu-time.ts";

const layout = struct({
  protocol: u8,
  isOpen: bool,
  port: u16,
  change: i16,
  address: u32,
  balance: i32,
  load: f32,
  bytes: u64,
  offset: i64,
  mean: f64,
});
type Flow = Value<typeof layout>;
type Memory = Parameters<typeof layout.read>[0];

const STRUCTS = 1024;
const READS = 200_000;
const WARM = 3;
const { size } = layout;
const u8s = new Uint8Array(STRUCTS * size).map((_, at) => (at * 7) % 251);
for (let at = 0; at < u8s.length; at += size) u8s[at + 1] = (at / size) % 2;
const memory: Memory = { u8: u8s, view: new DataView(u8s.buffer) };

function handWritten({ view }: Memory, at: number): Flow {
  return {
    protocol: view.getUint8(at),
    isOpen: view.getUint8(at + 1) !== 0,
    port: view.getUint16(at + 2, true),
    change: view.getInt16(at + 4, true),
    address: view.getUint32(at + 8, true),
    balance: view.getInt32(at + 12, true),
    load: view.getFloat32(at + 16, true),
    bytes: view.getBigUint64(at + 24, true),
    offset: view.getBigInt64(at + 32, true),
    mean: view.getFloat64(at + 40, true),
  };
}

let sink = 0n;

function time(read: (memory: Memory, at: number) => Flow): number {
  const start = cpuTime();
  for (let i = 0; i < READS; i++) {
    const flow = read(memory, (i % STRUCTS) * size);
    sink ^= flow.bytes ^ BigInt(flow.port);
    if (flow.isOpen) sink++;
  }
  return cpuTime() - start;
}

const ratios: number[] = [];
for (let round = -WARM; round < Number(process.argv[2]); round++) {
  const byHand = time(handWritten);
  const byLayout = time((memory, at) => layout.read(memory, at));
  if (round >= 0) ratios.push(byLayout / byHand);
}
if (JSON.stringify(show(layout.read(memory, size))) !== JSON.stringify(show(handWritten(memory, size)))) {
  throw new Error("the layout and the code by hand do not read the same");
}
console.log(JSON.stringify(sink === 0n ? [] : ratios));

function show(flow: Flow): Record<string, string> {
  return Object.fromEntries(Object.entries(flow).map(([name, value]) => [name, String(value)]));
}
