/**
 * Others whose programs read the user ring buffer of a directory, see `user-ring-buffers.test.ts`: a process that lets one do so
 * when it is asked to, or a thread. A program that holds a record ends its process amid it, or its thread waits for its end.
 */
import "koffi";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { embedded, type KernelHandle } from "mapiary";
import { answerWith } from "./processes.ts";
import { loadReader, type Reader } from "./user-ring-program.ts";

interface Requests {
  /** Opens a directory, and its user ring buffer. */
  open(directory: string, holds: boolean): void;
  drain(): number;
  sum(): bigint;
}

let reader: Reader | undefined;

function opened(): Reader {
  if (reader === undefined) throw new Error("no directory is open");
  return reader;
}

const requests: Requests = {
  open(directory, holds) {
    const bpf = embedded({ bpffs: directory, trace: () => process.kill(process.pid, "SIGKILL") });
    reader = loadReader(bpf, bpf.openMap("/sys/fs/bpf/ring", { type: "user_ringbuf" }), holds);
  },
  drain: () => opened().drain(),
  sum: () => opened().sum,
};

if (!isMainThread) {
  const { share } = workerData as { share: KernelHandle };
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  const bpf = embedded({
    share,
    trace() {
      parentPort?.postMessage("holds");
      Atomics.wait(asleep, 0, 0);
    },
  });
  loadReader(bpf, bpf.openMap("/sys/fs/bpf/ring", { type: "user_ringbuf" }), true).drain();
} else {
  answerWith(([name, ...args]: [keyof Requests, ...never[]]) =>
    (requests[name] as (...args: never[]) => unknown)(...args),
  );
}
