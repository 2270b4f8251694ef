import type { AddressSpace } from "../../memory/address-space.ts";
import type { KernelHandle } from "../kernel.ts";
import type { Directory } from "./bpffs-directory.ts";
import type { KernelObject } from "./kernel-object.ts";
import type { EmbeddedMap, MapHost } from "./map-ops.ts";
import type { Objects, ObjectTable } from "./object-table.ts";

/** What an embedded kernel is built over when it shares its maps with others: memory, ids and pins that are not its own. */
export interface Backing {
  /** The memory of this kernel; segments of maps in it are shared. */
  readonly memory: AddressSpace;
  /** How many CPUs all that share the maps have agreed on. */
  readonly possibleCpus: number;
  /** The next id of BTF among all that share the maps. */
  readonly nextBtfId?: () => number;
  /** The CPU that programs of this kernel run on. */
  readonly cpu: number;
  /** The maps of all that share them, for a kernel that wants them in its own memory, and their BTF in its own table. */
  open(host: Omit<MapHost, "maps">, btfs: ObjectTable<KernelObject>): SharedObjects;
  /** What another thread makes a kernel from that shares these maps. It can be cloned. */
  share(): KernelHandle;
  /** Takes back what kernels hold that were made from a handle, in threads that have ended. */
  reclaim(handle: KernelHandle): void;
  /** Lets go of everything that this kernel holds. Twice does no harm. */
  release(): void;
}

/** The part of a kernel's state that is shared. */
export interface SharedObjects {
  readonly maps: Objects<EmbeddedMap>;
  /** Why no map can be made; 0 when one can. */
  createRefusal(): number;
  /** The root of the BPF filesystem, below the directory that it is mounted in. */
  mount(parent: Directory): Directory;
}
