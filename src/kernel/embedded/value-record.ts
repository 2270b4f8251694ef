import type { Address, AddressSpace } from "../../memory/address-space.ts";
import type { SpecialField, SpecialFieldType } from "./btf/special-fields.ts";
import { copyBytes } from "./user-memory.ts";

/** What stays where it is when a value is written over. */
const KEPT: ReadonlySet<SpecialFieldType> = new Set(["bpf_spin_lock", "bpf_res_spin_lock", "bpf_refcount"]);

interface Bytes {
  readonly offset: number;
  readonly length: number;
}

/** What the fields of values hold outside of their map, such as timers that run. */
export interface HeldByFields {
  /** The fields of the value at an address let go: `bpf_obj_free_fields`. */
  drop(value: Address): void;
  /** Those of all values do. */
  dropAll(): void;
}

/**
 * The values of a map in which some fields are not data: locks, timers, pointers of programs. User space reads them as
 * they are when they are new, which is zeros, and 1 for a count of references; what it writes there is not kept:
 * `copy_map_value` and `check_and_init_map_value` of `include/linux/bpf.h`, 6.18.
 */
export class ValueRecord {
  readonly fields: readonly SpecialField[];
  /** Whether BPF_F_LOCK means anything: `bpf_res_spin_lock` is none that user space can take. */
  readonly hasSpinLock: boolean;
  /** Where in a value its `bpf_spin_lock` lies. */
  readonly spinLockOffset: number;
  /** `undefined` while no field holds anything. */
  held: HeldByFields | undefined;
  readonly #data: readonly Bytes[];
  readonly #special: readonly Bytes[];
  /** The special fields that an update lets go of, which are all but locks and counts: `bpf_obj_free_fields`. */
  readonly #dropped: readonly Bytes[];
  readonly #counts: readonly Bytes[];

  /** `size` is the bytes of a value, of which `slots` lie one behind the other, one for each CPU. */
  constructor(fields: readonly SpecialField[], size: number, slots = 1) {
    this.fields = fields;
    const lock = fields.find(({ type }) => type === "bpf_spin_lock");
    this.hasSpinLock = lock !== undefined;
    this.spinLockOffset = lock?.offset ?? 0;
    const stride = slots === 1 ? size : Math.ceil(size / 8) * 8;
    const all = Array.from({ length: slots }, (_, slot) =>
      fields.map((field) => ({ ...field, offset: field.offset + slot * stride })),
    ).flat();
    this.#special = all.map(({ offset, size }) => ({ offset, length: size }));
    const placesOf = (wanted: (type: SpecialFieldType) => boolean): Bytes[] =>
      all.filter(({ type }) => wanted(type)).map(({ offset, size }) => ({ offset, length: size }));
    this.#dropped = placesOf((type) => !KEPT.has(type));
    this.#counts = placesOf((type) => type === "bpf_refcount");
    this.#data = between(this.#special, stride * slots);
  }

  /** Gives user space a value: special fields are as new. */
  load(memory: AddressSpace, from: Address, to: Address): void {
    this.#copyData(memory, to, from);
    clear(memory, to, this.#special);
    for (const { offset } of this.#counts) memory.view.setUint32(to + offset, 1, true);
  }

  /** Keeps a value of user space where there was none: special fields are as new. */
  storeNew(memory: AddressSpace, at: Address, value: Address): void {
    this.held?.drop(at);
    this.load(memory, value, at);
  }

  /** Keeps a value of user space where there was one: locks stay as they are, and what was pointed to is let go. */
  store(memory: AddressSpace, at: Address, value: Address): void {
    this.held?.drop(at);
    this.#copyData(memory, at, value);
    clear(memory, at, this.#dropped);
  }

  #copyData(memory: AddressSpace, to: Address, from: Address): void {
    for (const { offset, length } of this.#data) copyBytes(memory, to + offset, from + offset, length);
  }
}

function clear(memory: AddressSpace, at: Address, parts: readonly Bytes[]): void {
  for (const { offset, length } of parts) memory.u8.fill(0, at + offset, at + offset + length);
}

/** The bytes that are in none of some parts, which are sorted. */
function between(parts: readonly Bytes[], size: number): Bytes[] {
  const rest: Bytes[] = [];
  let end = 0;
  for (const { offset, length } of parts) {
    if (offset > end) rest.push({ offset: end, length: offset - end });
    end = offset + length;
  }
  if (size > end) rest.push({ offset: end, length: size - end });
  return rest;
}
