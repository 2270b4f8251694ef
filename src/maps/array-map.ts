import { BPF_MAP_LOOKUP_ELEM } from "../abi/commands.ts";
import { PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import type { Atomic } from "../layout/atomic.ts";
import type { Live } from "../layout/live.ts";
import { KeyedMap } from "./keyed-map.ts";
import { type ArrayMemory, MappedArray } from "./mapped-array.ts";
import { MappedMemory } from "./mapped-memory.ts";

/**
 * `"array"`: `maxEntries` values by index, all there from the beginning and zero. For counters and configuration.
 *
 * There is nothing to delete: `get` past the end is `undefined`, `set` past the end throws a `BpfError` with the code
 * `E2BIG`, and `"noexist"` always `EEXIST`.
 *
 * **Live memory.** An array with the flag `"mmapable"` is memory that programs and user space share: `memory` is all of
 * it, `at` one value whose fields are read and written where they lie, and `atomic` one for operations in a single step.
 * No access is a system call. The first use maps the array, for writing unless it is frozen or made with `"rdonly_prog"`:
 * while it is mapped so, `freeze` is `EBUSY`. `close` ends the mapping, and what `at`, `atomic` and a `LiveArray` gave
 * throws from then on; a typed array that `memory` gave stays valid and keeps the array alive until it is collected,
 * unless the kernel object is closed, which empties it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, struct, u32, u64 } from "mapiary";
 *
 * using bpf = embedded();
 * using counters = bpf.createMap({ type: "array", name: "counters", value: u64, maxEntries: 4, flags: ["mmapable"] });
 * counters.memory[2] = 41n; // no system call: it is the map itself
 * counters.atomic(2).add(1n);
 * assert.deepEqual([...counters.values()], [0n, 0n, 42n, 0n]);
 * assert.equal(counters.get(4), undefined);
 *
 * const traffic = struct({ packets: u32, bytes: u64 });
 * using ports = bpf.createMap({ type: "array", name: "ports", value: traffic, maxEntries: 2, flags: ["mmapable"] });
 * const port = ports.at(1);
 * port.bytes += 1500n;
 * ports.atomic(1).packets.add(1);
 * assert.deepEqual(ports.get(1), { packets: 1, bytes: 1500n });
 * ```
 *
 * Source: `kernel/bpf/arraymap.c`, Linux 6.18. In Linux since 3.19; `"mmapable"` since 5.5.
 */
export class ArrayMap<K, V> extends KeyedMap<K, V> {
  #mapped: MappedArray<V> | undefined;

  /**
   * The whole array where it lies: an index reads or writes the element itself. Values of `u64` and `i64` are a
   * `BigUint64Array` or a `BigInt64Array`, for which `Atomics` works too; all others a `LiveArray`, by `get`, `set` and
   * `at`, since each element begins at a multiple of 8 bytes.
   *
   * Throws a `BpfError`: `EINVAL` when the array was made without the flag `"mmapable"`, `EACCES` when it was not opened
   * for both reading and writing, and `EPERM` for a typed array of one that is frozen: `at` reads its elements. Throws a
   * `TypeError` for big-endian `bigint`s, of which there is no typed array.
   */
  get memory(): ArrayMemory<V> {
    return (this.#mapped ?? this.#map()).memory;
  }

  /**
   * The value of a key where it lies: the fields of a struct, the elements of an array, or the `value` of anything else.
   * Throws as `memory` does, and a `RangeError` for a key past the end. Writing throws a `BpfError` with the code `EPERM`
   * when the array is frozen or was made with `"rdonly_prog"`.
   */
  at(key: K): Live<V> {
    const mapped = this.#mapped ?? this.#map();
    return mapped.at(this.#indexOf(key));
  }

  /**
   * The integers of the value of a key for atomic operations: itself, or those of its fields and elements, of 32 or 64
   * bits. Throws as `at` does, and a `TypeError` for what is no such integer.
   */
  atomic(key: K): Atomic<V> {
    const mapped = this.#mapped ?? this.#map();
    return mapped.atomic(this.#indexOf(key));
  }

  /** @internal */
  protected override closed(): void {
    super.closed();
    this.#mapped?.close();
    this.#mapped = undefined;
  }

  #indexOf(key: K): number {
    const { memory } = this.context.kernel;
    this.key.write(memory, this.frame.key, key);
    return memory.u32[this.frame.key >>> 2] as number;
  }

  #map(): MappedArray<V> {
    this.assertOpen(BPF_MAP_LOOKUP_ELEM);
    const length = MappedArray.stride(this.valueSize) * this.maxEntries;
    const mapping = { length, protection: PROT_READ | PROT_WRITE, offset: 0 };
    const mapped = MappedMemory.map(this.context, this.fd, length, {
      closed: () => this.closedError(BPF_MAP_LOOKUP_ELEM),
      readOnly: (errno) => this.failure("mmap", errno, { mapping }),
    });
    if (typeof mapped === "number") throw this.failure("mmap", mapped, { mapping });
    this.#mapped = new MappedArray(this.context.kernel.memory, mapped, this.value, this.maxEntries);
    return this.#mapped;
  }
}
