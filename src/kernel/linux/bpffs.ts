import { mkdirSync, readdirSync, rmdirSync, statfsSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { EINVAL, EPERM } from "../../abi/errno.ts";

/** `BPF_FS_MAGIC` of include/uapi/linux/magic.h. */
const BPF_FS_MAGIC = 0xcafe4a11;

/** What a directory is made with: its owner's alone, as libbpf and bpftool do. */
const OWNER_ONLY = 0o700;

// Outside a BPF filesystem the answer is EPERM, which BPF_OBJ_PIN gives there (kernel/bpf/inode.c: bpf_obj_do_pin):
// to take back a pin must not be a way of deleting just any file.

/** `mkdir(2)` below a BPF filesystem: 0 or −errno. */
export function mkdir(path: string): number {
  return change(path, () => mkdirSync(path, OWNER_ONLY));
}

/** `rmdir(2)` below a BPF filesystem: 0 or −errno. */
export function rmdir(path: string): number {
  return change(path, () => rmdirSync(path));
}

/** `unlink(2)` below a BPF filesystem: 0 or −errno. */
export function unlink(path: string): number {
  return change(path, () => unlinkSync(path));
}

/** The names in a directory of a BPF filesystem, sorted, or −errno. */
export function readdir(path: string): string[] | number {
  return answer(() => refuseOutside(path) || readdirSync(path).sort());
}

function change(path: string, call: () => void): number {
  return answer(() => {
    const refusal = refuseOutside(dirname(path));
    if (refusal === 0) call();
    return refusal;
  });
}

function refuseOutside(directory: string): number {
  return statfsSync(directory).type === BPF_FS_MAGIC ? 0 : -EPERM;
}

/** libuv's errno is Linux's, already negative; what has none is a path that no system call could be given. */
function answer<T>(call: () => T | number): T | number {
  try {
    return call();
  } catch (error) {
    return (error as NodeJS.ErrnoException).errno ?? -EINVAL;
  }
}
