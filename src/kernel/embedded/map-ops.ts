import { ENOENT, ENOTSUPP } from "../../abi/errno.ts";
import {
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_F_RDONLY,
  BPF_F_RDONLY_PROG,
  BPF_F_WRONLY,
  BPF_F_WRONLY_PROG,
} from "../../abi/flags.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import type { BtfObject } from "./btf/btf-object.ts";
import type { SpecialField } from "./btf/special-fields.ts";
import type { FileTable } from "./file-table.ts";
import type { KernelObject } from "./kernel-object.ts";
import type { MapBatch } from "./map-batch.ts";
import type { MapCreateAttr } from "./map-create-attr.ts";
import type { MapGeometry } from "./maps/map-geometry.ts";
import { slotSize } from "./maps/percpu-values.ts";
import type { Objects } from "./object-table.ts";
import { Readiness } from "./readiness.ts";
import { SEGMENT } from "./segment.ts";
import { copyBytes } from "./user-memory.ts";
import { ValueRecord } from "./value-record.ts";

/** The flags that say who may read and write a map: `include/linux/bpf.h`, `BPF_F_ACCESS_MASK`. */
export const ACCESS_FLAGS = BPF_F_RDONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY | BPF_F_WRONLY_PROG;

/**
 * What a map type does, named after Linux's `struct bpf_map_ops`. Every method answers 0 or `−errno`, but for `lookup`;
 * a method that a type does not have answers what Linux answers for that type.
 *
 * Keys are addresses of `keySize` bytes, aligned to 4 and padded with zeros to whole words; of nothing to be read when the
 * type has no keys. Values are addresses of `userValueSize` bytes, aligned or not. What a key or value must not be is the
 * type's to check, in Linux's order; that they can be read and written is checked already.
 */
export interface MapOps {
  /** The address of the value of a key, inside the map; 0 when the key is not there. */
  lookup(key: Address): Address;
  update(key: Address, value: Address, flags: number): number;
  delete(key: Address): number;
  /** Writes the key after `key` to `next`; the first one when `key` is 0. */
  getNextKey(key: Address, next: Address): number;
  /** Copies the value of a key out, as BPF_MAP_LOOKUP_ELEM does; with BPF_F_LOCK while nobody else has the lock in it. */
  copyValue(key: Address, value: Address, isLocked?: boolean): number;
  lookupAndDelete(key: Address, value: Address, isLocked?: boolean): number;
  lookupBatch(batch: MapBatch): number;
  lookupAndDeleteBatch(batch: MapBatch): number;
  updateBatch(batch: MapBatch): number;
  deleteBatch(batch: MapBatch): number;
  /** Where `mmap` of the map begins, and how many bytes can be mapped; or `−errno`, as its `map_mmap` has it. */
  mappable(): { readonly address: Address; readonly bytes: number } | number;
  /** Why a part of what is mappable cannot be mapped so, from `offset` on and whole pages long; 0 when it can. */
  mapRefusal(isWritable: boolean, offset: number, length: number): number;
}

/** What a map type may need of the kernel that its maps live on. */
export interface MapHost {
  readonly memory: AddressSpace;
  readonly possibleCpus: number;
  readonly files: FileTable;
  readonly maps: Objects<EmbeddedMap>;
  readonly programs: Objects<KernelObject>;
  readonly perfEvents: Objects<KernelObject>;
}

/** What code for the elements of one map is generated from: see `EmbeddedMap.generateLookup`. */
export interface ElementCode {
  readonly memory: AddressSpace;
  /** The open file by which the map is used: its fd may be closed at any time. */
  readonly file: { readonly isOpen: boolean };
  readonly key: Address;
  readonly value: Address;
  /** The command without shortcuts, for whatever is out of the ordinary. */
  readonly slow: () => number;
}

/** A map type in the table of map types: its checks, and how a map of it is made. */
export interface MapType {
  /** `map_alloc_check`: whether the attributes make a map of this type. */
  allocCheck(attr: MapCreateAttr): number;
  /** `map_alloc`: the map, or `−errno`. */
  alloc(host: MapHost, attr: MapCreateAttr): EmbeddedMap | number;
  /** Takes the segment of a map alone, or answers `−errno`: of a type whose maps are made after others. */
  reserve?(host: MapHost, attr: MapCreateAttr): Address | number;
  /** The map over a segment that threads and processes share: of a type whose maps are the same there. */
  share?(host: MapHost, base: Address): EmbeddedMap;
  /** The flags that every map of the type has, though none may be asked for; none when not said. */
  readonly ownFlags?: number;
}

