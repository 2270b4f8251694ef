import { EACCES, EBADF, EBADFD, EBUSY, EINVAL, ENOENT, ENOSYS, ENOTSUPP, EPERM } from "../../abi/errno.ts";
import { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG } from "../../abi/flags.ts";
import { PROT_WRITE } from "../../abi/mman.ts";
import { nearest, quote } from "../../layout/fault.ts";
import type { Sys } from "../sys.ts";
import { notReadable, notWritable } from "./access.ts";
import { fdClosed, kernelClosed } from "./closed.ts";
import { firstOf, infoOf, mapOf, type Rule, type Rules, typeOf } from "./failure.ts";
import { hex } from "./shown.ts";

/** BPF_MAP_FREEZE. A map that is frozen answers as one that may not be written. */
export function freezeRules(): Rules {
  return {
    [EBADF]: fdClosed,
    [EPERM]: notWritable,
    [EBUSY]: (failure) =>
      `${mapOf(failure)} is being written now, or is mapped into memory for writing: unmap it (close what maps it, be it by memory, at or atomic), then freeze it.`,
    [ENOTSUPP]: (failure) =>
      `${mapOf(failure)} cannot be frozen: it is a struct_ops, or its values have locks, timers or kernel pointers.`,
  };
}

const wrongAccess: Rule = ({ flags = 0 }) =>
  flags === 0
    ? undefined
    : `flags is ${hex(flags)}: a map is opened with 0, BPF_F_RDONLY or BPF_F_WRONLY, not with both.`;

/** An id, or a name that was looked for among all ids. */
const noSuchMap: Rule = ({ sys, id, map }) => {
  if (id !== undefined) return `no map has the id ${id}: it is gone, or never was. bpf.maps() lists those that live.`;
  if (map === undefined) return undefined;
  const meant = nearest(map, namesOf(sys));
  const hint = meant === undefined ? "bpf.maps() lists those that live" : `there is ${quote(meant)}`;
  return `no map is named ${quote(map)}: ${hint}.`;
};

function namesOf(sys: Sys): string[] {
  const names: string[] = [];
  const id = new Uint32Array(1);
  while (sys.mapGetNextId(id[0] ?? 0, id) === 0) {
    const fd = sys.mapGetFdById(id[0] ?? 0);
    if (fd < 0) continue;
    const info = sys.objGetInfoByFd(fd);
    sys.close(fd);
    if (typeof info !== "number" && info.name !== "") names.push(info.name);
  }
  return names;
}

/** BPF_MAP_GET_FD_BY_ID. */
export function fdByIdRules(): Rules {
  return {
    [EBADF]: kernelClosed,
    [ENOENT]: noSuchMap,
    [EINVAL]: wrongAccess,
    [EPERM]: () =>
      "to open a map by its id needs CAP_SYS_ADMIN, which this process has not: run as root, or open it by its pin.",
  };
}

/** BPF_OBJ_GET of flags that say how to open. */
export const wrongOpenFlags: Rule = wrongAccess;

/** BPF_OBJ_GET_INFO_BY_FD. */
export function infoRules(): Rules {
  return { [EBADF]: fdClosed, [EBADFD]: fdClosed };
}

const notMmapable: Rule = (failure) => {
  const info = infoOf(failure);
  if (info === undefined || info.type !== "array" || (info.mapFlags & BPF_F_MMAPABLE) !== 0) return undefined;
  return `${mapOf(failure)} was made without the flag mmapable: add it to flags when the array is created.`;
};

const wrongRange: Rule = (failure) => {
  const { mapping } = failure;
  const info = infoOf(failure);
  if (mapping === undefined || info === undefined) return undefined;
  const { length, offset } = mapping;
  if (offset % 4096 !== 0) return `a mapping begins on a page, and ${offset} is no multiple of 4096.`;
  if (!(length > 0)) return `a mapping is at least 1 byte long, not ${length}.`;
  const bytes = Math.ceil(info.valueSize / 8) * 8 * info.maxEntries;
  return `the mapping of ${length} bytes from ${offset} leaves ${mapOf(failure)}, whose values are ${bytes} bytes, rounded up to whole pages.`;
};

const writesReadOnly: Rule = (failure) => {
  const info = infoOf(failure);
  const writes = ((failure.mapping?.protection ?? 0) & PROT_WRITE) !== 0;
  if (info === undefined || !writes || (info.mapFlags & BPF_F_RDONLY_PROG) === 0) return undefined;
  return `${mapOf(failure)} was made with rdonly_prog, and memory of such a map is for reading only: map it without PROT_WRITE.`;
};

/** `mmap(2)` of a map: `kernel/bpf/syscall.c: bpf_map_mmap`, 6.18. */
export function mmapRules(): Rules {
  return {
    [EBADF]: fdClosed,
    [ENOTSUPP]: (failure) =>
      `maps of ${typeOf(infoOf(failure))} cannot be mapped: mmapable arrays and ring buffers can.`,
    [EINVAL]: firstOf(notMmapable, wrongRange),
    [EPERM]: notWritable,
    [EACCES]: firstOf(notReadable, notWritable, writesReadOnly),
  };
}

/** `epoll_ctl(2)` of a map. */
export function epollRules(): Rules {
  return { [EBADF]: fdClosed };
}

/** `perf_event_open(2)` for `perf_event_array`. */
export function perfRules(): Rules {
  return {
    [ENOSYS]: () => "this kernel has no perf events: a ringbuf carries records on every kernel.",
    [EACCES]: () =>
      "perf events of all processes need CAP_PERFMON or root, or kernel.perf_event_paranoid at 0 or below; a ringbuf needs CAP_BPF alone.",
  };
}
