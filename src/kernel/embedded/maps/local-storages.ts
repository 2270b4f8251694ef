import { E2BIG, EBADF, EINVAL, ENOTSOCK, ENOTSUPP } from "../../../abi/errno.ts";
import { BPF_F_CLONE, BPF_F_NO_PREALLOC } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { ObjectMap, objectMapType } from "./object-map.ts";

/** `BPF_LOCAL_STORAGE_MAX_VALUE_SIZE` on 64 bits: what a u16 counts, less `struct bpf_local_storage_elem`. */
export const LOCAL_STORAGE_MAX_VALUE_SIZE = 65407;

/** `bpf_local_storage_map_alloc_check`: there is no such map without BTF. */
function check(attr: MapCreateAttr): number {
  const hasFlags = attr.hasOnlyFlags(BPF_F_NO_PREALLOC | BPF_F_CLONE) && (attr.flags & BPF_F_NO_PREALLOC) !== 0;
  const hasSizes = attr.keySize === 4 && attr.valueSize > 0 && attr.maxEntries === 0;
  if (!hasFlags || !hasSizes || attr.btfKeyTypeId === 0 || attr.btfValueTypeId === 0) return -EINVAL;
  return attr.valueSize > LOCAL_STORAGE_MAX_VALUE_SIZE ? -E2BIG : 0;
}

/**
 * A value beside each object of some kind, found by an fd of the object: `kernel/bpf/bpf_local_storage.c`, 6.18. Here no
 * fd is of a process or a cgroup, or of an inode that keeps anything.
 */
class LocalStorage extends ObjectMap {
  /** What the type says of an open fd that is not one of its objects. */
  protected readonly wrongFd: number = EBADF;

  override copyValue(key: Address, _value: Address): number {
    return this.refusal(key, this.wrongFd, EBADF);
  }

  override update(key: Address, _value: Address, _flags: number): number {
    return this.refusal(key, this.wrongFd, EBADF);
  }

  override delete(key: Address): number {
    return this.refusal(key, this.wrongFd, EBADF);
  }

  override getNextKey(_key: Address, _next: Address): number {
    return -ENOTSUPP;
  }
}

/** `net/core/bpf_sk_storage.c`, 6.18. */
class SkStorage extends LocalStorage {
  protected override readonly wrongFd = ENOTSOCK;
}

/** `"sk_storage"`. */
export const SK_STORAGE = objectMapType({ check, map: SkStorage });

/** `"inode_storage"`, `"task_storage"` and `"cgrp_storage"`. */
export const LOCAL_STORAGE = objectMapType({ check, map: LocalStorage });
