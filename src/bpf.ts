import { BPF_MAP_CREATE, BPF_MAP_GET_FD_BY_ID, BPF_OBJ_GET, BPF_OBJ_GET_INFO_BY_FD } from "./abi/commands.ts";
import { ENOENT } from "./abi/errno.ts";
import { BPF_F_RDONLY, BPF_F_WRONLY } from "./abi/flags.ts";
import type { MapTypeName } from "./abi/map-types.ts";
import type { Kernel, KernelHandle } from "./kernel/kernel.ts";
import { bytes } from "./layout/bytes.ts";
import { INSPECT, type Inspect, inspected } from "./layout/inspect.ts";
import type { Layout } from "./layout/layout.ts";
import { u32 } from "./layout/scalar.ts";
import type { ArrayMap } from "./maps/array-map.ts";
import type { ArrayOfMaps } from "./maps/array-of-maps.ts";
import type { BloomFilter } from "./maps/bloom-filter.ts";
import { BpfMap } from "./maps/bpf-map.ts";
import { Bpffs } from "./maps/bpffs.ts";
import type { HashMap } from "./maps/hash-map.ts";
import type { HashOfMaps } from "./maps/hash-of-maps.ts";
import { InnerMapLayout } from "./maps/inner-map.ts";
import type { KeyedMap } from "./maps/keyed-map.ts";
import type { LpmTrie } from "./maps/lpm-trie.ts";
import type { LruHashMap } from "./maps/lru-hash-map.ts";
import type { LruPercpuHashMap } from "./maps/lru-percpu-hash-map.ts";
import { type InnerMapOf, type MapOfMapsType, mapClass, type TypedMaps } from "./maps/map-classes.ts";
import { MapContext } from "./maps/map-context.ts";
import type { MapOfMaps } from "./maps/map-of-maps.ts";
import {
  type ArrayOfMapsSpec,
  type ArraySpec,
  type BloomFilterSpec,
  flagBits,
  type HashOfMapsSpec,
  type HashSpec,
  type Inner,
  type InnerLayouts,
  type LpmTrieSpec,
  type LruHashSpec,
  type LruPercpuHashSpec,
  type MapSpec,
  type OpaqueSpec,
  type OpenMapOfMapsOptions,
  type OpenOptions,
  type PercpuArraySpec,
  type PercpuHashSpec,
  type PerfEventArraySpec,
  type QueueSpec,
  type RingBufSpec,
  type StackSpec,
  type UserRingBufSpec,
} from "./maps/map-spec.ts";
import { MapTypes } from "./maps/map-types.ts";
import { isOpaqueSpec, isOpaqueType, OpaqueMap, opaqueSizes } from "./maps/opaque-map.ts";
import type { PercpuArrayMap } from "./maps/percpu-array-map.ts";
import type { PercpuHashMap } from "./maps/percpu-hash-map.ts";
import type { PerfEventArray } from "./maps/perf-event-array.ts";
import type { Queue } from "./maps/queue.ts";
import type { RingBuf } from "./maps/ring-buf.ts";
import type { Stack } from "./maps/stack.ts";
import type { UserRingBuf } from "./maps/user-ring-buf.ts";
import type { BpfObject, ObjectTypes } from "./program/bpf-object.ts";
import type { BpfProgram } from "./program/bpf-program.ts";
import { type LoadOptions, loadObject } from "./program/load-object.ts";
import type { MapDefinition } from "./program/map-definitions.ts";
import { readingOf } from "./program/map-options.ts";
import { ObjectFile } from "./program/object-file.ts";
import { loadProgram } from "./program/prog-load.ts";
import { type ProgramSpec, progLoadOptions } from "./program/program-spec.ts";
import { readObjectFile } from "./program/read-file.ts";
import { BpfError } from "./sys/bpf-error.ts";
import type { Failure } from "./sys/diagnosis.ts";
import type { MapInfo } from "./sys/map-info.ts";
import { type MapCreateOptions, Sys } from "./sys/sys.ts";

