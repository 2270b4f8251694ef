import type { Btf } from "./btf.ts";
import type { BtfComposite } from "./btf-type.ts";

/** BPF has pointers of 64 bits, as the kernels have that it runs in. */
const POINTER_SIZE = 8;
/** `__int128` has the strictest alignment of all that is no vector. */
const GREATEST_ALIGN = 16;
/** `MAX_RESOLVE_DEPTH` of Linux (`kernel/bpf/btf.c`): types that lie inside one another deeper than so are refused. */
const GREATEST_DEPTH = 32;

/** The sizes and alignments of the types of one BTF. */
export class TypeSizes {
  readonly #btf: Btf;
  readonly #aligns = new Map<number, number>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  sizeOf(id: number): number | undefined {
    let elements = 1;
    for (let depth = 0; depth < GREATEST_DEPTH; depth++) {
      const type = this.#btf.type(this.#btf.resolve(id));
      switch (type.kind) {
        case "ptr":
          return elements * POINTER_SIZE;
        case "int":
        case "float":
        case "enum":
        case "enum64":
        case "struct":
        case "union":
        case "datasec":
          return elements * type.size;
        case "array":
          elements *= type.length;
          id = type.type;
          break;
        case "var":
          id = type.type;
          break;
        default:
          return undefined;
      }
    }
    throw this.#btf.error(id, `more than ${GREATEST_DEPTH} arrays, one in the other`);
  }

  alignOf(id: number, depth = 0): number {
    if (depth > GREATEST_DEPTH) throw this.#btf.error(id, `more than ${GREATEST_DEPTH} types, one in the other`);
    const known = this.#aligns.get(id);
    if (known !== undefined) return known;
    const align = this.#alignOf(id, depth);
    this.#aligns.set(id, align);
    return align;
  }

  #alignOf(id: number, depth: number): number {
    const type = this.#btf.type(this.#btf.resolve(id));
    switch (type.kind) {
      case "ptr":
        return POINTER_SIZE;
      case "int":
      case "float":
      case "enum":
      case "enum64":
        return alignOfScalar(type.size);
      case "array":
      case "var":
        return this.alignOf(type.type, depth + 1);
      case "struct":
      case "union":
        return this.#alignOfComposite(type, depth);
      default:
        return 1;
    }
  }

  /** The greatest alignment of a member, unless one lies where only `packed` puts it: then 1, as in libbpf's `btf__align_of`. */
  #alignOfComposite({ size, members }: BtfComposite, depth: number): number {
    let greatest = 1;
    for (const { type, bitOffset, bitfieldSize } of members) {
      const align = this.alignOf(type, depth + 1);
      if (bitfieldSize === 0 && bitOffset % (8 * align) !== 0) return 1;
      greatest = Math.max(greatest, align);
    }
    return size % greatest === 0 ? greatest : 1;
  }
}

/** The largest power of two in its size: a `long double` of 12 bytes is aligned to 4. */
function alignOfScalar(size: number): number {
  return Math.min(Math.max(1, size & -size), GREATEST_ALIGN);
}
