import { MAP_BATCH } from "../../abi/attr.ts";
import { EFAULT, EINVAL, ENOENT } from "../../abi/errno.ts";
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

  /** No map here has a spin lock in its values, so BPF_F_LOCK is as wrong as any other flag. */
  get hasUnknownElemFlags(): boolean {
    return this.elemFlags !== 0;
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

/** For types whose keys follow each other: `kernel/bpf/syscall.c: generic_map_lookup_batch`, 6.18. */
export function genericLookupBatch(map: EmbeddedMap, batch: MapBatch): number {
  if (batch.hasUnknownElemFlags) return -EINVAL;
  const { memory, keySize, userValueSize } = map;
  const most = batch.count;
  if (most === 0) return 0;
  if (!batch.putCount(0)) return -EFAULT;
  let previous: Address = 0;
  if (batch.inBatch !== 0) {
    if (!accessOk(memory, batch.inBatch, keySize)) return -EFAULT;
    previous = batch.previousKey;
    copyBytes(memory, previous, batch.inBatch, keySize);
  }
  let copied = 0;
  let error = 0;
  while (copied < most) {
    error = map.getNextKey(previous, batch.key);
    if (error !== 0) break;
    const key = batch.keys + copied * keySize;
    const value = batch.values + copied * userValueSize;
    if (!accessOk(memory, key, keySize)) return -EFAULT;
    copyBytes(memory, key, batch.key, keySize);
    if (!accessOk(memory, value, userValueSize)) return -EFAULT;
    error = map.copyValue(batch.key, value);
    if (error === 0) copied++;
    else if (error !== -ENOENT) return error;
    previous = batch.previousKey;
    copyBytes(memory, previous, batch.key, keySize);
  }
  if (!batch.putCount(copied)) return -EFAULT;
  if (copied === 0) return error;
  if (!accessOk(memory, batch.outBatch, keySize)) return -EFAULT;
  copyBytes(memory, batch.outBatch, previous, keySize);
  return error;
}

/** One update after another until one fails: `generic_map_update_batch`, which pays no heed to `flags`. */
export function genericUpdateBatch(map: EmbeddedMap, batch: MapBatch): number {
  if (batch.hasUnknownElemFlags) return -EINVAL;
  const { memory, userValueSize } = map;
  if (batch.count === 0) return 0;
  let done = 0;
  let error = 0;
  for (; done < batch.count; done++) {
    const value = batch.values + done * userValueSize;
    if (!batch.fetchKey(done, map.keySize) || !accessOk(memory, value, userValueSize)) {
      error = -EFAULT;
      break;
    }
    error = map.update(batch.key, value, batch.elemFlags);
    if (error !== 0) break;
  }
  return batch.putCount(done) ? error : -EFAULT;
}

/** One delete after another until one fails: `generic_map_delete_batch`. */
export function genericDeleteBatch(map: EmbeddedMap, batch: MapBatch): number {
  if (batch.hasUnknownElemFlags) return -EINVAL;
  if (batch.count === 0) return 0;
  let done = 0;
  let error = 0;
  for (; done < batch.count; done++) {
    error = batch.fetchKey(done, map.keySize) ? map.delete(batch.key) : -EFAULT;
    if (error !== 0) break;
  }
  return batch.putCount(done) ? error : -EFAULT;
}
