import { EBADF } from "../../abi/errno.ts";
import type { PreparedCommand } from "../prepared-command.ts";
import type { Libc } from "./libc.ts";

/** Whether a kernel has let its fds go: what a command that outlives it must know, lest it reach a stranger's. */
export interface Lifetime {
  isOver: boolean;
}

/**
 * A command whose attr, at an absolute address, holds absolute pointers already: one system call, and nothing else.
 * `number` is that of `bpf(2)`. A closure keeps the numbers as they are; a field's would be boxed anew for every call.
 */
export function settledCommand(
  lifetime: Lifetime,
  { syscall, errno }: Libc,
  number: number,
  command: number,
  attr: number,
  size: number,
): PreparedCommand {
  return {
    run(): number {
      if (lifetime.isOver) return -EBADF;
      const result = syscall(number, command, attr, size);
      return result < 0 ? -errno() : result;
    },
  };
}
