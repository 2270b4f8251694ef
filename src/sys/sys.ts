import { BPF_OBJ_NAME_LEN, GET_ID, MAP_BATCH, MAP_CREATE, MAP_ELEM, MAP_FREEZE, OBJ, OBJ_INFO } from "../abi/attr.ts";
import {
  BPF_MAP_CREATE,
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_FREEZE,
  BPF_MAP_GET_FD_BY_ID,
  BPF_MAP_GET_NEXT_ID,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_UPDATE_ELEM,
  BPF_OBJ_GET,
  BPF_OBJ_GET_INFO_BY_FD,
  BPF_OBJ_PIN,
} from "../abi/commands.ts";
import { MAP_INFO } from "../abi/info.ts";
import { type MapTypeName, mapTypeNumber } from "../abi/map-types.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Address } from "../memory/address-space.ts";
import { Frame } from "./frame.ts";
import { type MapInfo, readMapInfo } from "./map-info.ts";
import { type MapShape, mapShape } from "./map-shape.ts";

const NO_BYTES = new Uint8Array(0);

/** What `sys.mapCreate` takes: the fields of `union bpf_attr` for BPF_MAP_CREATE; what is not given is 0. */
export interface MapCreateOptions {
  /** bpftool's name of the type, or its number. */
  readonly type: MapTypeName | number;
  /** At most 15 bytes are kept, as libbpf does. */
  readonly name?: string | undefined;
  readonly keySize?: number | undefined;
  readonly valueSize?: number | undefined;
  readonly maxEntries?: number | undefined;
  /** Bits of `BPF_F_…`. */
  readonly flags?: number | undefined;
  readonly innerMapFd?: number | undefined;
  /** Counts only with BPF_F_NUMA_NODE. */
  readonly numaNode?: number | undefined;
  readonly ifindex?: number | undefined;
  readonly btfFd?: number | undefined;
  readonly btfKeyTypeId?: number | undefined;
  readonly btfValueTypeId?: number | undefined;
  readonly btfVmlinuxValueTypeId?: number | undefined;
  readonly mapExtra?: number | bigint | undefined;
  readonly valueTypeBtfObjFd?: number | undefined;
  readonly tokenFd?: number | undefined;
  /** The SHA-256 of the one program that may use the map. */
  readonly exclProgHash?: Uint8Array | undefined;
}

/** The options of the batch commands. */
export interface BatchOptions {
  /** Flags for each element, BPF_F_LOCK being the only one that a map may take. */
  readonly elemFlags?: number | bigint | undefined;
  /** Flags of the batch itself, of which Linux 6.18 has none. */
  readonly flags?: number | bigint | undefined;
}

/** The options of `objPin` and `objGet`. */
export interface PathOptions {
  /** BPF_F_PATH_FD; for `objGet` also BPF_F_RDONLY or BPF_F_WRONLY. */
  readonly fileFlags?: number | undefined;
  /** With BPF_F_PATH_FD: the directory in which a relative path begins. */
  readonly pathFd?: number | undefined;
}

/**
 * The commands of `bpf(2)` by libbpf's names, on any kernel. Each answers what libbpf answers: 0 or more, or `−errno`;
 * none throws for what a kernel may refuse.
 *
 * Keys, values and cursors are `Uint8Array`s, of which the kernel reads and writes as many bytes as the map has (for a
 * value of a per-CPU map: each CPU's rounded up to 8, times `possibleCpus`). An array that is too short is `−EFAULT`
 * where the kernel would use it: it can never reach beyond. The key of a map that has none, a queue for one, is `null`. In C the same mistake reads and writes a stranger's memory.
 *
 * @example
 * ```ts
 * import { embedded } from "mapiary";
 *
 * using bpf = embedded();
 * const { sys } = bpf;
 * const fd = sys.mapCreate({ type: "hash", name: "hits", keySize: 4, valueSize: 8, maxEntries: 16 });
 * const key = Uint8Array.of(5, 0, 0, 0);
 * sys.mapUpdateElem(fd, key, new Uint8Array(8), 0); // 0
 * sys.mapLookupElem(fd, Uint8Array.of(6, 0, 0, 0), new Uint8Array(8)); // -2, which is −ENOENT
 * sys.close(fd);
 * ```
 *
 * Source: `tools/lib/bpf/bpf.c`, bpf(2).
 */
