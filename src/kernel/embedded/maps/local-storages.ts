import { E2BIG, EBADF, EFAULT, EINVAL, ENOTSOCK, ENOTSUP, ENOTSUPP } from "../../../abi/errno.ts";
import { BPF_F_CLONE, BPF_F_LOCK, BPF_F_NO_PREALLOC } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import { PAGE_SIZE } from "../../../memory/page-allocator.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { accessOk } from "../user-memory.ts";
import { ObjectMap, objectMapType } from "./object-map.ts";

/** `BPF_LOCAL_STORAGE_MAX_VALUE_SIZE` on 64 bits: what a u16 counts, less `struct bpf_local_storage_elem`. */
export const LOCAL_STORAGE_MAX_VALUE_SIZE = 65407;

const U32_MAX = 2 ** 32 - 1;

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

/** `kernel/bpf/bpf_task_storage.c`, 6.18: the values may point to memory of user space, which is held while they do. */
class TaskStorage extends LocalStorage {
  override update(key: Address, value: Address, flags: number): number {
    const pointers = this.record?.fields.filter(({ type }) => type === "uptr") ?? [];
    for (const { offset, target = 0 } of pointers) {
      const error = this.#pinRefusal(value + offset, this.btf?.raw.size(target) ?? 0);
      if (error !== 0) return error;
    }
    if (pointers.length > 0 && (flags & BPF_F_LOCK) !== 0) return -ENOTSUP;
    return super.update(key, value, flags);
  }

  /** Why what the pointer at an address points to cannot be held: `kernel/bpf/syscall.c: bpf_obj_pin_uptrs`. */
  #pinRefusal(at: Address, size: number): number {
    const { view } = this.memory;
    const low = view.getUint32(at, true);
    const high = view.getUint32(at + 4, true);
    if (low === 0 && high === 0) return 0;
    const end = low + size - 1;
    if (high === U32_MAX && end > U32_MAX) return -EFAULT;
    if ((low % PAGE_SIZE) + size > PAGE_SIZE) return -ENOTSUP;
    return high === 0 && accessOk(this.memory, low, 1) ? 0 : -EFAULT;
  }
}

/** `"sk_storage"`. */
export const SK_STORAGE = objectMapType({ check, map: SkStorage });

/** `"task_storage"`. */
export const TASK_STORAGE = objectMapType({ check, map: TaskStorage });

/** `"inode_storage"` and `"cgrp_storage"`. */
export const LOCAL_STORAGE = objectMapType({ check, map: LocalStorage });