/** The types of maps that hold no maps. */
type PlainType = Exclude<keyof TypedMaps<unknown, unknown>, MapOfMapsType>;

/** What the keys of a map of a type are when no layout says it: indexes, or else bytes. */
type IndexOr<T, B> = T extends "array" | "percpu_array" ? number : B;

/** How an fd is made a map. */
interface WrapOptions<K, V> extends OpenOptions<K, V> {
  readonly inner?: InnerLayouts | undefined;
  /** Whether it was made with these layouts just now, so that its BTF has nothing to say about them. */
  readonly isNew?: boolean;
}

/** What a value is that is written as an fd. */
const FD_BYTES = 4;
/** The room for a name in the kernel, without its NUL. */
const NAME_BYTES = 15;

/**
 * BPF on one kernel: `embedded()` and `linux()` give one, and from there on everything is the same.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, u32, u64 } from "mapiary";
 *
 * using bpf = embedded();
 * using hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1024 });
 * hits.set(5, 100n);
 * assert.equal(hits.get(5), 100n);
 * ```
 */
export class Bpf implements Disposable {
  /** The kernel that answers: the running `"linux"`, or the `"embedded"` one. */
  readonly kernel: "linux" | "embedded";
  /** The CPUs that the kernel could ever bring up: the number of values that a per-CPU map holds for one key. */
  readonly possibleCpus: number;
  /** The commands of `bpf(2)` by libbpf's names, on bytes. */
  readonly sys: Sys;
  /** The filesystem that pins live in. */
  readonly bpffs: Bpffs;
  readonly #context: MapContext;
  readonly #types: MapTypes;
  /** How the keys and values of the maps are read that were wrapped here: what is made like one of them is read alike. */
  readonly #layouts = new WeakMap<BpfMap, OpenOptions<unknown, unknown>>();

  /** @internal */
  constructor(kernel: Kernel) {
    this.kernel = kernel.name;
    this.possibleCpus = kernel.possibleCpus;
    this.sys = new Sys(kernel);
    this.bpffs = new Bpffs(kernel, this.sys);
    this.#context = new MapContext(kernel, this.sys);
    this.#types = new MapTypes(this.sys);
  }

  /**
   * Makes a map. Throws a `BpfError` that says which attribute the kernel refuses: `EINVAL` for one that is wrong,
   * `E2BIG` for one that is too large, `ENOMEM` when there is no room for it, `EPERM` when the privilege is missing.
   */
  createMap<K, V>(spec: HashSpec<K, V>): HashMap<K, V>;
  createMap<V, K = number>(spec: ArraySpec<V, K>): ArrayMap<K, V>;
  createMap<K, V>(spec: LpmTrieSpec<K, V>): LpmTrie<K, V>;
  createMap<K, V>(spec: PercpuHashSpec<K, V>): PercpuHashMap<K, V>;
  createMap<V, K = number>(spec: PercpuArraySpec<V, K>): PercpuArrayMap<K, V>;
  createMap<K, V>(spec: LruHashSpec<K, V>): LruHashMap<K, V>;
  createMap<K, V>(spec: LruPercpuHashSpec<K, V>): LruPercpuHashMap<K, V>;
  createMap<V>(spec: QueueSpec<V>): Queue<V>;
  createMap<V>(spec: StackSpec<V>): Stack<V>;
  createMap<V>(spec: BloomFilterSpec<V>): BloomFilter<V>;
  createMap<V = Uint8Array>(spec: RingBufSpec<V>): RingBuf<V>;
  createMap<V = Uint8Array>(spec: UserRingBufSpec<V>): UserRingBuf<V>;
  createMap<V = Uint8Array>(spec: PerfEventArraySpec<V>): PerfEventArray<V>;
  createMap<I extends Inner, K = number>(spec: ArrayOfMapsSpec<I, K>): ArrayOfMaps<K, InnerMapOf<I>>;
  createMap<K, I extends Inner>(spec: HashOfMapsSpec<K, I>): HashOfMaps<K, InnerMapOf<I>>;
  createMap(spec: OpaqueSpec): OpaqueMap;
  createMap<K, V>(spec: MapSpec<K, V>): BpfMap {
    if (isOpaqueSpec(spec)) return this.#createOpaque(spec);
    const inner = "inner" in spec ? spec.inner : undefined;
    if (inner !== undefined && !(inner instanceof BpfMap)) return this.#createAfterTemplate(spec, inner);
    const { type } = spec;
    if (inner === undefined && mapClass(type)?.holdsMaps) {
      throw new TypeError(`createMap of type ${type} needs inner: what the maps in it are`);
    }
    const key = "key" in spec && spec.key !== undefined ? spec.key : defaultKey<K>(type);
    const value = "inner" in spec ? undefined : spec.value;
    const options: MapCreateOptions = {
      type,
      name: spec.name,
      ...sizesOf(spec, key?.size),
      maxEntries: type === "perf_event_array" ? (spec.maxEntries ?? this.possibleCpus) : spec.maxEntries,
      flags: flagBits(spec.flags, type),
      numaNode: spec.numaNode,
      mapExtra: spec.type === "bloom_filter" ? spec.hashes : undefined,
      innerMapFd: inner?.fd,
    };
    const fd = value === undefined ? this.sys.mapCreate(options) : this.#types.create(options, key, value);
    if (fd < 0) throw this.#failure(BPF_MAP_CREATE, fd, { create: options, map: spec.name });
    return this.#wrap(fd, { key, value, inner, isNew: true });
  }