export class Sys {
  readonly #kernel: Kernel;
  readonly #frame: Frame;
  /** What was asked about the maps of open fds. */
  readonly #shapes = new Map<number, MapShape>();

  /** The commands on one kernel. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#frame = new Frame(kernel.memory);
  }

  /** BPF_MAP_CREATE: makes a map. Answers its first fd, or `−errno`. */
  mapCreate(options: MapCreateOptions): number {
    const type = typeof options.type === "number" ? options.type : mapTypeNumber(options.type);
    if (type === undefined) throw new TypeError(`Linux 6.18 has no map type ${JSON.stringify(options.type)}`);
    const hash = options.exclProgHash;
    const attr = this.#frame.begin(hash?.length ?? 0);
    this.#u32(attr + MAP_CREATE.MAP_TYPE, type);
    this.#u32(attr + MAP_CREATE.KEY_SIZE, options.keySize);
    this.#u32(attr + MAP_CREATE.VALUE_SIZE, options.valueSize);
    this.#u32(attr + MAP_CREATE.MAX_ENTRIES, options.maxEntries);
    this.#u32(attr + MAP_CREATE.MAP_FLAGS, options.flags);
    this.#u32(attr + MAP_CREATE.INNER_MAP_FD, options.innerMapFd);
    this.#u32(attr + MAP_CREATE.NUMA_NODE, options.numaNode);
    const name = new TextEncoder().encode(options.name ?? "").subarray(0, BPF_OBJ_NAME_LEN - 1);
    this.#kernel.memory.u8.set(name, attr + MAP_CREATE.MAP_NAME);
    this.#u32(attr + MAP_CREATE.MAP_IFINDEX, options.ifindex);
    this.#u32(attr + MAP_CREATE.BTF_FD, options.btfFd);
    this.#u32(attr + MAP_CREATE.BTF_KEY_TYPE_ID, options.btfKeyTypeId);
    this.#u32(attr + MAP_CREATE.BTF_VALUE_TYPE_ID, options.btfValueTypeId);
    this.#u32(attr + MAP_CREATE.BTF_VMLINUX_VALUE_TYPE_ID, options.btfVmlinuxValueTypeId);
    this.#u64(attr + MAP_CREATE.MAP_EXTRA, options.mapExtra);
    this.#u32(attr + MAP_CREATE.VALUE_TYPE_BTF_OBJ_FD, options.valueTypeBtfObjFd);
    this.#u32(attr + MAP_CREATE.MAP_TOKEN_FD, options.tokenFd);
    if (hash !== undefined) {
      this.#u64(attr + MAP_CREATE.EXCL_PROG_HASH, this.#frame.put(hash, hash.length));
      this.#u32(attr + MAP_CREATE.EXCL_PROG_HASH_SIZE, hash.length);
    }
    return this.#opened(this.#kernel.bpf(BPF_MAP_CREATE, attr, MAP_CREATE.END));
  }

  /** BPF_MAP_LOOKUP_ELEM: fills `value` with the value of a key. `−ENOENT` when the key is not there. */
  mapLookupElem(fd: number, key: Uint8Array | null, value: Uint8Array, flags: number | bigint = 0): number {
    return this.#lookup(BPF_MAP_LOOKUP_ELEM, fd, key, value, flags);
  }

  /** BPF_MAP_LOOKUP_AND_DELETE_ELEM: fills `value` with the value of a key and deletes it. `−ENOENT` when the key is not there. */
  mapLookupAndDeleteElem(fd: number, key: Uint8Array | null, value: Uint8Array, flags: number | bigint = 0): number {
    return this.#lookup(BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, key, value, flags);
  }

