import type { Kernel, KernelHandle } from "../src/kernel/kernel.ts";
import { PlainCommand, type PreparedCommand } from "../src/kernel/prepared-command.ts";
import type { Address, AddressSpace } from "../src/memory/address-space.ts";

/** A kernel that is another one: for tests that change or watch some of its calls. Prepared commands go through `bpf`. */
export class DelegatingKernel implements Kernel {
  readonly name: Kernel["name"];
  readonly memory: AddressSpace;
  readonly possibleCpus: number;
  readonly pageSize: number;
  protected readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.name = kernel.name;
    this.memory = kernel.memory;
    this.possibleCpus = kernel.possibleCpus;
    this.pageSize = kernel.pageSize;
    this.kernel = kernel;
  }

  bpf(cmd: number, attr: Address, size: number): number {
    return this.kernel.bpf(cmd, attr, size);
  }

  prepare(cmd: number, attr: Address, size: number): PreparedCommand {
    return new PlainCommand(this, cmd, attr, size);
  }

  close(fd: number): number {
    return this.kernel.close(fd);
  }

  mmap(fd: number, length: number, protection: number, offset: number): Address {
    return this.kernel.mmap(fd, length, protection, offset);
  }

  munmap(address: Address, length: number): number {
    return this.kernel.munmap(address, length);
  }

  openBpfOutput(cpu: number): number {
    return this.kernel.openBpfOutput(cpu);
  }

  whenReady(fd: number, callback: () => void): (() => void) | number {
    return this.kernel.whenReady(fd, callback);
  }

  fdinfo(fd: number): string | number {
    return this.kernel.fdinfo(fd);
  }

  mkdir(path: string): number {
    return this.kernel.mkdir(path);
  }

  rmdir(path: string): number {
    return this.kernel.rmdir(path);
  }

  unlink(path: string): number {
    return this.kernel.unlink(path);
  }

  readdir(path: string): string[] | number {
    return this.kernel.readdir(path);
  }

  share(): KernelHandle {
    return this.kernel.share();
  }

  reclaim(handle: KernelHandle): void {
    this.kernel.reclaim(handle);
  }

  release(): void {
    this.kernel.release();
  }
}
