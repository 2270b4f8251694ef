import { EBADF } from "../../abi/errno.ts";
import type { Libc } from "./libc.ts";
import { type Watch, watch } from "./loop-watch.ts";

/** `sys/epoll.h`. */
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 0x001;
const EPOLLOUT = 0x004;
const EPOLLET = 0x8000_0000;

/** `struct epoll_event`: packed on x64, aligned elsewhere. */
const EVENT = process.arch === "x64" ? { DATA: 4, SIZE: 12 } : { DATA: 8, SIZE: 16 };
const MOST_EVENTS = 64;

/** What is known of one fd. */
interface Watched {
  /** There was news, and nobody waited for it. */
  hasNews: boolean;
  readonly waiting: Set<() => void>;
}

let shared: EventPoll | undefined;

/**
 * The news of all fds that somebody waits for in this thread: one edge-triggered `epoll(7)`, which the event loop watches
 * while somebody waits, and only then. Nothing is ever asked in a loop.
 */
export class EventPoll {
  readonly #libc: Libc;
  readonly #epoll: number;
  readonly #watch: Watch;
  readonly #watched = new Map<number, Watched>();
  readonly #events = new DataView(new ArrayBuffer(MOST_EVENTS * EVENT.SIZE));
  readonly #eventsAt: number;
  #waiting = 0;

  private constructor(libc: Libc) {
    this.#libc = libc;
    this.#epoll = libc.epollCreate(EPOLL_CLOEXEC);
    this.#eventsAt = libc.addressOf(new Uint8Array(this.#events.buffer));
    this.#watch = watch(libc, this.#epoll, () => this.#readEvents());
  }

  /** The one of this thread. */
  static of(libc: Libc): EventPoll {
    return (shared ??= new EventPoll(libc));
  }

  /** Calls back at the next news of an fd, once and not at once; answers how to call it off, or `−errno`. */
  whenReady(fd: number, callback: () => void): (() => void) | number {
    const watched = this.#watched.get(fd) ?? this.#add(fd);
    if (typeof watched === "number") return watched;
    const { waiting } = watched;
    let isOff = false;
    const tell = (): void => {
      if (!isOff) callback();
    };
    this.#began();
    waiting.add(tell);
    if (watched.hasNews) {
      watched.hasNews = false;
      queueMicrotask(() => this.#tell(watched));
    }
    return () => {
      isOff = true;
      if (waiting.delete(tell)) this.#ended(1);
    };
  }

  /** An fd is about to be closed: whoever waits is told, and nobody hears of it again. */
  forget(fd: number): void {
    const watched = this.#watched.get(fd);
    if (watched === undefined) return;
    this.#watched.delete(fd);
    this.#control(EPOLL_CTL_DEL, fd);
    queueMicrotask(() => this.#tell(watched));
  }

  #add(fd: number): Watched | number {
    const result = this.#control(EPOLL_CTL_ADD, fd);
    if (result < 0) return result;
    const watched: Watched = { hasNews: false, waiting: new Set() };
    this.#watched.set(fd, watched);
    return watched;
  }

  #control(operation: number, fd: number): number {
    if (this.#epoll < 0) return -EBADF;
    this.#events.setUint32(0, EPOLLIN | EPOLLOUT | EPOLLET, true);
    this.#events.setBigUint64(EVENT.DATA, BigInt(fd), true);
    const result = this.#libc.epollControl(this.#epoll, operation, fd, this.#eventsAt);
    return result < 0 ? -this.#libc.errno() : 0;
  }

  #readEvents(): void {
    const count = this.#libc.epollWait(this.#epoll, this.#eventsAt, MOST_EVENTS, 0);
    for (let i = 0; i < count; i++) {
      const watched = this.#watched.get(this.#events.getInt32(i * EVENT.SIZE + EVENT.DATA, true));
      if (watched === undefined) continue;
      if (watched.waiting.size === 0) watched.hasNews = true;
      else this.#tell(watched);
    }
  }

  #tell({ waiting }: Watched): void {
    const callbacks = [...waiting];
    waiting.clear();
    this.#ended(callbacks.length);
    for (const callback of callbacks) queueMicrotask(callback);
  }

  #began(): void {
    if (this.#waiting++ === 0) this.#watch.start();
  }

  #ended(count: number): void {
    if (count === 0) return;
    this.#waiting -= count;
    if (this.#waiting === 0) this.#watch.stop();
  }
}
