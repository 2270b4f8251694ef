import { EBADF, EINVAL, ENOTSUPP } from "../../../abi/errno.ts";
import { BPF_F_LINK, BPF_F_VTYPE_BTF_OBJ_FD } from "../../../abi/flags.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import type { MapHost, MapType } from "../map-ops.ts";

/**
 * `"struct_ops"`: functions of Linux that programs stand in for. The embedded kernel has none, and so no such map: it
 * answers as Linux does for the id of a type that is none of these. `kernel/bpf/bpf_struct_ops.c`, 6.18.
 */
export const STRUCT_OPS: MapType = {
  /** `bpf_struct_ops_map_alloc_check`. */
  allocCheck(attr: MapCreateAttr): number {
    const isFit = attr.keySize === 4 && attr.maxEntries === 1 && attr.btfVmlinuxValueTypeId !== 0;
    return isFit && attr.hasOnlyFlags(BPF_F_LINK | BPF_F_VTYPE_BTF_OBJ_FD) ? 0 : -EINVAL;
  },

  /** `bpf_struct_ops_map_alloc`. No file is BTF. */
  alloc({ files }: MapHost, attr: MapCreateAttr): number {
    if ((attr.flags & BPF_F_VTYPE_BTF_OBJ_FD) === 0) return -ENOTSUPP;
    return files.isOpen(attr.valueTypeBtfObjFd) ? -EINVAL : -EBADF;
  },
};
