import { isMainThread } from "node:worker_threads";
import { type Koffi, type Libc, loadKoffi } from "./libc.ts";

/** Watches one fd off the event loop: calls back on this thread for as long as the fd can be read, while it is started. */
export interface Watch {
  /** Keeps the process alive until `stop`. */
  start(): void;
  stop(): void;
  /** Gives back what it holds, before the fd is closed; it is never started again. */
  close(): void;
}

/** `UV_POLL` and `UV_READABLE` of `uv.h`. */
const UV_POLL = 8;
const UV_READABLE = 1;
/** `POLLIN` of `poll.h`; two `struct pollfd`, of 8 bytes each. */
const POLLIN = 1;
const TWO_POLLFDS = 16;
const EFD_NONBLOCK = 0o4000;
/** The longest time that a thread of libuv's pool is held at a stretch. */
const STRETCH = 1000;

/**
 * A watch of an fd: by the event loop of the main thread itself, whose functions Node's binary exports; elsewhere, in a
 * worker for one, by `poll(2)` on a thread of the pool.
 */
export function watch(libc: Libc, fd: number, onReadable: () => void): Watch {
  return (isMainThread ? loopWatch(loadKoffi(), fd, onReadable) : undefined) ?? new PoolWatch(libc, fd, onReadable);
}

/** What is used of libuv. */
interface Uv {
  readonly loop: number;
  readonly handleSize: number;
  readonly init: (loop: number, handle: number, fd: number) => number;
  readonly allocate: (count: number, size: number) => number;
  readonly start: (handle: number, events: number, callback: number) => number;
  readonly stop: (handle: number) => number;
  readonly close: (handle: number, callback: number) => void;
  readonly free: (handle: number) => void;
  /** The function that libuv calls for every handle, of which there can be few: it finds whom to tell in `watched`. */
  readonly callback: number;
}

const NO_CALLBACK = 0;

/** Who is told, by the handle that is told of. */
const watched = new Map<number, () => void>();

let uv: Uv | undefined | null = null;

/** libuv as Node's binary exports it; `undefined` where it does not. */
function bindUv(koffi: Koffi): Uv | undefined {
  try {
    const library = koffi.load(null);
    const type = koffi.pointer(koffi.proto("void mapiary_on_poll(int64_t handle, int status, int events)"));
    return {
      loop: library.func("int64_t uv_default_loop(void)")(),
      handleSize: library.func("size_t uv_handle_size(int type)")(UV_POLL),
      init: library.func("int uv_poll_init(int64_t loop, int64_t handle, int fd)"),
      allocate: library.func("int64_t calloc(size_t count, size_t size)"),
      start: library.func("int uv_poll_start(int64_t handle, int events, mapiary_on_poll *callback)"),
      stop: library.func("int uv_poll_stop(int64_t handle)"),
      close: library.func("void uv_close(int64_t handle, int64_t callback)"),
      free: library.func("void free(int64_t handle)"),
      callback: koffi.register((handle: number) => watched.get(Number(handle))?.(), type) as number,
    };
  } catch {
    return undefined;
  }
}

/** A watch by libuv; `undefined` where it cannot be reached. */
function loopWatch(koffi: Koffi, fd: number, onReadable: () => void): Watch | undefined {
  if (uv === null) uv = bindUv(koffi);
  if (uv === undefined) return undefined;
  const { start, stop, close, free, callback } = uv;
  const handle = uv.allocate(1, uv.handleSize);
  if (uv.init(uv.loop, handle, fd) < 0) {
    free(handle);
    return undefined;
  }
  watched.set(handle, onReadable);
  return {
    start: () => void start(handle, UV_READABLE, callback),
    stop: () => void stop(handle),
    close(): void {
      watched.delete(handle);
      close(handle, NO_CALLBACK);
      // libuv is done with it at the end of this turn of its loop, which may come after the first of these callbacks.
      setImmediate(() => setImmediate(() => free(handle)));
    },
  };
}

/** A watch by another thread, which `stop` calls back. It never holds the thread for long, lest a worker cannot end. */
class PoolWatch implements Watch {
  readonly #libc: Libc;
  readonly #onReadable: () => void;
  readonly #cancel: number;
  readonly #fds = new DataView(new ArrayBuffer(TWO_POLLFDS));
  readonly #address: number;
  #isStarted = false;
  #isPolling = false;
  #isClosed = false;

  constructor(libc: Libc, fd: number, onReadable: () => void) {
    this.#libc = libc;
    this.#onReadable = onReadable;
    this.#cancel = libc.eventfd(0, EFD_NONBLOCK);
    this.#address = libc.addressOf(new Uint8Array(this.#fds.buffer));
    this.#fds.setInt32(0, fd, true);
    this.#fds.setInt16(4, POLLIN, true);
    this.#fds.setInt32(8, this.#cancel, true);
    this.#fds.setInt16(12, POLLIN, true);
  }

  start(): void {
    this.#isStarted = true;
    if (!this.#isPolling) this.#poll();
  }

  stop(): void {
    this.#isStarted = false;
    if (this.#isPolling) this.#libc.eventfdWrite(this.#cancel, 1);
  }

  /** The thread that polls has the last word. */
  close(): void {
    this.#isClosed = true;
    this.stop();
    if (!this.#isPolling) this.#libc.close(this.#cancel);
  }

  #poll(): void {
    this.#isPolling = true;
    this.#libc.pollElsewhere(this.#address, 2, STRETCH, () => {
      this.#isPolling = false;
      if (this.#isClosed) return void this.#libc.close(this.#cancel);
      const value = new Uint8Array(new ArrayBuffer(8));
      this.#libc.eventfdRead(this.#cancel, this.#libc.addressOf(value));
      const isReadable = (this.#fds.getInt16(6, true) & POLLIN) !== 0;
      if (this.#isStarted && isReadable) this.#onReadable();
      if (this.#isStarted && !this.#isPolling) this.#poll();
    });
  }
}
