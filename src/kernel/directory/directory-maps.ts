import { EACCES, EEXIST, ENOENT, ENOMEM, ENOSPC, ENOTSUP, EPERM, EUCLEAN } from "../../abi/errno.ts";
import type { Address } from "../../memory/address-space.ts";
import type { KernelObject } from "../embedded/kernel-object.ts";
import type { MapCreateAttr } from "../embedded/map-create-attr.ts";
import type { EmbeddedMap } from "../embedded/map-ops.ts";
import { INNER, isMapOfMaps } from "../embedded/maps/inner-meta.ts";
import type { Objects, ObjectTable } from "../embedded/object-table.ts";
import { SEGMENT } from "../embedded/segment.ts";
import type { SharingHost } from "../embedded/shared/agent.ts";
import type { Hold, InnerMapHolds, SharedMapOfMaps } from "../embedded/shared/shared-inner-maps.ts";
import { makeShared } from "../embedded/shared/shared-maps.ts";
import { CONTROL, type Registry } from "./registry.ts";
import { describeFromFile, innerMetaFromFile } from "./segment-btf.ts";
import { checkHeader } from "./segment-file.ts";
import type { MappedFile, SegmentMemory } from "./segment-memory.ts";
import { attempt, errorOf, type FileStatus, isSameFile, type System } from "./system.ts";

/** A map that is mapped into the memory of this kernel. */
interface OpenMap {
  readonly id: number;
  readonly map: EmbeddedMap;
  readonly status: FileStatus;
  /**
   * Whether this kernel keeps it alive, by a lock on its file. A map that only programs use is kept by the map of maps that
   * they found it in: it may go while it is mapped, as on Linux while a program has it.
   */
  isLocked: boolean;
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

/** After so many milliseconds a program that runs again looks whether maps have gone that it once found. */
const LONGEST_UNSEEN = 1000;

/** The maps of a directory: those that this kernel uses are mapped into its memory, all others are found by their names. */
export class DirectoryMaps implements Objects<EmbeddedMap>, InnerMapHolds {
  readonly #parts: DirectoryMapsParts;
  readonly #open = new Map<number, OpenMap>();
  readonly #ids = new Map<EmbeddedMap, number>();
  /** How many runs of programs there are. */
  #runs = 0;
  /** How many maps are mapped that this kernel does not keep alive, whether one of them is new, and when they were looked at. */
  #borrowed = 0;
  #hasNewBorrowed = false;
  #lastLook = 0;

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
    const inner = isMapOfMaps(made) ? made.innerMeta : undefined;
    const shape = { type, valueSize, maxEntries, mapFlags: made.header(SEGMENT.MAP_FLAGS), mapExtra, inner };
    const map = makeShared(host, base, shape, true);
    let error = map === undefined ? -ENOTSUP : writeBtf(system, map, made, file);
    if (map !== undefined && error === 0) {
      do {
        map.id = Atomics.add(memory.u32, (control + CONTROL.LAST_MAP) >>> 2, 1) + 1;
        error = registry.publish(file.newPath, map.id);
      } while (error === -EEXIST);
    }
    if (map === undefined || error !== 0) {
      map?.handOver();
      made.free();
      return error === -ENOSPC ? -ENOMEM : error;
    }
    made.handOver();
    file.newPath = undefined;
    this.#keep({ id: map.id, map, status: system.fs.fstatSync(file.fd), isLocked: true });
    return map;
  }

