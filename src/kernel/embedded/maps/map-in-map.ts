import { EINVAL, ENOTSUPP } from "../../../abi/errno.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import type { EmbeddedMap, MapHost } from "../map-ops.ts";
import { canBeInner, holdsMaps, type InnerMeta, innerMetaOf, isAlike, keepInnerShape } from "./inner-meta.ts";

/** What user space gives and takes: an fd, an id. */
export const INNER_VALUE_SIZE = 4;

/**
 * What is kept of an inner map: its id, and in memory that is shared, behind it, the number of the hold by which it is
 * kept alive. 8 bytes, as many as Linux's pointers take.
 */
export const INNER_SLOT_SIZE = 8;

/** The map that a map of maps is made after, or `−errno`: `kernel/bpf/map_in_map.c: bpf_map_meta_alloc`, 6.18. */
export function innerTemplate({ files }: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
  const file = files.map(attr.innerMapFd);
  if (file === undefined) return files.refusal(attr.innerMapFd);
  if (holdsMaps(file.map.type)) return -EINVAL;
  return canBeInner(file.map.type) ? file.map : -ENOTSUPP;
}

/** The map whose fd is at an address, if it can be kept with others of a kind; or `−errno`: `bpf_map_fd_get_ptr`. */
export function innerMapFrom({ files, memory }: MapHost, value: Address, meta: InnerMeta): EmbeddedMap | number {
  const fd = memory.view.getInt32(value, true);
  const file = files.map(fd);
  if (file === undefined) return files.refusal(fd);
  return isAlike(file.map, meta) ? file.map : -EINVAL;
}

/**
 * The inner maps of one map of maps: which it takes, and the references by which it keeps them. In user space a value is the
 * fd of a map when it is written and the map's id when it is read, and it is the id that is kept.
 */
export class InnerMaps {
  readonly meta: InnerMeta;
  readonly #host: MapHost;

  /** `base` is where the segment of the map of maps begins, which keeps the meta data of the template from now on. */
  constructor(host: MapHost, base: Address, template: EmbeddedMap) {
    this.#host = host;
    this.meta = innerMetaOf(template);
    if (this.meta.btf !== undefined) this.meta.btf.references++;
    keepInnerShape(host.memory, base, this.meta);
  }

  /** The map of maps is gone, and all that it kept is dropped. */
  release(): void {
    this.meta.btf?.put();
  }

  /** The map that is kept at an address; `undefined` for 0, and when there is none. */
  mapAt(at: Address): EmbeddedMap | undefined {
    const id = at === 0 ? 0 : (this.#host.memory.u32[at >>> 2] as number);
    return id === 0 ? undefined : this.#host.maps.get(id);
  }

  /** Why the fd at an address is not that of a map which can be kept here; 0 when it is. */
  refusal(value: Address): number {
    const map = innerMapFrom(this.#host, value, this.meta);
    return typeof map === "number" ? map : 0;
  }

  /** Puts the id of the map whose fd is at an address, and which is not refused, in the place of the map that is at `at`. */
  keep(at: Address, value: Address): void {
    const map = innerMapFrom(this.#host, value, this.meta);
    if (typeof map === "number") return;
    const { u32 } = this.#host.memory;
    const previous = u32[at >>> 2] as number;
    map.references++;
    map.kernelReferences++;
    u32[at >>> 2] = map.id;
    this.#put(previous);
  }

  /** Lets the map go that is kept at an address; false when there is none. */
  drop(at: Address): boolean {
    const { u32 } = this.#host.memory;
    const id = u32[at >>> 2] as number;
    u32[at >>> 2] = 0;
    this.#put(id);
    return id !== 0;
  }

  #put(id: number): void {
    const map = id === 0 ? undefined : this.#host.maps.get(id);
    if (map === undefined) return;
    map.kernelReferences--;
    this.#host.maps.put(map);
  }
}
