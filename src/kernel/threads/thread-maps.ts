import { ENOMEM, ENOTSUP } from "../../abi/errno.ts";
import type { Address } from "../../memory/address-space.ts";
import type { DescribedMap } from "../embedded/btf/map-btf.ts";
import type { KernelObject } from "../embedded/kernel-object.ts";
import type { EmbeddedMap } from "../embedded/map-ops.ts";
import { holdsMaps, INNER, type InnerMeta, isMapOfMaps } from "../embedded/maps/inner-meta.ts";
import { MAP_TYPES } from "../embedded/maps/map-types.ts";
import type { Objects, ObjectTable } from "../embedded/object-table.ts";
import { SEGMENT } from "../embedded/segment.ts";
import type { SharingHost } from "../embedded/shared/agent.ts";
import { attrOfSegment } from "../embedded/shared/segment-attr.ts";
import { type Described, keepBtf } from "../embedded/shared/segment-btf.ts";
import type { SharedMapOfMaps } from "../embedded/shared/shared-inner-maps.ts";
import { makeShared } from "../embedded/shared/shared-maps.ts";
import type { Segments } from "./segments.ts";
import type { ThreadMemory } from "./thread-memory.ts";

/** What the maps of a memory that threads share need. */
export interface ThreadMapsParts {
  readonly memory: ThreadMemory;
  readonly segments: Segments;
  readonly btfs: ObjectTable<KernelObject>;
  readonly host: SharingHost;
  /** Room for an attr. */
  readonly attr: Address;
}

/** The maps of a memory that threads share, for one of them. */
export class ThreadMaps implements Objects<EmbeddedMap> {
  readonly #parts: ThreadMapsParts;
  /** Those that this kernel uses. */
  readonly #open = new Map<number, EmbeddedMap>();
  /** Those that programs which run have found in others, and that may be used by nothing else here. */
  readonly #borrowed = new Set<EmbeddedMap>();
  #runs = 0;

  constructor(parts: ThreadMapsParts) {
    this.#parts = parts;
  }

  /** Gives a new map its id; from then on everybody finds it. */
  add(made: EmbeddedMap): EmbeddedMap | number {
    const map = this.#make(made.base, isMapOfMaps(made) ? made.innerMeta : undefined, true);
    const error = map === undefined ? -ENOTSUP : this.#passOnBtf(made, map);
    if (map === undefined || error !== 0) {
      map?.handOver();
      made.free();
      return error;
    }
    this.#open.set(this.#parts.segments.publish(map.base), map);
    made.handOver();
    return map;
  }

  get(id: number): EmbeddedMap | undefined {
    const open = this.#open.get(id);
    if (open !== undefined) return open;
    const base = this.#parts.segments.open(id);
    if (base === 0) return undefined;
    const map = this.#openSegment(base);
    this.#open.set(id, map);
    if (isMapOfMaps(map)) (map as SharedMapOfMaps).inner.recover();
    return map;
  }

  idFrom(id: number): number | undefined {
    return this.#parts.segments.idFrom(id);
  }