/** The only news of maps that never have any, by the open file through which they were asked for it. */
const told = new WeakMap<object, Readiness>();

/** A map of the embedded kernel: what all types share of Linux's `struct bpf_map`, over a segment. */
export abstract class EmbeddedMap implements MapOps, KernelObject {
  readonly kind = "map";
  readonly memory: AddressSpace;
  /** Where the segment begins. */
  readonly base: Address;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** Those of open fds, pins, mappings, programs, and maps of maps. */
  references = 0;
  /** What says the types of its keys and values, which lives as long as the map. */
  btf: BtfObject | undefined;
  /** What in its values is not data; `undefined` when all is. */
  record: ValueRecord | undefined;
  /** How many of the references are not user space's, but of programs and maps of maps. */
  kernelReferences = 0;
  /** Writable mappings by `mmap`, which keep the map from being frozen. */
  writableMappings = 0;

  constructor(memory: AddressSpace, base: Address) {
    const word = base >>> 2;
    const { u32 } = memory;
    this.memory = memory;
    this.base = base;
    this.type = u32[word + SEGMENT.TYPE / 4] as number;
    this.keySize = u32[word + SEGMENT.KEY_SIZE / 4] as number;
    this.valueSize = u32[word + SEGMENT.VALUE_SIZE / 4] as number;
    this.maxEntries = u32[word + SEGMENT.MAX_ENTRIES / 4] as number;
  }

  /** The bytes that a value takes in the hands of user space: `bpf_map_value_size`. */
  get userValueSize(): number {
    return this.valueSize;
  }

  /** Whether a lookup reads the caller's value instead of writing it: `kernel/bpf/syscall.c: map_lookup_elem`. */
  get looksForValue(): boolean {
    return false;
  }

  /** The bytes from the value of one CPU to that of the next, behind what `lookup` answers; 0 when there is one for all. */
  get cpuStride(): number {
    return this.userValueSize === this.valueSize ? 0 : slotSize(this.valueSize);
  }

  /** Where the values lie, for programs to look them up by themselves; `undefined` when that is not for them to do. */
  get programGeometry(): MapGeometry | undefined {
    return undefined;
  }

  /** Where the values begin in a map that programs may address directly: `map_direct_value_addr`; 0 in any other. */
  get directValue(): Address {
    return 0;
  }

  /**
   * Where the key of a value lies, or, where keys lie nowhere, 4 bytes at `scratch` that it is written to. Of types whose
   * values may have timers.
   */
  keyOf(_value: Address, _scratch: Address): Address {
    throw new Error(`a map of type ${this.type} does not know the keys of its values`);
  }

  /** Takes the `bpf_spin_lock` at an address, which lies in one of its values, for a program. Of maps that are shared. */
  lockValue(_lock: Address): void {}

  /** Is told that a program has looked up the value at an address, which may keep it from being evicted. */
  lookedUp(_value: Address): void {}

  get id(): number {
    return this.header(SEGMENT.ID);
  }

  set id(id: number) {
    this.memory.u32[(this.base + SEGMENT.ID) >>> 2] = id;
  }

  get isFrozen(): boolean {
    return this.memory.u32[(this.base + SEGMENT.FROZEN) >>> 2] !== 0;
  }

  freeze(): void {
    this.memory.u32[(this.base + SEGMENT.FROZEN) >>> 2] = 1;
  }

  /** Takes the BTF of its keys and values, and what was found in it. The map holds a reference from now on. */
  describe(btf: BtfObject, keyType: number, valueType: number, fields: readonly SpecialField[]): void {
    const { u32 } = this.memory;
    u32[(this.base + SEGMENT.BTF_KEY_TYPE_ID) >>> 2] = keyType;
    u32[(this.base + SEGMENT.BTF_VALUE_TYPE_ID) >>> 2] = valueType;
    btf.references++;
    this.btf = btf;
    const slots = Math.max(1, Math.round(this.userValueSize / this.valueSize));
    if (fields.length > 0) this.record = new ValueRecord(fields, this.valueSize, slots);
  }

