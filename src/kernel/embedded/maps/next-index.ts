import { ENOENT } from "../../../abi/errno.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { EmbeddedMap } from "../map-ops.ts";

/**
 * BPF_MAP_GET_NEXT_KEY of a map whose keys are all indexes up to its end, whether something is there or not; an index past the
 * end begins anew: `kernel/bpf/arraymap.c: bpf_array_get_next_key`, 6.18.
 */
export function nextIndex({ memory, maxEntries }: EmbeddedMap, key: Address, next: Address): number {
  const index = key === 0 ? maxEntries : (memory.u32[key >>> 2] as number);
  if (index === maxEntries - 1) return -ENOENT;
  memory.view.setUint32(next, index < maxEntries ? index + 1 : 0, true);
  return 0;
}