  /**
   * BPF_MAP_UPDATE_ELEM: gives a key a value. `flags` is BPF_ANY, BPF_NOEXIST (`−EEXIST` when the key is there) or
   * BPF_EXIST (`−ENOENT` when it is not), with BPF_F_LOCK or without.
   */
  mapUpdateElem(fd: number, key: Uint8Array | null, value: Uint8Array, flags: number | bigint = 0): number {
    const shape = this.#shape(fd, key ?? NO_BYTES, value);
    const attr = this.#frame.begin(shape.keySize, shape.valueSize);
    this.#u32(attr + MAP_ELEM.MAP_FD, fd);
    this.#key(attr, key, shape.keySize);
    this.#u64(attr + MAP_ELEM.VALUE, this.#frame.put(value, shape.valueSize));
    this.#u64(attr + MAP_ELEM.FLAGS, flags);
    return this.#kernel.bpf(BPF_MAP_UPDATE_ELEM, attr, MAP_ELEM.END);
  }

  /** BPF_MAP_DELETE_ELEM. `−ENOENT` when the key is not there. */
  mapDeleteElem(fd: number, key: Uint8Array | null): number {
    const shape = this.#shape(fd, key ?? NO_BYTES, NO_BYTES);
    const attr = this.#frame.begin(shape.keySize);
    this.#u32(attr + MAP_ELEM.MAP_FD, fd);
    this.#key(attr, key, shape.keySize);
    return this.#kernel.bpf(BPF_MAP_DELETE_ELEM, attr, MAP_ELEM.KEY_END);
  }

