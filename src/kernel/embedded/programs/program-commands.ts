import { EINVAL } from "../../../abi/errno.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { KernelObject } from "../kernel-object.ts";
import type { KernelState } from "../kernel-state.ts";
import type { ProgramSubsystem } from "../program-subsystem.ts";
import { EmbeddedProgram } from "./embedded-program.ts";
import { type LoadPolicy, loadProgram } from "./prog-load.ts";
import { ProgramHost } from "./program-host.ts";
import { getProgramInfo } from "./program-info.ts";
import { progTestRun } from "./test-run/prog-test-run.ts";

/** The commands on programs of one kernel. What programs share is made with the first of them. */
export class ProgramCommands implements ProgramSubsystem {
  readonly #state: KernelState;
  readonly #policy: LoadPolicy;
  readonly #trace: (line: string) => void;
  #host: ProgramHost | undefined;

  constructor(state: KernelState, policy: LoadPolicy, trace: (line: string) => void) {
    this.#state = state;
    this.#policy = policy;
    this.#trace = trace;
  }

  load(attr: Address, uattr: Address, size: number): EmbeddedProgram | number {
    const program = loadProgram(this.#programs, this.#policy, { attr, uattr, size });
    if (typeof program !== "number") this.#state.programs.add(program);
    return program;
  }

  testRun(attr: Address, uattr: Address): number {
    const host = this.#programs;
    return host.run(() => progTestRun(host, attr, uattr));
  }

  getInfo(program: KernelObject, attr: Address, uattr: Address): number {
    if (!(program instanceof EmbeddedProgram)) return -EINVAL;
    return getProgramInfo(this.#state.memory, program, attr, uattr);
  }

  release(): void {
    this.#host?.timers.release();
  }

  get #programs(): ProgramHost {
    this.#host ??= new ProgramHost(this.#state, this.#trace);
    return this.#host;
  }
}
