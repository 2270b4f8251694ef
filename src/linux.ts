/**
 * eBPF maps on the running Linux kernel, with the same face as `embedded()`. Needs Linux 5.8 or newer on x64 or arm64,
 * the optional dependency `koffi`, and the capability CAP_BPF (or root).
 *
 * @module
 */

import { Bpf } from "./bpf.ts";
import { linuxAvailability } from "./kernel/linux/linux-availability.ts";
import { LinuxKernel } from "./kernel/linux/linux-kernel.ts";

export type { Bpf } from "./bpf.ts";

/**
 * The running Linux kernel. Its fds belong to what is made from it, and are closed with it.
 *
 * Throws an `Error` whose message says what is missing and what to do about it: another operating system, an
 * architecture that is not x64 or arm64, koffi not installed, CAP_BPF, `kernel.unprivileged_bpf_disabled`, a seccomp
 * filter, a kernel without `bpf(2)`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { u32, u64 } from "mapiary";
 * import { linux } from "mapiary/linux";
 *
 * using bpf = linux();
 * using hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1024 });
 * hits.set(5, 100n);
 * assert.equal(hits.get(5), 100n);
 * ```
 *
 * Source: bpf(2), capabilities(7).
 */
export function linux(): Bpf {
  return new Bpf(new LinuxKernel());
}

/** Whether `linux()` would succeed here and now. Never throws. */
linux.available = (): boolean => linuxAvailability().available;

/** Why `linux()` would fail here and now, in a sentence; `undefined` when it would succeed. Never throws. */
linux.unavailableReason = (): string | undefined => {
  const availability = linuxAvailability();
  return availability.available ? undefined : availability.reason;
};
