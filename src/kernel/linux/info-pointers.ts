import { readlinkSync } from "node:fs";
import { OBJ_INFO } from "../../abi/attr.ts";
import { type BpfObjectKind, INFO_POINTERS } from "../../abi/attr-pointers.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import type { AbsoluteAddresses } from "./absolute-addresses.ts";

/** What /proc calls the files of `bpf(2)` (`anon_inode_getfd` in kernel/bpf/syscall.c and kernel/bpf/btf.c). */
const KINDS: Readonly<Record<string, BpfObjectKind>> = {
  "anon_inode:bpf-map": "map",
  "anon_inode:bpf-prog": "prog",
  "anon_inode:btf": "btf",
  "anon_inode:bpf_link": "link",
};

const EVERY_OFFSET = [...new Set(Object.values(INFO_POINTERS).flat())];

/** Puts the info as it was found: its own addresses, but where Linux wrote something else. */
export type RestoreInfo = () => void;

const NOTHING_TO_RESTORE: RestoreInfo = () => {};

/**
 * BPF_OBJ_GET_INFO_BY_FD is the one command whose pointers lead to further pointers: a caller who wants a program's
 * instructions puts their address into the info. Makes those absolute in place, for the time of the call.
 *
 * Answers how to restore them, or `undefined` when the info has bytes where a pointer may be and nobody can say
 * whether it is one: it is a link's, it ends inside a pointer, or /proc does not tell the object's kind.
 */
export function rebaseInfo(
  memory: AddressSpace,
  addresses: AbsoluteAddresses,
  attr: DataView,
): RestoreInfo | undefined {
  const info = attr.getUint32(OBJ_INFO.INFO, true);
  const length = attr.getUint32(OBJ_INFO.INFO_LEN, true);
  const inMemory = attr.getUint32(OBJ_INFO.INFO + 4, true) === 0 && info + length <= memory.size;
  if (!inMemory) return NOTHING_TO_RESTORE;

  const set = (offset: number) => isSet(memory.u8, info + offset, Math.min(8, length - offset));
  if (!EVERY_OFFSET.some(set)) return NOTHING_TO_RESTORE;
  const kind = kindOf(attr.getUint32(OBJ_INFO.BPF_FD, true));
  if (kind === undefined) return undefined;
  const offsets = INFO_POINTERS[kind].filter(set);
  if (offsets.length === 0) return NOTHING_TO_RESTORE;
  if (kind === "link" || offsets.some((offset) => offset + 8 > length)) return undefined;
  return rebaseAll(
    memory.view,
    addresses,
    offsets.map((offset) => info + offset),
  );
}

function isSet(bytes: Uint8Array, start: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (bytes[start + i] !== 0) return true;
  return false;
}

function kindOf(fd: number): BpfObjectKind | undefined {
  try {
    return KINDS[readlinkSync(`/proc/self/fd/${fd}`)];
  } catch {
    return undefined;
  }
}

function rebaseAll(view: DataView, addresses: AbsoluteAddresses, places: readonly Address[]): RestoreInfo {
  const words = new Uint32Array(2);
  const changed = places.map((place) => {
    const original = view.getBigUint64(place, true);
    addresses.place(words, 0, view.getUint32(place, true), view.getUint32(place + 4, true));
    view.setUint32(place, words[0] as number, true);
    view.setUint32(place + 4, words[1] as number, true);
    return { place, original, absolute: view.getBigUint64(place, true) };
  });
  return () => {
    for (const { place, original, absolute } of changed) {
      if (view.getBigUint64(place, true) === absolute) view.setBigUint64(place, original, true);
    }
  };
}
