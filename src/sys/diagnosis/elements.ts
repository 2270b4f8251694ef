import {
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_ELEM,
} from "../../abi/commands.ts";
import {
  E2BIG,
  EBADF,
  EEXIST,
  EFAULT,
  EINVAL,
  ENOENT,
  ENOMEM,
  ENOSPC,
  ENOTSUP,
  ENOTSUPP,
  EPERM,
} from "../../abi/errno.ts";
import { BPF_EXIST, BPF_F_LOCK, BPF_NOEXIST } from "../../abi/flags.ts";
import type { MapInfo } from "../map-info.ts";
import { mapShape } from "../map-shape.ts";
import { notReadable, notWritable } from "./access.ts";
import { fdClosed } from "./closed.ts";
import { type Failure, firstOf, infoOf, keyOf, mapOf, type Rule, type Rules, typeOf } from "./failure.ts";
import { mapTypeFacts } from "./map-type-facts.ts";
import { hex } from "./shown.ts";

/** Types whose keys are indexes, all there from the beginning. */
const INDEXED: ReadonlySet<unknown> = new Set([
  "array",
  "percpu_array",
  "array_of_maps",
  "prog_array",
  "perf_event_array",
  "cgroup_array",
]);

/** Types whose updates push. */
const PUSHED: ReadonlySet<unknown> = new Set(["queue", "stack"]);

/** Types whose values are given as fds. */
const HOLDING_FDS: ReadonlyMap<unknown, string> = new Map([
  ["array_of_maps", "a map made as its inner map is"],
  ["hash_of_maps", "a map made as its inner map is"],
  ["prog_array", "a program of the type that is there already"],
  ["perf_event_array", "a perf event"],
  ["cgroup_array", "a cgroup"],
]);

/** What a type has not, by command. */
const OPERATIONS: Readonly<Record<number, string>> = {
  [BPF_MAP_LOOKUP_ELEM]: "have no lookup by bpf(2)",
  [BPF_MAP_UPDATE_ELEM]: "have no update by bpf(2)",
  [BPF_MAP_DELETE_ELEM]: "have nothing that can be deleted",
  [BPF_MAP_GET_NEXT_KEY]: "have no keys to go through",
  [BPF_MAP_LOOKUP_AND_DELETE_ELEM]: "have no take (BPF_MAP_LOOKUP_AND_DELETE_ELEM) on this kernel: get, then delete",
};

/** Full, or past the end. */
const full: Rule = (failure) => {
  const info = infoOf(failure);
  if (info === undefined) return undefined;
  const map = mapOf(failure);
  if (!INDEXED.has(info.type)) {
    const makeRoom = PUSHED.has(info.type) ? 'Pop some, push with "exist" to drop the oldest' : "Delete some";
    return `${map} is full: it has all of its ${info.maxEntries} entries. ${makeRoom}, or create it with a larger maxEntries.`;
  }
  const index = indexOf(failure);
  const what = index === undefined ? "the index" : `index ${index}`;
  return `${what} is past the end of ${map}: it has ${info.maxEntries} entries, so its last index is ${info.maxEntries - 1}.`;
};

function indexOf({ keyBytes }: Failure): number | undefined {
  if (keyBytes === undefined || keyBytes.length !== 4) return undefined;
  return new DataView(keyBytes.buffer, keyBytes.byteOffset).getUint32(0, true);
}

const exists: Rule = (failure) => {
  const info = infoOf(failure);
  if (INDEXED.has(info?.type)) {
    return `every index of ${mapOf(failure)} is there from the beginning, so "noexist" never succeeds: use "any" or "exist".`;
  }
  return `${keyOf(failure)} is in ${mapOf(failure)} already, and "noexist" only adds: use "any" to overwrite it.`;
};

const missing: Rule = (failure) =>
  `${keyOf(failure)} is not in ${mapOf(failure)}${(failure.flags ?? 0) & BPF_EXIST ? ', and "exist" only overwrites: use "any" to add it' : ""}.`;

/** A prefix that counts more bits than the key has behind it: `kernel/bpf/lpm_trie.c: trie_update_elem`, 6.18. */
const longPrefix: Rule = (failure) => {
  const info = infoOf(failure);
  const { keyBytes } = failure;
  if (info?.type !== "lpm_trie" || keyBytes === undefined || keyBytes.length < 5) return undefined;
  const prefix = new DataView(keyBytes.buffer, keyBytes.byteOffset).getUint32(0, true);
  const most = (info.keySize - 4) * 8;
  return prefix > most ? `the prefix length is ${prefix}, and a key of ${mapOf(failure)} has ${most} bits.` : undefined;
};

export const wrongFlags: Rule = (failure) => {
  const flags = failure.flags ?? 0;
  if (flags === 0) return undefined;
  if (flags & BPF_F_LOCK) {
    return `BPF_F_LOCK is for values that have a struct bpf_spin_lock, and those of ${mapOf(failure)} have none.`;
  }
  const updates = failure.command === BPF_MAP_UPDATE_ELEM;
  const taken = updates ? updateFlags(infoOf(failure)) : "none but BPF_F_LOCK";
  if (updates && taken === KEYED_FLAGS && flags === (BPF_NOEXIST | BPF_EXIST)) {
    return "BPF_NOEXIST and BPF_EXIST exclude each other: choose one, or BPF_ANY.";
  }
  return `flags is ${hex(flags)}, and ${mapOf(failure)} takes ${taken} here.`;
};

const KEYED_FLAGS = "BPF_ANY, BPF_NOEXIST or BPF_EXIST";