  #keep(open: OpenMap): void {
    this.#open.set(open.id, open);
    this.#ids.set(open.map, open.id);
  }

  get(id: number): EmbeddedMap | undefined {
    const open = this.#open.get(id);
    const map = open === undefined ? this.open(this.#parts.registry.mapPath(id)) : this.#lock(open);
    return typeof map === "number" ? undefined : map;
  }

  idFrom(id: number): number | undefined {
    const { registry } = this.#parts;
    registry.tidyHeld();
    return registry
      .ids()
      .find(
        (candidate) => candidate >= id && (this.#open.get(candidate)?.isLocked === true || registry.isAlive(candidate)),
      );
  }

  put(map: EmbeddedMap): void {
    map.references--;
    if (map.references <= 0) this.#close(map);
  }

  /** The map in a file, which is mapped if it is not yet; or −errno. */
  open(path: string): EmbeddedMap | number {
    return this.#openPath(path, true);
  }

  /** Maps the file at a path, if it is a map; or −errno. It is kept alive if it `isLocked`. */
  #openPath(path: string, isLocked: boolean): EmbeddedMap | number {
    const { system } = this.#parts;
    const { O_RDWR = 0, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = system.fs.constants;
    const fd = attempt(() => system.fs.openSync(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK));
    if (fd < 0) return fd;
    const map = this.#openFile(fd, isLocked);
    if (typeof map === "number" || this.#parts.memory.fileAt(map.base)?.fd !== fd) system.fs.closeSync(fd);
    return map;
  }

  /** The map of an open file. The fd belongs to the memory when it is mapped by this call, else it stays the caller's. */
  #openFile(fd: number, isLocked: boolean): EmbeddedMap | number {
    const { system, registry, memory, btfs, host, attr } = this.#parts;
    const status = system.fs.fstatSync(fd);
    for (const open of this.#open.values()) if (isSameFile(open.status, status)) return this.#lock(open);
    // Whoever is about to remove the file holds it exclusively: with the lock in hand it is known whether it is still there.
    if (isLocked && !system.lockShared(fd)) return -EACCES;
    if (system.fs.fstatSync(fd).nlink === 0) return -ENOENT;
    const header = checkHeader(system, memory, host, attr, fd);
    if (typeof header === "number") return header;
    // A copy of a map's file is not the map.
    if (!registry.isMap(header.id, status)) return -EUCLEAN;
    const base = memory.mapFile(fd, header.length);
    if (base < 0) return base;
    const reader = { system, memory, btfs, fd };
    const inner = innerMetaFromFile(reader, header);
    const map = typeof inner === "number" ? undefined : makeShared(host, base, { ...header, inner }, false);
    let error = typeof inner === "number" ? inner : -ENOTSUP;
    if (map !== undefined) error = differs(map, header.attr) ? -EUCLEAN : describeFromFile(reader, map, header);
    if (map === undefined || error !== 0) {
      map?.handOver();
      memory.unmapFile(base);
      return error;
    }
    this.#keep({ id: header.id, map, status, isLocked });
    if (isMapOfMaps(map)) (map as SharedMapOfMaps).inner.recover();
    return map;
  }

  /** Keeps a map alive that is mapped: the map, or −ENOENT when it has gone. */
  #lock(open: OpenMap): EmbeddedMap | number {
    if (open.isLocked) return open.map;
    const { system } = this.#parts;
    const fd = this.#fdOf(open);
    if (!system.lockShared(fd)) return -EACCES;
    if (system.fs.fstatSync(fd).nlink === 0) {
      system.unlock(fd);
      return -ENOENT;
    }
    open.isLocked = true;
    this.#borrowed--;
    return open.map;
  }

  #fdOf({ map }: OpenMap): number {
    return (this.#parts.memory.fileAt(map.base) as MappedFile).fd;
  }

  /** Gives a map a further name. */
  link(map: EmbeddedMap, path: string): number {
    const { system, registry } = this.#parts;
    const id = this.#ids.get(map);
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

  take(outer: EmbeddedMap, inner: EmbeddedMap, number: number): Hold | number {
    const { registry } = this.#parts;
    const [outerId, id] = [this.#ids.get(outer), this.#ids.get(inner)];
    if (outerId === undefined || id === undefined) return -ENOENT;
    const hold = { id, number };
    const error = registry.held.add(outerId, hold, registry.mapPath(id));
    if (error === 0) return hold;
    return HELD_ERRORS.has(error) ? error : -ENOMEM;
  }

  drop(outer: EmbeddedMap, hold: Hold): void {
    const { registry } = this.#parts;
    const outerId = this.#ids.get(outer);
    if (outerId === undefined) return;
    registry.held.remove(outerId, hold);
    if (registry.isAlive(hold.id)) return;
    const open = this.#open.get(hold.id);
    if (open !== undefined && !open.isLocked && this.#runs === 0) this.#unmap(open);
  }

  of(outer: EmbeddedMap): Hold[] {
    const id = this.#ids.get(outer);
    return id === undefined ? [] : this.#parts.registry.held.of(id);
  }

  borrow(id: number): EmbeddedMap | undefined {
    const open = this.#open.get(id);
    if (open !== undefined) return open.map;
    const map = this.#openPath(this.#parts.registry.mapPath(id), false);
    if (typeof map === "number") return undefined;
    this.#borrowed++;
    this.#hasNewBorrowed = true;
    return map;
  }

  rcuReadLock(): void {
    this.#runs++;
  }

  rcuReadUnlock(): void {
    this.#runs--;
    if (this.#runs > 0 || this.#borrowed === 0) return;
    if (this.#hasNewBorrowed || performance.now() - this.#lastLook > LONGEST_UNSEEN) this.#lookForGone();
  }

  /** Gives the memory of those borrowed maps back that have gone meanwhile. */
  #lookForGone(): void {
    const { fs } = this.#parts.system;
    this.#hasNewBorrowed = false;
    this.#lastLook = performance.now();
    for (const open of [...this.#open.values()]) {
      if (!open.isLocked && fs.fstatSync(this.#fdOf(open)).nlink === 0) this.#unmap(open);
    }
  }

  #close(map: EmbeddedMap): void {
    const { registry, system } = this.#parts;
    const id = this.#ids.get(map);
    const open = id === undefined ? undefined : this.#open.get(id);
    if (open === undefined) return;
    // A program that runs may have found it in a map of maps.
    if (this.#runs > 0 && open.isLocked) {
      system.unlock(this.#fdOf(open));
      open.isLocked = false;
      this.#borrowed++;
      this.#hasNewBorrowed = true;
    } else {
      this.#unmap(open);
    }
    registry.isAlive(open.id);
    if (this.#borrowed > 0 && this.#runs === 0 && isMapOfMaps(map)) this.#giveBackUnlessNeeded();
  }

  /** Without a map of maps there is nothing to find maps in. */
  #giveBackUnlessNeeded(): void {
    const all = [...this.#open.values()];
    if (all.some(({ map }) => isMapOfMaps(map))) return;
    for (const open of all) if (!open.isLocked) this.#unmap(open);
  }

  #unmap(open: OpenMap): void {
    this.#open.delete(open.id);
    this.#ids.delete(open.map);
    if (!open.isLocked) this.#borrowed--;
    open.map.free();
  }
}

/** What a hold can be refused with as it is: whose folder it is in may not let others. */
const HELD_ERRORS: ReadonlySet<number> = new Set([-EEXIST, -EACCES, -EPERM]);

/** Writes the BTF of a map behind its segment, and gives it to the map that is used from now on; 0 or −errno. */
function writeBtf({ fs }: System, map: EmbeddedMap, made: EmbeddedMap, file: MappedFile): number {
  const { btf, memory, base } = made;
  const inner = isMapOfMaps(made) ? made.innerMeta : undefined;
  const u32 = (offset: number, value: number): void => {
    memory.u32[(base + offset) >>> 2] = value;
  };
  if (btf !== undefined) {
    const [keyType, valueType] = [made.header(SEGMENT.BTF_KEY_TYPE_ID), made.header(SEGMENT.BTF_VALUE_TYPE_ID)];
    map.describe(btf, keyType, valueType, made.record?.fields ?? []);
    u32(SEGMENT.BTF_LENGTH, btf.bytes.length);
    u32(SEGMENT.BTF_ID, btf.id);
  }
  if (inner?.btf !== undefined) {
    u32(INNER.BTF_KEY_TYPE_ID, inner.btfKeyTypeId);
    u32(INNER.BTF_VALUE_TYPE_ID, inner.btfValueTypeId);
    u32(INNER.BTF_LENGTH, inner.btf.bytes.length);
    u32(INNER.BTF_ID, inner.btf.id);
  }
  return errorOf(() => {
    let end = file.bytes;
    for (const described of [btf, inner?.btf]) {
      if (described === undefined) continue;
      fs.writeSync(file.fd, described.bytes, 0, described.bytes.length, end);
      end += described.bytes.length;
    }
  });
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
