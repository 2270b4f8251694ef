import { EPERM } from "../../abi/errno.ts";
import { BPF_EXIST, BPF_NOEXIST } from "../../abi/flags.ts";
import { type Failure, infoOf, mapOf, type Rule } from "./failure.ts";

/** Too short for any key or value: a kernel that looks at it answers EFAULT, having done nothing. */
const OUT_OF_REACH = new Uint8Array(0);

/** No type takes both. A write that would get past its key and value ends here. */
const IMPOSSIBLE = BPF_NOEXIST | BPF_EXIST;

/** Whether an fd may read its map. The map's info must be known: without it `sys` cannot tell what is out of reach. */
function canRead({ sys }: Failure, fd: number): boolean {
  return sys.mapLookupElem(fd, OUT_OF_REACH, OUT_OF_REACH) !== -EPERM;
}

/** Whether an fd may write its map: permission comes before the key. `kernel/bpf/syscall.c: map_update_elem`, 6.18. */
function canWrite({ sys }: Failure, fd: number): boolean {
  return sys.mapUpdateElem(fd, OUT_OF_REACH, OUT_OF_REACH, IMPOSSIBLE) !== -EPERM;
}

/** The fd that creates a map is as its flags say; every other is as it was asked for. */
function remedy(access: string, flag: string): string {
  return (
    `: open it without access: "${access}". If it was created here with the flag ${flag}, ` +
    "which binds its creator's fd alone, open it anew with mapById."
  );
}

/** EPERM of a command that reads. */
export const notReadable: Rule = (failure) => {
  const { fd } = failure;
  if (fd === undefined || infoOf(failure) === undefined || canRead(failure, fd)) return undefined;
  return `${mapOf(failure)} was opened write-only${remedy("write", "wronly")}`;
};

/**
 * EPERM of a command that writes. The fd is read-only when another fd of the same map may write; when no fd may, the
 * map is frozen.
 */
export const notWritable: Rule = (failure) => {
  const { fd, sys } = failure;
  const info = infoOf(failure);
  if (fd === undefined || info === undefined || canWrite(failure, fd)) return undefined;
  const map = mapOf(failure);
  const other = sys.mapGetFdById(info.id);
  if (other < 0) {
    return `${map} is frozen, or was opened read-only${remedy("read", "rdonly")}`;
  }
  const isFrozen = typeof sys.objGetInfoByFd(other) !== "number" && !canWrite(failure, other);
  sys.close(other);
  return isFrozen
    ? `${map} is frozen: user space can never write it again, programs can. To change it from here, make a new map.`
    : `${map} was opened read-only${remedy("read", "rdonly")}`;
};
