/**
 * One who produces records in the ring buffer of a directory, from when it is told until it is killed: see `ring-torture.test.ts`.
 * `node … ring-victim-process.js DIRECTORY HOW NUMBER`, of which what it knows is pinned by the number.
 */
import { readSync } from "node:fs";
import "koffi";
import { embedded } from "mapiary";
import { type How, loadProducer } from "./ring-program.ts";

const [directory, how, number] = process.argv.slice(2) as [string, How, string];
const bpf = embedded({ bpffs: directory });
const ring = bpf.openMap("/sys/fs/bpf/ring", { type: "ringbuf" });
const first = BigInt(number) * 2n ** 32n;
const { produce } = loadProducer(bpf, ring, how, first, `/sys/fs/bpf/${number}`);
const asleep = new Int32Array(new SharedArrayBuffer(4));
console.log("ready");
readSync(0, new Uint8Array(1));
for (;;) if (produce(50) < 50) Atomics.wait(asleep, 0, 0, 1);
