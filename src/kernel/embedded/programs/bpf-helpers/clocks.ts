import type { HelperFunction } from "./helper-function.ts";

/** bpf_ktime_get_ns, and bpf_ktime_get_boot_ns: nothing here ever sleeps. */
export const KTIME_GET_NS: HelperFunction = {
  takes: [],
  answers: "s64",
  make:
    ({ clock }) =>
    () =>
      clock.monotonic(),
};

/** bpf_ktime_get_tai_ns. */
export const KTIME_GET_TAI_NS: HelperFunction = {
  takes: [],
  answers: "s64",
  make:
    ({ clock }) =>
    () =>
      clock.tai(),
};

const TICK = 1e6;

/** bpf_jiffies64: a thousand a second. */
export const JIFFIES64: HelperFunction = {
  takes: [],
  answers: "s64",
  make:
    ({ clock }) =>
    () =>
      Math.floor(clock.monotonic() / TICK),
};
