/// <reference lib="esnext.disposable" preserve="true" />
/**
 * eBPF maps for TypeScript, on the embedded kernel: anywhere that runs JavaScript, a browser included. `mapiary/linux`
 * has the same on the running Linux kernel.
 *
 * @module
 */

import { Bpf } from "./bpf.ts";
import { DirectoryBacking } from "./kernel/directory/directory-backing.ts";
import type { Backing } from "./kernel/embedded/backing.ts";
import { EmbeddedKernel, type EmbeddedOptions } from "./kernel/embedded/embedded-kernel.ts";
import { ThreadBacking } from "./kernel/threads/thread-backing.ts";

export type { AttachTypeName } from "./abi/attach-types.ts";
export type { MapFlagName } from "./abi/flag-names.ts";
export * from "./abi/flags.ts";
export type { HelperName } from "./abi/helpers.ts";
export type { MapTypeName } from "./abi/map-types.ts";
export type { ProgTypeName } from "./abi/prog-types.ts";
export type { Bpf } from "./bpf.ts";
export { Btf } from "./btf/btf.ts";
export { BtfBuilder, type BtfTypeSpec } from "./btf/btf-builder.ts";
export { BtfError } from "./btf/btf-error.ts";
export {
  BtfExt,
  type CoreRelocation,
  type FunctionInfo,
  type LineInfo,
  type SectionInfo,
} from "./btf/btf-ext.ts";
export type * from "./btf/btf-type.ts";
export { layoutOfType } from "./btf/type-layout.ts";
export { Assembler } from "./isa/assembler.ts";
export { type DisassemblyNames, disassemble } from "./isa/disassemble.ts";
export { decode, encode, type Instruction } from "./isa/instruction.ts";
export type { AtomicType, HalfRegister, LoadType, MapReference, Register, StoreType } from "./isa/operands.ts";
export type { EmbeddedOptions } from "./kernel/embedded/embedded-kernel.ts";
export type { DirectoryHandle, KernelHandle, ThreadHandle } from "./kernel/kernel.ts";
export { ipv4, ipv6, mac } from "./layout/address.ts";
export { type ArrayLayout, array } from "./layout/array.ts";
export type { Atomic, AtomicArray, AtomicInteger } from "./layout/atomic.ts";
export { i16be, i32be, u16be, u32be } from "./layout/big-endian.ts";
export { bytes } from "./layout/bytes.ts";
export { cidr, cidr6 } from "./layout/cidr.ts";
export { type EnumLayout, enumOf } from "./layout/enum.ts";
export { i128, u128 } from "./layout/int128.ts";
export type { Layout, Value } from "./layout/layout.ts";
export type { Live, LiveArray, LiveField, LiveValue } from "./layout/live.ts";
export { type OpenEnumLayout, openEnum } from "./layout/open-enum.ts";
export { bool, f32, f64, i8, i16, i32, u8, u16, u32 } from "./layout/scalar.ts";
export { type Fields, type StructField, type StructLayout, type StructOptions, struct } from "./layout/struct.ts";
export { type CstringOptions, cstring } from "./layout/text.ts";
export { type UnionLayout, type UnionOptions, union } from "./layout/union.ts";
export { type BigIntLayout, i64, i64be, u64, u64be } from "./layout/wide.ts";
export type { ArrayMap } from "./maps/array-map.ts";
export type { ArrayOfMaps } from "./maps/array-of-maps.ts";
export type { BloomFilter } from "./maps/bloom-filter.ts";
export type { BpfMap } from "./maps/bpf-map.ts";
export type { Bpffs } from "./maps/bpffs.ts";
export type { DeletingMap } from "./maps/deleting-map.ts";
export type { HashMap } from "./maps/hash-map.ts";
export type { HashOfMaps } from "./maps/hash-of-maps.ts";
export type { EntriesAndCursor, KeyedMap, UpdateFlag } from "./maps/keyed-map.ts";
export type { LpmTrie } from "./maps/lpm-trie.ts";
export type { LruHashMap } from "./maps/lru-hash-map.ts";
export type { LruPercpuHashMap } from "./maps/lru-percpu-hash-map.ts";
export type { InnerMapOf, MapOfMapsType, TypedMaps } from "./maps/map-classes.ts";
export type { MapOfMaps } from "./maps/map-of-maps.ts";
export type {
  ArrayOfMapsSpec,
  ArraySpec,
  BloomFilterSpec,
  HashOfMapsSpec,
  HashSpec,
  Inner,
  InnerLayouts,
  InnerOptions,
  InnerSpec,
  LpmTrieSpec,
  LruHashSpec,
  LruPercpuHashSpec,
  MapSpec,
  MapSpecBase,
  OpaqueSpec,
  OpenMapOfMapsOptions,
  OpenOptions,
  PercpuArraySpec,
  PercpuHashSpec,
  PerfEventArraySpec,
  QueueSpec,
  RingBufSpec,
  StackSpec,
  UserRingBufSpec,
} from "./maps/map-spec.ts";
export type { ArrayMemory } from "./maps/mapped-array.ts";
export type { OpaqueMap, OpaqueTypeName } from "./maps/opaque-map.ts";
export type { PercpuArrayMap } from "./maps/percpu-array-map.ts";
export type { PercpuHashMap } from "./maps/percpu-hash-map.ts";
export type { Merge, PercpuValues } from "./maps/percpu-values.ts";
export type { PerfEvent, PerfEventArray, PerfRingsOptions } from "./maps/perf-event-array.ts";
export type { Queue } from "./maps/queue.ts";
export type { PushFlag, QueueStackMap } from "./maps/queue-stack-map.ts";
export type { RecordMap } from "./maps/record-map.ts";
export type { RecordsOptions } from "./maps/records.ts";
export type { BatchesOptions, RingBuf } from "./maps/ring-buf.ts";
export type { Stack } from "./maps/stack.ts";
export type { UserRingBuf } from "./maps/user-ring-buf.ts";
export type { Memory } from "./memory/address-space.ts";
export type { BpfObject, ObjectTypes } from "./program/bpf-object.ts";
export type { BpfProgram, RunOptions, RunResult } from "./program/bpf-program.ts";
export type { LoadOptions, ObjectMapOptions } from "./program/load-object.ts";
export { ObjectError } from "./program/object-error.ts";
export type { ProgramSpec } from "./program/program-spec.ts";
export { BpfError } from "./sys/bpf-error.ts";
export type { MapInfo } from "./sys/map-info.ts";
export type { ProgInfo, ProgInfoBuffers } from "./sys/prog-info.ts";
export type {
  BatchOptions,
  BtfInfo,
  BtfLoadOptions,
  MapCreateOptions,
  PathOptions,
  ProgLoadOptions,
  ProgTestRunOptions,
  Sys,
} from "./sys/sys.ts";

