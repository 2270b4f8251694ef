import { SK_BUFF } from "../../../../abi/contexts.ts";
import type { Address } from "../../../../memory/address-space.ts";
import type { ProgramHost } from "../program-host.ts";

/** The packet of a context, as helpers change it. */
export class SkBuff {
  readonly #host: ProgramHost;
  readonly #ctx: Address;

  constructor(host: ProgramHost, ctx: Address) {
    this.#host = host;
    this.#ctx = ctx;
  }

  get data(): Address {
    return this.#host.memory.view.getUint32(this.#ctx + SK_BUFF.DATA, true);
  }

  get end(): Address {
    return this.#host.memory.view.getUint32(this.#ctx + SK_BUFF.DATA_END, true);
  }

  get length(): number {
    return this.end - this.data;
  }

  /** Where the packet begins and ends from now on. */
  place(data: Address, end: Address): void {
    const { view } = this.#host.memory;
    view.setUint32(this.#ctx + SK_BUFF.DATA, data, true);
    view.setUint32(this.#ctx + SK_BUFF.DATA_META, data, true);
    view.setUint32(this.#ctx + SK_BUFF.DATA_END, end, true);
    view.setUint32(this.#ctx + SK_BUFF.LEN, end - data, true);
  }

  field(offset: number): number {
    return this.#host.memory.view.getUint32(this.#ctx + offset, true);
  }

  setField(offset: number, value: number): void {
    this.#host.memory.view.setUint32(this.#ctx + offset, value, true);
  }
}
