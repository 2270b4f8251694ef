import type { Address } from "../../memory/address-space.ts";
import { holdsMaps } from "../embedded/maps/inner-meta.ts";
import { SEGMENT } from "../embedded/segment.ts";
import type { Agents, Member } from "./agents.ts";
import { CONTROL, type Control, type ControlLock, MOST_AGENTS } from "./control.ts";
import type { PinTable } from "./pin-table.ts";
import { OWNER, type SharedPages } from "./shared-pages.ts";
import type { ThreadMemory } from "./thread-memory.ts";

/** What the segments of the maps of all threads need. */
export interface SegmentsParts {
  readonly control: Control;
  readonly lock: ControlLock;
  readonly agents: Agents;
  readonly pages: SharedPages;
  readonly memory: ThreadMemory;
  readonly pins: PinTable;
  /** The agent that uses them here. */
  readonly member: Member;
}

/**
 * The segments of the maps that threads share. Each has a bit for every agent that uses it: it lives while there is one, or a
 * name for it.
 */
export class Segments {
  readonly #parts: SegmentsParts;

  constructor(parts: SegmentsParts) {
    this.#parts = parts;
  }

  /** Makes a segment of this agent one of a map that all can find, by the id that this answers. */
  publish(base: Address): number {
    const { control, lock, pages, memory, member } = this.#parts;
    const id = control.next(CONTROL.LAST_MAP);
    memory.u32[(base + SEGMENT.ID) >>> 2] = id;
    this.#setUser(base, member, true);
    const btf = this.#btfOf(base);
    lock.hold(() => {
      pages.give(base, OWNER.MAP);
      if (btf !== 0) pages.give(btf, OWNER.ATTACHED);
    });
    return id;
  }

  /** The segment of the map that has an id, which is used by this agent from now on; 0 when there is none. */
  open(id: number): Address {
    const { lock, member } = this.#parts;
    return lock.hold(() => {
      const base = this.#find(id);
      if (base !== 0) this.#setUser(base, member, true);
      return base;
    });
  }

  /** The lowest id from `id` on; `undefined` when there is none. */
  idFrom(id: number): number | undefined {
    return this.#parts.lock.hold(() => {
      let lowest: number | undefined;
      for (const base of this.#all()) {
        const candidate = this.#idOf(base);
        if (candidate >= id && (lowest === undefined || candidate < lowest)) lowest = candidate;
      }
      return lowest;
    });
  }

  /** This agent uses a segment no more. */
  letGo(base: Address): void {
    const { lock, member } = this.#parts;
    lock.hold(() => {
      this.#setUser(base, member, false);
      this.#freeIfUnused(base);
    });
  }

  /** Frees the segment of a map that has lost a name, when nobody uses it. Only for who holds the lock. */
  unpinned(id: number): void {
    const base = this.#find(id);
    if (base !== 0) this.#freeIfUnused(base);
  }

  /**
   * Gives back all that an agent holds, who has ended or is about to, but for some segments; then it stays in the table of
   * agents, for somebody else to end it again.
   */
  endAgent(member: Member, kept: readonly Address[] = []): void {
    const { lock, agents, pages } = this.#parts;
    lock.hold(() => {
      if (!agents.has(member)) return;
      for (const base of this.#all()) {
        // It was about to be everybody's when its maker ended.
        const btf = this.#btfOf(base);
        if (btf !== 0) pages.give(btf, OWNER.ATTACHED);
        if (kept.includes(base) || !this.#isUser(base, member)) continue;
        this.#setUser(base, member, false);
        this.#freeIfUnused(base);
      }
      for (const start of pages.rangesOf(member.number)) pages.free(start);
      if (kept.length === 0) agents.leave(member);
    });
  }

  #find(id: number): Address {
    for (const base of this.#all()) if (this.#idOf(base) === id) return base;
    return 0;
  }

  *#all(): Generator<Address> {
    const { pages, memory } = this.#parts;
    for (const base of pages.rangesOf(OWNER.MAP)) {
      memory.see(base);
      yield base;
    }
  }

  #freeIfUnused(base: Address): void {
    const { pages, pins, memory } = this.#parts;
    const users = (base + SEGMENT.USERS) >>> 2;
    for (let word = 0; word < MOST_AGENTS / 32; word++) if (memory.i32[users + word] !== 0) return;
    if (pins.isPinned(this.#idOf(base))) return;
    const btf = this.#btfOf(base);
    const id = this.#idOf(base);
    const isOuter = holdsMaps(memory.u32[(base + SEGMENT.TYPE) >>> 2] as number);
    if (btf !== 0) pages.free(btf);
    pages.free(base);
    for (const held of isOuter ? pins.namesIn(-id) : []) {
      pins.remove(held);
      this.unpinned(held.map);
    }
  }

  #idOf(base: Address): number {
    return this.#parts.memory.u32[(base + SEGMENT.ID) >>> 2] as number;
  }

  #btfOf(base: Address): Address {
    return this.#parts.memory.u32[(base + SEGMENT.BTF_ADDRESS) >>> 2] as number;
  }

  #isUser(base: Address, { place }: Member): boolean {
    const word = this.#parts.memory.i32[((base + SEGMENT.USERS) >>> 2) + (place >>> 5)] as number;
    return ((word >>> (place & 31)) & 1) === 1;
  }

  #setUser(base: Address, { place }: Member, isUser: boolean): void {
    const { i32 } = this.#parts.memory;
    const word = ((base + SEGMENT.USERS) >>> 2) + (place >>> 5);
    const bit = 1 << (place & 31);
    if (isUser) Atomics.or(i32, word, bit);
    else Atomics.and(i32, word, ~bit);
  }
}
