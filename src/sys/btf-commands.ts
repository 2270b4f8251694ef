import { BTF_LOAD } from "../abi/attr.ts";
import { BPF_BTF_GET_FD_BY_ID, BPF_BTF_GET_NEXT_ID, BPF_BTF_LOAD } from "../abi/commands.ts";
import { BTF_INFO } from "../abi/info.ts";
import { ProgCommands } from "./prog-commands.ts";

/** The options of `sys.btfLoad`. */
export interface BtfLoadOptions {
  /** 0 for no log, 1 for what is wrong, 2 for everything. */
  readonly logLevel?: number | undefined;
  /** Filled with the log, NUL-terminated. */
  readonly logBuf?: Uint8Array | undefined;
  readonly flags?: number | undefined;
  readonly tokenFd?: number | undefined;
}

/** What a kernel says of BTF: `struct bpf_btf_info`. */
export interface BtfInfo {
  /** The kernel's number for the BTF, unique while it lives. */
  readonly id: number;
  /** Bytes of the BTF. */
  readonly btfSize: number;
  /** `"vmlinux"` and the names of modules; empty for a program's. */
  readonly name: string;
  /** Whether it is the kernel's own, or a module's. */
  readonly kernelBtf: boolean;
}

const NAME_BYTES = 64;

/** The commands on BTF. */
export abstract class BtfCommands extends ProgCommands {
  /** BPF_BTF_LOAD: checks BTF and loads it. Answers its first fd, or `−errno`: `−EINVAL` for what is no BTF. */
  btfLoad(btf: Uint8Array, options: BtfLoadOptions = {}): number {
    const { logBuf } = options;
    const attr = this.frame.begin(btf.length, logBuf?.length ?? 0);
    this.u64(attr + BTF_LOAD.BTF, this.frame.put(btf, btf.length));
    const log = logBuf === undefined ? 0 : this.frame.put(logBuf, logBuf.length);
    this.u64(attr + BTF_LOAD.BTF_LOG_BUF, log);
    this.u32(attr + BTF_LOAD.BTF_SIZE, btf.length);
    this.u32(attr + BTF_LOAD.BTF_LOG_SIZE, logBuf?.length);
    this.u32(attr + BTF_LOAD.BTF_LOG_LEVEL, options.logLevel);
    this.u32(attr + BTF_LOAD.BTF_FLAGS, options.flags);
    this.u32(attr + BTF_LOAD.BTF_TOKEN_FD, options.tokenFd);
    const result = this.opened(this.kernel.bpf(BPF_BTF_LOAD, attr, BTF_LOAD.END));
    if (logBuf !== undefined) this.frame.take(log, logBuf, logBuf.length);
    return result;
  }

  /** BPF_BTF_GET_NEXT_ID: sets `nextId[0]` to the lowest BTF id above `startId`. `−ENOENT` when there is none. */
  btfGetNextId(startId: number, nextId: Uint32Array): number {
    return this.nextId(BPF_BTF_GET_NEXT_ID, startId, nextId);
  }

  /** BPF_BTF_GET_FD_BY_ID: opens BTF by its id. `−ENOENT` when none has it. */
  btfGetFdById(id: number): number {
    return this.fdById(BPF_BTF_GET_FD_BY_ID, id, undefined);
  }

  /** BPF_OBJ_GET_INFO_BY_FD: what the kernel knows of the BTF of an fd, or `−errno`. Fills `btf`, as far as it reaches, with the BTF itself. */
  btfGetInfoByFd(fd: number, btf?: Uint8Array): BtfInfo | number {
    let bytes = 0;
    let name = 0;
    const info = this.info(fd, BTF_INFO.SIZE, [NAME_BYTES, btf?.length ?? 0], (at) => {
      name = this.frame.put(new Uint8Array(NAME_BYTES), NAME_BYTES);
      this.u64(at + BTF_INFO.NAME, name);
      this.u32(at + BTF_INFO.NAME_LEN, NAME_BYTES);
      if (btf === undefined) return;
      bytes = this.frame.put(btf, btf.length);
      this.u64(at + BTF_INFO.BTF, bytes);
      this.u32(at + BTF_INFO.BTF_SIZE, btf.length);
    });
    if (info < 0) return info;
    if (btf !== undefined) this.frame.take(bytes, btf, btf.length);
    const { u8, view } = this.kernel.memory;
    const text = u8.slice(name, name + NAME_BYTES);
    return {
      id: view.getUint32(info + BTF_INFO.ID, true),
      btfSize: view.getUint32(info + BTF_INFO.BTF_SIZE, true),
      name: new TextDecoder("latin1").decode(text.subarray(0, text.indexOf(0))),
      kernelBtf: view.getUint32(info + BTF_INFO.KERNEL_BTF, true) !== 0,
    };
  }
}
