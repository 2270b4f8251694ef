import type { Address } from "../../memory/address-space.ts";
import type { Bpffs } from "./bpffs.ts";
import type { KernelObject, ObjectKind } from "./kernel-object.ts";
import type { MapHost } from "./map-ops.ts";
import type { Objects } from "./object-table.ts";

/** What the commands of one embedded kernel work on. */
export interface KernelState extends MapHost {
  /** The CPU that programs run on, unless they are told another. */
  readonly cpu: number;
  readonly bpffs: Bpffs;
  readonly btfs: Objects<KernelObject>;
}

/** The objects of a kind. */
export function tableOf(state: KernelState, kind: ObjectKind): Objects<KernelObject> {
  if (kind === "program") return state.programs;
  if (kind === "perf_event") return state.perfEvents;
  return kind === "btf" ? state.btfs : (state.maps as Objects<KernelObject>);
}

/** Drops one reference to an object; with the last one it is freed. */
export function put(state: KernelState, object: KernelObject): void {
  tableOf(state, object.kind).put(object);
}

/** A 32-bit field of an attr. */
export function i32At({ memory }: KernelState, at: Address): number {
  return memory.view.getInt32(at, true);
}
