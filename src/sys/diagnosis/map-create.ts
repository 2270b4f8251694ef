import { E2BIG, EBADF, EFAULT, EINVAL, EMFILE, ENOMEM, ENOTSUP, ENOTSUPP, EPERM, ERANGE } from "../../abi/errno.ts";
import { BPF_F_NO_PREALLOC, BPF_F_TOKEN_FD, BPF_F_ZERO_SEED } from "../../abi/flags.ts";
import { BPF_MAP_TYPE_ARRAY } from "../../abi/map-types.ts";
import { kernelClosed } from "./closed.ts";
import { type CreationRule, creationRule, smallestOf, tryOut } from "./creation.ts";
import { firstOf, type Rules } from "./failure.ts";
import { noNumber, WRONG_AFTER_TYPE, WRONG_BEFORE_TYPE, WRONG_DEVICE, WRONG_FLAGS } from "./map-create-attributes.ts";
import { ACROSS_4_GIB, TOO_LARGE, WRONG_SIZES } from "./map-create-sizes.ts";
import { culprit } from "./map-create-trial.ts";
import { noRoom } from "./map-memory.ts";
import { nameFault } from "./map-name.ts";

/** The types that also need CAP_NET_ADMIN: `kernel/bpf/syscall.c: map_create`, 6.18. */
const NETWORK_TYPES: ReadonlySet<string | undefined> = new Set([
  "sockmap",
  "sockhash",
  "devmap",
  "devmap_hash",
  "xskmap",
]);

const GIVE_CAP_BPF = "run as root, or in a container with --cap-add BPF.";

/** ZERO_SEED is the one flag that asks for a privilege of its own: `kernel/bpf/hashtab.c: htab_map_alloc_check`. */
const seedPrivilege: CreationRule = ({ sys, flags, facts, type }) => {
  if ((flags & BPF_F_ZERO_SEED) === 0 || facts === undefined) return undefined;
  const small = smallestOf(type, facts);
  if (tryOut(sys, small) !== 0 || tryOut(sys, { ...small, flags: facts.needs | BPF_F_ZERO_SEED }) !== -EPERM) {
    return undefined;
  }
  return "the flag zero_seed needs CAP_SYS_ADMIN, which this process has not: leave it out, it is for tests.";
};

const missingCapability: CreationRule = ({ sys, aMap, typeName }) => {
  const array = { type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 };
  if (tryOut(sys, array) === -EPERM) {
    return `this process may not make maps: it has lost or never had CAP_BPF; ${GIVE_CAP_BPF}`;
  }
  const capability = NETWORK_TYPES.has(typeName) ? "CAP_NET_ADMIN" : "CAP_BPF";
  return `this process may not make ${aMap}, which needs ${capability}; ${GIVE_CAP_BPF.replace("BPF", capability.slice(4))}`;
};

const wrongFd: CreationRule = ({ typeName, flags, given }) => {
  if ((flags & BPF_F_TOKEN_FD) !== 0)
    return `tokenFd is ${given.tokenFd ?? 0}, which is not open: give the fd of a BPF token.`;
  if (typeName === "array_of_maps" || typeName === "hash_of_maps") {
    return `innerMapFd is ${given.innerMapFd ?? 0}, which is no open map: give the fd of a map as all inner maps shall be.`;
  }
  return `btfFd is ${given.btfFd ?? 0}, which is not open: give the fd of the BTF that describes key and value.`;
};

/** `kernel/bpf/hashtab.c: htab_map_alloc_check`: an LRU takes from entries that are there. */
const unpreallocated: CreationRule = ({ aMap, flags }) =>
  (flags & BPF_F_NO_PREALLOC) === 0 ? undefined : `${aMap} is always preallocated: leave out BPF_F_NO_PREALLOC.`;

/** `bpf_struct_ops_map_alloc`. */
const noStructOps: CreationRule = ({ kernel, typeName, given }) =>
  typeName === "struct_ops"
    ? `btfVmlinuxValueTypeId is ${given.btfVmlinuxValueTypeId}, which is no struct_ops of the ${kernel.name} kernel.`
    : undefined;

/** A type without `map_meta_equal`: `kernel/bpf/map_in_map.c: bpf_map_meta_alloc`. */
const noInnerType: CreationRule = ({ sys, typeName, aMap, given }) => {
  if (typeName !== "array_of_maps" && typeName !== "hash_of_maps") return undefined;
  const inner = sys.objGetInfoByFd(given.innerMapFd ?? 0);
  return typeof inner === "number" ? undefined : `maps of type ${inner.type} cannot be held by ${aMap}.`;
};

/** A kernel that keeps its maps where others find them may not be able to keep all types there. */
const notShareable: CreationRule = ({ sys, aMap, given }) =>
  (given.ifindex ?? 0) === 0 && tryOut(sys, { type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 }) === 0
    ? `${aMap} cannot be shared, and this kernel's maps are: make it on a kernel with neither bpffs nor shared.`
    : undefined;

/** BPF_MAP_CREATE. EINVAL has the order in which Linux looks. */
export function mapCreateRules(): Rules {
  return {
    [EINVAL]: creationRule(
      ...WRONG_BEFORE_TYPE,
      ...WRONG_SIZES,
      ...WRONG_FLAGS,
      ...WRONG_AFTER_TYPE,
      nameFault,
      culprit,
    ),
    [E2BIG]: creationRule(noNumber, ...TOO_LARGE, culprit),
    [ENOMEM]: creationRule(noNumber, noRoom),
    [EPERM]: creationRule(seedPrivilege, missingCapability),
    [EBADF]: firstOf(kernelClosed, creationRule(wrongFd)),
    [ENOTSUPP]: creationRule(noStructOps, noInnerType, unpreallocated, culprit),
    [ERANGE]: creationRule(ACROSS_4_GIB),
    [ENOTSUP]: creationRule(WRONG_DEVICE, notShareable, culprit),
    [EFAULT]: () => "exclProgHash cannot be read.",
    [EMFILE]: () =>
      "this process has as many files open as it may: close maps that are not needed, or raise the limit (ulimit -n).",
  };
}
