import { MAP_BATCH, MAP_ELEM } from "../../abi/attr.ts";
import {
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_UPDATE_BATCH,
} from "../../abi/commands.ts";
import { EFAULT, EINVAL, ENOMEM, EPERM } from "../../abi/errno.ts";
import { BPF_F_LOCK } from "../../abi/flags.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import type { FileTable } from "./file-table.ts";
import { MapBatch } from "./map-batch.ts";
import type { EmbeddedMap } from "./map-ops.ts";
import { Scratch } from "./scratch.ts";
import { accessOk, copyBytes, pointerAt, u64At } from "./user-memory.ts";

/** The address that stands for the key of a map that has none. */
const NO_KEY: Address = PAGE_SIZE;

/**
 * The commands on elements, with the checks and their order of `kernel/bpf/syscall.c`, 6.18. Each takes the address of
 * an attr that is whole, aligned and zero behind its last field.
 */
export class MapElements {
  readonly #memory: AddressSpace;
  readonly #files: FileTable;
  readonly #keyScratch: Scratch;
  readonly #previousKeyScratch: Scratch;
  readonly #valueScratch: Scratch;

  constructor(memory: AddressSpace, files: FileTable) {
    this.#memory = memory;
    this.#files = files;
    this.#keyScratch = new Scratch(memory);
    this.#previousKeyScratch = new Scratch(memory);
    this.#valueScratch = new Scratch(memory);
  }

