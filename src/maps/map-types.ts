import { Btf } from "../btf/btf.ts";
import { BtfError } from "../btf/btf-error.ts";
import { type LayoutTypes, layoutTypes } from "../btf/layout-types.ts";
import { layoutMismatch } from "../btf/type-check.ts";
import { layoutOfType } from "../btf/type-layout.ts";
import { isEnumLayout } from "../layout/enum.ts";
import type { Layout } from "../layout/layout.ts";
import { u32 } from "../layout/scalar.ts";
import type { MapInfo } from "../sys/map-info.ts";
import type { MapCreateOptions, Sys } from "../sys/sys.ts";

type AnyLayout = Layout<unknown>;

/** The types that take BTF of their keys and values, of those that have a class of their own. */
const TAKES_BTF: ReadonlySet<string | number> = new Set([
  "hash",
  "array",
  "lpm_trie",
  "percpu_hash",
  "percpu_array",
  "lru_hash",
  "lru_percpu_hash",
  "bloom_filter",
]);

const MOST_KEPT = 16;

/** What stands for the layout of keys where there are none. */
const NO_KEY = {};

/** What the layouts of a map are in BTF, by key and value: written once, whatever kernel it is for. */
const written = new WeakMap<object, WeakMap<object, LayoutTypes | "none">>();

/** The BTF of the maps of one kernel: what is loaded for those that are made here, and read of those that are opened. */
export class MapTypes {
  readonly #sys: Sys;
  /** By the bytes that were loaded: the kernel's id for them, as long as a map keeps it. */
  readonly #loaded = new WeakMap<LayoutTypes, number>();
  readonly #read = new Map<number, Btf>();

  constructor(sys: Sys) {
    this.#sys = sys;
  }

  /**
   * BPF_MAP_CREATE with BTF that says what keys and values are; without, where BTF cannot say it, and where the kernel
   * will not have it: BTF is for people and their tools, and no map fails for want of it.
   */
  create(options: MapCreateOptions, key: AnyLayout | undefined, value: AnyLayout): number {
    const types = TAKES_BTF.has(options.type) ? typesOf(options.type, key, value) : undefined;
    const btfFd = types === undefined ? -1 : this.#load(types);
    if (types === undefined || btfFd < 0) return this.#sys.mapCreate(options);
    const { keyType, valueType } = types;
    const fd = this.#sys.mapCreate({ ...options, btfFd, btfKeyTypeId: keyType, btfValueTypeId: valueType });
    this.#sys.close(btfFd);
    return fd < 0 ? this.#sys.mapCreate(options) : fd;
  }

  /** The layouts of a map's keys and values by its BTF; nothing where it has none, or may not be read. */
  layouts(info: MapInfo): { readonly key?: AnyLayout; readonly value?: AnyLayout } {
    const btf = this.#btf(info);
    if (btf === undefined) return {};
    const key = layoutOf(btf, info.btfKeyTypeId, info.keySize);
    const value = layoutOf(btf, info.btfValueTypeId, info.valueSize);
    return { ...(key && { key }), ...(value && { value }) };
  }

  /** How the layout that is given for keys or values differs from the map's BTF; `undefined` when it does not. */
  mismatch(info: MapInfo, role: "key" | "value", layout: AnyLayout): string | undefined {
    const btf = this.#btf(info);
    const id = role === "key" ? info.btfKeyTypeId : info.btfValueTypeId;
    if (btf === undefined || id === 0) return undefined;
    return layoutMismatch(layout, btf, id);
  }

  /** An fd of BTF with the types. What a map of this kernel keeps already is not loaded again. */
  #load(types: LayoutTypes): number {
    const id = this.#loaded.get(types);
    const kept = id === undefined ? -1 : this.#sys.btfGetFdById(id);
    if (kept >= 0) return kept;
    const fd = this.#sys.btfLoad(types.bytes);
    const info = fd < 0 ? fd : this.#sys.btfGetInfoByFd(fd);
    if (typeof info !== "number") this.#loaded.set(types, info.id);
    return fd;
  }

  #btf({ btfId }: MapInfo): Btf | undefined {
    if (btfId === 0) return undefined;
    const known = this.#read.get(btfId);
    if (known !== undefined) return known;
    const btf = this.#readBtf(btfId);
    if (btf === undefined) return undefined;
    const [oldest] = this.#read.keys();
    if (this.#read.size >= MOST_KEPT && oldest !== undefined) this.#read.delete(oldest);
    this.#read.set(btfId, btf);
    return btf;
  }

  #readBtf(btfId: number): Btf | undefined {
    const fd = this.#sys.btfGetFdById(btfId);
    if (fd < 0) return undefined;
    try {
      const info = this.#sys.btfGetInfoByFd(fd);
      if (typeof info === "number") return undefined;
      const bytes = new Uint8Array(info.btfSize);
      return typeof this.#sys.btfGetInfoByFd(fd, bytes) === "number" ? undefined : new Btf(bytes);
    } catch (error) {
      if (error instanceof BtfError) return undefined;
      throw error;
    } finally {
      this.#sys.close(fd);
    }
  }
}

function typesOf(
  type: MapCreateOptions["type"],
  key: AnyLayout | undefined,
  value: AnyLayout,
): LayoutTypes | undefined {
  // The keys of an array are ints to Linux, whatever people call them.
  const isIndex = type === "array" || type === "percpu_array";
  const keys = isIndex && key !== undefined && isEnumLayout(key) ? (u32 as AnyLayout) : key;
  const byKey = keys ?? NO_KEY;
  let byValue = written.get(byKey);
  if (byValue === undefined) written.set(byKey, (byValue = new WeakMap()));
  let types = byValue.get(value);
  if (types === undefined) byValue.set(value, (types = layoutTypes(keys, value) ?? "none"));
  return types === "none" ? undefined : types;
}

/** The layout of a type that has the map's size; none for one that has no layout at all. */
function layoutOf(btf: Btf, id: number, size: number): AnyLayout | undefined {
  if (id === 0 || id >= btf.endId) return undefined;
  try {
    const layout = layoutOfType(btf, id);
    return layout.size === size ? layout : undefined;
  } catch {
    return undefined;
  }
}
