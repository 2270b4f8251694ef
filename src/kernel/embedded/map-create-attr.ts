import { BPF_OBJ_NAME_LEN, MAP_CREATE } from "../../abi/attr.ts";
import {
  BPF_F_NUMA_NODE,
  BPF_F_RDONLY,
  BPF_F_RDONLY_PROG,
  BPF_F_TOKEN_FD,
  BPF_F_WRONLY,
  BPF_F_WRONLY_PROG,
} from "../../abi/flags.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import { objectName } from "./object-name.ts";

/** `numa_node` when the caller does not choose one. */
const NUMA_NO_NODE = -1;

/** The attr of BPF_MAP_CREATE, taken out of memory once: the checks of the map types read it by name. */
export class MapCreateAttr {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** `map_flags` without BPF_F_TOKEN_FD, which the map types never see. */
  readonly flags: number;
  readonly innerMapFd: number;
  readonly hasTokenFlag: boolean;
  readonly tokenFd: number;
  /** `numa_node`, or −1 when BPF_F_NUMA_NODE is not set. */
  readonly numaNode: number;
  /** The 16 bytes of `map_name`, cleared behind the first NUL; `undefined` when it is no valid object name. */
  readonly name: Uint8Array;
  readonly hasValidName: boolean;
  readonly ifindex: number;
  readonly btfFd: number;
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  readonly btfVmlinuxValueTypeId: number;
  /** With BPF_F_VTYPE_BTF_OBJ_FD: the BTF that the value's type is of. */
  readonly valueTypeBtfObjFd: number;
  readonly mapExtraLow: number;
  readonly mapExtraHigh: number;
  readonly exclProgHash: Address;
  readonly exclProgHashSize: number;

  constructor(memory: AddressSpace, attr: Address) {
    const u32 = (offset: number): number => memory.view.getUint32(attr + offset, true);
    const flags = u32(MAP_CREATE.MAP_FLAGS);
    this.type = u32(MAP_CREATE.MAP_TYPE);
    this.keySize = u32(MAP_CREATE.KEY_SIZE);
    this.valueSize = u32(MAP_CREATE.VALUE_SIZE);
    this.maxEntries = u32(MAP_CREATE.MAX_ENTRIES);
    this.flags = (flags & ~BPF_F_TOKEN_FD) >>> 0;
    this.innerMapFd = u32(MAP_CREATE.INNER_MAP_FD) | 0;
    this.hasTokenFlag = (flags & BPF_F_TOKEN_FD) !== 0;
    this.tokenFd = u32(MAP_CREATE.MAP_TOKEN_FD) | 0;
    this.numaNode = (flags & BPF_F_NUMA_NODE) !== 0 ? u32(MAP_CREATE.NUMA_NODE) | 0 : NUMA_NO_NODE;
    const name = objectName(memory, attr + MAP_CREATE.MAP_NAME);
    this.hasValidName = name !== undefined;
    this.name = name ?? new Uint8Array(BPF_OBJ_NAME_LEN);
    this.ifindex = u32(MAP_CREATE.MAP_IFINDEX);
    this.btfFd = u32(MAP_CREATE.BTF_FD);
    this.btfKeyTypeId = u32(MAP_CREATE.BTF_KEY_TYPE_ID);
    this.btfValueTypeId = u32(MAP_CREATE.BTF_VALUE_TYPE_ID);
    this.btfVmlinuxValueTypeId = u32(MAP_CREATE.BTF_VMLINUX_VALUE_TYPE_ID);
    this.valueTypeBtfObjFd = u32(MAP_CREATE.VALUE_TYPE_BTF_OBJ_FD) | 0;
    this.mapExtraLow = u32(MAP_CREATE.MAP_EXTRA);
    this.mapExtraHigh = u32(MAP_CREATE.MAP_EXTRA + 4);
    this.exclProgHash = u32(MAP_CREATE.EXCL_PROG_HASH) + u32(MAP_CREATE.EXCL_PROG_HASH + 4) * 2 ** 32;
    this.exclProgHashSize = u32(MAP_CREATE.EXCL_PROG_HASH_SIZE);
  }

  /** The flags that stay with the map: how the first fd may be used is not one of them. */
  get permanentFlags(): number {
    return (this.flags & ~(BPF_F_RDONLY | BPF_F_WRONLY)) >>> 0;
  }

  /** Whether all flags are among `allowed`, and not both sides of the program access. */
  hasOnlyFlags(allowed: number): boolean {
    const bothProgFlags = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
    return (this.flags & ~allowed) === 0 && (this.flags & bothProgFlags) !== bothProgFlags;
  }

  get hasNumaNode(): boolean {
    return this.numaNode !== NUMA_NO_NODE;
  }
}
