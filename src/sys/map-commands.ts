import { BPF_OBJ_NAME_LEN, MAP_CREATE, MAP_ELEM, MAP_FREEZE } from "../abi/attr.ts";
import {
  BPF_MAP_CREATE,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_FREEZE,
  BPF_MAP_GET_FD_BY_ID,
  BPF_MAP_GET_NEXT_ID,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_ELEM,
} from "../abi/commands.ts";
import { MAP_INFO } from "../abi/info.ts";
import { type MapTypeName, mapTypeNumber } from "../abi/map-types.ts";
import type { Address } from "../memory/address-space.ts";
import { type MapInfo, readMapInfo } from "./map-info.ts";
import { type MapShape, mapShape } from "./map-shape.ts";
import { ObjectCommands } from "./object-commands.ts";

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

/** The commands on maps, but for the batches. */
export abstract class MapCommands extends ObjectCommands {
  /** What was asked about the maps of open fds. */
  readonly #shapes = new Map<number, MapShape>();

  /** BPF_MAP_CREATE: makes a map. Answers its first fd, or `−errno`. */
  mapCreate(options: MapCreateOptions): number {
    const type = typeof options.type === "number" ? options.type : mapTypeNumber(options.type);
    if (type === undefined) throw new TypeError(`Linux 6.18 has no map type ${JSON.stringify(options.type)}`);
    const hash = options.exclProgHash;
    const attr = this.frame.begin(hash?.length ?? 0);
    this.u32(attr + MAP_CREATE.MAP_TYPE, type);
    this.u32(attr + MAP_CREATE.KEY_SIZE, options.keySize);
    this.u32(attr + MAP_CREATE.VALUE_SIZE, options.valueSize);
    this.u32(attr + MAP_CREATE.MAX_ENTRIES, options.maxEntries);
    this.u32(attr + MAP_CREATE.MAP_FLAGS, options.flags);
    this.u32(attr + MAP_CREATE.INNER_MAP_FD, options.innerMapFd);
    this.u32(attr + MAP_CREATE.NUMA_NODE, options.numaNode);
    const name = new TextEncoder().encode(options.name ?? "").subarray(0, BPF_OBJ_NAME_LEN - 1);
    this.kernel.memory.u8.set(name, attr + MAP_CREATE.MAP_NAME);
    this.u32(attr + MAP_CREATE.MAP_IFINDEX, options.ifindex);
    this.u32(attr + MAP_CREATE.BTF_FD, options.btfFd);
    this.u32(attr + MAP_CREATE.BTF_KEY_TYPE_ID, options.btfKeyTypeId);
    this.u32(attr + MAP_CREATE.BTF_VALUE_TYPE_ID, options.btfValueTypeId);
    this.u32(attr + MAP_CREATE.BTF_VMLINUX_VALUE_TYPE_ID, options.btfVmlinuxValueTypeId);
    this.u64(attr + MAP_CREATE.MAP_EXTRA, options.mapExtra);
    this.u32(attr + MAP_CREATE.VALUE_TYPE_BTF_OBJ_FD, options.valueTypeBtfObjFd);
    this.u32(attr + MAP_CREATE.MAP_TOKEN_FD, options.tokenFd);
    if (hash !== undefined) {
      this.u64(attr + MAP_CREATE.EXCL_PROG_HASH, this.frame.put(hash, hash.length));
      this.u32(attr + MAP_CREATE.EXCL_PROG_HASH_SIZE, hash.length);
    }
    return this.opened(this.kernel.bpf(BPF_MAP_CREATE, attr, MAP_CREATE.END));
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
    const shape = this.shape(fd, key ?? NO_BYTES, value);
    const attr = this.frame.begin(shape.keySize, shape.valueSize);
    this.u32(attr + MAP_ELEM.MAP_FD, fd);
    this.#key(attr, key, shape.keySize);
    this.u64(attr + MAP_ELEM.VALUE, this.frame.put(value, shape.valueSize));
    this.u64(attr + MAP_ELEM.FLAGS, flags);
    return this.kernel.bpf(BPF_MAP_UPDATE_ELEM, attr, MAP_ELEM.END);
  }

