import { EINVAL } from "../../abi/errno.ts";
import { mapFlagCNames } from "../../abi/flag-names.ts";
import {
  BPF_F_NUMA_NODE,
  BPF_F_RDONLY,
  BPF_F_RDONLY_PROG,
  BPF_F_TOKEN_FD,
  BPF_F_WRONLY,
  BPF_F_WRONLY_PROG,
} from "../../abi/flags.ts";
import {
  BPF_MAP_TYPE_ARENA,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_BLOOM_FILTER,
  BPF_MAP_TYPE_STRUCT_OPS,
} from "../../abi/map-types.ts";
import { type CreationRule, smallestOf, tryOut } from "./creation.ts";
import { OBJECT_STORAGES } from "./map-type-facts.ts";
import { shown } from "./shown.ts";

/** The attributes that are numbers of 32 bits: of any other, `sys` passes on what 32 bits keep. */
const NUMBERS = ["keySize", "valueSize", "maxEntries"] as const;

/** SHA-256. */
const HASH_BYTES = 32;

/** A number that the kernel was given as another one. */
export const noNumber: CreationRule = ({ given }) => {
  const name = NUMBERS.find((each) => given[each] !== undefined && given[each] >>> 0 !== given[each]);
  return name && `${name} is ${shown(given[name])}, which is no whole number from 0 to 4294967295.`;
};

const wrongTypeIds: CreationRule = ({ type, aMap, given }) => {
  if ((given.btfVmlinuxValueTypeId ?? 0) !== 0) {
    if (type !== BPF_MAP_TYPE_STRUCT_OPS) return `btfVmlinuxValueTypeId is for struct_ops alone, not for ${aMap}.`;
    const others = (given.btfKeyTypeId ?? 0) | (given.btfValueTypeId ?? 0);
    return others === 0 ? undefined : "btfVmlinuxValueTypeId takes the place of btfKeyTypeId and btfValueTypeId.";
  }
  const hasKeyAlone = (given.btfKeyTypeId ?? 0) !== 0 && (given.btfValueTypeId ?? 0) === 0;
  return hasKeyAlone ? "btfKeyTypeId is given, and btfValueTypeId is not: give both, or none." : undefined;
};

/** What cannot be made without BTF: `bpf_local_storage_map_alloc_check`, `bpf_struct_ops_map_alloc_check`. */
const missingBtf: CreationRule = ({ typeName, type, aMap, given }) => {
  if (type === BPF_MAP_TYPE_STRUCT_OPS && (given.btfVmlinuxValueTypeId ?? 0) === 0) {
    return "a struct_ops is made with btfVmlinuxValueTypeId: the id of its type in the BTF of Linux.";
  }
  const hasTypes = (given.btfKeyTypeId ?? 0) !== 0 && (given.btfValueTypeId ?? 0) !== 0;
  if (!OBJECT_STORAGES.has(typeName) || hasTypes) return undefined;
  return `${aMap} is made with BTF only: give btfFd, btfKeyTypeId and btfValueTypeId.`;
};

const unwantedExtra: CreationRule = ({ type, aMap, given }) => {
  if (Number(given.mapExtra ?? 0) === 0 || type === BPF_MAP_TYPE_BLOOM_FILTER || type === BPF_MAP_TYPE_ARENA) {
    return undefined;
  }
  return `mapExtra is ${given.mapExtra}, and ${aMap} takes none: only bloom_filter and arena do.`;
};

/** Flags that exclude each other. */
const PAIRS = [
  [BPF_F_RDONLY, BPF_F_WRONLY, "leave out both, and the map can be read and written."],
  [BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG, "leave out both, and programs can read and write the map."],
] as const;

function contradiction(pair: (typeof PAIRS)[number]): CreationRule {
  const [one, other, advice] = pair;
  return ({ flags }) => {
    if ((flags & one) === 0 || (flags & other) === 0) return undefined;
    return `the flags ${mapFlagCNames(one | other).join(" and ")} exclude each other: ${advice}`;
  };
}