  /** A word of the segment's header. */
  header(offset: number): number {
    return this.memory.u32[(this.base + offset) >>> 2] as number;
  }

  abstract lookup(key: Address): Address;
  abstract update(key: Address, value: Address, flags: number): number;
  abstract delete(key: Address): number;

  /** An update by user space through an open file, which a type may remember: `map_file`. */
  updateThrough(_file: object, key: Address, value: Address, flags: number): number {
    return this.update(key, value, flags);
  }

  abstract getNextKey(key: Address, next: Address): number;

  copyValue(key: Address, value: Address, _isLocked?: boolean): number {
    const found = this.lookup(key);
    if (found === 0) return -ENOENT;
    this.loadValue(found, value);
    return 0;
  }

  /** Gives user space a value of the map. */
  protected loadValue(from: Address, to: Address): void {
    if (this.record === undefined) copyBytes(this.memory, to, from, this.userValueSize);
    else this.record.load(this.memory, from, to);
  }

  /** The flags of an update without BPF_F_LOCK, which counts where there is a lock; −1 for flags that are none. */
  protected updateMode(flags: number): number {
    if (flags <= BPF_EXIST) return flags;
    const isLocked = this.record?.hasSpinLock === true && flags >= BPF_F_LOCK && flags <= (BPF_F_LOCK | BPF_EXIST);
    return isLocked ? flags - BPF_F_LOCK : -1;
  }

  lookupAndDelete(_key: Address, _value: Address, _isLocked?: boolean): number {
    return -ENOTSUPP;
  }

  lookupBatch(_batch: MapBatch): number {
    return -ENOTSUPP;
  }

  lookupAndDeleteBatch(_batch: MapBatch): number {
    return -ENOTSUPP;
  }

  updateBatch(_batch: MapBatch): number {
    return -ENOTSUPP;
  }

  deleteBatch(_batch: MapBatch): number {
    return -ENOTSUPP;
  }

  mappable(): { readonly address: Address; readonly bytes: number } | number {
    return -ENOTSUPP;
  }

  mapRefusal(_isWritable: boolean, _offset: number, _length: number): number {
    return 0;
  }

  /** The news of the map for one open file: `map_poll`. Most have none but that they never will: `bpf_map_poll` has EPOLLERR. */
  readiness(file: object): Readiness {
    let readiness = told.get(file);
    if (readiness === undefined) {
      readiness = new Readiness(true);
      told.set(file, readiness);
    }
    return readiness;
  }

  /** An open file was closed: whoever waits for news through it is told. */
  fileClosed(_file: object): void {}

  /** A part of the map was mapped, as long as this: `bpf_map_mmap_open`. */
  mapped(isWritable: boolean, _length: number): void {
    if (isWritable) this.writableMappings++;
  }

  /** A mapping has gone: `bpf_map_mmap_close`. */
  unmapped(isWritable: boolean): void {
    if (isWritable) this.writableMappings--;
  }

  /** BPF_MAP_LOOKUP_ELEM without flags from one key to one value, as code made for just that; `undefined` when there is none. */
  generateLookup(_code: ElementCode): (() => number) | undefined {
    return undefined;
  }

  /** BPF_MAP_UPDATE_ELEM with BPF_ANY from one key and one value, as code made for just that; `undefined` when there is none. */
  generateUpdate(_code: ElementCode): (() => number) | undefined {
    return undefined;
  }

  /** Whether an fd, a pin or a mapping refers to the map: `usercnt` of `struct bpf_map`. */
  get hasUsers(): boolean {
    return this.references > this.kernelReferences;
  }

  referenceDropped(): void {
    if (!this.hasUsers) this.usersGone();
  }

  /**
   * Is told that only programs and maps of maps refer to the map any more: what the map holds that could keep them, and so
   * itself, goes. `map_release_uref`.
   */
  protected usersGone(): void {
    this.record?.held?.dropAll();
  }

  /** Lets go of what the map keeps besides its segment, which is another's from now on. */
  handOver(): void {
    this.btf?.put();
  }

  /** Gives the segment back. The map is gone. */
  free(): void {
    this.record?.held?.dropAll();
    this.btf?.put();
    this.memory.releaseSegment(this.base);
  }
}
