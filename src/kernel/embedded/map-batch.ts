import { MAP_BATCH } from "../../abi/attr.ts";
import { BPF_F_LOCK } from "../../abi/flags.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import type { EmbeddedMap } from "./map-ops.ts";
import { accessOk, copyBytes, pointerAt, u64At } from "./user-memory.ts";

/** The attr of a batch command, taken out of memory once, with the place of `count`, which is answered there. */
export class MapBatch {
  readonly inBatch: Address;
  readonly outBatch: Address;
  readonly keys: Address;
  readonly values: Address;
  readonly count: number;
  readonly elemFlags: number;
  readonly flags: number;
  /** A place for one key, aligned and padded as map types want keys, and one for the key before it. */
  readonly key: Address;
  readonly previousKey: Address;
  readonly #memory: AddressSpace;
  readonly #countAt: Address;

  /** Reads the attr at `attr`; the caller's own copy of it, where the count is answered, lies at `uattr`. */
  constructor(memory: AddressSpace, attr: Address, uattr: Address, key: Address, previousKey: Address) {
    this.inBatch = pointerAt(memory, attr + MAP_BATCH.IN_BATCH);
    this.outBatch = pointerAt(memory, attr + MAP_BATCH.OUT_BATCH);
    this.keys = pointerAt(memory, attr + MAP_BATCH.KEYS);
    this.values = pointerAt(memory, attr + MAP_BATCH.VALUES);
    this.count = memory.view.getUint32(attr + MAP_BATCH.COUNT, true);
    this.elemFlags = u64At(memory, attr + MAP_BATCH.ELEM_FLAGS);
    this.flags = u64At(memory, attr + MAP_BATCH.FLAGS);
    this.key = key;
    this.previousKey = previousKey;
    this.#memory = memory;
    this.#countAt = uattr + MAP_BATCH.COUNT;
  }

  /** Whether there are flags for elements that a map does not take: BPF_F_LOCK is right where values have a spin lock. */
  hasWrongElemFlags(map: EmbeddedMap): boolean {
    if (this.elemFlags === 0) return false;
    return this.elemFlags !== BPF_F_LOCK || map.record?.hasSpinLock !== true;
  }

  /** Whether the locks in values are to be taken. */
  get isLocked(): boolean {
    return this.elemFlags === BPF_F_LOCK;
  }

  /** Answers the count; false when the caller's attr does not reach that far. */
  putCount(count: number): boolean {
    if (!accessOk(this.#memory, this.#countAt, 4)) return false;
    this.#memory.view.setUint32(this.#countAt, count, true);
    return true;
  }

  /** Copies the caller's key number `index` to `key`; false when it cannot be read. */
  fetchKey(index: number, keySize: number): boolean {
    const from = this.keys + index * keySize;
    if (!accessOk(this.#memory, from, keySize)) return false;
    copyBytes(this.#memory, this.key, from, keySize);
    return true;
  }
}
