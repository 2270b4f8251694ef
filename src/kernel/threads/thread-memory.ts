import { type Address, AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import type { Control } from "./control.ts";
import { OWNER, type SharedPages } from "./shared-pages.ts";

/**
 * The memory that threads share, as one of them sees it: what it takes is its own, but for segments of maps, which it gives
 * to all. Whoever makes the memory grow makes it grow for all, who notice it when they need what is new.
 */
export class ThreadMemory extends AddressSpace {
  readonly #pages: SharedPages;
  readonly #letGo: (segment: Address) => void;

  /** `letGo` is told when the segment of a map is needed here no more. */
  constructor(control: Control, pages: SharedPages, letGo: (segment: Address) => void) {
    super(control.pages * PAGE_SIZE, false, { memory: control.memory, pages });
    this.#pages = pages;
    this.#letGo = letGo;
  }

  override get isShared(): boolean {
    return true;
  }

  override get isThreaded(): boolean {
    return true;
  }

  override sizeOf(address: Address): number | undefined {
    return super.sizeOf(address) ?? this.#pages.sizeOf(address);
  }

  /** Views of a memory that is shared outlive its growth. */
  override growToLimit(): boolean {
    return true;
  }

  override tryAllocateSegment(bytes: number): Address {
    return this.tryAllocateShared(bytes);
  }

  override releaseSegment(address: Address): void {
    if (this.#pages.ownerOf(address) === OWNER.MAP) this.#letGo(address);
    else this.#pages.release(address, PAGE_SIZE);
  }

  /** Takes zeroed pages that are to be everybody's; 0 when there is no room. */
  tryAllocateShared(bytes: number): Address {
    return this.takePages(bytes);
  }

  /** Sees to it that something of all can be reached from here which somebody else has taken. */
  see(address: Address): void {
    this.reach(address + (this.#pages.sizeOf(address) ?? 0));
  }

  /** The agent has left: whatever is still written from here goes into a memory that nobody else has. */
  override detachViews(): void {
    this.leaveMemory();
    this.#pages.leave(this.size);
  }
}
