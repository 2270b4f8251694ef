import { EINVAL, ENOTSUP } from "../../../../abi/errno.ts";
import type { HelperFunction } from "./helper-function.ts";

const BPF_F_TIMER_ABS = 1;
/** That, and `BPF_F_TIMER_CPU_PIN`: a timer runs out where it was started anyhow. */
const START_FLAGS = 3;

/** bpf_timer_init: the clock is all that its flags may be. Memory that is shared has values that others delete unheard. */
export const TIMER_INIT: HelperFunction = {
  takes: ["u32", "map", "u64"],
  answers: "s32",
  make: (host, _program, map) => (timer, flags) =>
    host.memory.isShared ? -ENOTSUP : host.timers.init(timer as number, map, flags as number),
};

/** bpf_timer_set_callback. */
export const TIMER_SET_CALLBACK: HelperFunction = {
  takes: ["u32", "u32"],
  answers: "s32",
  make: (host, program) => (timer, callback) => host.timers.setCallback(timer as number, program, callback as number),
};

/** bpf_timer_start. */
export const TIMER_START: HelperFunction = {
  takes: ["u32", "u64", "u64"],
  answers: "s32",
  make: (host) => (timer, nanoseconds, flags) =>
    (flags as number) > START_FLAGS
      ? -EINVAL
      : host.timers.start(timer as number, nanoseconds as number, ((flags as number) & BPF_F_TIMER_ABS) !== 0),
};

/** bpf_timer_cancel. */
export const TIMER_CANCEL: HelperFunction = {
  takes: ["u32"],
  answers: "s32",
  make: (host) => (timer) => host.timers.cancel(timer as number),
};