  /** BPF_MAP_LOOKUP_ELEM: `map_lookup_elem`. */
  lookup(attr: Address): number {
    const flags = u64At(this.#memory, attr + MAP_ELEM.FLAGS);
    if (flags !== 0 && flags !== BPF_F_LOCK) return -EINVAL;
    const fd = this.#mapFd(attr);
    const file = this.#files.map(fd);
    if (file === undefined) return this.#files.refusal(fd);
    if (!file.canRead) return -EPERM;
    const { map } = file;
    if (flags !== 0 && map.record?.hasSpinLock !== true) return -EINVAL;
    const key = this.#takeKey(attr, map);
    if (key < 0) return key;
    const value = pointerAt(this.#memory, attr + MAP_ELEM.VALUE);
    if (accessOk(this.#memory, value, map.userValueSize)) return map.copyValue(key, value, flags !== 0);
    if (map.looksForValue) return -EFAULT;
    return this.#faultAfter(map, (scratch) => map.copyValue(key, scratch, flags !== 0));
  }

  /** BPF_MAP_UPDATE_ELEM: `map_update_elem`. */
  update(attr: Address): number {
    const fd = this.#mapFd(attr);
    const file = this.#files.map(fd);
    if (file === undefined) return this.#files.refusal(fd);
    const { map } = file;
    if (!file.canWrite || map.isFrozen) return -EPERM;
    const flags = u64At(this.#memory, attr + MAP_ELEM.FLAGS);
    if (hasLockFlag(flags) && map.record?.hasSpinLock !== true) return -EINVAL;
    const key = this.#takeKey(attr, map);
    if (key < 0) return key;
    const value = pointerAt(this.#memory, attr + MAP_ELEM.VALUE);
    if (!accessOk(this.#memory, value, map.userValueSize)) return -EFAULT;
    return map.updateThrough(file, key, value, flags);
  }

  /** BPF_MAP_DELETE_ELEM: `map_delete_elem`. */
  delete(attr: Address): number {
    const fd = this.#mapFd(attr);
    const file = this.#files.map(fd);
    if (file === undefined) return this.#files.refusal(fd);
    const { map } = file;
    if (!file.canWrite || map.isFrozen) return -EPERM;
    const key = this.#takeKey(attr, map);
    return key < 0 ? key : map.delete(key);
  }

  /** BPF_MAP_GET_NEXT_KEY: `map_get_next_key`. */
  getNextKey(attr: Address): number {
    const fd = this.#mapFd(attr);
    const file = this.#files.map(fd);
    if (file === undefined) return this.#files.refusal(fd);
    if (!file.canRead) return -EPERM;
    const { map } = file;
    const memory = this.#memory;
    const hasKey = pointerAt(memory, attr + MAP_ELEM.KEY) !== 0;
    const key = hasKey ? this.#takeKey(attr, map) : 0;
    if (key < 0) return key;
    const next = pointerAt(memory, attr + MAP_ELEM.NEXT_KEY);
    if (accessOk(memory, next, map.keySize)) return map.getNextKey(key, next);
    const scratch = this.#valueScratch.reserve(map.keySize);
    if (scratch === 0) return -ENOMEM;
    const error = map.getNextKey(key, scratch);
    return error === 0 ? -EFAULT : error;
  }

  /** BPF_MAP_LOOKUP_AND_DELETE_ELEM: `map_lookup_and_delete_elem`. */
  lookupAndDelete(attr: Address): number {
    const flags = u64At(this.#memory, attr + MAP_ELEM.FLAGS);
    if (flags !== 0 && flags !== BPF_F_LOCK) return -EINVAL;
    const fd = this.#mapFd(attr);
    const file = this.#files.map(fd);
    if (file === undefined) return this.#files.refusal(fd);
    const { map } = file;
    if (!file.canRead || !file.canWrite || map.isFrozen) return -EPERM;
    if (flags !== 0 && map.record?.hasSpinLock !== true) return -EINVAL;
    const key = this.#takeKey(attr, map);
    if (key < 0) return key;
    const value = pointerAt(this.#memory, attr + MAP_ELEM.VALUE);
    if (accessOk(this.#memory, value, map.userValueSize)) return map.lookupAndDelete(key, value, flags !== 0);
    return this.#faultAfter(map, (scratch) => map.lookupAndDelete(key, scratch, flags !== 0));
  }

  /** The four batch commands: `bpf_map_do_batch`. The count is answered in the caller's own attr at `uattr`. */
  batch(command: number, attr: Address, uattr: Address): number {
    const fd = this.#memory.view.getInt32(attr + MAP_BATCH.MAP_FD, true);
    const file = this.#files.map(fd);
    if (file === undefined) return this.#files.refusal(fd);
    const { map } = file;
    const reads = command === BPF_MAP_LOOKUP_BATCH || command === BPF_MAP_LOOKUP_AND_DELETE_BATCH;
    const writes = command !== BPF_MAP_LOOKUP_BATCH;
    if (reads && !file.canRead) return -EPERM;
    if (writes && (!file.canWrite || map.isFrozen)) return -EPERM;
    const key = this.#keyScratch.reserve(paddedKeySize(map));
    const previousKey = this.#previousKeyScratch.reserve(paddedKeySize(map));
    if (key === 0 || previousKey === 0) return -ENOMEM;
    this.#clearPadding(key, map);
    this.#clearPadding(previousKey, map);
    const batch = new MapBatch(this.#memory, attr, uattr, key, previousKey);
    switch (command) {
      case BPF_MAP_LOOKUP_BATCH:
        return map.lookupBatch(batch);
      case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
        return map.lookupAndDeleteBatch(batch);
      case BPF_MAP_UPDATE_BATCH:
        return map.updateBatch(batch);
      case BPF_MAP_DELETE_BATCH:
        return map.deleteBatch(batch);
      default:
        return -EINVAL;
    }
  }

  #mapFd(attr: Address): number {
    return this.#memory.i32[(attr + MAP_ELEM.MAP_FD) >>> 2] as number;
  }

  /** The key as map types want it: where it lies when it is aligned and whole words, else a padded copy. `−errno` when it cannot be read. */
  #takeKey(attr: Address, map: EmbeddedMap): Address {
    const memory = this.#memory;
    const { keySize } = map;
    const key = pointerAt(memory, attr + MAP_ELEM.KEY);
    if (keySize === 0) return key === 0 ? NO_KEY : -EINVAL;
    if (!accessOk(memory, key, keySize)) return -EFAULT;
    if (((key | keySize) & 3) === 0) return key;
    const copy = this.#keyScratch.reserve(paddedKeySize(map));
    if (copy === 0) return -ENOMEM;
    this.#clearPadding(copy, map);
    copyBytes(memory, copy, key, keySize);
    return copy;
  }

  #clearPadding(key: Address, map: EmbeddedMap): void {
    this.#memory.u32[(key + paddedKeySize(map) - 4) >>> 2] = 0;
  }

  /** What a command answers when its value cannot be written: its own error, or EFAULT once it has done its work. */
  #faultAfter(map: EmbeddedMap, command: (scratch: Address) => number): number {
    const scratch = this.#valueScratch.reserve(map.userValueSize);
    if (scratch === 0) return -ENOMEM;
    const error = command(scratch);
    return error === 0 ? -EFAULT : error;
  }
}

/** At least a word, for a map without keys. */
function paddedKeySize(map: EmbeddedMap): number {
  return Math.max(4, (map.keySize + 3) & ~3);
}

/** Whether BPF_F_LOCK is among flags that may be too large for bit operators. */
function hasLockFlag(flags: number): boolean {
  return flags !== 0 && Math.floor(flags / BPF_F_LOCK) % 2 === 1;
}
