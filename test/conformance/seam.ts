import { ATTR_SIZE } from "../../src/abi/attr.ts";
import { Bpf } from "../../src/bpf.ts";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { LinuxKernel } from "../../src/kernel/linux/linux-kernel.ts";
import type { Address } from "../../src/memory/address-space.ts";
import type { TestKernel } from "../kernels.ts";

const KERNELS = { embedded: () => new EmbeddedKernel(), linux: () => new LinuxKernel() };

/** An address that nothing can be read from or written to. */
export const NOWHERE: Address = 2 ** 32 - 4096;

/** The `u32`s of an attr by their offsets; a pointer is the lower one of its two. */
export type Fields = Readonly<Record<number, number>>;

/** A kernel itself, for tests of what only an attr can say: its size, its tail, its pointers. */
export class Seam implements Disposable {
  readonly kernel: Kernel;
  /** BPF on the same kernel. */
  readonly bpf: Bpf;
  /** Where `call` writes its attrs, with room behind them. */
  readonly attr: Address;

  constructor({ name }: TestKernel) {
    this.kernel = KERNELS[name]();
    this.bpf = new Bpf(this.kernel);
    this.attr = this.kernel.memory.allocate(8192, "attrs");
  }

  /** Makes a call with a zeroed attr that has these fields. */
  call(command: number, fields: Fields, size: number = ATTR_SIZE): number {
    this.kernel.memory.u8.fill(0, this.attr, this.attr + 8192);
    for (const [offset, value] of Object.entries(fields)) this.write(this.attr + Number(offset), value);
    return this.kernel.bpf(command, this.attr, size);
  }

  /** The field of the last attr, as the kernel left it. */
  field(offset: number): number {
    return this.kernel.memory.view.getUint32(this.attr + offset, true);
  }

  /** Puts bytes into memory of their own. */
  put(bytes: Uint8Array): Address {
    const address = this.kernel.memory.allocate(bytes.length, "bytes");
    this.kernel.memory.u8.set(bytes, address);
    return address;
  }

  bytes(address: Address, length: number): Uint8Array {
    return this.kernel.memory.u8.slice(address, address + length);
  }

  write(address: Address, value: number): void {
    this.kernel.memory.view.setUint32(address, value, true);
  }

  [Symbol.dispose](): void {
    this.kernel.release();
  }
}
