import {
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_BLOOM_FILTER,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_LPM_TRIE,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_QUEUE,
  BPF_MAP_TYPE_STACK,
} from "../../../abi/map-types.ts";
import type { MapType } from "../map-ops.ts";
import { ARRAY } from "./array.ts";
import { BLOOM_FILTER } from "./bloom-filter.ts";
import { HASH } from "./hash.ts";
import { LPM_TRIE } from "./lpm-trie.ts";
import { LRU_HASH, LRU_PERCPU_HASH } from "./lru-hash.ts";
import { PERCPU_ARRAY } from "./percpu-array.ts";
import { PERCPU_HASH } from "./percpu-hash.ts";
import { QUEUE, STACK } from "./queue-stack.ts";

/** Every map type that the embedded kernel has, by its number. A new type is a file beside this one, and a line here. */
export const MAP_TYPES: ReadonlyMap<number, MapType> = new Map([
  [BPF_MAP_TYPE_HASH, HASH],
  [BPF_MAP_TYPE_ARRAY, ARRAY],
  [BPF_MAP_TYPE_PERCPU_HASH, PERCPU_HASH],
  [BPF_MAP_TYPE_PERCPU_ARRAY, PERCPU_ARRAY],
  [BPF_MAP_TYPE_LRU_HASH, LRU_HASH],
  [BPF_MAP_TYPE_LRU_PERCPU_HASH, LRU_PERCPU_HASH],
  [BPF_MAP_TYPE_LPM_TRIE, LPM_TRIE],
  [BPF_MAP_TYPE_QUEUE, QUEUE],
  [BPF_MAP_TYPE_STACK, STACK],
  [BPF_MAP_TYPE_BLOOM_FILTER, BLOOM_FILTER],
]);
