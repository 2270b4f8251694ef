import { EINVAL, ENOMEM } from "../../../../abi/errno.ts";
import { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY } from "../../../../abi/map-types.ts";
import type { Address } from "../../../../memory/address-space.ts";
import type { EmbeddedMap } from "../../map-ops.ts";
import type { UserRingbufMap } from "../../maps/user-ringbuf.ts";
import type { ProgramHost } from "../program-host.ts";
import { DYNPTR_BYTES, writeDynptr } from "./dynptrs.ts";
import type { HelperFunction } from "./helper-function.ts";

/** bpf_for_each_map_elem: answers how many elements the callback was given. */
export const FOR_EACH_MAP_ELEM: HelperFunction = {
  takes: ["map", "u32", "u32", "u64"],
  answers: "s32",
  callsBack: true,
  make: (host, program, map) => (address, context, flags, frame) => {
    if (flags !== 0) return -EINVAL;
    const callback = program.callback(address as number);
    const isArray = map.type === BPF_MAP_TYPE_ARRAY || map.type === BPF_MAP_TYPE_PERCPU_ARRAY;
    const keys = isArray ? eachIndex(host, map) : eachKey(host, map);
    let given = 0;
    try {
      for (const key of keys) {
        const value = map.lookup(key);
        if (value === 0) continue;
        given++;
        const ofCpu = value + host.cpu * map.cpuStride;
        if (callback(map.base, key, ofCpu, context as number, frame as number) !== 0) break;
      }
    } catch (error) {
      if (error instanceof NoRoom) return -ENOMEM;
      throw error;
    }
    return given;
  },
};

/** The keys of a map are set aside before the first call, for which there may be no room. */
class NoRoom extends Error {}

/** `bpf_for_each_array_elem`. */
function* eachIndex({ memory }: ProgramHost, { maxEntries }: EmbeddedMap): Generator<Address> {
  const key = setAside(memory.tryAllocate(4));
  try {
    for (let index = 0; index < maxEntries; index++) {
      memory.u32[key >>> 2] = index;
      yield key;
    }
  } finally {
    memory.release(key);
  }
}

/** The callback may delete elements, its own or others: what is gone when it is its turn is passed over. */
function* eachKey({ memory }: ProgramHost, map: EmbeddedMap): Generator<Address> {
  const size = (map.keySize + 7) & ~7;
  const keys: Uint8Array[] = [];
  const key = setAside(memory.tryAllocate(size));
  try {
    for (let result = map.getNextKey(0, key); result === 0; result = map.getNextKey(key, key)) {
      keys.push(memory.u8.slice(key, key + size));
    }
    for (const each of keys) {
      memory.u8.set(each, key);
      yield key;
    }
  } finally {
    memory.release(key);
  }
}

function setAside(address: Address): Address {
  if (address === 0) throw new NoRoom();
  return address;
}

/** bpf_user_ringbuf_drain: each record as a dynptr. */
export const USER_RINGBUF_DRAIN: HelperFunction = {
  takes: ["map", "u32", "u32", "u64"],
  answers: "s64",
  callsBack: true,
  make:
    ({ memory }, program, map) =>
    (address, context, flags, frame) => {
      const callback = program.callback(address as number);
      const dynptr = memory.tryAllocate(DYNPTR_BYTES);
      if (dynptr === 0) return -ENOMEM;
      const drained = (map as UserRingbufMap).drain((sample, size) => {
        writeDynptr(memory, dynptr, sample, size);
        return callback(dynptr, context as number, 0, 0, frame as number);
      }, flags as number);
      memory.release(dynptr);
      return drained;
    },
};