  /** BPF_MAP_DELETE_ELEM. `−ENOENT` when the key is not there. */
  mapDeleteElem(fd: number, key: Uint8Array | null): number {
    const shape = this.shape(fd, key ?? NO_BYTES, NO_BYTES);
    const attr = this.frame.begin(shape.keySize);
    this.u32(attr + MAP_ELEM.MAP_FD, fd);
    this.#key(attr, key, shape.keySize);
    return this.kernel.bpf(BPF_MAP_DELETE_ELEM, attr, MAP_ELEM.KEY_END);
  }

  /** BPF_MAP_GET_NEXT_KEY: fills `nextKey` with the key after `key`, with the first one for `null`. `−ENOENT` at the end. */
  mapGetNextKey(fd: number, key: Uint8Array | null, nextKey: Uint8Array): number {
    const { keySize } = this.shape(fd, nextKey, nextKey);
    const attr = this.frame.begin(keySize, keySize);
    this.u32(attr + MAP_ELEM.MAP_FD, fd);
    this.#key(attr, key, keySize);
    const next = this.frame.put(nextKey, keySize);
    this.u64(attr + MAP_ELEM.NEXT_KEY, next);
    const result = this.kernel.bpf(BPF_MAP_GET_NEXT_KEY, attr, MAP_ELEM.NEXT_KEY_END);
    this.frame.take(next, nextKey, keySize);
    return result;
  }

  /** BPF_MAP_FREEZE: from now on user space cannot write the map. `−EPERM` when it is frozen already, `−EBUSY` while it is mapped for writing. */
  mapFreeze(fd: number): number {
    const attr = this.frame.begin();
    this.u32(attr + MAP_FREEZE.MAP_FD, fd);
    return this.kernel.bpf(BPF_MAP_FREEZE, attr, MAP_FREEZE.END);
  }

  /** BPF_MAP_GET_NEXT_ID: sets `nextId[0]` to the lowest map id above `startId`. `−ENOENT` when there is none. */
  mapGetNextId(startId: number, nextId: Uint32Array): number {
    return this.nextId(BPF_MAP_GET_NEXT_ID, startId, nextId);
  }

  /** BPF_MAP_GET_FD_BY_ID: opens a map by its id. `openFlags` is 0, BPF_F_RDONLY or BPF_F_WRONLY. `−ENOENT` when no map has it. */
  mapGetFdById(id: number, options: { readonly openFlags?: number | undefined } = {}): number {
    return this.fdById(BPF_MAP_GET_FD_BY_ID, id, options.openFlags);
  }

  /** BPF_OBJ_GET_INFO_BY_FD: what the kernel knows of the map of an fd, or `−errno`. */
  objGetInfoByFd(fd: number): MapInfo | number {
    const info = this.info(fd, MAP_INFO.SIZE);
    return info < 0 ? info : readMapInfo(this.kernel.memory, info);
  }

  override close(fd: number): number {
    this.#shapes.delete(fd);
    return super.close(fd);
  }

  #lookup(cmd: number, fd: number, key: Uint8Array | null, value: Uint8Array, flags: number | bigint): number {
    const shape = this.shape(fd, key ?? NO_BYTES, value);
    const attr = this.frame.begin(shape.keySize, shape.valueSize);
    this.u32(attr + MAP_ELEM.MAP_FD, fd);
    this.#key(attr, key, shape.keySize);
    const found = this.frame.put(value, shape.valueSize);
    this.u64(attr + MAP_ELEM.VALUE, found);
    this.u64(attr + MAP_ELEM.FLAGS, flags);
    const result = this.kernel.bpf(cmd, attr, MAP_ELEM.END);
    this.frame.take(found, value, shape.valueSize);
    return result;
  }

  #key(attr: Address, key: Uint8Array | null, keySize: number): void {
    if (key !== null) this.u64(attr + MAP_ELEM.KEY, this.frame.put(key, keySize));
  }

  /** @internal What the kernel will read and write for an fd; what the caller gives when there is no map behind it to ask. */
  protected shape(fd: number, key: Uint8Array, value: Uint8Array): MapShape {
    const known = this.#shapes.get(fd);
    if (known !== undefined) return known;
    const info = this.objGetInfoByFd(fd);
    if (typeof info === "number") {
      return { keySize: key.length, valueSize: value.length, cursorSize: 0 };
    }
    const shape = mapShape(info, this.kernel.possibleCpus);
    this.#shapes.set(fd, shape);
    return shape;
  }

  /** What was known of an older fd of the same number is past. */
  protected override opened(fd: number): number {
    if (fd >= 0) this.#shapes.delete(fd);
    return fd;
  }
}
