import type { Kernel } from "../kernel/kernel.ts";
import type { Mapping } from "./map-context.ts";

/** A part of a ring buffer to be mapped: `mmap(2)`. */
interface Part {
  readonly length: number;
  readonly protection: number;
  readonly offset: number;
}

/** The part that could not be mapped, and why. */
export interface RingRefusal {
  readonly errno: number;
  readonly mapping: Part;
}

/** Maps both parts of a ring buffer, which have different rights, or none. */
export function mapParts(
  kernel: Kernel,
  fd: number,
  [first, second]: readonly [Part, Part],
): readonly [Mapping, Mapping] | RingRefusal {
  const one = kernel.mmap(fd, first.length, first.protection, first.offset);
  if (one < 0) return { errno: one, mapping: first };
  const other = kernel.mmap(fd, second.length, second.protection, second.offset);
  if (other >= 0) {
    return [
      { address: one, length: first.length },
      { address: other, length: second.length },
    ];
  }
  kernel.munmap(one, first.length);
  return { errno: other, mapping: second };
}
