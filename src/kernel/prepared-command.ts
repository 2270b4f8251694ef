import type { Address } from "../memory/address-space.ts";
import type { Kernel } from "./kernel.ts";

/** A command that is called often with the same attr: see `Kernel.prepare`. */
export interface PreparedCommand {
  /** Makes the call, and answers as `bpf` does. */
  run(): number;
}

/** A prepared command for which its kernel has nothing better than the call itself. */
export class PlainCommand implements PreparedCommand {
  readonly #kernel: Pick<Kernel, "bpf">;
  readonly #cmd: number;
  readonly #attr: Address;
  readonly #size: number;

  constructor(kernel: Pick<Kernel, "bpf">, cmd: number, attr: Address, size: number) {
    this.#kernel = kernel;
    this.#cmd = cmd;
    this.#attr = attr;
    this.#size = size;
  }

  run(): number {
    return this.#kernel.bpf(this.#cmd, this.#attr, this.#size);
  }
}
