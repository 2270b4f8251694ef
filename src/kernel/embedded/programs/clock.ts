/** The clocks of programs, in nanoseconds. A number holds more than a hundred days of them exactly. */
export class Clock {
  /** CLOCK_MONOTONIC and CLOCK_BOOTTIME: since whatever runs this began. */
  monotonic(): number {
    return Math.floor(performance.now() * 1e6);
  }

  /**
   * What answers when it was that this was called, as `monotonic` would have. Node loads `performance` when it is asked for
   * the first time, which takes milliseconds; who may never want to know does not wait for that.
   */
  moment(): () => number {
    const hrtime = (globalThis as { readonly process?: { hrtime?(since?: HighResolution): HighResolution } }).process
      ?.hrtime;
    if (hrtime === undefined) {
      const now = this.monotonic();
      return () => now;
    }
    const then = hrtime();
    return () => {
      const [seconds, nanoseconds] = hrtime(then);
      return this.monotonic() - (seconds * 1e9 + nanoseconds);
    };
  }

  /** CLOCK_REALTIME: since 1970. */
  realtime(): number {
    return Date.now() * 1e6;
  }

  /** CLOCK_TAI: since 1970, and ahead of UTC by its leap seconds. */
  tai(): number {
    return (Date.now() + TAI_OFFSET_MS) * 1e6;
  }
}

/** Seconds and nanoseconds, as Node counts them. */
type HighResolution = [seconds: number, nanoseconds: number];

/** International Atomic Time is ahead of UTC by so much since 2017; a Linux that nobody told of it says 0. */
const TAI_OFFSET_MS = 0;
