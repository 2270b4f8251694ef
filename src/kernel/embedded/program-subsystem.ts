import { EINVAL } from "../../abi/errno.ts";
import type { Address } from "../../memory/address-space.ts";
import type { KernelObject } from "./kernel-object.ts";
import type { KernelState } from "./kernel-state.ts";

/**
 * The commands on programs. The kernel is given them, and does not import them: verifier, compiler and helpers are more
 * code than all the rest, which those who use maps alone need not load.
 */
export interface ProgramSubsystem {
  /** BPF_PROG_LOAD: a new program, without fd, or `−errno`. The attr is of `size` bytes at `uattr`. */
  load(attr: Address, uattr: Address, size: number): KernelObject | number;
  /** BPF_PROG_TEST_RUN. */
  testRun(attr: Address, uattr: Address): number;
  /** BPF_OBJ_GET_INFO_BY_FD of a program. */
  getInfo(program: KernelObject, attr: Address, uattr: Address): number;
  /** Nothing calls a program any more. */
  release(): void;
}

/** Makes the commands on the programs of one kernel. */
export type MakePrograms = (state: KernelState) => ProgramSubsystem;

/** What a kernel without programs answers: it does not know these commands. */
export const NO_PROGRAMS: ProgramSubsystem = {
  load: () => -EINVAL,
  testRun: () => -EINVAL,
  getInfo: () => -EINVAL,
  release() {},
};
