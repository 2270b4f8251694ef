import type { EmbeddedMap } from "../../map-ops.ts";
import type { LinkedProgram } from "../linked-program.ts";
import type { ProgramHost } from "../program-host.ts";

/**
 * How a register is handed to a helper. Numbers of JavaScript hold all of 32 bits, and of 64 bits what is below 2^53:
 * whatever is more than that stays more than that.
 */
export type HandOver =
  /** The lower half, unsigned: an address, a size. */
  | "u32"
  /** The lower half, signed. */
  | "s32"
  /** All of it, unsigned, exact up to 2^53. */
  | "u64"
  /** All of it, signed, exact from −2^53 to 2^53. */
  | "s64"
  /** All of it as two numbers of 32 bits, the lower one first. */
  | "halves"
  /** The map itself: not an argument of the function, but of what makes it. */
  | "map"
  /** Not at all. */
  | "ignored";

/** What becomes of a helper's answer in r0. */
export type Answer =
  /** 0, a count, or −errno: 32 bits, extended with their sign. */
  | "s32"
  /** An address, or 32 bits without a sign. */
  | "u32"
  /** A number from −2^53 to 2^53. */
  | "s64"
  /** What the function left at `ProgramHost.answer`, 64 bits. */
  | "stored";

/** A helper made for a program. */
export type Helper = (...registers: number[]) => number;

/** How a helper is called, and how it is made for one program. */
export interface HelperFunction {
  /** What is handed over of r1 and the registers behind it. */
  readonly takes: readonly HandOver[];
  readonly answers: Answer;
  /** Whether it calls functions of the program: it is then handed the frame for them besides, at the end. */
  readonly callsBack?: boolean;
  /** `map` is what r1 to r5 say, for a helper that takes one. */
  readonly make: (host: ProgramHost, program: LinkedProgram, map: EmbeddedMap) => Helper;
}
