/** Fills a `Map` with so many entries and writes how much the heap grew: `node --expose-gc memory-of-map <entries>`. */
import { shuffledKeys, valueOfKey } from "./key-sequence.ts";

const entries = Number(process.argv[2]);
const isBigInt = process.argv[3] === "bigint";

const keys = shuffledKeys(0, entries, 1);
globalThis.gc?.();
const before = process.memoryUsage().heapUsed;
const map = new Map<number, number | bigint>();
for (const key of keys) map.set(key, isBigInt ? BigInt(valueOfKey(key)) : valueOfKey(key));
globalThis.gc?.();
const after = process.memoryUsage().heapUsed;
process.stdout.write(JSON.stringify({ bytes: after - before, size: map.size }));