  /**
   * Opens a map by its pin, or by its name: then the one map of that name that lives. Without layouts its keys and values
   * are what its BTF says, or bytes where it has none that may be read (on Linux that takes CAP_SYS_ADMIN); layouts that are given are checked
   * against it. With `type` the class is known to the compiler, which takes it for one with keys and values else. Throws a `BpfError`: `ENOENT` when there is none, `EACCES`
   * for a path that is no pin; and a `TypeError` when a layout has not the map's size, or the map another type.
   */
  openMap<T extends MapOfMapsType, I extends InnerLayouts, K = T extends "array_of_maps" ? number : Uint8Array>(
    place: string | { readonly name: string },
    options: OpenMapOfMapsOptions<K, I> & { readonly type: T },
  ): TypedMaps<K, InnerMapOf<I>>[T];
  openMap<I extends InnerLayouts, K = Uint8Array>(
    place: string | { readonly name: string },
    options: OpenMapOfMapsOptions<K, I>,
  ): MapOfMaps<K, InnerMapOf<I>>;
  openMap<T extends PlainType, K = IndexOr<T, unknown>, V = unknown>(
    place: string | { readonly name: string },
    options: OpenOptions<K, V> & { readonly type: T },
  ): TypedMaps<K, V>[T];
  openMap<K = unknown, V = unknown>(
    place: string | { readonly name: string },
    options?: OpenOptions<K, V>,
  ): KeyedMap<K, V>;
  openMap<K, V>(place: string | { readonly name: string }, options: WrapOptions<K, V> = {}): BpfMap {
    if (typeof place === "string") {
      const fd = this.sys.objGet(place, { fileFlags: accessFlags(options) });
      if (fd < 0) throw this.#failure(BPF_OBJ_GET, fd, { path: place, flags: accessFlags(options) });
      return this.#wrap(fd, options, place);
    }
    const found = this.maps().filter((map) => map.name === place.name.slice(0, NAME_BYTES));
    const [info] = found;
    if (info === undefined) throw this.#failure(BPF_MAP_GET_FD_BY_ID, -ENOENT, { map: place.name });
    if (found.length > 1) {
      const ids = found.map((map) => map.id).join(", ");
      throw new TypeError(`${found.length} maps are named ${place.name} (ids ${ids}): open one of them with mapById`);
    }
    return this.mapById(info.id, options);
  }

