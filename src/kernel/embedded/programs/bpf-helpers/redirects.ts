import { EINVAL } from "../../../../abi/errno.ts";
import { BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH } from "../../../../abi/map-types.ts";
import { BPF_PROG_TYPE_XDP } from "../../../../abi/prog-types.ts";
import type { HelperFunction } from "./helper-function.ts";

const XDP_ABORTED = 0;
const XDP_REDIRECT = 4;
const TC_ACT_SHOT = 2;
const TC_ACT_REDIRECT = 7;
/** The action to take when nothing is found: the lower bits of the flags. */
const ACTIONS = 3;
const BPF_F_BROADCAST = 8;
const BPF_F_EXCLUDE_INGRESS = 16;
const BPF_F_INGRESS = 1;

/** bpf_redirect: only says so. Nothing is sent, for there is no network. */
export const REDIRECT: HelperFunction = {
  takes: ["ignored", "u64"],
  answers: "s64",
  make: (_host, program) => (flags) => {
    if (program.type === BPF_PROG_TYPE_XDP) return flags === 0 ? XDP_REDIRECT : XDP_ABORTED;
    return (flags as number) > BPF_F_INGRESS ? TC_ACT_SHOT : TC_ACT_REDIRECT;
  },
};

/** bpf_redirect_neigh, bpf_redirect_peer. */
export const REDIRECT_NEIGH: HelperFunction = {
  takes: ["ignored", "ignored", "u32", "u64"],
  answers: "s64",
  make: () => (size, flags) => {
    const isUnfit = flags !== 0 || ((size as number) !== 0 && (size as number) < 20);
    return isUnfit ? TC_ACT_SHOT : TC_ACT_REDIRECT;
  },
};

export const REDIRECT_PEER: HelperFunction = {
  takes: ["ignored", "u64"],
  answers: "s64",
  make: () => (flags) => (flags === 0 ? TC_ACT_REDIRECT : TC_ACT_SHOT),
};

/** bpf_redirect_map: `include/linux/filter.h: __bpf_xdp_redirect_map`, 6.18. */
export const REDIRECT_MAP: HelperFunction = {
  takes: ["map", "u32", "u64"],
  answers: "s64",
  make(host, _program, map) {
    const isDevmap = map.type === BPF_MAP_TYPE_DEVMAP || map.type === BPF_MAP_TYPE_DEVMAP_HASH;
    const allowed = ACTIONS | (isDevmap ? BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS : 0);
    const { memory, answer, keys } = host;
    return (index, flags) => {
      if ((flags as number) > allowed || ((flags as number) & ~allowed) !== 0) return XDP_ABORTED;
      memory.u32[answer >>> 2] = index as number;
      const isFound = map.lookup(keys.take(map, answer)) !== 0;
      const isBroadcast = ((flags as number) & BPF_F_BROADCAST) !== 0;
      return isFound || isBroadcast ? XDP_REDIRECT : (flags as number) & ACTIONS;
    };
  },
};

/** bpf_clone_redirect: the one device is loopback, to which nothing is sent. */
export const CLONE_REDIRECT: HelperFunction = {
  takes: ["ignored", "u32", "u64"],
  answers: "s32",
  make: () => (device, flags) => ((flags as number) > BPF_F_INGRESS || device !== 1 ? -EINVAL : 0),
};
