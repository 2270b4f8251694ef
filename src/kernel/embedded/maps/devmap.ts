import { EINVAL, ENOMEM } from "../../../abi/errno.ts";
import { BPF_F_RDONLY_PROG } from "../../../abi/flags.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import type { EmbeddedMap, MapHost, MapType } from "../map-ops.ts";
import { SEGMENT } from "../segment.ts";
import { EntryArray, givesProgram } from "./entry-array.ts";
import { checkObjectArray, type ObjectMapDefinition, objectMapType } from "./object-map.ts";

/** The one network device that every Linux has, and the embedded kernel too. */
const LOOPBACK = 1;

/** `dev_map_alloc_check`. */
export function checkDevmap(attr: MapCreateAttr): number {
  return checkObjectArray(attr, [4, 8]);
}

/** A type of which programs can only read the maps, whatever was asked for: Linux adds the flag. */
export function devmapType(definition: ObjectMapDefinition): MapType {
  const { alloc, ...rest } = objectMapType(definition);
  return {
    ...rest,
    ownFlags: BPF_F_RDONLY_PROG,
    alloc(host: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
      const map = alloc(host, attr);
      if (typeof map === "number") return -ENOMEM;
      host.memory.u32[(map.base + SEGMENT.MAP_FLAGS) >>> 2] = attr.permanentFlags | BPF_F_RDONLY_PROG;
      return map;
    },
  };
}

/** Why no entry can be made of a device and its program: `__dev_map_alloc_node`. */
export function deviceRefusal({ view }: AddressSpace, value: Address, valueSize: number): number {
  const isDevice = view.getUint32(value, true) === LOOPBACK;
  return isDevice && !givesProgram(view, value, valueSize) ? 0 : -EINVAL;
}

class Devmap extends EntryArray {
  /** `__dev_map_update_elem`: device 0 takes the entry away. */
  protected override entryRefusal(_index: number, value: Address): number {
    const { memory, valueSize } = this;
    if (memory.view.getUint32(value, true) !== 0) return deviceRefusal(memory, value, valueSize);
    return givesProgram(memory.view, value, valueSize) ? -EINVAL : 0;
  }
}

/** `"devmap"`: `kernel/bpf/devmap.c`, 6.18. */
export const DEVMAP = devmapType({ check: checkDevmap, map: Devmap });
