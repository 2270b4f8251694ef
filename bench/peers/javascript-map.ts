import type { Peer } from "./peer.ts";

/** JavaScript's own `Map`. It has neither batches nor a call for many entries: the obvious loop stands for the latter. */
export function javascriptMap<V>(value: (of: number) => V): Peer<V> {
  const map = new Map<number, V>();
  return {
    map,
    value,
    prepareSetMany: (entries) => () => {
      for (const [key, of] of entries) map.set(key, of);
    },
  };
}
