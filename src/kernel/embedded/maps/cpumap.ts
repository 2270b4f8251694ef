import { E2BIG, ENODEV, ENOMEM, EOVERFLOW } from "../../../abi/errno.ts";
import { BPF_F_NUMA_NODE } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { EntryArray, givesProgram } from "./entry-array.ts";
import { checkObjectArray, lateCheckedMapType } from "./object-map.ts";

/** The most CPUs that an embedded kernel can be given: `CONFIG_NR_CPUS`, which is each Linux's own. */
const NR_CPUS = 8192;
const MAX_QUEUE = 16384;

/** `cpu_map_alloc`. */
function check(attr: MapCreateAttr): number {
  const unfit = checkObjectArray(attr, [4, 8], BPF_F_NUMA_NODE);
  if (unfit !== 0) return unfit;
  return attr.maxEntries > NR_CPUS ? -E2BIG : 0;
}

/** Queues by CPU, through which Linux sends packets to other CPUs. Here they are kept, and nothing goes through. */
class CpuMap extends EntryArray {
  /** `cpu_map_update_elem`: a queue of no length is none. */
  protected override entryRefusal(cpu: number, value: Address): number {
    const { view } = this.memory;
    const queue = view.getUint32(value, true);
    if (queue > MAX_QUEUE) return -EOVERFLOW;
    if (cpu >= this.host.possibleCpus) return -ENODEV;
    return queue > 0 && givesProgram(view, value, this.valueSize) ? -ENOMEM : 0;
  }
}

/** `"cpumap"`: `kernel/bpf/cpumap.c`, 6.18. */
export const CPUMAP = lateCheckedMapType({ check, map: CpuMap });
