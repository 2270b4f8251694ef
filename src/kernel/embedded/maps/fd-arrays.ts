import { E2BIG, EBADF, EINVAL, ENOENT, ENOTSUPP } from "../../../abi/errno.ts";
import { BPF_ANY } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import { checkObjectArray, ObjectArray, objectMapType } from "./object-map.ts";

export const FD_SIZE = [4];

/** What the arrays of fds have in common: `kernel/bpf/arraymap.c: bpf_fd_array_map_update_elem` and those around it, 6.18. */
export abstract class FdArray extends ObjectArray {
  /** What the type says of an open fd that is not one of its objects. */
  protected abstract readonly wrongFd: number;

  override update(key: Address, value: Address, flags: number): number {
    if (flags !== BPF_ANY) return -EINVAL;
    return this.has(key) ? this.refusal(value, this.wrongFd, EBADF) : -E2BIG;
  }

  override delete(key: Address): number {
    return this.has(key) ? -ENOENT : -E2BIG;
  }
}

/** Perf events and cgroups cannot be read back: their arrays have no `map_fd_sys_lookup_elem`. */
export class WriteOnlyFdArray extends FdArray {
  /** `perf_event_get`, `cgroup_get_from_fd`. */
  protected readonly wrongFd = EBADF;

  override copyValue(_key: Address, _value: Address): number {
    return -ENOTSUPP;
  }
}

/** `"cgroup_array"`: `kernel/bpf/arraymap.c`, 6.18. */
export const CGROUP_ARRAY = objectMapType({ check: (attr) => checkObjectArray(attr, FD_SIZE), map: WriteOnlyFdArray });
