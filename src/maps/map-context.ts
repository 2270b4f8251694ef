import type { Kernel } from "../kernel/kernel.ts";
import type { Address } from "../memory/address-space.ts";
import { Frame } from "../sys/frame.ts";
import type { Sys } from "../sys/sys.ts";

/** What a typed map or a ring owns of its kernel: an fd, and memory. */
export interface MapResources {
  readonly fd: number;
  readonly memory: number;
}

/** Memory of a map in the address space. */
export interface Mapping {
  readonly address: Address;
  readonly length: number;
}

/** What typed maps are made over: one kernel, with what all maps on it share. */
export class MapContext {
  readonly kernel: Kernel;
  readonly sys: Sys;
  /** The memory of batch commands, used by one command at a time. */
  readonly batches: Frame;
  #isClosed = false;
  /**
   * Releases what collected maps owned. Each kernel has a registry of its own, for what a registry holds is held until
   * its callback comes: a kernel that nobody refers to any more must not have to wait for that.
   */
  readonly #collected = new FinalizationRegistry<MapResources>((resources) => this.release(resources));
  readonly #unused = new FinalizationRegistry<readonly Mapping[]>((mappings) => this.#unmap(mappings));

  constructor(kernel: Kernel, sys: Sys) {
    this.kernel = kernel;
    this.sys = sys;
    this.batches = new Frame(kernel.memory);
  }

  /** Whether the kernel has let everything go. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Takes note of what a map or a ring owns, to be released at the latest when it is collected. */
  own(owner: object, resources: MapResources): void {
    this.#collected.register(owner, resources, owner);
  }

  /** The owner releases what it owns itself. */
  disown(owner: object): void {
    this.#collected.unregister(owner);
  }

  release({ fd, memory }: MapResources): void {
    this.sys.close(fd);
    if (memory !== 0) this.kernel.memory.release(memory);
  }

  /** Releases the kernel. */
  close(): void {
    this.#isClosed = true;
    this.kernel.release();
  }

  /** Takes note of what an object has mapped, to be unmapped at the latest when it is collected. */
  ownMappings(owner: object, mappings: readonly Mapping[]): void {
    this.#unused.register(owner, mappings, owner);
  }

  /** Unmaps what an object had mapped. */
  releaseMappings(owner: object, mappings: readonly Mapping[]): void {
    this.#unused.unregister(owner);
    this.#unmap(mappings);
  }

  #unmap(mappings: readonly Mapping[]): void {
    for (const { address, length } of mappings) this.kernel.munmap(address, length);
  }
}
