import { PROG_INFO } from "../abi/info.ts";
import { type ProgTypeName, progTypeName } from "../abi/prog-types.ts";
import type { Memory } from "../memory/address-space.ts";

/** What a kernel says of a program: `struct bpf_prog_info`. */
export interface ProgInfo {
  /** bpftool's name of the type; the number of one that Linux 6.18 does not have. */
  readonly type: ProgTypeName | number;
  /** The kernel's number for the program, unique while it lives. */
  readonly id: number;
  /** 16 hexadecimal digits that are the same for the same instructions. */
  readonly tag: string;
  readonly name: string;
  readonly gplCompatible: boolean;
  /** Bytes of the instructions as the kernel rewrote them, and of the machine code. */
  readonly xlatedProgLen: number;
  readonly jitedProgLen: number;
  /** When it was loaded, in nanoseconds since the machine was started. */
  readonly loadTime: bigint;
  readonly createdByUid: number;
  /** How many maps the program uses. */
  readonly nrMapIds: number;
  readonly ifindex: number;
  /** The id of the program's BTF, 0 for none. */
  readonly btfId: number;
  readonly nrFuncInfo: number;
  readonly nrLineInfo: number;
  /** Nanoseconds, and times that it ran; both count only while statistics are switched on. */
  readonly runTimeNs: bigint;
  readonly runCnt: bigint;
  readonly recursionMisses: bigint;
  /** How many instructions the verifier went through. */
  readonly verifiedInsns: number;
  readonly attachBtfObjId: number;
  readonly attachBtfId: number;
}

/** What `progGetInfoByFd` fills, each as far as it reaches. */
export interface ProgInfoBuffers {
  /** The ids of the program's maps. */
  readonly mapIds?: Uint32Array | undefined;
  /** The instructions as the kernel rewrote them. */
  readonly xlatedInsns?: Uint8Array | undefined;
  /** The machine code. */
  readonly jitedInsns?: Uint8Array | undefined;
}

/** Reads the `struct bpf_prog_info` at an address. */
export function readProgInfo(memory: Memory, at: number): ProgInfo {
  const u32 = (offset: number): number => memory.view.getUint32(at + offset, true);
  const u64 = (offset: number): bigint => memory.view.getBigUint64(at + offset, true);
  const bytes = (offset: number, length: number): Uint8Array => memory.u8.slice(at + offset, at + offset + length);
  const name = bytes(PROG_INFO.NAME, 16);
  const type = u32(PROG_INFO.TYPE);
  return {
    type: progTypeName(type) ?? type,
    id: u32(PROG_INFO.ID),
    tag: [...bytes(PROG_INFO.TAG, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    name: new TextDecoder("latin1").decode(name.subarray(0, (name.indexOf(0) + 17) % 17)),
    gplCompatible: (u32(PROG_INFO.GPL_COMPATIBLE) & 1) !== 0,
    xlatedProgLen: u32(PROG_INFO.XLATED_PROG_LEN),
    jitedProgLen: u32(PROG_INFO.JITED_PROG_LEN),
    loadTime: u64(PROG_INFO.LOAD_TIME),
    createdByUid: u32(PROG_INFO.CREATED_BY_UID),
    nrMapIds: u32(PROG_INFO.NR_MAP_IDS),
    ifindex: u32(PROG_INFO.IFINDEX),
    btfId: u32(PROG_INFO.BTF_ID),
    nrFuncInfo: u32(PROG_INFO.NR_FUNC_INFO),
    nrLineInfo: u32(PROG_INFO.NR_LINE_INFO),
    runTimeNs: u64(PROG_INFO.RUN_TIME_NS),
    runCnt: u64(PROG_INFO.RUN_CNT),
    recursionMisses: u64(PROG_INFO.RECURSION_MISSES),
    verifiedInsns: u32(PROG_INFO.VERIFIED_INSNS),
    attachBtfObjId: u32(PROG_INFO.ATTACH_BTF_OBJ_ID),
    attachBtfId: u32(PROG_INFO.ATTACH_BTF_ID),
  };
}