  /** BPF_MAP_GET_NEXT_KEY: fills `nextKey` with the key after `key`, with the first one for `null`. `−ENOENT` at the end. */
  mapGetNextKey(fd: number, key: Uint8Array | null, nextKey: Uint8Array): number {
    const { keySize } = this.#shape(fd, nextKey, nextKey);
    const attr = this.#frame.begin(keySize, keySize);
    this.#u32(attr + MAP_ELEM.MAP_FD, fd);
    this.#key(attr, key, keySize);
    const next = this.#frame.put(nextKey, keySize);
    this.#u64(attr + MAP_ELEM.NEXT_KEY, next);
    const result = this.#kernel.bpf(BPF_MAP_GET_NEXT_KEY, attr, MAP_ELEM.NEXT_KEY_END);
    this.#frame.take(next, nextKey, keySize);
    return result;
  }

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
    const shape = this.#shape(fd, perEntry(keys, entries), perEntry(values, entries));
    const attr = this.#frame.begin(shape.keySize * entries, shape.valueSize * entries);
    this.#u64(attr + MAP_BATCH.KEYS, this.#frame.put(keys, shape.keySize * entries));
    this.#u64(attr + MAP_BATCH.VALUES, this.#frame.put(values, shape.valueSize * entries));
    return this.#batch(BPF_MAP_UPDATE_BATCH, fd, attr, count, options);
  }

  /** BPF_MAP_DELETE_BATCH: deletes `count[0]` keys until one is not there (`−ENOENT`). `count[0]` becomes how many were deleted. */
  mapDeleteBatch(fd: number, keys: Uint8Array, count: Uint32Array, options: BatchOptions = {}): number {
    const entries = count[0] ?? 0;
    const key = perEntry(keys, entries);
    const shape = this.#shape(fd, key, key);
    const attr = this.#frame.begin(shape.keySize * entries);
    this.#u64(attr + MAP_BATCH.KEYS, this.#frame.put(keys, shape.keySize * entries));
    return this.#batch(BPF_MAP_DELETE_BATCH, fd, attr, count, options);
  }

  /** BPF_MAP_FREEZE: from now on user space cannot write the map. `−EPERM` when it is frozen already, `−EBUSY` while it is mapped for writing. */
  mapFreeze(fd: number): number {
    const attr = this.#frame.begin();
    this.#u32(attr + MAP_FREEZE.MAP_FD, fd);
    return this.#kernel.bpf(BPF_MAP_FREEZE, attr, MAP_FREEZE.END);
  }

  /** BPF_OBJ_PIN: gives a map a name in a BPF filesystem. `−EEXIST` when the name is taken, `−EPERM` for a name with a dot or outside. */
  objPin(fd: number, path: string, options: PathOptions = {}): number {
    const attr = this.#path(path, options);
    this.#u32(attr + OBJ.BPF_FD, fd);
    return this.#kernel.bpf(BPF_OBJ_PIN, attr, OBJ.END);
  }

  /** BPF_OBJ_GET: opens what is pinned at a path. Answers an fd, or `−errno`: `−ENOENT` when there is nothing. */
  objGet(path: string, options: PathOptions = {}): number {
    return this.#opened(this.#kernel.bpf(BPF_OBJ_GET, this.#path(path, options), OBJ.END));
  }

  /** BPF_MAP_GET_NEXT_ID: sets `nextId[0]` to the lowest map id above `startId`. `−ENOENT` when there is none. */
  mapGetNextId(startId: number, nextId: Uint32Array): number {
    const attr = this.#frame.begin();
    this.#u32(attr + GET_ID.ID, startId);
    const result = this.#kernel.bpf(BPF_MAP_GET_NEXT_ID, attr, GET_ID.NEXT_ID_END);
    if (result === 0) nextId[0] = this.#kernel.memory.view.getUint32(attr + GET_ID.NEXT_ID, true);
    return result;
  }

  /** BPF_MAP_GET_FD_BY_ID: opens a map by its id. `openFlags` is 0, BPF_F_RDONLY or BPF_F_WRONLY. `−ENOENT` when no map has it. */
  mapGetFdById(id: number, options: { readonly openFlags?: number | undefined } = {}): number {
    const attr = this.#frame.begin();
    this.#u32(attr + GET_ID.ID, id);
    this.#u32(attr + GET_ID.OPEN_FLAGS, options.openFlags);
    return this.#opened(this.#kernel.bpf(BPF_MAP_GET_FD_BY_ID, attr, GET_ID.END));
  }

  /** BPF_OBJ_GET_INFO_BY_FD: what the kernel knows of the map of an fd, or `−errno`. */
  objGetInfoByFd(fd: number): MapInfo | number {
    const attr = this.#frame.begin(MAP_INFO.SIZE);
    const info = this.#frame.put(new Uint8Array(MAP_INFO.SIZE), MAP_INFO.SIZE);
    this.#u32(attr + OBJ_INFO.BPF_FD, fd);
    this.#u32(attr + OBJ_INFO.INFO_LEN, MAP_INFO.SIZE);
    this.#u64(attr + OBJ_INFO.INFO, info);
    const result = this.#kernel.bpf(BPF_OBJ_GET_INFO_BY_FD, attr, OBJ_INFO.END);
    return result < 0 ? result : readMapInfo(this.#kernel.memory, info);
  }

  /** `close(2)` of an fd that this kernel gave out; `−EBADF` for any other. */
  close(fd: number): number {
    this.#shapes.delete(fd);
    return this.#kernel.close(fd);
  }

  #lookup(cmd: number, fd: number, key: Uint8Array | null, value: Uint8Array, flags: number | bigint): number {
    const shape = this.#shape(fd, key ?? NO_BYTES, value);
    const attr = this.#frame.begin(shape.keySize, shape.valueSize);
    this.#u32(attr + MAP_ELEM.MAP_FD, fd);
    this.#key(attr, key, shape.keySize);
    const found = this.#frame.put(value, shape.valueSize);
    this.#u64(attr + MAP_ELEM.VALUE, found);
    this.#u64(attr + MAP_ELEM.FLAGS, flags);
    const result = this.#kernel.bpf(cmd, attr, MAP_ELEM.END);
    this.#frame.take(found, value, shape.valueSize);
    return result;
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
    const shape = this.#shape(fd, perEntry(keys, entries), perEntry(values, entries));
    const { cursorSize } = shape;
    const keyBytes = shape.keySize * entries;
    const valueBytes = shape.valueSize * entries;
    const attr = this.#frame.begin(cursorSize, cursorSize, keyBytes, valueBytes);
    if (inBatch !== null) this.#u64(attr + MAP_BATCH.IN_BATCH, this.#frame.put(inBatch, cursorSize));
    const cursor = this.#frame.put(outBatch, cursorSize);
    const foundKeys = this.#frame.put(keys, keyBytes);
    const foundValues = this.#frame.put(values, valueBytes);
    this.#u64(attr + MAP_BATCH.OUT_BATCH, cursor);
    this.#u64(attr + MAP_BATCH.KEYS, foundKeys);
    this.#u64(attr + MAP_BATCH.VALUES, foundValues);
    const result = this.#batch(cmd, fd, attr, count, options);
    this.#frame.take(cursor, outBatch, cursorSize);
    this.#frame.take(foundKeys, keys, keyBytes);
    this.#frame.take(foundValues, values, valueBytes);
    return result;
  }

  #batch(cmd: number, fd: number, attr: Address, count: Uint32Array, options: BatchOptions): number {
    this.#u32(attr + MAP_BATCH.COUNT, count[0]);
    this.#u32(attr + MAP_BATCH.MAP_FD, fd);
    this.#u64(attr + MAP_BATCH.ELEM_FLAGS, options.elemFlags);
    this.#u64(attr + MAP_BATCH.FLAGS, options.flags);
    const result = this.#kernel.bpf(cmd, attr, MAP_BATCH.END);
    count[0] = this.#kernel.memory.view.getUint32(attr + MAP_BATCH.COUNT, true);
    return result;
  }

  #key(attr: Address, key: Uint8Array | null, keySize: number): void {
    if (key !== null) this.#u64(attr + MAP_ELEM.KEY, this.#frame.put(key, keySize));
  }

  #path(path: string, options: PathOptions): Address {
    const bytes = new TextEncoder().encode(`${path}\0`);
    const attr = this.#frame.begin(bytes.length);
    this.#u64(attr + OBJ.PATHNAME, this.#frame.put(bytes, bytes.length));
    this.#u32(attr + OBJ.FILE_FLAGS, options.fileFlags);
    this.#u32(attr + OBJ.PATH_FD, options.pathFd);
    return attr;
  }

  /** What the kernel will read and write for an fd; what the caller gives when there is no map behind it to ask. */
  #shape(fd: number, key: Uint8Array, value: Uint8Array): MapShape {
    const known = this.#shapes.get(fd);
    if (known !== undefined) return known;
    const info = this.objGetInfoByFd(fd);
    if (typeof info === "number") {
      return { keySize: key.length, valueSize: value.length, cursorSize: 0 };
    }
    const shape = mapShape(info, this.#kernel.possibleCpus);
    this.#shapes.set(fd, shape);
    return shape;
  }

  /** Takes note of an fd that was just opened: what was known of an older one of that number is past. */
  #opened(fd: number): number {
    if (fd >= 0) this.#shapes.delete(fd);
    return fd;
  }

  #u32(at: Address, value: number | undefined): void {
    if (value !== undefined) this.#kernel.memory.view.setUint32(at, value, true);
  }

  #u64(at: Address, value: number | bigint | undefined): void {
    const { view } = this.#kernel.memory;
    if (typeof value === "bigint") {
      view.setBigUint64(at, value, true);
    } else if (value !== undefined) {
      view.setUint32(at, value >>> 0, true);
      view.setUint32(at + 4, Math.floor(value / 2 ** 32) >>> 0, true);
    }
  }
}

/** One entry's part of a buffer for many. */
function perEntry(bytes: Uint8Array, entries: number): Uint8Array {
  return bytes.subarray(0, entries === 0 ? 0 : Math.floor(bytes.length / entries));
}
