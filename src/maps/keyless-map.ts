import type { Layout } from "../layout/layout.ts";
import type { Address, AddressSpace } from "../memory/address-space.ts";
import { BpfMap, type MapParts } from "./bpf-map.ts";
import { allocateValueFrame, type ValueFrame } from "./value-frame.ts";

/** A map that holds values without keys: what queues, stacks and bloom filters have in common. */
export abstract class KeylessMap<V> extends BpfMap {
  /** How a value lies in bytes. */
  readonly value: Layout<V>;
  /** @internal The call frame; somebody else's memory once the map is closed. */
  protected readonly frame: ValueFrame;
  readonly #memory: AddressSpace;
  readonly #valueAt: Address;
  #isClosed = false;

  /** @internal */
  constructor({ context, info, value, pinnedAt }: MapParts<V>, fd: number) {
    const frame = allocateValueFrame(context.kernel, fd, info.valueSize, info.name);
    super(context, fd, info, frame.start, pinnedAt);
    this.value = value;
    this.frame = frame;
    this.#memory = context.kernel.memory;
    this.#valueAt = frame.value;
  }

  /** @internal */
  protected override described(): Record<string, unknown> {
    return { ...super.described(), value: this.value.name };
  }

  /** @internal */
  protected override closed(): void {
    this.#isClosed = true;
  }

  /** @internal */
  protected assertOpen(command: number): void {
    if (this.#isClosed) throw this.closedError(command);
  }

  /** @internal Writes a value into the frame. */
  protected writeValue(value: V): void {
    this.value.write(this.#memory, this.#valueAt, value);
  }

  /** @internal The value in the frame. */
  protected readValue(): V {
    return this.value.read(this.#memory, this.#valueAt);
  }
}
