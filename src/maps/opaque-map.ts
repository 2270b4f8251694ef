import type { MapTypeName } from "../abi/map-types.ts";
import type { MapInfo } from "../sys/map-info.ts";
import { BpfMap } from "./bpf-map.ts";
import type { MapContext } from "./map-context.ts";
import type { MapSpec, OpaqueSpec } from "./map-spec.ts";

/** The sizes of a key and of a value when a spec does not say them: the only ones, or the usual ones. 0 is none. */
const SIZES = {
  prog_array: [4, 4],
  stack_trace: [4, 8 * 127],
  cgroup_array: [4, 4],
  devmap: [4, 4],
  sockmap: [4, 4],
  cpumap: [4, 4],
  xskmap: [4, 4],
  sockhash: [4, 4],
  cgroup_storage: [16, 0],
  reuseport_sockarray: [4, 4],
  percpu_cgroup_storage: [16, 0],
  sk_storage: [4, 0],
  devmap_hash: [4, 4],
  struct_ops: [4, 0],
  inode_storage: [4, 0],
  task_storage: [4, 0],
  cgrp_storage: [4, 0],
  arena: [0, 0],
} as const satisfies Partial<Record<MapTypeName, readonly [keySize: number, valueSize: number]>>;

/** The map types whose elements mean something to programs, sockets, devices and cgroups, and not to user space. */
export type OpaqueTypeName = keyof typeof SIZES;

/** Whether a map of a type is an `OpaqueMap`. */
export function isOpaqueType(type: MapTypeName | number): type is OpaqueTypeName {
  return Object.hasOwn(SIZES, type);
}

/** Whether a spec is that of an `OpaqueMap`. */
export function isOpaqueSpec(spec: MapSpec<never, never> | MapSpec<unknown, unknown>): spec is OpaqueSpec {
  return isOpaqueType(spec.type);
}

/** The sizes of a key and of a value that a map of a type has when nothing else is asked for. */
export function opaqueSizes(type: OpaqueTypeName): { readonly keySize: number; readonly valueSize: number } {
  const [keySize, valueSize] = SIZES[type];
  return { keySize, valueSize };
}

/**
 * A map whose elements are no data of user space: programs, sockets, network devices, CPUs, the storage of
 * other objects, and arenas. It can be made, opened, asked, frozen, pinned and handed to programs by its
 * `fd`; its elements are for `bpf.sys`, as far as the type has any.
 *
 * `docs/map-types.md` lists what each type answers to each command, and `docs/differences.md` which of the things that
 * they are about the embedded kernel has.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded } from "mapiary";
 *
 * using bpf = embedded();
 * using devices = bpf.createMap({ type: "devmap", name: "devices", maxEntries: 64 });
 * devices.pin("/sys/fs/bpf/devices");
 * assert.equal(bpf.openMap("/sys/fs/bpf/devices", { type: "devmap" }).maxEntries, 64);
 * ```
 *
 * Source: `include/linux/bpf_types.h`, Linux 6.18, names the file of each type.
 */
export class OpaqueMap extends BpfMap {
  /** @internal Takes over an fd. */
  constructor(context: MapContext, info: MapInfo, pinnedAt: string | undefined, fd: number) {
    super(context, fd, info, 0, pinnedAt);
  }
}
