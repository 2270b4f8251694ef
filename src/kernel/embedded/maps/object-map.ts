import { EINVAL, ENOENT, ENOMEM } from "../../../abi/errno.ts";
import { BPF_F_NUMA_NODE, BPF_F_RDONLY, BPF_F_WRONLY } from "../../../abi/flags.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { EmbeddedMap, type MapHost, type MapType } from "../map-ops.ts";
import { allocateSegment, SEGMENT } from "../segment.ts";
import { nextIndex } from "./next-index.ts";

/*
 * Maps of objects, most of which only Linux has: cgroups, sockets, stacks of running programs. The embedded kernel has none
 * of them, so no fd of user space is one, and such a map stays empty. Everything else it answers as on Linux. The segment: the header, and 8 bytes for each entry, as many as Linux's pointers take.
 */

const SLOT = 8;

/** The flags of creation that most of these types take. */
export const OBJECT_MAP_FLAGS = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY;

/** A map that stays empty. A type says what it answers besides `ENOENT`. */
export abstract class ObjectMap extends EmbeddedMap {
  protected readonly host: MapHost;

  constructor(host: MapHost, base: Address) {
    super(host.memory, base);
    this.host = host;
  }

  override lookup(_key: Address): Address {
    return 0;
  }

  override getNextKey(_key: Address, _next: Address): number {
    return -ENOENT;
  }

  /** What a command answers whose value is the fd of something else than the type takes: `wrong` when it is open, else EBADF. */
  protected refusal(value: Address, wrong: number, closed: number): number {
    return this.host.files.isOpen(this.memory.view.getInt32(value, true)) ? -wrong : -closed;
  }
}

/** A map of objects by index: its keys are there, its values are not. */
export abstract class ObjectArray extends ObjectMap {
  /** Whether a key is an index of the map. */
  protected has(key: Address): boolean {
    return (this.memory.u32[key >>> 2] as number) < this.maxEntries;
  }

  /** Every index, whether something is there or not; past the end begins anew: `bpf_array_get_next_key`. */
  override getNextKey(key: Address, next: Address): number {
    return nextIndex(this, key, next);
  }
}

/** How an object map is checked and made. */
export interface ObjectMapDefinition {
  /** What is wrong with the attributes, as `−errno`, or 0. */
  readonly check: (attr: MapCreateAttr) => number;
  /** The class of its maps. */
  readonly map: new (
    host: MapHost,
    base: Address,
  ) => EmbeddedMap;
  /** The bytes behind the header; 8 for each entry when it is not said. */
  readonly bytes?: (attr: MapCreateAttr, memory: AddressSpace) => number;
  /** Whether its maps keep something that only one process has, or change by more than one store. */
  readonly isPrivate?: boolean;
}

/** A type that Linux checks in `map_alloc_check`, before a token is looked for. */
export function objectMapType({ check, map, bytes = slots, isPrivate = false }: ObjectMapDefinition): MapType {
  return {
    allocCheck: check,
    ...(isPrivate ? {} : { share: (host: MapHost, base: Address): EmbeddedMap => new map(host, base) }),
    alloc(host: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
      const base = allocateSegment(host.memory, attr, SEGMENT.HEADER_SIZE + bytes(attr, host.memory));
      return base === 0 ? -ENOMEM : new map(host, base);
    },
  };
}

/** A type that has no `map_alloc_check`: Linux checks it in `map_alloc`, after the token. */
export function lateCheckedMapType(definition: ObjectMapDefinition): MapType {
  const { allocCheck, alloc, ...rest } = objectMapType(definition);
  return {
    ...rest,
    allocCheck: () => 0,
    alloc(host: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
      const unfit = allocCheck(attr);
      return unfit === 0 ? alloc(host, attr) : unfit;
    },
  };
}

function slots({ maxEntries }: MapCreateAttr): number {
  return SLOT * maxEntries;
}

/** What arrays of 4-byte indexes ask of their attributes: values of one of some sizes, room for one, and no other flags. */
export function checkObjectArray(
  attr: MapCreateAttr,
  valueSizes: readonly number[],
  flags: number = OBJECT_MAP_FLAGS,
): number {
  const isFit = attr.maxEntries > 0 && attr.keySize === 4 && valueSizes.includes(attr.valueSize);
  return isFit && attr.hasOnlyFlags(flags) ? 0 : -EINVAL;
}
