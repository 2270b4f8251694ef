import type { KernelObject } from "./kernel-object.ts";

/** Ids stay below this: `include/linux/idr.h` as `bpf_map_alloc_id` uses it, 6.18. */
const INT_MAX = 2 ** 31 - 1;

/** Every object of one kind that lives, by id. */
export interface Objects<T extends KernelObject> {
  /** Gives a new object its id. Answers what is to be used from now on, the object or its like on shared memory; or `−errno`. */
  add(object: T): T | number;
  get(id: number): T | undefined;
  /** The lowest id from `id` on; `undefined` when there is none. */
  idFrom(id: number): number | undefined;
  /** Drops one reference; with the last one the object is freed. */
  put(object: T): void;
  /** Programs run until as many calls of `rcuReadUnlock`: what they may have found stays where it is. */
  rcuReadLock?(): void;
  rcuReadUnlock?(): void;
}

/** The objects of one kind in the memory of one kernel. */
export class ObjectTable<T extends KernelObject> implements Objects<T> {
  readonly #objects = new Map<number, T>();
  readonly #nextId: (() => number) | undefined;
  #lastId = 0;

  /** `nextId` gives the ids when they are not this table's alone to give. */
  constructor(nextId?: () => number) {
    this.#nextId = nextId;
  }

  /** Gives a new object its id: the one after the last that was given, from 1 again when they run out. */
  add(object: T): T {
    if (this.#nextId !== undefined) return this.keep(object, this.#nextId());
    do this.#lastId = this.#lastId >= INT_MAX - 1 ? 1 : this.#lastId + 1;
    while (this.#objects.has(this.#lastId));
    object.id = this.#lastId;
    this.#objects.set(object.id, object);
    return object;
  }

  get(id: number): T | undefined {
    return this.#objects.get(id);
  }

  /** Takes an object that has its id from elsewhere. */
  keep(object: T, id: number): T {
    object.id = id;
    this.#objects.set(id, object);
    return object;
  }

  idFrom(id: number): number | undefined {
    let lowest: number | undefined;
    for (const candidate of this.#objects.keys()) {
      if (candidate >= id && (lowest === undefined || candidate < lowest)) lowest = candidate;
    }
    return lowest;
  }

  put(object: T): void {
    object.references--;
    if (object.references > 0) return object.referenceDropped?.();
    this.#objects.delete(object.id);
    object.free();
  }
}
