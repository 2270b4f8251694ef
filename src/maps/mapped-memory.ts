import { EACCES, EPERM } from "../abi/errno.ts";
import { PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import type { LiveMemory, LivePlace } from "../layout/live.ts";
import type { Address } from "../memory/address-space.ts";
import type { MapContext, Mapping } from "./map-context.ts";

/** A typed array over mapped memory. */
export type MappedView = BigInt64Array | BigUint64Array;

/** The mapping that a typed array needs: it lasts as long as any of its arrays. */
const lent = new WeakMap<MappedView, MappedMemory>();

/** What is said of a mapping that is used as it cannot be. */
export interface MappingErrors {
  readonly closed: () => Error;
  /** With what its kernel answered when it was to be mapped for writing. */
  readonly readOnly: (errno: number) => Error;
}

/**
 * The memory of a map, mapped from its beginning: for writing where its kernel lets it be, else for reading. What was
 * made over it throws once it is closed, for whose memory lies there then nobody knows. A typed array cannot throw: what
 * has been lent as one stays mapped until the array is collected, and keeps the map alive, as a mapping does on Linux.
 */
export class MappedMemory implements LivePlace {
  readonly address: Address;
  readonly length: number;
  /** Why it is mapped for reading only; 0 when it is not. */
  readonly #refusal: number;
  readonly #context: MapContext;
  readonly #errors: MappingErrors;
  readonly #memory: LiveMemory;
  #isClosed = false;
  #isLent = false;

  /** Takes over a mapping. */
  private constructor(context: MapContext, { address, length }: Mapping, refusal: number, errors: MappingErrors) {
    this.address = address;
    this.length = length;
    this.#refusal = refusal;
    this.#context = context;
    this.#errors = errors;
    this.#memory = context.kernel.memory;
    context.ownMappings(this, [{ address, length }]);
  }

  /** Maps the first `length` bytes of a map; `−errno` when its kernel refuses. */
  static map(context: MapContext, fd: number, length: number, errors: MappingErrors): MappedMemory | number {
    const { kernel } = context;
    const writable = kernel.mmap(fd, length, PROT_READ | PROT_WRITE, 0);
    if (writable >= 0) return new MappedMemory(context, { address: writable, length }, 0, errors);
    // A map that is frozen or made with rdonly_prog can be mapped for reading.
    if (writable !== -EPERM && writable !== -EACCES) return writable;
    const readable = kernel.mmap(fd, length, PROT_READ, 0);
    if (readable < 0) return writable;
    return new MappedMemory(context, { address: readable, length }, writable, errors);
  }

  get memory(): LiveMemory {
    if (this.#isClosed || this.#context.isClosed) throw this.#errors.closed();
    return this.#memory;
  }

  assertWritable(): void {
    if (this.#refusal !== 0) throw this.#errors.readOnly(this.#refusal);
  }

  /** Notes that a typed array lies over this memory, which now outlives `close`. */
  lend<A extends MappedView>(view: A): A {
    this.#isLent = true;
    lent.set(view, this);
    const subarray = view.subarray.bind(view) as (begin?: number, end?: number) => A;
    const value = (begin?: number, end?: number): A => this.lend(subarray(begin, end));
    return Object.defineProperty(view, "subarray", { value });
  }

  /** Ends what was made over the memory, and unmaps it when no typed array needs it. */
  close(): void {
    this.#isClosed = true;
    if (!this.#isLent) this.#context.releaseMappings(this, [this]);
  }
}