/**
 * The embedded kernel: the map subsystem of Linux in this process, with the same results, the same errors and the same
 * bytes, and no privilege at all. Each call makes a kernel of its own, which knows nothing of the others.
 *
 * Throws a `RangeError` for options out of range.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, u32, u64 } from "mapiary";
 *
 * using bpf = embedded({ possibleCpus: 4 });
 * using hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1024 });
 * hits.set(5, 100n);
 * assert.equal(hits.get(5), 100n);
 * assert.equal(bpf.possibleCpus, 4);
 * ```
 */
export function embedded(options: EmbeddedOptions = {}): Bpf {
  return new Bpf(new EmbeddedKernel(options, backingOf(options)));
}

/** Where the maps of a kernel lie that shares them. */
function backingOf({ share, bpffs, shared = false, possibleCpus, maxMemory }: EmbeddedOptions): Backing | undefined {
  if (shared && bpffs !== undefined) {
    throw new TypeError(
      "embedded() keeps maps in memory that threads share, or in a directory that threads and processes share: give it shared or bpffs, not both",
    );
  }
  if (share !== undefined && "memory" in share) return ThreadBacking.open(share, { possibleCpus });
  const directory = share?.bpffs ?? bpffs;
  if (directory !== undefined) return new DirectoryBacking({ bpffs: directory, possibleCpus, maxMemory });
  return shared ? ThreadBacking.create({ possibleCpus, maxMemory }) : undefined;
}