  put(map: EmbeddedMap): void {
    map.references--;
    if (map.references > 0) return map.referenceDropped();
    // A program that runs may have found it in a map of maps.
    if (this.#runs > 0) this.#borrowed.add(map);
    else this.#close(map);
  }

  /** The map of an id, for programs and for as long as they run. */
  borrow(id: number): EmbeddedMap | undefined {
    const map = this.get(id);
    if (map?.references === 0) this.#borrowed.add(map);
    return map;
  }

  rcuReadLock(): void {
    this.#runs++;
  }

  rcuReadUnlock(): void {
    this.#runs--;
    if (this.#runs > 0 || this.#borrowed.size === 0) return;
    for (const map of this.#borrowed) if (map.references === 0) this.#close(map);
    this.#borrowed.clear();
  }

  #close(map: EmbeddedMap): void {
    this.#open.delete(map.id);
    map.free();
  }

  /**
   * Lets go of every map, but for those whose memory can be written directly: typed arrays may lie over it. Answers the
   * segments of these.
   */
  release(): Address[] {
    const kept: Address[] = [];
    for (const map of this.#open.values()) {
      if (map.writableMappings > 0) kept.push(map.base);
      else map.free();
    }
    this.#open.clear();
    return kept;
  }

  #make(base: Address, inner: InnerMeta | undefined, isNew: boolean): EmbeddedMap | undefined {
    const word = (offset: number): number => this.#word(base, offset);
    const shape = {
      type: word(SEGMENT.TYPE),
      valueSize: word(SEGMENT.VALUE_SIZE),
      maxEntries: word(SEGMENT.MAX_ENTRIES),
      mapFlags: word(SEGMENT.MAP_FLAGS),
      mapExtra: word(SEGMENT.MAP_EXTRA),
      inner,
    };
    return makeShared(this.#parts.host, base, shape, isNew);
  }

  #word(base: Address, offset: number): number {
    return this.#parts.memory.u32[(base + offset) >>> 2] as number;
  }

  /** Leaves the BTF of a new map where others find it, and gives it to the map that is used from now on. */
  #passOnBtf(made: EmbeddedMap, map: EmbeddedMap): number {
    const { btf, memory, base } = made;
    const inner = isMapOfMaps(made) ? made.innerMeta : undefined;
    const all = [btf, inner?.btf].map((each) => each?.bytes ?? new Uint8Array());
    const length = all.reduce((sum, bytes) => sum + bytes.length, 0);
    if (length === 0) return 0;
    const address = this.#parts.memory.tryAllocateShared(length);
    if (address === 0) return -ENOMEM;
    const put = (offset: number, value: number): void => {
      memory.u32[(base + offset) >>> 2] = value;
    };
    put(SEGMENT.BTF_ADDRESS, address);
    if (btf !== undefined) {
      memory.u8.set(btf.bytes, address);
      put(SEGMENT.BTF_LENGTH, btf.bytes.length);
      put(SEGMENT.BTF_ID, btf.id);
      const [keyType, valueType] = [made.header(SEGMENT.BTF_KEY_TYPE_ID), made.header(SEGMENT.BTF_VALUE_TYPE_ID)];
      map.describe(btf, keyType, valueType, made.record?.fields ?? []);
    }
    if (inner?.btf !== undefined) {
      memory.u8.set(inner.btf.bytes, address + (btf?.bytes.length ?? 0));
      put(INNER.BTF_KEY_TYPE_ID, inner.btfKeyTypeId);
      put(INNER.BTF_VALUE_TYPE_ID, inner.btfValueTypeId);
      put(INNER.BTF_LENGTH, inner.btf.bytes.length);
      put(INNER.BTF_ID, inner.btf.id);
    }
    return 0;
  }

  /** The map over a segment that another thread has made. */
  #openSegment(base: Address): EmbeddedMap {
    const { memory, attr } = this.#parts;
    const header = memory.u8.slice(base, base + SEGMENT.HEADER_SIZE);
    const ownFlags = MAP_TYPES.get(this.#word(base, SEGMENT.TYPE))?.ownFlags ?? 0;
    const shape = attrOfSegment(memory, attr, header, ownFlags);
    const ownBtf = { at: SEGMENT.BTF_LENGTH, id: SEGMENT.BTF_ID, offset: 0 };
    const own = this.#describedAt(base, ownBtf, shape, shape.flags);
    const map = this.#make(base, holdsMaps(shape.type) ? this.#innerMeta(base) : undefined, false);
    if (map === undefined)
      throw new Error(`another thread has made a map of type ${shape.type}, which cannot be shared`);
    if (own.btf !== undefined) map.describe(own.btf, shape.btfKeyTypeId, shape.btfValueTypeId, own.fields);
    return map;
  }

  #innerMeta(base: Address): InnerMeta {
    const word = (offset: number): number => this.#word(base, offset);
    const shape = {
      type: word(INNER.TYPE),
      keySize: word(INNER.KEY_SIZE),
      valueSize: word(INNER.VALUE_SIZE),
      maxEntries: word(INNER.MAX_ENTRIES),
      flags: word(INNER.MAP_FLAGS),
      btfKeyTypeId: word(INNER.BTF_KEY_TYPE_ID),
      btfValueTypeId: word(INNER.BTF_VALUE_TYPE_ID),
    };
    const place = { at: INNER.BTF_LENGTH, id: INNER.BTF_ID, offset: word(SEGMENT.BTF_LENGTH) };
    return { ...shape, ...this.#describedAt(base, place, shape, shape.flags) };
  }

  /** What BTF of a segment says of the keys and values of a map, if there is any. */
  #describedAt(
    base: Address,
    place: { readonly at: number; readonly id: number; readonly offset: number },
    map: DescribedMap,
    flags: number,
  ): Described {
    const { memory, btfs } = this.#parts;
    const length = this.#word(base, place.at);
    if (length === 0) return { btf: undefined, fields: [] };
    const address = this.#word(base, SEGMENT.BTF_ADDRESS);
    memory.see(address);
    const bytes = memory.u8.slice(address + place.offset, address + place.offset + length);
    const described = keepBtf(btfs, memory, { id: this.#word(base, place.id), bytes }, map, flags);
    if (typeof described === "number") throw new Error("the BTF of a map is not what another thread has made");
    return described;
  }
}
