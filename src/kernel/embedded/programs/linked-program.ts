import type { Address } from "../../../memory/address-space.ts";
import type { KernelObject } from "../kernel-object.ts";
import type { EmbeddedMap } from "../map-ops.ts";

/** A compiled program that is tied to a kernel, and can be run. */
export interface LinkedProgram {
  /** Runs it on a context, `times` times over; answers what the last run left in the lower half of r0, signed. */
  readonly run: (ctx: Address, frame: Address, times: number) => number;
  /** The function by which another program calls it in its own place. */
  readonly entry: CallableFunction;
  /** What refers to it, and keeps its maps; `undefined` until it is loaded. */
  object: KernelObject | undefined;
  /** The maps that it uses. */
  readonly maps: readonly EmbeddedMap[];
  /** BPF_PROG_TYPE_…. */
  readonly type: number;
  /** Whether the program may look at bytes: its stack, its context and packet, and what its maps hold. */
  canSee(at: Address, bytes: number): boolean;
  /** A function of the program, by the number that stands for its address: four arguments of 32 bits and its frame. */
  callback(address: number): Callback;
}

/** A function of a program that a helper calls. What is answered is the lower half of r0. */
export type Callback = (a: number, b: number, c: number, d: number, frame: Address) => number;
