import { E2BIG, EINVAL, ENOENT, ENOMEM } from "../../../abi/errno.ts";
import { BPF_ANY, BPF_EXIST, BPF_F_NUMA_NODE } from "../../../abi/flags.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { guardsEnd } from "../guards.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { ACCESS_FLAGS, EmbeddedMap, type MapHost, type MapType } from "../map-ops.ts";
import { allocateSegment, SEGMENT } from "../segment.ts";
import { copyBytes } from "../user-memory.ts";

/*
 * The segment: the header, then a ring of slots, one more than the map has entries, each of the value's size. The values
 * lie from the tail on to the slot before the head; one slot is always free, so that full and empty differ. Then a guard.
 */
export const RING_HEADER = {
  /** The slot of the next value. */
  HEAD: SEGMENT.TYPE_HEADER,
  /** The slot of the oldest value. */
  TAIL: SEGMENT.TYPE_HEADER + 4,
} as const;

const CREATE_FLAGS = BPF_F_NUMA_NODE | ACCESS_FLAGS;
const KMALLOC_MAX_SIZE = 1 << 22;

/** `queue_stack_map_alloc_check`. */
function allocCheck(attr: MapCreateAttr): number {
  if (attr.maxEntries === 0 || attr.keySize !== 0 || attr.valueSize === 0) return -EINVAL;
  if (!attr.hasOnlyFlags(CREATE_FLAGS)) return -EINVAL;
  return attr.valueSize > KMALLOC_MAX_SIZE ? -E2BIG : 0;
}

function allocateRing(memory: AddressSpace, attr: MapCreateAttr): Address | number {
  const slots = SEGMENT.HEADER_SIZE + (attr.maxEntries + 1) * attr.valueSize;
  const base = allocateSegment(memory, attr, guardsEnd(slots, 1));
  return base === 0 ? -ENOMEM : base;
}

/** `"queue"`: `kernel/bpf/queue_stack_maps.c`, 6.18. */
export const QUEUE: MapType = {
  allocCheck,

  alloc({ memory }: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
    const base = allocateRing(memory, attr);
    return base < 0 ? base : new Queue(memory, base);
  },
};

/** `"stack"`: `kernel/bpf/queue_stack_maps.c`, 6.18. */
export const STACK: MapType = {
  allocCheck,

  alloc({ memory }: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
    const base = allocateRing(memory, attr);
    return base < 0 ? base : new Stack(memory, base);
  },
};

/** Values without keys in a ring. Peek is the lookup of the command, pop its lookup and delete, push its update. */
abstract class Ring extends EmbeddedMap {
  readonly #slots: number;
  readonly #head: number;
  readonly #tail: number;

  constructor(memory: AddressSpace, base: Address) {
    super(memory, base);
    this.#slots = this.maxEntries + 1;
    this.#head = (base + RING_HEADER.HEAD) >>> 2;
    this.#tail = (base + RING_HEADER.TAIL) >>> 2;
  }

  /** There are no keys to look for: `queue_stack_map_lookup_elem`. */
  override lookup(_key: Address): Address {
    return 0;
  }

  /** With BPF_EXIST a full map drops its oldest value, of a stack too: `queue_stack_map_push_elem`. */
  override update(_key: Address, value: Address, flags: number): number {
    if (flags !== BPF_ANY && flags !== BPF_EXIST) return -EINVAL;
    const { head } = this;
    const next = this.after(head);
    if (next === this.tail) {
      if (flags !== BPF_EXIST) return -E2BIG;
      this.tail = this.after(this.tail);
    }
    copyBytes(this.memory, this.#slot(head), value, this.valueSize);
    this.head = next;
    return 0;
  }

  override delete(_key: Address): number {
    return -EINVAL;
  }

  override getNextKey(_key: Address, _next: Address): number {
    return -EINVAL;
  }

  override copyValue(_key: Address, value: Address): number {
    if (this.head === this.tail) return -ENOENT;
    copyBytes(this.memory, value, this.#slot(this.nextOut()), this.valueSize);
    return 0;
  }

  override lookupAndDelete(key: Address, value: Address): number {
    const error = this.copyValue(key, value);
    if (error === 0) this.dropNext();
    return error;
  }

  /** The slot of the value that comes out next, when there is one. */
  protected abstract nextOut(): number;

  /** Lets the value that comes out next go. */
  protected abstract dropNext(): void;

  protected get head(): number {
    return this.memory.u32[this.#head] as number;
  }

  protected set head(slot: number) {
    this.memory.u32[this.#head] = slot;
  }

  protected get tail(): number {
    return this.memory.u32[this.#tail] as number;
  }

  protected set tail(slot: number) {
    this.memory.u32[this.#tail] = slot;
  }

  protected after(slot: number): number {
    return slot + 1 === this.#slots ? 0 : slot + 1;
  }

  protected before(slot: number): number {
    return (slot === 0 ? this.#slots : slot) - 1;
  }

  #slot(index: number): Address {
    return this.base + SEGMENT.HEADER_SIZE + index * this.valueSize;
  }
}

class Queue extends Ring {
  protected override nextOut(): number {
    return this.tail;
  }

  protected override dropNext(): void {
    this.tail = this.after(this.tail);
  }
}

class Stack extends Ring {
  protected override nextOut(): number {
    return this.before(this.head);
  }

  protected override dropNext(): void {
    this.head = this.before(this.head);
  }
}
