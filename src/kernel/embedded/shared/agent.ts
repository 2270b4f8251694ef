import type { Address } from "../../../memory/address-space.ts";
import type { MapHost } from "../map-ops.ts";
import type { InnerMapHolds } from "./shared-inner-maps.ts";

/** One of those who share maps: a thread of this process, or of another. */
export interface Agent {
  /** Its number, from 1 on: no other agent of the same maps has it or ever had it. */
  readonly number: number;
  /**
   * A word of the memory that is its own, to which it stores so that what it loads before and after comes in this order; 0
   * on x64, which loads in the order in which it is told to.
   */
  readonly fence: number;
  /**
   * Waits a moment for the agent that holds a lock, a little longer with every attempt. True when that agent has died, so
   * that it will never let go.
   */
  waitFor(owner: number, attempt: number): boolean;
  /** Whether the agent of a number has died, at once: something that it began is not going to be finished. */
  isDead(agent: number): boolean;
}

/** Somebody who listens: see `Bell.listen`. */
export interface Ear {
  /** Whether the process stays alive for it. It does at first. */
  keepAlive(isAwaited: boolean): void;
  close(): void;
}

/** By which those who share maps wake each other. */
export interface Bell {
  /** Is heard by all who listen at the segment at an address, in this kernel and others. */
  ring(base: Address): void;
  /** Calls back when it rings there, and perhaps when it does not; `undefined` when that is not possible now. */
  listen(base: Address, callback: () => void): Ear | undefined;
}

/** What maps that are shared need of the kernel that they are used by. */
export interface SharingHost extends MapHost {
  readonly agent: Agent;
  /** Without one, those who wait look for news by themselves every few milliseconds. */
  readonly bell?: Bell;
  /** Eight bytes of this kernel alone, through which small values are read and written. */
  readonly scratch: Address;
  /** How maps of maps keep their maps alive; without it there are none. */
  readonly innerMapHolds?: InnerMapHolds;
}
