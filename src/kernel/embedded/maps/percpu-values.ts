/** `PCPU_MIN_UNIT_SIZE`: the most bytes of one CPU's value, rounded up. */
export const PERCPU_MOST = 32768;

/** The bytes that one CPU's value takes, wherever a value lies for each CPU: rounded up to 8. */
export function slotSize(valueSize: number): number {
  return Math.ceil(valueSize / 8) * 8;
}

/** The bytes of a value for each of `cpus` CPUs, one slot behind the other: what user space reads and writes at once. */
export function allCpusSize(valueSize: number, cpus: number): number {
  return slotSize(valueSize) * cpus;
}
