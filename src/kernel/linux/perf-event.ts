import type { Libc } from "./libc.ts";

/** The number of `perf_event_open(2)` by Node's name of the architecture. */
const PERF_EVENT_OPEN: Readonly<Record<string, number>> = { x64: 298, arm64: 241 };

/** `struct perf_event_attr` up to PERF_ATTR_SIZE_VER0, and what of it is set: `include/uapi/linux/perf_event.h`. */
const ATTR = { TYPE: 0, SIZE: 4, CONFIG: 8, SAMPLE_PERIOD: 16, SAMPLE_TYPE: 24, WAKEUP_EVENTS: 48, END: 64 } as const;
const PERF_TYPE_SOFTWARE = 1;
const PERF_COUNT_SW_BPF_OUTPUT = 10;
const PERF_SAMPLE_RAW = 1 << 10;
const PERF_FLAG_FD_CLOEXEC = 8;
const PERF_EVENT_IOC_ENABLE = 0x2400;
const ALL_PROCESSES = -1;
const NO_GROUP = -1;

/**
 * Opens the software event by which programs on one CPU give records to user space, and which nothing else raises. Every
 * record wakes whoever waits. Answers an fd, or `−errno`.
 */
export function openBpfOutput(libc: Libc, cpu: number): number {
  const attr = new DataView(new ArrayBuffer(ATTR.END));
  attr.setUint32(ATTR.TYPE, PERF_TYPE_SOFTWARE, true);
  attr.setUint32(ATTR.SIZE, ATTR.END, true);
  attr.setUint32(ATTR.CONFIG, PERF_COUNT_SW_BPF_OUTPUT, true);
  attr.setUint32(ATTR.SAMPLE_PERIOD, 1, true);
  attr.setUint32(ATTR.SAMPLE_TYPE, PERF_SAMPLE_RAW, true);
  attr.setUint32(ATTR.WAKEUP_EVENTS, 1, true);
  const address = libc.addressOf(new Uint8Array(attr.buffer));
  const number = PERF_EVENT_OPEN[process.arch] as number;
  const fd = libc.syscallOfFive(number, address, ALL_PROCESSES, cpu, NO_GROUP, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) return -libc.errno();
  if (libc.ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) >= 0) return fd;
  const errno = libc.errno();
  libc.close(fd);
  return -errno;
}
