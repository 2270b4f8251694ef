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
  /** CPUs that `bpf_get_smp_processor_id` may name; `undefined` when nothing is to be concluded from it. */
  readonly possibleCpus?: number | undefined;
  /** The functions that the program's BTF declares; `undefined` without func_info. */
  readonly functions?: readonly DeclaredFunction[] | undefined;
  /** The source line of a slot where the program has line info: `file.c:12: text`. */
  readonly lineOf?: ((slot: number) => string | undefined) | undefined;
}

/** A function as the program's BTF declares it. */
export interface DeclaredFunction {
  /** Its first slot. */
  readonly start: number;
  readonly name: string;
  /** BTF_FUNC_GLOBAL: it is verified by itself, for whatever its declared parameters allow, and not once for each call. */
  readonly isGlobal: boolean;
  /** What its parameters are; `undefined` when one of them is nothing that the embedded kernel knows. */
  readonly parameters: readonly DeclaredParameter[] | undefined;
  /** Whether it returns nothing. */
  readonly returnsVoid: boolean;
}

/** A parameter of a global function: a number, the context, or memory of a known size that may be NULL. */
export type DeclaredParameter =
  | { readonly kind: "scalar" }
  | { readonly kind: "ctx" }
  | { readonly kind: "mem"; readonly size: number; readonly isNullable: boolean };

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
  /** Where the last byte of the context ends that the program may touch: `max_ctx_offset` of `struct bpf_prog_aux`. */
  readonly maxContextOffset: number;
  /** How many instructions were checked, over all paths: `verified_insns` of `struct bpf_prog_info`. */
  readonly visited: number;
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
