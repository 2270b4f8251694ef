import { GET_ID, OBJ_INFO } from "../abi/attr.ts";
import { BPF_OBJ_GET_INFO_BY_FD } from "../abi/commands.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Address } from "../memory/address-space.ts";
import { Frame } from "./frame.ts";

/** What the commands of every family are made of: a kernel, and the memory of one command at a time. */
export abstract class Commands {
  /** @internal */
  protected readonly kernel: Kernel;
  /** @internal */
  protected readonly frame: Frame;

  /** The commands on one kernel. */
  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.frame = new Frame(kernel.memory);
  }

  /** `close(2)` of an fd that this kernel gave out; `−EBADF` for any other. */
  close(fd: number): number {
    return this.kernel.close(fd);
  }

  /** @internal Takes note of an fd that was just opened; any other answer is handed on. */
  protected opened(fd: number): number {
    return fd;
  }

  /** @internal The commands that find objects by id. */
  protected nextId(command: number, startId: number, nextId: Uint32Array): number {
    const attr = this.frame.begin();
    this.u32(attr + GET_ID.ID, startId);
    const result = this.kernel.bpf(command, attr, GET_ID.NEXT_ID_END);
    if (result === 0) nextId[0] = this.kernel.memory.view.getUint32(attr + GET_ID.NEXT_ID, true);
    return result;
  }

  /** @internal */
  protected fdById(command: number, id: number, openFlags: number | undefined): number {
    const attr = this.frame.begin();
    this.u32(attr + GET_ID.ID, id);
    this.u32(attr + GET_ID.OPEN_FLAGS, openFlags);
    return this.opened(this.kernel.bpf(command, attr, GET_ID.END));
  }

  /** @internal Asks for an info struct of `size` bytes, of which `fill` may set what the kernel reads. Answers its address, or `−errno`. */
  protected info(fd: number, size: number, pieces: readonly number[] = [], fill?: (info: Address) => void): Address {
    const attr = this.frame.begin(size, ...pieces);
    const info = this.frame.put(new Uint8Array(size), size);
    fill?.(info);
    this.u32(attr + OBJ_INFO.BPF_FD, fd);
    this.u32(attr + OBJ_INFO.INFO_LEN, size);
    this.u64(attr + OBJ_INFO.INFO, info);
    const result = this.kernel.bpf(BPF_OBJ_GET_INFO_BY_FD, attr, OBJ_INFO.END);
    return result < 0 ? result : info;
  }

  /** @internal Sets a field of 4 bytes; `undefined` leaves it 0. */
  protected u32(at: Address, value: number | undefined): void {
    if (value !== undefined) this.kernel.memory.view.setUint32(at, value, true);
  }

  /** @internal Sets a field of 8 bytes; `undefined` leaves it 0. */
  protected u64(at: Address, value: number | bigint | undefined): void {
    const { view } = this.kernel.memory;
    if (typeof value === "bigint") {
      view.setBigUint64(at, value, true);
    } else if (value !== undefined) {
      view.setUint32(at, value >>> 0, true);
      view.setUint32(at + 4, Math.floor(value / 2 ** 32) >>> 0, true);
    }
  }
}
