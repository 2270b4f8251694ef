import { EEXIST, EINVAL, ENOENT, ENOMEM } from "../../../../abi/errno.ts";
import { BPF_EXIST, BPF_NOEXIST } from "../../../../abi/flags.ts";
import type { Address } from "../../../../memory/address-space.ts";
import type { EmbeddedMap } from "../../map-ops.ts";
import { isMapOfMaps } from "../../maps/inner-meta.ts";
import { copyBytes } from "../../user-memory.ts";
import type { ProgramHost } from "../program-host.ts";
import type { HelperFunction } from "./helper-function.ts";

/** bpf_map_lookup_elem, where it is not compiled into the program: the value of the CPU, or the inner map. */
export const MAP_LOOKUP_ELEM: HelperFunction = {
  takes: ["map", "u32"],
  answers: "u32",
  make(host, _program, map) {
    if (!isMapOfMaps(map)) return (key) => lookup(host, map, host.keys.take(map, key as number), host.cpu);
    return (key) => {
      const inner = map.innerAt(host.keys.take(map, key as number));
      return inner === undefined ? 0 : host.handOut(inner);
    };
  },
};

/** bpf_map_lookup_percpu_elem. */
export const MAP_LOOKUP_PERCPU_ELEM: HelperFunction = {
  takes: ["map", "u32", "u32"],
  answers: "u32",
  make: (host, _program, map) => (key, cpu) =>
    (cpu as number) < host.state.possibleCpus
      ? lookup(host, map, host.keys.take(map, key as number), cpu as number)
      : 0,
};

function lookup(_host: ProgramHost, map: EmbeddedMap, key: Address, cpu: number): Address {
  const value = map.lookup(key);
  if (value === 0) return 0;
  map.lookedUp(value);
  return value + cpu * map.cpuStride;
}

/** bpf_map_update_elem: with a value for each CPU, a program writes that of its own. */
export const MAP_UPDATE_ELEM: HelperFunction = {
  takes: ["map", "u32", "u32", "u64"],
  answers: "s32",
  make(host, _program, map) {
    const { keys } = host;
    if (map.cpuStride !== 0) {
      return (key, value, flags) =>
        updateOfCpu(host, map, keys.take(map, key as number), value as number, flags as number);
    }
    return (key, value, flags) => map.update(keys.take(map, key as number), value as number, flags as number);
  },
};

/** An element that is new has zeros for the other CPUs: `pcpu_init_value`. */
function updateOfCpu(host: ProgramHost, map: EmbeddedMap, key: Address, value: Address, flags: number): number {
  if (flags > BPF_EXIST) return -EINVAL;
  const { memory, cpu } = host;
  const found = map.lookup(key);
  if (found !== 0) {
    if (flags === BPF_NOEXIST) return -EEXIST;
    copyBytes(memory, found + cpu * map.cpuStride, value, map.valueSize);
    map.lookedUp(found);
    return 0;
  }
  const values = host.values.reserve(map.userValueSize);
  if (values === 0) return -ENOMEM;
  memory.u8.fill(0, values, values + map.userValueSize);
  copyBytes(memory, values + cpu * map.cpuStride, value, map.valueSize);
  return map.update(key, values, flags);
}

/** bpf_map_delete_elem. */
export const MAP_DELETE_ELEM: HelperFunction = {
  takes: ["map", "u32"],
  answers: "s32",
  make: (host, _program, map) => (key) => map.delete(host.keys.take(map, key as number)),
};

/**
 * bpf_map_lookup_and_delete_elem, which Linux has for user space alone: the value, which is in the map no longer. It stays
 * as it is until the map takes a new key, as on Linux the value of an element does that is looked up and then deleted.
 */
export const MAP_LOOKUP_AND_DELETE_ELEM: HelperFunction = {
  takes: ["map", "u32"],
  answers: "u32",
  make: (host, _program, map) => (address) => {
    const key = host.keys.take(map, address as number);
    const value = map.lookup(key);
    return value === 0 || map.delete(key) !== 0 ? 0 : value + host.cpu * map.cpuStride;
  },
};

/** bpf_map_get_next_key, which Linux has for user space alone: the key behind another, or the first behind NULL. */
export const MAP_GET_NEXT_KEY: HelperFunction = {
  takes: ["map", "u32", "u32"],
  answers: "s32",
  make: (host, _program, map) => (key, next) =>
    map.getNextKey(key === 0 ? 0 : host.keys.take(map, key as number), next as number),
};

/** bpf_map_push_elem. */
export const MAP_PUSH_ELEM: HelperFunction = {
  takes: ["map", "u32", "u64"],
  answers: "s32",
  make: (_host, _program, map) => (value, flags) => map.update(0, value as number, flags as number),
};

/** bpf_map_pop_elem: what is not there leaves zeros. */
export const MAP_POP_ELEM: HelperFunction = {
  takes: ["map", "u32"],
  answers: "s32",
  make: (host, _program, map) => (value) =>
    cleared(host, map, value as number, map.lookupAndDelete(0, value as number)),
};

/** bpf_map_peek_elem. A bloom filter reads the value, and leaves it as it is. */
export const MAP_PEEK_ELEM: HelperFunction = {
  takes: ["map", "u32"],
  answers: "s32",
  make(host, _program, map) {
    if (map.looksForValue) return (value) => map.copyValue(0, value as number);
    return (value) => cleared(host, map, value as number, map.copyValue(0, value as number));
  },
};

/** `__queue_map_get`, `__stack_map_get`: an empty map clears the value. */
function cleared({ memory }: ProgramHost, map: EmbeddedMap, value: Address, result: number): number {
  if (result === -ENOENT) memory.u8.fill(0, value, value + map.valueSize);
  return result;
}
