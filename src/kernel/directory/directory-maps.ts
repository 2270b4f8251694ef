import { EACCES, EEXIST, ENOENT, ENOMEM, ENOSPC, ENOTSUP, EUCLEAN } from "../../abi/errno.ts";
import type { Address } from "../../memory/address-space.ts";
import type { KernelObject } from "../embedded/kernel-object.ts";
import type { MapCreateAttr } from "../embedded/map-create-attr.ts";
import type { EmbeddedMap } from "../embedded/map-ops.ts";
import type { Objects, ObjectTable } from "../embedded/object-table.ts";
import { SEGMENT } from "../embedded/segment.ts";
import type { SharingHost } from "../embedded/shared/agent.ts";
import { makeShared } from "../embedded/shared/shared-maps.ts";
import { CONTROL, type Registry } from "./registry.ts";
import { describeFromFile } from "./segment-btf.ts";
import { checkHeader } from "./segment-file.ts";
import type { MappedFile, SegmentMemory } from "./segment-memory.ts";
import { attempt, errorOf, type FileStatus, isSameFile, type System } from "./system.ts";

/** A map that this kernel uses. */
interface OpenMap {
  readonly map: EmbeddedMap;
  readonly status: FileStatus;
}

/** What the maps of a directory need. */
export interface DirectoryMapsParts {
  readonly system: System;
  readonly registry: Registry;
  readonly memory: SegmentMemory;
  readonly btfs: ObjectTable<KernelObject>;
  readonly host: SharingHost;
  /** Where the control file is mapped. */
  readonly control: Address;
  /** Room for an attr. */
  readonly attr: Address;
}

/** The maps of a directory: those that this kernel uses are mapped into its memory, all others are found by their names. */
export class DirectoryMaps implements Objects<EmbeddedMap> {
  readonly #parts: DirectoryMapsParts;
  readonly #open = new Map<number, OpenMap>();

  constructor(parts: DirectoryMapsParts) {
    this.#parts = parts;
  }

  /** Gives the segment of a new map its id and its name; from then on everybody finds it. */
  add(made: EmbeddedMap): EmbeddedMap | number {
    const { system, registry, memory, host, control } = this.#parts;
    const { base } = made;
    const file = memory.fileAt(base);
    if (file?.newPath === undefined) return -ENOMEM;
    memory.u8.set(system.boot, base + SEGMENT.BOOT);
    const { type, valueSize, maxEntries } = made;
    const mapExtra = made.header(SEGMENT.MAP_EXTRA);
    const shape = { type, valueSize, maxEntries, mapFlags: made.header(SEGMENT.MAP_FLAGS), mapExtra };
    const map = makeShared(host, base, shape, true);
    if (map !== undefined) this.#passOnBtf(made, map, file);
    let error = map === undefined ? -ENOTSUP : -EEXIST;
    while (map !== undefined && error === -EEXIST) {
      map.id = Atomics.add(memory.u32, (control + CONTROL.LAST_MAP) >>> 2, 1) + 1;
      error = registry.publish(file.newPath, map.id);
    }
    if (map === undefined || error !== 0) {
      map?.btf?.put();
      made.free();
      return error === -ENOSPC ? -ENOMEM : error;
    }
    made.btf?.put();
    file.newPath = undefined;
    this.#open.set(map.id, { map, status: system.fs.fstatSync(file.fd) });
    return map;
  }