  /** Opens a map by its id. Throws a `BpfError` with the code `ENOENT` when no map has it. */
  mapById<T extends MapOfMapsType, I extends InnerLayouts, K = T extends "array_of_maps" ? number : Uint8Array>(
    id: number,
    options: OpenMapOfMapsOptions<K, I> & { readonly type: T },
  ): TypedMaps<K, InnerMapOf<I>>[T];
  mapById<I extends InnerLayouts, K = Uint8Array>(
    id: number,
    options: OpenMapOfMapsOptions<K, I>,
  ): MapOfMaps<K, InnerMapOf<I>>;
  mapById<T extends PlainType, K = IndexOr<T, unknown>, V = unknown>(
    id: number,
    options: OpenOptions<K, V> & { readonly type: T },
  ): TypedMaps<K, V>[T];
  mapById<K = unknown, V = unknown>(id: number, options?: OpenOptions<K, V>): KeyedMap<K, V>;
  mapById<K, V>(id: number, options: WrapOptions<K, V> = {}): BpfMap {
    const fd = this.sys.mapGetFdById(id, { openFlags: accessFlags(options) });
    if (fd < 0) throw this.#failure(BPF_MAP_GET_FD_BY_ID, fd, { id, flags: accessFlags(options) });
    return this.#wrap(fd, options);
  }

