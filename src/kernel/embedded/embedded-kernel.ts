import type { KernelHandle } from "../kernel.ts";
import type { Backing } from "./backing.ts";
import { MapKernel } from "./map-kernel.ts";
import type { LoadPolicy } from "./programs/prog-load.ts";
import { ProgramCommands } from "./programs/program-commands.ts";
import { verify } from "./programs/verifier/verify.ts";

/** Options of the embedded kernel. */
export interface EmbeddedOptions {
  /**
   * A directory that keeps the maps, for every program that opens it: it is what `/sys/fs/bpf` is on this kernel. Made if
   * need be. Needs Node on Linux or macOS, and koffi.
   */
  readonly bpffs?: string;
  /**
   * Whether workers can have the same maps, by `Bpf.share`, in memory that they share: wherever there are workers, and with no
   * files. A page has such memory when it is cross-origin isolated.
   */
  readonly shared?: boolean;
  /** What `Bpf.share` gave in another thread, whose maps this kernel shall have. */
  readonly share?: KernelHandle;
  /** How many values a per-CPU map holds for one key, from 1; 1 when not given. */
  readonly possibleCpus?: number;
  /**
   * The most bytes that all maps together may take, up to and by default 4 GiB; with `shared` less by default where the system
   * has no addresses for so many.
   */
  readonly maxMemory?: number;
  /** Is told each line that a program prints by `bpf_trace_printk`, as it stands in Linux's `trace_pipe` behind the time. */
  readonly trace?: (line: string) => void;
}

/** The embedded kernel, whole: maps, BTF and programs. */
export class EmbeddedKernel extends MapKernel {
  /**
   * Throws a `RangeError` for options out of range. Without a backing all that it has is its own. What becomes of
   * programs is said otherwise in tests alone.
   */
  constructor(options: EmbeddedOptions = {}, backing?: Backing, policy: Partial<LoadPolicy> = {}) {
    const { trace = () => {} } = options;
    super(options, backing, (state) => new ProgramCommands(state, { verify, checks: false, ...policy }, trace));
  }
}