  /** Writes the BTF of a map behind its segment, and gives it to the map that is used from now on. */
  #passOnBtf(made: EmbeddedMap, map: EmbeddedMap, file: MappedFile): void {
    const { btf, memory, base } = made;
    if (btf === undefined) return;
    const { fs } = this.#parts.system;
    fs.writeSync(file.fd, btf.bytes, 0, btf.bytes.length, file.bytes);
    memory.u32[(base + SEGMENT.BTF_LENGTH) >>> 2] = btf.bytes.length;
    memory.u32[(base + SEGMENT.BTF_ID) >>> 2] = btf.id;
    const [keyType, valueType] = [made.header(SEGMENT.BTF_KEY_TYPE_ID), made.header(SEGMENT.BTF_VALUE_TYPE_ID)];
    map.describe(btf, keyType, valueType, made.record?.fields ?? []);
  }

  get(id: number): EmbeddedMap | undefined {
    const open = this.#open.get(id);
    if (open !== undefined) return open.map;
    const map = this.open(this.#parts.registry.mapPath(id));
    return typeof map === "number" ? undefined : map;
  }

  idFrom(id: number): number | undefined {
    const { registry } = this.#parts;
    return registry
      .ids()
      .find((candidate) => candidate >= id && (this.#open.has(candidate) || registry.isAlive(candidate)));
  }

  put(map: EmbeddedMap): void {
    map.references--;
    if (map.references <= 0) this.#close(map);
  }

  /** The map in a file, which is mapped if it is not yet; or −errno. */
  open(path: string): EmbeddedMap | number {
    const { system } = this.#parts;
    const { O_RDWR = 0, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = system.fs.constants;
    const fd = attempt(() => system.fs.openSync(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK));
    if (fd < 0) return fd;
    const map = this.#openFile(fd);
    if (typeof map === "number" || this.#parts.memory.fileAt(map.base)?.fd !== fd) system.fs.closeSync(fd);
    return map;
  }

  /** The map of an open file. The fd belongs to the memory when it is mapped by this call, else it stays the caller's. */
  #openFile(fd: number): EmbeddedMap | number {
    const { system, registry, memory, btfs, host, attr } = this.#parts;
    const status = system.fs.fstatSync(fd);
    for (const open of this.#open.values()) if (isSameFile(open.status, status)) return open.map;
    // Whoever is about to remove the file holds it exclusively: with the lock in hand it is known whether it is still there.
    if (!system.lockShared(fd)) return -EACCES;
    if (system.fs.fstatSync(fd).nlink === 0) return -ENOENT;
    const header = checkHeader(system, memory, host, attr, fd);
    if (typeof header === "number") return header;
    // A copy of a map's file is not the map.
    if (!registry.isMap(header.id, status)) return -EUCLEAN;
    const base = memory.mapFile(fd, header.length);
    if (base < 0) return base;
    const map = makeShared(host, base, header, false);
    let error = map === undefined ? -ENOTSUP : 0;
    if (map !== undefined) {
      error = differs(map, header.attr) ? -EUCLEAN : describeFromFile(system, btfs, map, header, fd);
    }
    if (map === undefined || error !== 0) {
      memory.unmapFile(base);
      return error;
    }
    this.#open.set(header.id, { map, status });
    return map;
  }

  /** Gives a map a further name. */
  link(map: EmbeddedMap, path: string): number {
    const { system, registry } = this.#parts;
    const id = this.#idOf(map);
    if (id === undefined) return -ENOENT;
    return errorOf(() => system.fs.linkSync(registry.mapPath(id), path));
  }

  /** Takes a name away, and with it the map when nobody refers to it any more. */
  unlink(path: string): number {
    const { system, registry } = this.#parts;
    const status = attempt(() => system.fs.lstatSync(path));
    if (typeof status === "number") return status;
    const error = errorOf(() => system.fs.unlinkSync(path));
    if (error === 0) registry.removeIfDead(status);
    return error;
  }

  /** Lets go of every map. */
  release(): void {
    for (const { map } of [...this.#open.values()]) this.#close(map);
  }

  #idOf(map: EmbeddedMap): number | undefined {
    for (const [id, open] of this.#open) if (open.map === map) return id;
    return undefined;
  }

  #close(map: EmbeddedMap): void {
    const id = this.#idOf(map);
    if (id === undefined) return;
    this.#open.delete(id);
    map.free();
    this.#parts.registry.isAlive(id);
  }
}

/** Whether a map has been made of other numbers than those that were checked, because somebody changes them. */
function differs(map: EmbeddedMap, checked: MapCreateAttr): boolean {
  return (
    map.type !== checked.type ||
    map.keySize !== checked.keySize ||
    map.valueSize !== checked.valueSize ||
    map.maxEntries !== checked.maxEntries
  );
}
