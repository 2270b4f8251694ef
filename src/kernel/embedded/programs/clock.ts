/** The clocks of programs, in nanoseconds. A number holds more than a hundred days of them exactly. */
export class Clock {
  /** CLOCK_MONOTONIC and CLOCK_BOOTTIME: since whatever runs this began. */
  monotonic(): number {
    return Math.floor(performance.now() * 1e6);
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

/** International Atomic Time is ahead of UTC by so much since 2017; a Linux that nobody told of it says 0. */
const TAI_OFFSET_MS = 0;
