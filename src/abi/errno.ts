/**
 * Error numbers of Linux (`include/uapi/asm-generic/errno*.h` and, for ENOTSUPP, `include/linux/errno.h`). They are
 * the same on x64 and arm64, and on the embedded kernel wherever it runs.
 */
export const EPERM = 1;
export const ENOENT = 2;
export const ENXIO = 6;
export const E2BIG = 7;
export const EBADF = 9;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const EISDIR = 21;
export const EINVAL = 22;
export const EMFILE = 24;
export const ENOSPC = 28;
export const ERANGE = 34;
export const EDEADLK = 35;
export const ENAMETOOLONG = 36;
export const ENOSYS = 38;
export const ENOTEMPTY = 39;
export const ELOOP = 40;
export const EPROTO = 71;
export const EOVERFLOW = 75;
export const EBADFD = 77;
export const ENOTSOCK = 88;
export const EMSGSIZE = 90;
export const ENOTSUP = 95;
export const EALREADY = 114;
export const ESTALE = 116;
export const EUCLEAN = 117;
/** "Operation is not supported", a number that Linux keeps to itself but lets out through `bpf(2)`. */
export const ENOTSUPP = 524;

type ErrorText = readonly [code: string, description: string];

function errorTexts(): Readonly<Record<number, ErrorText>> {
  return {
    [EPERM]: ["EPERM", "operation not permitted"],
    [ENOENT]: ["ENOENT", "no such file or directory"],
    [ENXIO]: ["ENXIO", "no such device or address"],
    [E2BIG]: ["E2BIG", "argument list too long"],
    [EBADF]: ["EBADF", "bad file descriptor"],
    [EAGAIN]: ["EAGAIN", "resource temporarily unavailable"],
    [ENOMEM]: ["ENOMEM", "cannot allocate memory"],
    [EACCES]: ["EACCES", "permission denied"],
    [EFAULT]: ["EFAULT", "bad address"],
    [EBUSY]: ["EBUSY", "device or resource busy"],
    [EEXIST]: ["EEXIST", "file exists"],
    [ENODEV]: ["ENODEV", "no such device"],
    [ENOTDIR]: ["ENOTDIR", "not a directory"],
    [EISDIR]: ["EISDIR", "is a directory"],
    [EINVAL]: ["EINVAL", "invalid argument"],
    [EMFILE]: ["EMFILE", "too many open files"],
    [ENOSPC]: ["ENOSPC", "no space left on device"],
    [ERANGE]: ["ERANGE", "numerical result out of range"],
    [EDEADLK]: ["EDEADLK", "resource deadlock avoided"],
    [ENAMETOOLONG]: ["ENAMETOOLONG", "file name too long"],
    [ENOSYS]: ["ENOSYS", "function not implemented"],
    [ENOTEMPTY]: ["ENOTEMPTY", "directory not empty"],
    [ELOOP]: ["ELOOP", "too many levels of symbolic links"],
    [EPROTO]: ["EPROTO", "protocol error"],
    [EOVERFLOW]: ["EOVERFLOW", "value too large for defined data type"],
    [EBADFD]: ["EBADFD", "file descriptor in bad state"],
    [ENOTSOCK]: ["ENOTSOCK", "socket operation on non-socket"],
    [EMSGSIZE]: ["EMSGSIZE", "message too long"],
    [ENOTSUP]: ["ENOTSUP", "operation not supported"],
    [EALREADY]: ["EALREADY", "operation already in progress"],
    [ESTALE]: ["ESTALE", "stale file handle"],
    [EUCLEAN]: ["EUCLEAN", "structure needs cleaning"],
    [ENOTSUPP]: ["ENOTSUPP", "operation is not supported"],
  };
}

let texts: ReturnType<typeof errorTexts> | undefined;

function textOf(errno: number): ErrorText | undefined {
  texts ??= errorTexts();
  return texts[Math.abs(errno)];
}

/** The name of an error number, either sign: `errnoCode(-7)` is `"E2BIG"`. A number without a name is `"E<number>"`. */
export function errnoCode(errno: number): string {
  return textOf(errno)?.[0] ?? `E${Math.abs(errno)}`;
}

/** What an error number says in words, as `strerror` would: `errnoDescription(-7)` is `"argument list too long"`. */
export function errnoDescription(errno: number): string {
  return textOf(errno)?.[1] ?? "unknown error";
}
