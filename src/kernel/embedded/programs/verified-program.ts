import type { Instruction } from "../../../isa/instruction.ts";
import type { EmbeddedMap } from "../map-ops.ts";

/** A program as BPF_PROG_LOAD gives it to the verifier, its fds resolved. */
export interface ProgramSource {
  /** BPF_PROG_TYPE_…. */
  readonly type: number;
  readonly expectedAttachType: number;
  /** BPF_F_… of BPF_PROG_LOAD. */
  readonly flags: number;
  /** One element a slot: see `Instruction`. */
  readonly instructions: readonly Instruction[];
  readonly isGplCompatible: boolean;
  /** The map that a 64-bit immediate refers to, by the slot of the immediate. */
  readonly maps: ReadonlyMap<number, EmbeddedMap>;
  /** The source line of a slot where the program has line info: `file.c:12: text`. */
  readonly lineOf?: ((slot: number) => string | undefined) | undefined;
}

/** A function of a program, from its first slot to the one behind its last. The first one is the program itself. */
export interface Subprogram {
  readonly start: number;
  readonly end: number;
  /** Bytes of stack that it uses, up to 512. */
  readonly stackDepth: number;
  /** Whether its address is taken, to be called by a helper. */
  readonly isCallback: boolean;
}

/** What is known of a call. */
export interface VerifiedCall {
  /** The one map that the call is about on every path that leads here; `undefined` when there are several or none. */
  readonly map?: EmbeddedMap | undefined;
  /** For a helper that takes a callback: the subprogram, by its first slot. */
  readonly callback?: number | undefined;
}

/** What the verifier found out of a program that it accepted: all that the compiler needs besides the instructions. */
export interface VerifiedProgram {
  readonly source: ProgramSource;
  readonly subprograms: readonly Subprogram[];
  /** 1 for each slot that some path reaches. What none reaches is not compiled. */
  readonly reachable: Uint8Array;
  /** The calls of helpers, by slot. */
  readonly calls: ReadonlyMap<number, VerifiedCall>;
}

/** A program that was refused. */
export interface Refusal {
  /** −errno. */
  readonly errno: number;
}

/** The verdict, and the log up to it as `log_level` asked for. */
export interface Verdict {
  readonly result: VerifiedProgram | Refusal;
  readonly log: string;
}
