import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { onLinux } from "../../../test/kernels.ts";
import { EBADF, EBUSY, EFAULT, EINVAL, ENOMEM, ENOTSUPP, EPERM } from "../../abi/errno.ts";
import { BPF_F_MMAPABLE } from "../../abi/flags.ts";
import { PROT_READ, PROT_WRITE } from "../../abi/mman.ts";
import { AddressSpace } from "../../memory/address-space.ts";
import { Sys } from "../../sys/sys.ts";
import { LinuxKernel } from "./linux-kernel.ts";

const PAGE = 4096;
const BOTH = PROT_READ | PROT_WRITE;
const FIRST = new Uint8Array(4);

/** A Linux kernel with an array of 1,024 `u64`s, two pages, that can be mapped. */
class MappedArray implements Disposable {
  readonly kernel: LinuxKernel;
  readonly sys: Sys;
  readonly fd: number;

  constructor(memory?: AddressSpace) {
    this.kernel = new LinuxKernel(memory);
    this.sys = new Sys(this.kernel);
    const shape = { keySize: 4, valueSize: 8, maxEntries: 1024 };
    this.fd = this.sys.mapCreate({ type: "array", ...shape, flags: BPF_F_MMAPABLE });
  }

  map(protection: number = BOTH): number {
    const address = this.kernel.mmap(this.fd, 2 * PAGE, protection, 0);
    assert.ok(address > 0, `mmap answered ${address}`);
    return address;
  }

  /** The first element as the system call sees it. */
  get first(): bigint {
    const value = new Uint8Array(8);
    assert.equal(this.sys.mapLookupElem(this.fd, FIRST, value), 0);
    return new DataView(value.buffer).getBigUint64(0, true);
  }

  set first(value: bigint) {
    assert.equal(this.sys.mapUpdateElem(this.fd, FIRST, new Uint8Array(new BigUint64Array([value]).buffer)), 0);
  }

  [Symbol.dispose](): void {
    this.kernel.release();
  }
}

/** How many maps this process has mapped. */
function mappedMaps(): number {
  return readFileSync("/proc/self/maps", "utf8").split("bpf-map").length - 1;
}

