import { EBUSY, EDEADLK, EINVAL, EPERM } from "../../../abi/errno.ts";
import type { Address } from "../../../memory/address-space.ts";
import { type KernelState, put } from "../kernel-state.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import type { LinkedProgram } from "./linked-program.ts";

/** The clocks that a timer may run by: `CLOCK_REALTIME`, `CLOCK_MONOTONIC`, `CLOCK_BOOTTIME`. */
const CLOCK_REALTIME = 0;
const CLOCKS: ReadonlySet<number> = new Set([CLOCK_REALTIME, 1, 7]);

/** The longest that `setTimeout` waits; more it takes for nothing. */
const LONGEST_WAIT = 2 ** 31 - 1;
const NANOSECONDS = 1e6;

/** `struct bpf_hrtimer`: a timer that was made. */
interface Timer {
  readonly map: EmbeddedMap;
  readonly at: Address;
  readonly clock: number;
  /** What it calls, and the program that has that, which it keeps. */
  callback: { readonly program: LinkedProgram; readonly address: number } | undefined;
  waiting: ReturnType<typeof setTimeout> | undefined;
}

/** What timers need of the programs of their kernel. */
export interface TimerHost {
  readonly state: KernelState;
  readonly clock: { monotonic(): number; realtime(): number };
  readonly cpu: number;
  /** Calls a callback with the value that a timer lies in, on a CPU. */
  callBack(call: { readonly program: LinkedProgram; readonly address: number }, map: EmbeddedMap, value: Address): void;
  onCpu(cpu: number, run: () => void): void;
}

/**
 * The timers in the values of maps: `kernel/bpf/helpers.c: bpf_timer_init` and those behind it, 6.18. They are timers of
 * JavaScript, so what tests do with its time they do with that of programs. They run out when the event loop has its turn,
 * to the millisecond, and keep no process alive.
 */
export class Timers {
  readonly #host: TimerHost;
  readonly #timers = new Map<Address, Timer>();
  /** The timer whose callback runs. */
  #running: Timer | undefined;

  constructor(host: TimerHost) {
    this.#host = host;
  }

  /** bpf_timer_init of the timer at an address in a value of a map, which has users. */
  init(at: Address, map: EmbeddedMap, clock: number): number {
    if (!CLOCKS.has(clock)) return -EINVAL;
    if (this.#timers.has(at)) return -EBUSY;
    if (!map.hasUsers) return -EPERM;
    const { record } = map;
    if (record === undefined) return -EINVAL;
    record.held ??= {
      drop: (value) => this.#drop(this.#timers.get(value + offsetIn(map))),
      dropAll: () => {
        for (const timer of [...this.#timers.values()]) if (timer.map === map) this.#drop(timer);
      },
    };
    this.#timers.set(at, { map, at, clock, callback: undefined, waiting: undefined });
    return 0;
  }

  /** bpf_timer_set_callback. */
  setCallback(at: Address, program: LinkedProgram, address: number): number {
    const timer = this.#timers.get(at);
    if (timer === undefined) return -EINVAL;
    if (!timer.map.hasUsers) return -EPERM;
    if (program.object !== undefined) program.object.references++;
    this.#forgetCallback(timer);
    timer.callback = { program, address };
    return 0;
  }

  /** bpf_timer_start: in so many nanoseconds, or at a time of its clock. */
  start(at: Address, nanoseconds: number, isAbsolute: boolean): number {
    const timer = this.#timers.get(at);
    if (timer?.callback === undefined) return -EINVAL;
    const { clock, cpu } = this.#host;
    const now = timer.clock === CLOCK_REALTIME ? clock.realtime() : clock.monotonic();
    const wait = Math.max(0, isAbsolute ? nanoseconds - now : nanoseconds);
    clearTimeout(timer.waiting);
    this.#wait(timer, Math.ceil(wait / NANOSECONDS), cpu);
    return 0;
  }

  /** bpf_timer_cancel: 1 when it was waiting. Its callback is forgotten. */
  cancel(at: Address): number {
    const timer = this.#timers.get(at);
    if (timer === undefined) return -EINVAL;
    if (timer === this.#running) return -EDEADLK;
    return this.#stop(timer) ? 1 : 0;
  }

  /** None of them runs out any more. */
  release(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer.waiting);
    this.#timers.clear();
  }

  #wait(timer: Timer, milliseconds: number, cpu: number): void {
    const rest = milliseconds - LONGEST_WAIT;
    const next = (): void => (rest > 0 ? this.#wait(timer, rest, cpu) : this.#runOut(timer, cpu));
    timer.waiting = setTimeout(next, Math.min(milliseconds, LONGEST_WAIT));
    (timer.waiting as { unref?: () => void }).unref?.();
  }

  /** `bpf_timer_cb`. What runs keeps its program and its map, whatever it deletes. */
  #runOut(timer: Timer, cpu: number): void {
    const { callback, map, at } = timer;
    timer.waiting = undefined;
    if (callback === undefined) return;
    const { state } = this.#host;
    const { object } = callback.program;
    if (object !== undefined) object.references++;
    map.references++;
    map.kernelReferences++;
    this.#running = timer;
    try {
      this.#host.onCpu(cpu, () => this.#host.callBack(callback, map, at - offsetIn(map)));
    } finally {
      this.#running = undefined;
      map.kernelReferences--;
      put(state, map);
      if (object !== undefined) put(state, object);
    }
  }

  /** Whether it was waiting. */
  #stop(timer: Timer): boolean {
    const wasWaiting = timer.waiting !== undefined;
    clearTimeout(timer.waiting);
    timer.waiting = undefined;
    this.#forgetCallback(timer);
    return wasWaiting;
  }

  /** `bpf_timer_cancel_and_free`. */
  #drop(timer: Timer | undefined): void {
    if (timer === undefined) return;
    this.#timers.delete(timer.at);
    this.#stop(timer);
  }

  #forgetCallback(timer: Timer): void {
    const object = timer.callback?.program.object;
    timer.callback = undefined;
    if (object !== undefined) put(this.#host.state, object);
  }
}

/** Where in the values of a map the timer lies. */
function offsetIn({ record }: EmbeddedMap): number {
  return record?.fields.find(({ type }) => type === "bpf_timer")?.offset ?? 0;
}
