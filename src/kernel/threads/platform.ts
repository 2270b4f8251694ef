/** A worker of Node, as the thread sees it that has made it; or of Bun, which is one of a browser and says when it is closed. */
interface Worker {
  readonly threadId: number;
  prependOnceListener?(event: "exit", listener: () => void): void;
  addEventListener?(event: "close", listener: () => void): void;
}

/** What is used of Node, and of those that are like it. */
interface Node {
  readonly arch?: string;
  getBuiltinModule?(
    name: "node:worker_threads",
  ): { readonly isMainThread: boolean; readonly threadId: number } | undefined;
  on?(event: "worker", listener: (worker: Worker) => void): void;
  once?(event: "exit", listener: () => void): void;
}

/** What is to be told of threads that end. */
interface ThreadWatcher {
  /** A thread has ended that this one has made. */
  threadEnded(thread: number): void;
  /** This thread comes to its end. */
  end(): void;
}

const node = (globalThis as { process?: Node }).process;
const threads = node?.getBuiltinModule?.("node:worker_threads");

/** Throws an `Error` that says what to do where threads cannot share memory. */
export function assertThreadsShareMemory(): void {
  const { SharedArrayBuffer: shared, crossOriginIsolated: isIsolated } = globalThis as {
    SharedArrayBuffer?: unknown;
    crossOriginIsolated?: boolean;
  };
  if (shared !== undefined && isIsolated !== false) return;
  throw new Error(
    "embedded({ shared: true }) needs memory that workers share, which a page has only when it is cross-origin isolated: serve " +
      "it with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp. " +
      "Without shared, embedded() keeps maps in the memory of one thread and needs nothing",
  );
}

/** Whether loads are known to come in the order in which they are written, as on x64: see `Agent.fence`. */
export function loadsInOrder(): boolean {
  return node?.arch === "x64";
}

/** The number of this thread, by which Node tells of its end; 0 in the main one, and where nothing tells of it. */
export function threadNumber(): number {
  return threads?.threadId ?? 0;
}

let watchers: Set<WeakRef<ThreadWatcher>> | undefined;

/**
 * Tells somebody, for as long as it is there, of the end of threads, where Node does: of those that are made from now on, and of
 * this one when it is a worker and comes to its end by itself. With the main thread all end.
 */
export function watchThreads(watcher: ThreadWatcher): void {
  if (threads === undefined) return;
  watchers ??= beginToWatch(threads.isMainThread);
  for (const each of watchers) if (each.deref() === undefined) watchers.delete(each);
  watchers.add(new WeakRef(watcher));
}

function beginToWatch(isMainThread: boolean): Set<WeakRef<ThreadWatcher>> {
  const all = new Set<WeakRef<ThreadWatcher>>();
  node?.on?.("worker", (worker) => {
    const { threadId } = worker;
    const tell = (): void => {
      for (const each of all) each.deref()?.threadEnded(threadId);
    };
    // Before all others who are told: they may use maps.
    if (worker.prependOnceListener !== undefined) worker.prependOnceListener("exit", tell);
    else worker.addEventListener?.("close", tell);
  });
  if (isMainThread) return all;
  node?.once?.("exit", () => {
    for (const each of all) each.deref()?.end();
  });
  return all;
}