  /**
   * Loads an object file that clang made: `clang -O2 -g -target bpf -c`. Its maps, global variables and programs are there
   * by their names in C, typed by its BTF. A path is read where there is Node; elsewhere give the bytes.
   *
   * Throws an `ObjectError` for a file that is broken, a `BpfError` for what the kernel refuses – the verifier's reasons are
   * in its message, and all that it said in `log` –, and a `TypeError` for an option that names nothing.
   *
   * @example
   * ```ts
   * import { linux } from "mapiary/linux";
   *
   * using bpf = linux();
   * try {
   *   using object = bpf.load("counter.bpf.o", { variables: { limit: 3 } });
   *   object.programs["count"]?.run({ data: new Uint8Array(64) }).retval;
   * } catch {
   *   // there is no counter.bpf.o
   * }
   * ```
   */
  load<T extends ObjectTypes = ObjectTypes>(file: string | Uint8Array, options: LoadOptions = {}): BpfObject<T> {
    const { bytes, name } = readObjectFile(file);
    const object = new ObjectFile(bytes, options.name ?? name);
    // Before anything is made: what is said of the maps may name a type that is not there.
    const readings = new Map(
      object.maps.map((each) => [each, readingOf(each, object.btf, options.maps?.[each.name]?.value)]),
    );
    const wrap = (fd: number, definition: MapDefinition) => this.#wrap(fd, readings.get(definition) ?? {});
    return loadObject(this.#context, object, options, wrap) as BpfObject<T>;
  }

  /**
   * Loads a program that was written as instructions. Throws a `BpfError` with what the verifier says when it refuses it.
   */
  loadProgram(spec: ProgramSpec): BpfProgram {
    return loadProgram(this.#context, progLoadOptions(spec));
  }

  /** What the kernel says of every map that lives on it, by id. One that goes away meanwhile is left out. */
  maps(): MapInfo[] {
    const maps: MapInfo[] = [];
    const id = new Uint32Array(1);
    while (this.sys.mapGetNextId(id[0] ?? 0, id) === 0) {
      const fd = this.sys.mapGetFdById(id[0] ?? 0);
      if (fd < 0) continue;
      const info = this.sys.objGetInfoByFd(fd);
      this.sys.close(fd);
      if (typeof info !== "number") maps.push(info);
    }
    return maps;
  }

  /**
   * What a worker makes a `Bpf` from that has the same maps and pins: post it, and call `embedded({ share })` there. Each
   * thread opens the maps that it wants by their pins, names or ids; all read and write the same memory, and to programs each
   * is a CPU. Give each worker a handle of its own, so that `reclaim` can tell it from the others.
   *
   * Throws an `Error` on a kernel whose maps cannot be shared so: `embedded()` with neither `shared` nor `bpffs`, and
   * `linux()`, which every thread can call by itself.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { embedded, u32, u64 } from "mapiary";
   *
   * using bpf = embedded({ shared: true });
   * using hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 64 });
   * const share = structuredClone(bpf.share()); // as worker.postMessage(bpf.share()) does
   *
   * using other = embedded({ share }); // in the worker
   * other.openMap({ name: "hits" }, { key: u32, value: u64 }).set(5, 100n);
   * assert.equal(hits.get(5), 100n);
   * ```
   */
  share(): KernelHandle {
    return this.#context.kernel.share();
  }

  /**
   * Takes back what threads hold that have ended: maps that they had open, and locks that they had taken. `handle` is what
   * `share` gave for them; none that was given the same may still run. With `shared` it is needed for a worker that was
   * terminated before it had closed its `Bpf`, where nobody tells of that: in Node all are told who had such a kernel when they
   * made the worker. Until then who wants a lock of that worker waits, and gets an `Error` after ten seconds. In a directory the
   * system knows who lives, and this does nothing.
   *
   * Throws an `Error` on a kernel that has no `share`.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { embedded, u32 } from "mapiary";
   *
   * using bpf = embedded({ shared: true });
   * const share = bpf.share();
   * const lost = embedded({ share }); // in a worker, and then: worker.terminate()
   * lost.createMap({ type: "hash", name: "lost", key: u32, value: u32, maxEntries: 64 });
   * assert.equal(bpf.maps().length, 1);
   * bpf.reclaim(share);
   * assert.equal(bpf.maps().length, 0);
   * ```
   */
  reclaim(handle: KernelHandle): void {
    this.#context.kernel.reclaim(handle);
  }

  /** Closes every map that was opened here; whatever is asked of one later throws a `BpfError` with the code `EBADF`. */
  close(): void {
    this.#context.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [INSPECT](_depth: number, options: object, inspect: Inspect): string {
    const { kernel, possibleCpus } = this;
    return inspected(this, { kernel, possibleCpus }, options, inspect);
  }

  #createOpaque(spec: OpaqueSpec): BpfMap {
    const options: MapCreateOptions = { ...opaqueSizes(spec.type), ...spec, flags: flagBits(spec.flags, spec.type) };
    const fd = this.sys.mapCreate(options);
    if (fd < 0) throw this.#failure(BPF_MAP_CREATE, fd, { create: options, map: spec.name });
    return this.#wrap(fd, {});
  }

  /** The typed map over an fd, which is closed when it cannot be one. */
  #wrap<K, V>(fd: number, options: WrapOptions<K, V>, pinnedAt?: string): BpfMap {
    try {
      const info = this.sys.objGetInfoByFd(fd);
      if (typeof info === "number") throw this.#failure(BPF_OBJ_GET_INFO_BY_FD, info, { fd });
      const mapKind = mapClass(info.type);
      const label = info.name || `#${info.id}`;
      if (options.type !== undefined && options.type !== info.type) {
        throw new TypeError(`map ${label} is of type ${info.type}, not ${options.type}`);
      }
      if (isOpaqueType(info.type)) return new OpaqueMap(this.#context, info, pinnedAt, fd);
      if (mapKind === undefined) {
        throw new TypeError(`map ${label} is of type ${info.type}, for which there is bpf.sys alone`);
      }
      if (mapKind.keys === "records") {
        if (options.key !== undefined) throw new TypeError(`map ${label} is of type ${info.type}, which has no keys`);
        return this.#remember(
          mapKind.make({ context: this.#context, info, value: options.value, pinnedAt }, fd),
          options,
        );
      }
      const value = mapKind.holdsMaps
        ? (this.#innerLayout(options.inner, info) as Layout<unknown> as Layout<V>)
        : this.#layout("value", options, info);
      if (options.inner !== undefined && !mapKind.holdsMaps) {
        throw new TypeError(`map ${label} is of type ${info.type}, which holds no maps: leave out inner`);
      }
      const parts = { context: this.#context, info, value, pinnedAt };
      if (mapKind.keys === "none") {
        if (options.key !== undefined) throw new TypeError(`map ${label} is of type ${info.type}, which has no keys`);
        return this.#remember(mapKind.make(parts, fd), options);
      }
      const key = this.#layout("key", { ...options, key: options.key ?? defaultKey<K>(info.type) }, info);
      return this.#remember(mapKind.make({ ...parts, key }, fd), options);
    } catch (error) {
      this.sys.close(fd);
      throw error;
    }
  }

  /** The layout that is given for a map's keys or values when it fits; that of the map's BTF when none is given, or else bytes. */
  #layout<K, V>(role: "key", options: WrapOptions<K, V>, info: MapInfo): Layout<K>;
  #layout<K, V>(role: "value", options: WrapOptions<K, V>, info: MapInfo): Layout<V>;
  #layout<K, V>(role: "key" | "value", options: WrapOptions<K, V>, info: MapInfo): Layout<K> | Layout<V> {
    const size = role === "key" ? info.keySize : info.valueSize;
    const given = options[role];
    if (given === undefined) {
      return (this.#types.layouts(info)[role] as Layout<V> | undefined) ?? (bytes(size) as unknown as Layout<V>);
    }
    const name = info.name || `#${info.id}`;
    if (given.size !== size) {
      throw new TypeError(`map ${name} has a ${role} of ${size} bytes, but ${given.name} has ${given.size}`);
    }
    const mismatch = options.isNew ? undefined : this.#types.mismatch(info, role, given as Layout<unknown>);
    if (mismatch !== undefined) throw new TypeError(`map ${name}, ${role}: ${mismatch}`);
    return given;
  }

  #remember<K, V>(map: BpfMap, { key, value }: OpenOptions<K, V>): BpfMap {
    this.#layouts.set(map, { key, value } as OpenOptions<unknown, unknown>);
    return map;
  }

  /** Makes a map of maps after a map of a spec, which is there no longer than that. */
  #createAfterTemplate<K, V>(spec: MapSpec<K, V>, inner: Exclude<Inner, BpfMap>): BpfMap {
    using template: BpfMap = this.createMap(inner as HashSpec<unknown, unknown>);
    return this.createMap({ ...spec, inner: template } as HashOfMapsSpec<K>);
  }

  /** How the maps in a map of maps are read. */
  #innerLayout(inner: InnerLayouts | undefined, info: MapInfo): InnerMapLayout<BpfMap> {
    if (inner === undefined) {
      const name = info.name || `#${info.id}`;
      throw new TypeError(
        `map ${name} is of type ${info.type}: say what its maps are, with inner: { type, key, value }`,
      );
    }
    const like = inner instanceof BpfMap ? { ...this.#layouts.get(inner), type: inner.type } : inner;
    return new InnerMapLayout(this.#context, like.type, (fd) => this.#wrap(fd, like));
  }

  #failure(command: number, errno: number, details: Omit<Failure, "kernel" | "sys" | "command" | "errno">): BpfError {
    return new BpfError({ kernel: this.#context.kernel, sys: this.sys, command, errno, ...details });
  }
}

/** The bytes of a key and of a value as the kernel is to know them. */
function sizesOf<K, V>(
  spec: Exclude<MapSpec<K, V>, OpaqueSpec>,
  keySize: number | undefined,
): Pick<MapCreateOptions, "keySize" | "valueSize"> {
  const kind = mapClass(spec.type);
  if (kind?.keys === "records") return { keySize: kind.sizes[0], valueSize: kind.sizes[1] };
  return { keySize, valueSize: "inner" in spec ? FD_BYTES : spec.value?.size };
}

/** The flags that open a map with less than everything. */
function accessFlags({ access }: OpenOptions<never, never> | OpenOptions<unknown, unknown>): number {
  if (access === "read") return BPF_F_RDONLY;
  return access === "write" ? BPF_F_WRONLY : 0;
}

/** The layout of keys that need none to be given: indexes. */
function defaultKey<K>(type: MapTypeName | number): Layout<K> | undefined {
  return mapClass(type)?.keys === "index" ? (u32 as unknown as Layout<K>) : undefined;
}