onLinux(() => {
  test("what one side writes into a mapped array the other reads", () => {
    using array = new MappedArray();
    const address = array.map();
    array.first = 5n;
    assert.equal(array.kernel.memory.view.getBigUint64(address, true), 5n);
    array.kernel.memory.view.setBigUint64(address, 6n, true);
    assert.equal(array.first, 6n);
  });

  test("a mapped value can be named as a value in an attr", () => {
    using array = new MappedArray();
    const address = array.map();
    array.first = 5n;
    array.kernel.memory.u8.copyWithin(address + 8, address, address + 8);
    const value = new Uint8Array(8);
    assert.equal(array.sys.mapLookupElem(array.fd, Uint8Array.of(1, 0, 0, 0), value), 0);
    assert.equal(value[0], 5);
  });

  test("a mapping, readable only or not, outlives everything that is allocated after it", () => {
    using array = new MappedArray();
    const [writable, readable] = [array.map(), array.map(PROT_READ)];
    array.first = 5n;
    for (let i = 0; i < 8; i++) array.kernel.memory.allocate(2 ** 21, "a test");
    assert.equal(array.kernel.memory.view.getBigUint64(writable, true), 5n);
    assert.equal(array.kernel.memory.view.getBigUint64(readable, true), 5n);
    array.kernel.memory.view.setBigUint64(writable, 6n, true);
    assert.equal(array.kernel.memory.view.getBigUint64(readable, true), 6n);
  });

  test("a ring buffer is mapped with its consumer's page writable and the rest readable", () => {
    using array = new MappedArray();
    const fd = array.sys.mapCreate({ type: "ringbuf", maxEntries: PAGE });
    const consumer = array.kernel.mmap(fd, PAGE, BOTH, 0);
    const producer = array.kernel.mmap(fd, 3 * PAGE, PROT_READ, PAGE);
    assert.ok(consumer > 0 && producer > 0);
    assert.equal(array.kernel.mmap(fd, PAGE, BOTH, PAGE), -EPERM);
    assert.equal(array.kernel.memory.view.getBigUint64(producer, true), 0n);
    array.kernel.memory.view.setBigUint64(consumer, 8n, true);
    array.kernel.memory.allocate(2 ** 21, "a test");
    assert.equal(array.kernel.memory.view.getBigUint64(consumer, true), 8n);
  });

  test("a map that is mapped writable cannot be frozen until it is unmapped", () => {
    using array = new MappedArray();
    const address = array.map();
    assert.equal(array.sys.mapFreeze(array.fd), -EBUSY);
    assert.equal(array.kernel.munmap(address, 2 * PAGE), 0);
    assert.equal(array.sys.mapFreeze(array.fd), 0);
    assert.equal(array.kernel.mmap(array.fd, PAGE, BOTH, 0), -EPERM);
    array.map(PROT_READ);
  });

  test("what was unmapped is zeroed memory of the address space again, apart from the map", () => {
    using array = new MappedArray();
    const address = array.map();
    array.first = 5n;
    assert.equal(array.kernel.munmap(address, 2 * PAGE), 0);
    const { memory } = array.kernel;
    assert.equal(memory.view.getBigUint64(address, true), 0n);
    memory.view.setBigUint64(address, 7n, true);
    assert.equal(array.first, 5n);
    assert.equal(array.kernel.munmap(address, 2 * PAGE), -EINVAL);
  });

  test("a length is rounded up to pages, in mmap and in munmap", () => {
    using array = new MappedArray();
    const address = array.kernel.mmap(array.fd, PAGE + 1, BOTH, 0);
    array.kernel.memory.view.setUint8(address + 2 * PAGE - 1, 9);
    const value = new Uint8Array(8);
    assert.equal(array.sys.mapLookupElem(array.fd, new Uint8Array(Uint32Array.of(1023).buffer), value), 0);
    assert.equal(value[7], 9);
    assert.equal(array.kernel.munmap(address, PAGE), -EINVAL);
    assert.equal(array.kernel.munmap(address, 2 * PAGE), 0);
  });

  test("a mapping that Linux refuses leaves the memory as it was", () => {
    using array = new MappedArray();
    array.map();
    const before = array.kernel.memory.largestFree;
    const hash = array.sys.mapCreate({ type: "hash", keySize: 4, valueSize: 8, maxEntries: 8 });
    assert.equal(array.kernel.mmap(hash, PAGE, BOTH, 0), -ENOTSUPP);
    assert.equal(array.kernel.mmap(array.fd, 3 * PAGE, BOTH, 0), -EINVAL);
    assert.equal(array.kernel.mmap(array.fd, PAGE, BOTH, 100), -EINVAL);
    assert.equal(array.kernel.mmap(array.fd, PAGE, BOTH, -1), -EINVAL);
    assert.equal(array.kernel.memory.largestFree, before);
  });

  test("what cannot be a mapping is refused before Linux is asked", () => {
    using array = new MappedArray();
    for (const length of [0, -1, 1.5, Number.NaN]) assert.equal(array.kernel.mmap(array.fd, length, BOTH, 0), -EINVAL);
    assert.equal(array.kernel.mmap(array.fd, PAGE, 4, 0), -EINVAL);
    assert.equal(array.kernel.mmap(0, PAGE, BOTH, 0), -EBADF);
    assert.equal(array.kernel.mmap(array.fd, 2 ** 40, BOTH, 0), -ENOMEM);
  });

  test("a full address space is ENOMEM", () => {
    using array = new MappedArray(new AddressSpace(2 ** 20));
    const { memory } = array.kernel;
    memory.allocate(memory.largestFree, "a test");
    assert.equal(array.kernel.mmap(array.fd, PAGE, BOTH, 0), -ENOMEM);
  });

  test("release unmaps what is mapped", () => {
    const before = mappedMaps();
    const array = new MappedArray();
    array.map();
    array.map(PROT_READ);
    assert.equal(mappedMaps(), before + 2);
    array.kernel.release();
    assert.equal(mappedMaps(), before);
  });

  test("a buffer that is too short stays EFAULT once the memory has grown to its limit", () => {
    using array = new MappedArray();
    array.map();
    assert.equal(array.sys.mapLookupElem(array.fd, FIRST, new Uint8Array(7)), -EFAULT);
    assert.equal(array.sys.mapUpdateElem(array.fd, FIRST, new Uint8Array(7)), -EFAULT);
  });

  test("a mapping outlives its fd", () => {
    using array = new MappedArray();
    const address = array.map();
    array.first = 5n;
    assert.equal(array.kernel.close(array.fd), 0);
    assert.equal(array.kernel.memory.view.getBigUint64(address, true), 5n);
  });
});
