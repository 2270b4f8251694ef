import { linux } from "mapiary/linux";
import { BUILT } from "../build.ts";
import type { Startable } from "../running-peer.ts";
import { MEASURED_TYPES } from "./measured-types.ts";
import { possibleCpus } from "./possible-cpus.ts";

export type KernelName = "embedded" | "linux";

/** A map type on one kernel. */
export interface TypeContender extends Startable {
  readonly type: string;
  readonly kernel: KernelName;
}

/** Map types on both kernels, one after the other, with the reason for those that cannot be measured here. */
export function typeRoster(types: readonly string[]): TypeContender[] {
  const noLinux = linux.unavailableReason();
  const cpus = `${possibleCpus()}`;
  const contender = (type: string, kernel: KernelName, absent?: string): TypeContender => {
    const own = { name: peerName(type, kernel), type, kernel };
    if (absent !== undefined) return { ...own, title: "every map type on Linux", command: undefined, absent };
    const title = `${MEASURED_TYPES[type]?.title} on ${kernel}`;
    return { ...own, title, command: [process.execPath, "--expose-gc", BUILT.typeProcess, kernel, cpus, type] };
  };
  return types.flatMap((type) => [contender(type, "embedded"), contender(type, "linux", noLinux)]);
}

/** The name of a type's peer on a kernel. */
export function peerName(type: string, kernel: KernelName): string {
  return `${kernel}-${type}`;
}
