import { EBADF } from "../../abi/errno.ts";
import { BPF_MAP_TYPE_ARRAY } from "../../abi/map-types.ts";
import { type Failure, mapOf, type Rule } from "./failure.ts";

/** A kernel that was closed answers EBADF to everything, even to the simplest of maps. */
function isReleased({ sys }: Failure): boolean {
  const fd = sys.mapCreate({ type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 });
  if (fd >= 0) sys.close(fd);
  return fd === -EBADF;
}

/** The whole of BPF was closed before the command. */
export const kernelClosed: Rule = (failure) =>
  isReleased(failure)
    ? "this kernel was closed before, by close() or at the end of its using: open a new one."
    : undefined;

/** The fd is none, or none any more. */
export const fdClosed: Rule = (failure) => {
  if (failure.fd === undefined) return kernelClosed(failure);
  if (failure.fd < 0) return `${mapOf(failure)} is closed: open or create it again before using it.`;
  return (
    kernelClosed(failure) ??
    `fd ${failure.fd} of ${mapOf(failure)} is not open any more: it was closed past its object.`
  );
};

/** BPF_OBJ_PIN answers EINVAL, and BPF_OBJ_GET_INFO_BY_FD EBADFD, for an fd that is not open. */
export const fdClosedInDisguise: Rule = (failure) => {
  const { fd, sys } = failure;
  if (fd === undefined) return undefined;
  return fd < 0 || typeof sys.objGetInfoByFd(fd) === "number" ? fdClosed(failure) : undefined;
};