/** Asked of an array of four bytes, with which nothing else can be wrong. */
const missingNumaNode: CreationRule = ({ sys, flags, given }) => {
  if ((flags & BPF_F_NUMA_NODE) === 0) return undefined;
  const numaNode = given.numaNode ?? 0;
  const array = { type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 };
  if (tryOut(sys, { ...array, flags: BPF_F_NUMA_NODE, numaNode }) !== -EINVAL) return undefined;
  return `there is no NUMA node ${numaNode} here: choose another numaNode, or leave out the flag numa_node.`;
};

const missingType: CreationRule = ({ kernel, sys, type, typeName, facts }) => {
  if (typeName === undefined) return `there is no map type ${type}: Linux 6.18 has those from 1 (hash) to 33 (arena).`;
  if (facts === undefined || tryOut(sys, smallestOf(type, facts)) !== -EINVAL) return undefined;
  return `the ${kernel.name} kernel has no map type ${typeName}.`;
};

/** Bits that are no flag at all come first: the type is not to blame for them. */
const unknownFlags: CreationRule = ({ flags }) => {
  const unnamed = mapFlagCNames(flags).filter((name) => name.startsWith("0x"));
  return unnamed.length === 0 ? undefined : `flags has ${unnamed.join()}, which is no flag of Linux 6.18.`;
};

const unwantedFlags: CreationRule = ({ flags, aMap, facts }) => {
  if (facts === undefined) return undefined;
  const unwanted = (flags & ~(facts.flags | BPF_F_TOKEN_FD)) >>> 0;
  if (unwanted === 0) return undefined;
  return `${aMap} does not take ${mapFlagCNames(unwanted).join(", ")}: it takes ${mapFlagCNames(facts.flags).join(", ")}.`;
};

const missingFlags: CreationRule = ({ flags, aMap, facts }) => {
  const missing = (facts?.needs ?? 0) & ~flags;
  return missing === 0 ? undefined : `${aMap} is made with ${mapFlagCNames(missing).join(", ")} only: add it to flags.`;
};

const deviceMap: CreationRule = ({ given }) =>
  (given.ifindex ?? 0) === 0
    ? undefined
    : `ifindex is ${given.ifindex}, and that network device takes no maps: leave it out, and the map lies in memory.`;

const wrongHash: CreationRule = ({ given: { exclProgHash } }) =>
  exclProgHash === undefined || exclProgHash.length === HASH_BYTES
    ? undefined
    : `exclProgHash is ${exclProgHash.length} bytes, and a SHA-256 is ${HASH_BYTES}.`;

const noToken: CreationRule = ({ flags, given }) =>
  (flags & BPF_F_TOKEN_FD) === 0 ? undefined : `tokenFd is ${given.tokenFd ?? 0}, which is no fd of a BPF token.`;

const wrongInnerMap: CreationRule = ({ sys, typeName, given }) => {
  if (typeName !== "array_of_maps" && typeName !== "hash_of_maps") return undefined;
  const inner = sys.objGetInfoByFd(given.innerMapFd ?? 0);
  if (typeof inner === "number") return `innerMapFd is ${given.innerMapFd ?? 0}, which is no fd of a map.`;
  return String(inner.type).endsWith("_of_maps")
    ? "maps of maps go one level deep: the inner map holds maps itself."
    : undefined;
};

/** EINVAL that no type is asked about: `kernel/bpf/syscall.c: map_create`, 6.18, in its order. */
export const WRONG_BEFORE_TYPE: readonly CreationRule[] = [
  noNumber,
  wrongTypeIds,
  missingBtf,
  unwantedExtra,
  contradiction(PAIRS[0]),
  missingNumaNode,
  missingType,
];

/** EINVAL for flags that the type does not go with. */
export const WRONG_FLAGS: readonly CreationRule[] = [
  unknownFlags,
  unwantedFlags,
  contradiction(PAIRS[1]),
  missingFlags,
];

/** A device that takes no maps: EINVAL, or ENOTSUP. */
export const WRONG_DEVICE: CreationRule = deviceMap;

/** EINVAL that comes once the type has nothing against the map. */
export const WRONG_AFTER_TYPE: readonly CreationRule[] = [deviceMap, noToken, wrongInnerMap, wrongHash];
