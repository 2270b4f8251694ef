/** Takes numbered records from a pinned ring buffer, as its peer in C does: `<loop | batches> <ring> <records>`. */
import { linux } from "mapiary/linux";
import { event } from "../../test/records/event-program.ts";
import { cpuTime } from "../cpu-time.ts";

const [way, path = "", count = ""] = process.argv.slice(2);
const records = Number(count);
const bpf = linux();
const ring = bpf.openMap(path, { type: "ringbuf", value: event });
let expected = 0;
let begin = 0n;
let cpuBegin = 0;

function take(number: bigint): void {
  if (number !== BigInt(expected)) throw new Error(`record ${number} came where ${expected} was due`);
  if (expected++ === 0) {
    begin = process.hrtime.bigint();
    cpuBegin = cpuTime();
  }
  if (expected === records) {
    console.log(`${process.hrtime.bigint() - begin} ${cpuTime() - cpuBegin}`);
    ring.close();
  }
}

console.log("ready");
if (way === "loop") for await (const { number } of ring) take(number);
else for await (const batch of ring.batches()) for (const { number } of batch) take(number);
bpf.close();
