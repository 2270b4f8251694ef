import { EEXIST, ENOMEM } from "../../../abi/errno.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import { INNER, type InnerMeta, isAlike, type MapOfMaps } from "../maps/inner-meta.ts";
import { innerMapFrom } from "../maps/map-in-map.ts";
import type { SharingHost } from "./agent.ts";
import { Locks } from "./locks.ts";

/** That a map of maps holds a map: the id of the map, and a number that no other hold of the map of maps ever has. */
export interface Hold {
  readonly id: number;
  readonly number: number;
}

/** How maps of maps keep their maps alive and find them, whoever has put them there. */
export interface InnerMapHolds {
  /** An outer map holds an inner one from now on: the hold, −EEXIST when there is one of that number, or another −errno. */
  take(outer: EmbeddedMap, inner: EmbeddedMap, number: number): Hold | number;
  /** An outer map lets go of a map, which has gone if that was all that kept it. */
  drop(outer: EmbeddedMap, hold: Hold): void;
  /** All holds that an outer map has. */
  of(outer: EmbeddedMap): Hold[];
  /** The map of an id, for programs and for as long as one runs: it is not kept alive. `undefined` when there is none. */
  borrow(id: number): EmbeddedMap | undefined;
}

/** A map of maps that is shared. */
export interface SharedMapOfMaps extends MapOfMaps {
  readonly inner: SharedInnerMaps;
}

const U32 = 32n;
const MOST_TRIES = 1000;

/**
 * The inner maps of a map of maps that is shared. A slot is written by one store, id and hold at once: a hold is taken before
 * it is in a slot, and dropped when it is in none. Whoever changes slots has the lock of the outer map. Who dies with it
 * may leave a hold that is in no slot; whoever takes the lock over drops those.
 *
 * An id that is read from a slot may be anything. It leads to a map only if that one is as all maps here are.
 */
export class SharedInnerMaps {
  readonly meta: InnerMeta;
  readonly #host: SharingHost;
  readonly #holds: InnerMapHolds;
  readonly #outer: EmbeddedMap;
  readonly #slots: () => Iterable<Address>;
  readonly #locks: Locks;
  readonly #lock: number;
  /** The maps that were looked at and found fit. */
  readonly #fit = new WeakSet<EmbeddedMap>();

  /** `slots` are the places of all that are in use, when nobody changes them. */
  constructor(
    host: SharingHost,
    holds: InnerMapHolds,
    outer: EmbeddedMap,
    meta: InnerMeta,
    slots: () => Iterable<Address>,
  ) {
    this.meta = meta;
    this.#host = host;
    this.#holds = holds;
    this.#outer = outer;
    this.#slots = slots;
    this.#locks = new Locks(host.memory, host.agent);
    this.#lock = (outer.base + INNER.LOCK) >>> 2;
    if (meta.btf !== undefined) meta.btf.references++;
  }

  release(): void {
    this.meta.btf?.put();
  }

  /** The map whose fd is at an address, if it can be kept here; or `−errno`. */
  mapFrom(value: Address): EmbeddedMap | number {
    return innerMapFrom(this.#host, value, this.meta);
  }

  /** Calls a function while nobody else changes which maps are held. */
  change<T>(run: () => T): T {
    if (this.#locks.take(this.#lock)) this.#dropStrays();
    const result = run();
    this.#locks.release(this.#lock);
    return result;
  }

  /** Drops what somebody has left who died while changing them. */
  recover(): void {
    const { memory, agent } = this.#host;
    const changing = Atomics.load(memory.i32, this.#lock);
    if (changing !== 0 && agent.isDead(changing)) this.change(() => undefined);
  }

  /** Holds a map, for who changes them: the hold, or `−errno`. */
  take(inner: EmbeddedMap): Hold | number {
    const { u32 } = this.#host.memory;
    const last = (this.#outer.base + INNER.LAST_HOLD) >>> 2;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const hold = this.#holds.take(this.#outer, inner, (Atomics.add(u32, last, 1) + 1) >>> 0);
      if (hold !== -EEXIST) return hold;
    }
    return -ENOMEM;
  }

  /** Lets go of what a slot had or was to have, for who changes them. */
  drop(hold: Hold | undefined): void {
    if (hold !== undefined) this.#holds.drop(this.#outer, hold);
  }

  /**
   * The map that programs find in a slot, whose id a function reads, 0 for an empty one. One that has gone meanwhile was
   * replaced, or was never there.
   */
  findAt(readId: () => number): EmbeddedMap | undefined {
    let id = readId();
    for (let tries = 0; id !== 0 && tries < MOST_TRIES; tries++) {
      const map = this.#find(id);
      if (map !== undefined) return map;
      const now = readId();
      if (now === id) return undefined;
      id = now;
    }
    return undefined;
  }

  /** The map of an id; `undefined` for whatever is no id of a map that can be here. */
  #find(id: number): EmbeddedMap | undefined {
    const map = this.#holds.borrow(id);
    if (map === undefined || this.#fit.has(map)) return map;
    if (!isAlike(map, this.meta)) return undefined;
    this.#fit.add(map);
    return map;
  }

  /** Drops what is held and in no slot. */
  #dropStrays(): void {
    const { memory } = this.#host;
    const inSlots = new Set<string>();
    for (const at of this.#slots()) inSlots.add(nameOf(readSlot(memory, at)));
    for (const hold of this.#holds.of(this.#outer)) if (!inSlots.has(nameOf(hold))) this.drop(hold);
  }
}

/** What a slot holds; `undefined` when it is empty. */
export function readSlot({ i64 }: AddressSpace, at: Address): Hold | undefined {
  const slot = BigInt.asUintN(64, Atomics.load(i64, at >>> 3));
  const id = Number(BigInt.asUintN(32, slot));
  return id === 0 ? undefined : { id, number: Number(slot >> U32) };
}

/** Puts a hold, or nothing, into a slot by one store. */
export function writeSlot({ i64 }: AddressSpace, at: Address, hold: Hold | undefined): void {
  Atomics.store(i64, at >>> 3, hold === undefined ? 0n : BigInt(hold.id) | (BigInt(hold.number) << U32));
}

function nameOf(hold: Hold | undefined): string {
  return hold === undefined ? "" : `${hold.id}-${hold.number}`;
}
