import { type AttachTypeName, attachTypeNumber } from "../abi/attach-types.ts";
import type { ProgTypeName } from "../abi/prog-types.ts";
import type { Instruction } from "../isa/instruction.ts";
import type { ProgLoadOptions } from "../sys/sys.ts";

/** What `bpf.loadProgram` makes a program from. */
export interface ProgramSpec {
  /** bpftool's name of the type: `"xdp"`, `"sched_cls"`, `"kprobe"`. */
  readonly type: ProgTypeName;
  /** Letters, digits, `_` and `.`; what is longer than 15 bytes is cut. */
  readonly name?: string | undefined;
  /** What an `Assembler` wrote, or the bytes of it. */
  readonly instructions: readonly Instruction[] | Uint8Array;
  /** `"GPL"` unless another is given; some helpers are for free programs alone. */
  readonly license?: string | undefined;
  /** Where it is going to be attached, for the types that must know. */
  readonly attach?: AttachTypeName | undefined;
  /** Bits of `BPF_F_…`. */
  readonly flags?: number | undefined;
}

/** The fields of BPF_PROG_LOAD for a spec. */
export function progLoadOptions({ type, name, instructions, license, attach, flags }: ProgramSpec): ProgLoadOptions {
  return {
    type,
    name,
    insns: instructions,
    license: license ?? "GPL",
    expectedAttachType: attach && attachTypeNumber(attach),
    flags,
  };
}
