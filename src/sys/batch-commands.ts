import { MAP_BATCH } from "../abi/attr.ts";
import {
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_UPDATE_BATCH,
} from "../abi/commands.ts";
import type { Address } from "../memory/address-space.ts";
import { MapCommands } from "./map-commands.ts";

/** The options of the batch commands. */
export interface BatchOptions {
  /** Flags for each element, BPF_F_LOCK being the only one that a map may take. */
  readonly elemFlags?: number | bigint | undefined;
  /** Flags of the batch itself, of which Linux 6.18 has none. */
  readonly flags?: number | bigint | undefined;
}

/** The commands on many elements of a map. */
export abstract class BatchCommands extends MapCommands {
  /**
   * BPF_MAP_LOOKUP_BATCH: fills `keys` and `values` with at most `count[0]` entries from the cursor `inBatch`, `null` for
   * the beginning, and `outBatch` with the cursor that continues. `count[0]` becomes the number of entries, also when
   * the answer is `−ENOENT`, which says that these were the last. `−ENOSPC` when not even one bucket of a hash fits.
   */
  mapLookupBatch(
    fd: number,
    inBatch: Uint8Array | null,
    outBatch: Uint8Array,
    keys: Uint8Array,
    values: Uint8Array,
    count: Uint32Array,
    options: BatchOptions = {},
  ): number {
    return this.#lookupBatch(BPF_MAP_LOOKUP_BATCH, fd, inBatch, outBatch, keys, values, count, options);
  }

  /** BPF_MAP_LOOKUP_AND_DELETE_BATCH: as `mapLookupBatch`, and deletes what it returns. */
  mapLookupAndDeleteBatch(
    fd: number,
    inBatch: Uint8Array | null,
    outBatch: Uint8Array,
    keys: Uint8Array,
    values: Uint8Array,
    count: Uint32Array,
    options: BatchOptions = {},
  ): number {
    return this.#lookupBatch(BPF_MAP_LOOKUP_AND_DELETE_BATCH, fd, inBatch, outBatch, keys, values, count, options);
  }

  /** BPF_MAP_UPDATE_BATCH: gives `count[0]` keys their values, one after another. `count[0]` becomes how many were updated. */
  mapUpdateBatch(
    fd: number,
    keys: Uint8Array,
    values: Uint8Array,
    count: Uint32Array,
    options: BatchOptions = {},
  ): number {
    const entries = count[0] ?? 0;
    const shape = this.shape(fd, perEntry(keys, entries), perEntry(values, entries));
    const attr = this.frame.begin(shape.keySize * entries, shape.valueSize * entries);
    this.u64(attr + MAP_BATCH.KEYS, this.frame.put(keys, shape.keySize * entries));
    this.u64(attr + MAP_BATCH.VALUES, this.frame.put(values, shape.valueSize * entries));
    return this.#batch(BPF_MAP_UPDATE_BATCH, fd, attr, count, options);
  }

  /** BPF_MAP_DELETE_BATCH: deletes `count[0]` keys until one is not there (`−ENOENT`). `count[0]` becomes how many were deleted. */
  mapDeleteBatch(fd: number, keys: Uint8Array, count: Uint32Array, options: BatchOptions = {}): number {
    const entries = count[0] ?? 0;
    const key = perEntry(keys, entries);
    const shape = this.shape(fd, key, key);
    const attr = this.frame.begin(shape.keySize * entries);
    this.u64(attr + MAP_BATCH.KEYS, this.frame.put(keys, shape.keySize * entries));
    return this.#batch(BPF_MAP_DELETE_BATCH, fd, attr, count, options);
  }

  #lookupBatch(
    cmd: number,
    fd: number,
    inBatch: Uint8Array | null,
    outBatch: Uint8Array,
    keys: Uint8Array,
    values: Uint8Array,
    count: Uint32Array,
    options: BatchOptions,
  ): number {
    const entries = count[0] ?? 0;
    const shape = this.shape(fd, perEntry(keys, entries), perEntry(values, entries));
    const { cursorSize } = shape;
    const keyBytes = shape.keySize * entries;
    const valueBytes = shape.valueSize * entries;
    const attr = this.frame.begin(cursorSize, cursorSize, keyBytes, valueBytes);
    if (inBatch !== null) this.u64(attr + MAP_BATCH.IN_BATCH, this.frame.put(inBatch, cursorSize));
    const cursor = this.frame.put(outBatch, cursorSize);
    const foundKeys = this.frame.put(keys, keyBytes);
    const foundValues = this.frame.put(values, valueBytes);
    this.u64(attr + MAP_BATCH.OUT_BATCH, cursor);
    this.u64(attr + MAP_BATCH.KEYS, foundKeys);
    this.u64(attr + MAP_BATCH.VALUES, foundValues);
    const result = this.#batch(cmd, fd, attr, count, options);
    this.frame.take(cursor, outBatch, cursorSize);
    this.frame.take(foundKeys, keys, keyBytes);
    this.frame.take(foundValues, values, valueBytes);
    return result;
  }

  #batch(cmd: number, fd: number, attr: Address, count: Uint32Array, options: BatchOptions): number {
    this.u32(attr + MAP_BATCH.COUNT, count[0]);
    this.u32(attr + MAP_BATCH.MAP_FD, fd);
    this.u64(attr + MAP_BATCH.ELEM_FLAGS, options.elemFlags);
    this.u64(attr + MAP_BATCH.FLAGS, options.flags);
    const result = this.kernel.bpf(cmd, attr, MAP_BATCH.END);
    count[0] = this.kernel.memory.view.getUint32(attr + MAP_BATCH.COUNT, true);
    return result;
  }
}

/** One entry's part of a buffer for many. */
function perEntry(bytes: Uint8Array, entries: number): Uint8Array {
  return bytes.subarray(0, entries === 0 ? 0 : Math.floor(bytes.length / entries));
}
