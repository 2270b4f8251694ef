import { EACCES, EINVAL, ENODEV, ENOTSUPP, EPERM } from "../../abi/errno.ts";
import { BPF_F_RDONLY_PROG } from "../../abi/flags.ts";
import { PROT_WRITE } from "../../abi/mman.ts";
import type { Address } from "../../memory/address-space.ts";
import { PAGE_SIZE, pageAlign } from "../../memory/page-allocator.ts";
import { MapFile, type OpenFile } from "./file-table.ts";
import type { KernelObject } from "./kernel-object.ts";
import type { PerfEvent } from "./perf-event.ts";
import { SEGMENT } from "./segment.ts";

/** What can be mapped. */
interface Mappable extends KernelObject {
  mapped(isWritable: boolean, length: number): void;
  unmapped(isWritable: boolean): void;
}

interface Mapping {
  readonly object: Mappable;
  readonly address: Address;
  readonly length: number;
  readonly isWritable: boolean;
}

/**
 * The memory mappings of maps and perf events. They already lie in the caller's address space, so a mapping is their own
 * memory; it keeps the map alive, and a writable one keeps it from being frozen.
 */
export class Mappings {
  readonly #mappings: Mapping[] = [];

  /** `mmap(2)`, shared: the checks of `mm/mmap.c: do_mmap`, `kernel/bpf/syscall.c: bpf_map_mmap` and of the map type, 6.18. */
  map(file: OpenFile, length: number, protection: number, offset: number): Address {
    if (!Number.isSafeInteger(length) || length <= 0 || offset < 0 || offset % PAGE_SIZE !== 0) return -EINVAL;
    const isWritable = (protection & PROT_WRITE) !== 0;
    // Only maps can be mapped, and BTF, unlike programs, cannot even be written.
    if (!(file instanceof MapFile)) return isWritable && file.object.kind === "btf" ? -EACCES : -ENODEV;
    const { map } = file;
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
    return this.#keep({ object: map, address: range.address + offset, length: pageAlign(length), isWritable });
  }

  /** `mmap(2)` of a perf event: `kernel/events/core.c: perf_mmap`, 6.18. */
  mapEvent(event: PerfEvent, length: number, protection: number, offset: number): Address {
    if (!Number.isSafeInteger(length) || length <= 0 || offset < 0 || offset % PAGE_SIZE !== 0) return -EINVAL;
    const isWritable = (protection & PROT_WRITE) !== 0;
    const address = event.map(pageAlign(length), isWritable, offset);
    return address < 0 ? address : this.#keep({ object: event, address, length: pageAlign(length), isWritable });
  }

  #keep(mapping: Mapping): Address {
    const { object, address, length, isWritable } = mapping;
    this.#mappings.push(mapping);
    object.references++;
    object.mapped(isWritable, length);
    return address;
  }

  /**
   * Forgets a mapping, the youngest of those at the address, since all of one place lie there. Answers what was
   * mapped, whose reference is now the caller's to drop; `undefined` when there is none.
   */
  unmap(address: Address, length: number): KernelObject | undefined {
    const at = this.#mappings.findLastIndex(
      (mapping) => mapping.address === address && mapping.length === pageAlign(length),
    );
    const [mapping] = at < 0 ? [] : this.#mappings.splice(at, 1);
    mapping?.object.unmapped(mapping.isWritable);
    return mapping?.object;
  }
}
