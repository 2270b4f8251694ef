import { EACCES, EINVAL, ENOTSUPP, EPERM } from "../../abi/errno.ts";
import { BPF_F_RDONLY_PROG } from "../../abi/flags.ts";
import { PROT_WRITE } from "../../abi/mman.ts";
import type { Address } from "../../memory/address-space.ts";
import { PAGE_SIZE, pageAlign } from "../../memory/page-allocator.ts";
import type { MapFile } from "./file-table.ts";
import type { EmbeddedMap } from "./map-ops.ts";
import { SEGMENT } from "./segment.ts";

interface Mapping {
  readonly map: EmbeddedMap;
  readonly address: Address;
  readonly length: number;
  readonly isWritable: boolean;
}

/**
 * The memory mappings of maps. The maps already lie in the caller's address space, so a mapping is their own memory; it
 * keeps the map alive, and a writable one keeps it from being frozen.
 */
export class Mappings {
  readonly #mappings: Mapping[] = [];

  /** `mmap(2)`, shared: the checks of `mm/mmap.c: do_mmap`, `kernel/bpf/syscall.c: bpf_map_mmap` and of the map type, 6.18. */
  map(file: MapFile, length: number, protection: number, offset: number): Address {
    if (!Number.isSafeInteger(length) || length <= 0 || offset < 0 || offset % PAGE_SIZE !== 0) return -EINVAL;
    const { map } = file;
    const isWritable = (protection & PROT_WRITE) !== 0;
    if (!file.canRead || (isWritable && !file.canWrite)) return -EACCES;
    const range = map.mappable();
    if (range === -ENOTSUPP || map.record !== undefined) return -ENOTSUPP;
    // A file that cannot be written is never shared, whatever was asked, and maps are mapped shared or not at all.
    if (!file.canWrite) return -EINVAL;
    if (isWritable && map.isFrozen) return -EPERM;
    if (isWritable && (map.header(SEGMENT.MAP_FLAGS) & BPF_F_RDONLY_PROG) !== 0) return -EACCES;
    const refusal = map.mapRefusal(isWritable, offset, pageAlign(length));
    if (refusal !== 0) return refusal;
    if (typeof range === "number") return range;
    if (offset + pageAlign(length) > range.bytes) return -EINVAL;
    const address = range.address + offset;
    this.#mappings.push({ map, address, length: pageAlign(length), isWritable });
    map.references++;
    map.mapped(isWritable, pageAlign(length));
    return address;
  }

  /**
   * Forgets a mapping, the youngest of those at the address, since all of one place lie there. Answers its map, whose
   * reference is now the caller's to drop; `undefined` when there is none.
   */
  unmap(address: Address, length: number): EmbeddedMap | undefined {
    const at = this.#mappings.findLastIndex(
      (mapping) => mapping.address === address && mapping.length === pageAlign(length),
    );
    const [mapping] = at < 0 ? [] : this.#mappings.splice(at, 1);
    mapping?.map.unmapped(mapping.isWritable);
    return mapping?.map;
  }
}
