/**
 * Others who use the ring buffer of a directory, see `ring-buffers.test.ts`: a process that does what it is asked to, one that is
 * given a directory and waits for one record, or a thread that produces as many records as it is told. A program that holds a record ends its process amid it, or its thread
 * waits for its end.
 */
import "koffi";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { type Bpf, embedded, type KernelHandle, type RingBuf } from "mapiary";
import { answerWith } from "./processes.ts";
import { type How, loadProducer, numberOf, type Producer, record } from "./ring-program.ts";

const asleep = new Int32Array(new SharedArrayBuffer(4));

/** Produces so many records, and waits whenever there is no room. */
function produceAll({ produce }: Producer, count: number): void {
  for (let done = 0; done < count; ) {
    const made = produce(count - done);
    if (made === 0) Atomics.wait(asleep, 0, 0, 1);
    done += made;
  }
}

interface Requests {
  /** Opens a directory, and its ring buffer. */
  open(directory: string): void;
  /** Lets a program produce records, numbered from `first` on, the first time that it is asked. */
  produce(how: How, count: number, first: bigint): void;
  /** What flags the programs give from now on. */
  flags(flags: bigint): void;
  /** Takes records without waiting. */
  take(most: number): bigint[];
}

let opened: { readonly bpf: Bpf; readonly ring: RingBuf<Uint8Array> } | undefined;
let flags = 0n;
let producers = new Map<How, Producer>();

function use(): { readonly bpf: Bpf; readonly ring: RingBuf<Uint8Array> } {
  if (opened === undefined) throw new Error("no directory is open");
  return opened;
}

const requests: Requests = {
  open(directory) {
    opened?.bpf.close();
    const bpf = embedded({ bpffs: directory, trace: () => process.kill(process.pid, "SIGKILL") });
    opened = { bpf, ring: bpf.openMap("/sys/fs/bpf/ring", { type: "ringbuf", value: record }) };
    flags = 0n;
    producers = new Map();
  },
  produce(how, count, first) {
    const { bpf, ring } = use();
    const producer = producers.get(how) ?? loadProducer(bpf, ring, how, first);
    producers.set(how, producer);
    producer.flags = flags;
    produceAll(producer, count);
  },
  flags(given) {
    flags = given;
  },
  take: (most) => use().ring.drain(most).map(numberOf),
};

const [directory] = process.argv.slice(2);
if (directory !== undefined && isMainThread) {
  const bpf = embedded({ bpffs: directory });
  console.log("waits");
  for await (const bytes of bpf.openMap("/sys/fs/bpf/ring", { type: "ringbuf", value: record })) {
    console.log(`got ${numberOf(bytes)}`);
    break;
  }
} else if (isMainThread) {
  answerWith(([name, ...args]: [keyof Requests, ...never[]]) =>
    (requests[name] as (...args: never[]) => unknown)(...args),
  );
} else {
  const { share, how, count, first } = workerData as { share: KernelHandle; how: How; count: number; first: bigint };
  using bpf = embedded({
    share,
    trace() {
      parentPort?.postMessage("holds");
      Atomics.wait(asleep, 0, 0);
    },
  });
  using ring = bpf.openMap({ name: "ring" }, { type: "ringbuf" });
  produceAll(loadProducer(bpf, ring, how, first), count);
}
