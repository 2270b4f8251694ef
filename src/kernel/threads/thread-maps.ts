import { ENOMEM, ENOTSUP } from "../../abi/errno.ts";
import type { Address } from "../../memory/address-space.ts";
import type { KernelObject } from "../embedded/kernel-object.ts";
import type { EmbeddedMap } from "../embedded/map-ops.ts";
import { MAP_TYPES } from "../embedded/maps/map-types.ts";
import type { Objects, ObjectTable } from "../embedded/object-table.ts";
import { SEGMENT } from "../embedded/segment.ts";
import type { SharingHost } from "../embedded/shared/agent.ts";
import { attrOfSegment } from "../embedded/shared/segment-attr.ts";
import { keepBtf } from "../embedded/shared/segment-btf.ts";
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

  constructor(parts: ThreadMapsParts) {
    this.#parts = parts;
  }

  /** Gives a new map its id; from then on everybody finds it. */
  add(made: EmbeddedMap): EmbeddedMap | number {
    const map = this.#make(made.base, true);
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
    const map = this.#make(base, false);
    if (map === undefined || this.#describe(map) !== 0)
      throw new Error(`map ${id} is not what another thread has made`);
    this.#open.set(id, map);
    return map;
  }

  idFrom(id: number): number | undefined {
    return this.#parts.segments.idFrom(id);
  }

  put(map: EmbeddedMap): void {
    map.references--;
    if (map.references > 0) return map.referenceDropped();
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

  #make(base: Address, isNew: boolean): EmbeddedMap | undefined {
    const { memory, host } = this.#parts;
    const word = (offset: number): number => memory.u32[(base + offset) >>> 2] as number;
    const shape = {
      type: word(SEGMENT.TYPE),
      valueSize: word(SEGMENT.VALUE_SIZE),
      maxEntries: word(SEGMENT.MAX_ENTRIES),
      mapFlags: word(SEGMENT.MAP_FLAGS),
      mapExtra: word(SEGMENT.MAP_EXTRA),
    };
    return makeShared(host, base, shape, isNew);
  }

  /** Leaves the BTF of a new map where others find it, and gives it to the map that is used from now on. */
  #passOnBtf(made: EmbeddedMap, map: EmbeddedMap): number {
    const { btf, memory, base } = made;
    if (btf === undefined) return 0;
    const address = this.#parts.memory.tryAllocateShared(btf.bytes.length);
    if (address === 0) return -ENOMEM;
    memory.u8.set(btf.bytes, address);
    memory.u32[(base + SEGMENT.BTF_LENGTH) >>> 2] = btf.bytes.length;
    memory.u32[(base + SEGMENT.BTF_ID) >>> 2] = btf.id;
    memory.u32[(base + SEGMENT.BTF_ADDRESS) >>> 2] = address;
    const [keyType, valueType] = [made.header(SEGMENT.BTF_KEY_TYPE_ID), made.header(SEGMENT.BTF_VALUE_TYPE_ID)];
    map.describe(btf, keyType, valueType, made.record?.fields ?? []);
    return 0;
  }

  /** Gives a map that another thread has made the BTF that it has there. */
  #describe(map: EmbeddedMap): number {
    const { memory, btfs, attr } = this.#parts;
    const address = map.header(SEGMENT.BTF_ADDRESS);
    if (address === 0) return 0;
    memory.see(address);
    const bytes = memory.u8.slice(address, address + map.header(SEGMENT.BTF_LENGTH));
    const header = memory.u8.slice(map.base, map.base + SEGMENT.HEADER_SIZE);
    const shape = attrOfSegment(memory, attr, header, MAP_TYPES.get(map.type)?.ownFlags ?? 0);
    const found = keepBtf(btfs, memory, { id: map.header(SEGMENT.BTF_ID), bytes }, shape, shape.flags);
    if (typeof found === "number") return found;
    if (found.btf !== undefined) map.describe(found.btf, shape.btfKeyTypeId, shape.btfValueTypeId, found.fields);
    return 0;
  }
}
