import { EFAULT, EINVAL } from "../../abi/errno.ts";
import type { Address } from "../../memory/address-space.ts";
import type { MapBatch } from "./map-batch.ts";
import type { EmbeddedMap } from "./map-ops.ts";
import { accessOk, copyBytes } from "./user-memory.ts";

/** For types whose keys follow each other: `kernel/bpf/syscall.c: generic_map_lookup_batch`, 6.18. */
export function genericLookupBatch(map: EmbeddedMap, batch: MapBatch): number {
  if (batch.hasWrongElemFlags(map)) return -EINVAL;
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
    // A key that has no value, an index without a map for one, is passed over before anything is written.
    if (map.lookup(batch.key) !== 0) {
      const key = batch.keys + copied * keySize;
      const value = batch.values + copied * userValueSize;
      if (!accessOk(memory, key, keySize)) return -EFAULT;
      copyBytes(memory, key, batch.key, keySize);
      if (!accessOk(memory, value, userValueSize)) return -EFAULT;
      // In a map that is shared the entry may be gone by now.
      if (map.copyValue(batch.key, value, batch.isLocked) === 0) copied++;
    }
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
  if (batch.hasWrongElemFlags(map)) return -EINVAL;
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
  if (batch.hasWrongElemFlags(map)) return -EINVAL;
  if (batch.count === 0) return 0;
  let done = 0;
  let error = 0;
  for (; done < batch.count; done++) {
    error = batch.fetchKey(done, map.keySize) ? map.delete(batch.key) : -EFAULT;
    if (error !== 0) break;
  }
  return batch.putCount(done) ? error : -EFAULT;
}
