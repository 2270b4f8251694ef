import { type RingbufMap, ringbufOf } from "../../maps/ringbuf.ts";
import type { HelperFunction } from "./helper-function.ts";

/** bpf_ringbuf_reserve. */
export const RINGBUF_RESERVE: HelperFunction = {
  takes: ["map", "u64", "u64"],
  answers: "u32",
  make: (_host, _program, map) => (size, flags) => (map as RingbufMap).reserve(size as number, flags as number),
};

/** bpf_ringbuf_submit. */
export const RINGBUF_SUBMIT: HelperFunction = {
  takes: ["u32", "u32"],
  answers: "s32",
  make:
    ({ memory }) =>
    (record, flags) => {
      ringbufOf(memory, record as number)?.submit(record as number, flags as number);
      return 0;
    },
};

/** bpf_ringbuf_discard. */
export const RINGBUF_DISCARD: HelperFunction = {
  takes: ["u32", "u32"],
  answers: "s32",
  make:
    ({ memory }) =>
    (record, flags) => {
      ringbufOf(memory, record as number)?.discard(record as number, flags as number);
      return 0;
    },
};

/** bpf_ringbuf_output. */
export const RINGBUF_OUTPUT: HelperFunction = {
  takes: ["map", "u32", "u64", "u64"],
  answers: "s32",
  make: (_host, _program, map) => (data, size, flags) =>
    (map as RingbufMap).output(data as number, size as number, flags as number),
};

/** bpf_ringbuf_query. */
export const RINGBUF_QUERY: HelperFunction = {
  takes: ["map", "u64"],
  answers: "s64",
  make: (_host, _program, map) => (what) => (map as RingbufMap).query(what as number),
};
