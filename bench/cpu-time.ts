/**
 * Nanoseconds that this process has had a CPU, all its threads together, in whole microseconds. Unlike the time of day it
 * does not go on while another process has it. `cpu_time` in `peer.c` is the same: getrusage(2), clock_gettime(2).
 */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}
