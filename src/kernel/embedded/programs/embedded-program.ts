import { BPF_F_XDP_HAS_FRAGS } from "../../../abi/prog-flags.ts";
import type { KernelObject } from "../kernel-object.ts";
import { type KernelState, put } from "../kernel-state.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import type { DebugInfo } from "./debug-info.ts";
import type { LinkedProgram } from "./linked-program.ts";
import type { ProgramHost } from "./program-host.ts";
import { programTag } from "./program-tag.ts";
import type { ProgramSource } from "./verified-program.ts";

/** What a program is besides its instructions. */
export interface ProgramTraits {
  readonly source: ProgramSource;
  /** Every map that it refers to, once. */
  readonly maps: readonly EmbeddedMap[];
  readonly name: Uint8Array;
  /** The instructions as they were given. */
  readonly instructions: Uint8Array;
  /** The module that it was compiled to. */
  readonly module: Uint8Array;
  /** What its BTF says of it; `undefined` without. */
  readonly debug: DebugInfo | undefined;
  /** How far into its context it reads or writes. */
  readonly maxContextOffset: number;
  /** How many instructions the verifier went through. */
  readonly verifiedInstructions: number;
}

/** What programs have in common that may take each other's place by a tail call: `bpf_prog_map_compatible`. */
export function tailCallKind({ type, flags }: ProgramSource): string {
  return `${type} ${flags & BPF_F_XDP_HAS_FRAGS}`;
}

/** A program that is loaded: what the embedded kernel keeps of Linux's `struct bpf_prog`. */
export class EmbeddedProgram implements KernelObject {
  readonly kind = "program";
  id = 0;
  references = 0;
  readonly traits: ProgramTraits;
  readonly linked: LinkedProgram;
  /** Its place in the table of tail calls. */
  readonly tableIndex: number;
  readonly #loadMoment: () => number;
  #loadTime: number | undefined;
  readonly #host: ProgramHost;
  #tag: Uint8Array | undefined;

  constructor(host: ProgramHost, traits: ProgramTraits, linked: LinkedProgram) {
    this.#host = host;
    this.traits = traits;
    this.linked = linked;
    linked.object = this;
    this.tableIndex = host.place(linked.entry);
    this.#loadMoment = host.clock.moment();
    for (const map of traits.maps) {
      map.references++;
      map.kernelReferences++;
    }
    if (traits.debug !== undefined) traits.debug.btf.references++;
  }

  get type(): number {
    return this.traits.source.type;
  }

  get tailCallKind(): string {
    return tailCallKind(this.traits.source);
  }

  /** Nanoseconds since the kernel began, when it was loaded. */
  get loadTime(): number {
    return (this.#loadTime ??= this.#loadMoment());
  }

  /** What is the same for the same instructions: made when it is asked for the first time. */
  get tag(): Uint8Array {
    return (this.#tag ??= programTag(this.traits.source.instructions));
  }

  free(): void {
    const state: KernelState = this.#host.state;
    this.#host.displace(this.tableIndex);
    for (const map of this.traits.maps) {
      map.kernelReferences--;
      put(state, map);
    }
    if (this.traits.debug !== undefined) put(state, this.traits.debug.btf);
  }
}
