import { availableParallelism } from "node:os";
import { linux } from "mapiary/linux";

/** How many values a per-CPU map holds for one key, on both kernels: as many as Linux has here. */
export function possibleCpus(): number {
  if (!linux.available()) return availableParallelism();
  using bpf = linux();
  return bpf.possibleCpus;
}