/** Types whose updates always overwrite: `kernel/bpf/arraymap.c: bpf_fd_array_map_update_elem`, and a bloom filter. */
const ALWAYS_OVERWRITTEN: ReadonlySet<unknown> = new Set([
  "array_of_maps",
  "prog_array",
  "perf_event_array",
  "cgroup_array",
  "bloom_filter",
]);

/** The flags of an update: a value without a key cannot be there already. */
function updateFlags(info: MapInfo | undefined): string {
  if (PUSHED.has(info?.type)) return "BPF_ANY or BPF_EXIST";
  return ALWAYS_OVERWRITTEN.has(info?.type) ? "BPF_ANY alone" : KEYED_FLAGS;
}

/** A map that is held as a value must be made as the inner map was: `kernel/bpf/map_in_map.c: bpf_map_fd_get_ptr`. */
const wrongFdValue: Rule = (failure) => {
  const what = HOLDING_FDS.get(infoOf(failure)?.type);
  return what && `the value is not the fd of ${what}, which ${mapOf(failure)} holds.`;
};

const closedFdValue: Rule = (failure) => {
  const what = HOLDING_FDS.get(infoOf(failure)?.type);
  return what && `the value is an fd that is not open: ${mapOf(failure)} takes the fd of ${what}.`;
};

const indexed: Rule = (failure) =>
  INDEXED.has(infoOf(failure)?.type)
    ? `the entries of ${mapOf(failure)}, ${anArray(infoOf(failure))}, are always there: they cannot be deleted. Set them to zero instead.`
    : undefined;

function anArray(info: MapInfo | undefined): string {
  return info?.type === "array" || info?.type === "array_of_maps" ? `an ${info.type}` : `a ${info?.type}`;
}

const takenIndexed: Rule = (failure) => {
  const info = infoOf(failure);
  if (!INDEXED.has(info?.type)) return undefined;
  return `${mapOf(failure)} is ${anArray(info)}, whose entries are always there and cannot be taken: get them, and set them to zero.`;
};

/** `kernel/bpf/syscall.c`: a type whose `map_ops` has no such function. */
const unsupported: Rule = (failure) => {
  const operation = OPERATIONS[Number(failure.command)];
  return operation && `maps of ${typeOf(infoOf(failure))} ${operation}.`;
};

/** Types without keys answer EINVAL. */
const unsupportedWithoutKeys: Rule = (failure) => {
  const info = infoOf(failure);
  return info !== undefined && info.keySize === 0 ? unsupported(failure) : undefined;
};

/** A buffer that is shorter than what the map has; only who calls `bpf.sys` can give one. */
export const tooShort: Rule = (failure) => {
  const info = infoOf(failure);
  if (info === undefined) return undefined;
  const { possibleCpus } = failure.kernel;
  const { keySize, valueSize } = mapShape(info, possibleCpus);
  const slots = mapTypeFacts(info.type)?.isPerCpu
    ? `, ${valueSize / possibleCpus} for each of ${possibleCpus} CPUs`
    : "";
  return `a buffer is too short: ${mapOf(failure)} has keys of ${keySize} bytes and values of ${valueSize} bytes${slots}.`;
};

const noMemory: Rule = (failure) => {
  const none = `${mapOf(failure)} takes memory for each entry that is added, and there is none left: delete entries`;
  const isAlwaysSo = infoOf(failure)?.type === "lpm_trie";
  return isAlwaysSo ? `${none}.` : `${none}, or make it without the flag no_prealloc.`;
};

export function lookupRules(): Rules {
  return {
    [EBADF]: fdClosed,
    [EPERM]: notReadable,
    [EINVAL]: firstOf(wrongFlags, unsupportedWithoutKeys),
    [ENOENT]: missing,
    [EFAULT]: tooShort,
    [ENOTSUPP]: unsupported,
    [ENOTSUP]: unsupported,
  };
}

export function updateRules(): Rules {
  return {
    [EBADF]: firstOf(closedFdValue, fdClosed),
    [EPERM]: notWritable,
    [EINVAL]: firstOf(wrongFlags, longPrefix, wrongFdValue),
    [E2BIG]: full,
    [ENOSPC]: full,
    [EEXIST]: exists,
    [ENOENT]: missing,
    [EFAULT]: tooShort,
    [ENOMEM]: noMemory,
    [ENOTSUPP]: unsupported,
    [ENOTSUP]: unsupported,
  };
}

export function deleteRules(): Rules {
  return {
    [EBADF]: fdClosed,
    [EPERM]: notWritable,
    [EINVAL]: firstOf(indexed, longPrefix, unsupportedWithoutKeys),
    [E2BIG]: full,
    [ENOENT]: missing,
    [EFAULT]: tooShort,
    [ENOTSUPP]: firstOf(indexed, unsupported),
    [ENOTSUP]: unsupported,
  };
}

export function takeRules(): Rules {
  return {
    [EBADF]: fdClosed,
    [EPERM]: firstOf(notWritable, notReadable),
    [EINVAL]: wrongFlags,
    [ENOENT]: missing,
    [EFAULT]: tooShort,
    [ENOTSUPP]: firstOf(takenIndexed, unsupported),
    [ENOTSUP]: unsupported,
  };
}

export function nextKeyRules(): Rules {
  return {
    [EBADF]: fdClosed,
    [EPERM]: notReadable,
    [EINVAL]: unsupported,
    [ENOENT]: (failure) => `${mapOf(failure)} has no further key.`,
    [EFAULT]: tooShort,
    [ENOTSUPP]: unsupported,
    [ENOTSUP]: unsupported,
  };
}
