import assert from "node:assert/strict";
import { test } from "node:test";
import { onLinux } from "../../../test/kernels.ts";
import { ATTR_SIZE, GET_ID, MAP_BATCH, MAP_CREATE, MAP_ELEM, OBJ_INFO } from "../../abi/attr.ts";
import {
  BPF_MAP_CREATE,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_GET_NEXT_ID,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_UPDATE_ELEM,
  BPF_OBJ_GET_INFO_BY_FD,
} from "../../abi/commands.ts";
import { E2BIG, EBADF, EEXIST, EFAULT, EINVAL, ENOENT } from "../../abi/errno.ts";
import { BPF_NOEXIST } from "../../abi/flags.ts";
import { MAP_INFO } from "../../abi/info.ts";
import { BPF_MAP_TYPE_HASH } from "../../abi/map-types.ts";
import { type Address, AddressSpace } from "../../memory/address-space.ts";
import { LinuxKernel } from "./linux-kernel.ts";

const BPF_PROG_LOAD = 5;
const BPF_PROG_TEST_RUN = 10;
const BPF_BTF_LOAD = 18;
const BPF_PROG_TYPE_SOCKET_FILTER = 1;
const PAGE = 4096;

/** The `u32`s of an attr by their offsets; a pointer is the lower one of its two. */
type Fields = Readonly<Record<number, number>>;

/** A Linux kernel with a hash of 4-byte keys and 8-byte values, and room for an attr, a key and a value. */
class Hash implements Disposable {
  readonly kernel = new LinuxKernel();
  readonly attr = this.allocate(3 * PAGE);
  readonly key = this.allocate(4);
  readonly value = this.allocate(8);
  readonly fd = this.call(BPF_MAP_CREATE, {
    [MAP_CREATE.MAP_TYPE]: BPF_MAP_TYPE_HASH,
    [MAP_CREATE.KEY_SIZE]: 4,
    [MAP_CREATE.VALUE_SIZE]: 8,
    [MAP_CREATE.MAX_ENTRIES]: 8,
  });

  allocate(bytes: number): Address {
    return this.kernel.memory.allocate(bytes, "a test");
  }

  /** Makes a call with a zeroed attr that has these fields. */
  call(command: number, fields: Fields, size: number = ATTR_SIZE, attr: Address = this.attr): number {
    const { memory } = this.kernel;
    memory.u8.fill(0, this.attr, this.attr + 3 * PAGE);
    for (const [offset, value] of Object.entries(fields)) memory.view.setUint32(attr + Number(offset), value, true);
    return this.kernel.bpf(command, attr, size);
  }

  /** A command on the element `key`; `value` goes in, and what comes out is `result`. */
  element(command: number, key: number, value = 0, otherwise: Fields = {}, size: number = MAP_ELEM.END): number {
    this.kernel.memory.view.setUint32(this.key, key, true);
    this.kernel.memory.view.setBigUint64(this.value, BigInt(value), true);
    const fields = { [MAP_ELEM.MAP_FD]: this.fd, [MAP_ELEM.KEY]: this.key, [MAP_ELEM.VALUE]: this.value };
    return this.call(command, { ...fields, ...otherwise }, size);
  }

  get result(): number {
    return Number(this.kernel.memory.view.getBigUint64(this.value, true));
  }

  /** A field of the last attr, as Linux left it. */
  field(offset: number): number {
    return this.kernel.memory.view.getUint32(this.attr + offset, true);
  }

  put(bytes: Uint8Array): Address {
    const address = this.allocate(bytes.length);
    this.kernel.memory.u8.set(bytes, address);
    return address;
  }

  [Symbol.dispose](): void {
    this.kernel.release();
  }
}

onLinux(() => {
  test("an element can be updated, looked up, found as the next key, and deleted", () => {
    using map = new Hash();
    assert.equal(map.element(BPF_MAP_UPDATE_ELEM, 7, 70), 0);
    assert.equal(map.element(BPF_MAP_UPDATE_ELEM, 7, 71, { [MAP_ELEM.FLAGS]: BPF_NOEXIST }), -EEXIST);
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 7), 0);
    assert.equal(map.result, 70);
    assert.equal(map.element(BPF_MAP_GET_NEXT_KEY, 0, 0, { [MAP_ELEM.KEY]: 0 }, MAP_ELEM.NEXT_KEY_END), 0);
    assert.equal(map.result, 7);
    assert.equal(map.element(BPF_MAP_GET_NEXT_KEY, 7, 0, {}, MAP_ELEM.NEXT_KEY_END), -ENOENT);
    assert.equal(map.element(BPF_MAP_LOOKUP_AND_DELETE_ELEM, 7), 0);
    assert.equal(map.result, 70);
    assert.equal(map.element(BPF_MAP_UPDATE_ELEM, 8, 80), 0);
    assert.equal(map.element(BPF_MAP_DELETE_ELEM, 8, 0, { [MAP_ELEM.VALUE]: 0 }, MAP_ELEM.KEY_END), 0);
    assert.equal(map.element(BPF_MAP_DELETE_ELEM, 8, 0, { [MAP_ELEM.VALUE]: 0 }), -ENOENT);
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 8), -ENOENT);
  });

  test("the attr is left as it was, with the addresses of the linear memory", () => {
    using map = new Hash();
    map.element(BPF_MAP_UPDATE_ELEM, 1, 2);
    assert.deepEqual([map.field(MAP_ELEM.KEY), map.field(MAP_ELEM.KEY + 4)], [map.key, 0]);
    assert.deepEqual([map.field(MAP_ELEM.VALUE), map.field(MAP_ELEM.VALUE + 4)], [map.value, 0]);
  });

  test("a batch goes in and comes out, and its count is written back", () => {
    using map = new Hash();
    const keys = map.put(new Uint8Array(new Uint32Array([1, 2, 3]).buffer));
    const values = map.put(new Uint8Array(new BigUint64Array([10n, 20n, 30n]).buffer));
    const outBatch = map.allocate(4);
    const fields = { [MAP_BATCH.MAP_FD]: map.fd, [MAP_BATCH.KEYS]: keys, [MAP_BATCH.VALUES]: values };
    assert.equal(map.call(BPF_MAP_UPDATE_BATCH, { ...fields, [MAP_BATCH.COUNT]: 3 }, MAP_BATCH.END), 0);
    assert.equal(map.field(MAP_BATCH.COUNT), 3);

    const [foundKeys, foundValues] = [map.allocate(8 * 4), map.allocate(8 * 8)];
    const lookup = { [MAP_BATCH.KEYS]: foundKeys, [MAP_BATCH.VALUES]: foundValues, [MAP_BATCH.OUT_BATCH]: outBatch };
    const all = { ...lookup, [MAP_BATCH.MAP_FD]: map.fd, [MAP_BATCH.COUNT]: 8 };
    assert.equal(map.call(BPF_MAP_LOOKUP_BATCH, all, MAP_BATCH.END), -ENOENT);
    assert.equal(map.field(MAP_BATCH.COUNT), 3);
    const found = new Uint32Array(map.kernel.memory.u8.slice(foundKeys, foundKeys + 12).buffer);
    assert.deepEqual([...found].sort(), [1, 2, 3]);
  });

  test("the info of a map is written where it was asked for, with its length", () => {
    using map = new Hash();
    const info = map.allocate(MAP_INFO.SIZE);
    const fields = { [OBJ_INFO.BPF_FD]: map.fd, [OBJ_INFO.INFO_LEN]: 1000, [OBJ_INFO.INFO]: info };
    assert.equal(map.call(BPF_OBJ_GET_INFO_BY_FD, { ...fields, [OBJ_INFO.INFO]: map.allocate(1000) }, OBJ_INFO.END), 0);
    assert.ok(map.field(OBJ_INFO.INFO_LEN) < 1000);
    assert.equal(map.call(BPF_OBJ_GET_INFO_BY_FD, { ...fields, [OBJ_INFO.INFO_LEN]: MAP_INFO.SIZE }, OBJ_INFO.END), 0);
    assert.equal(map.kernel.memory.view.getUint32(info + MAP_INFO.MAX_ENTRIES, true), 8);
    assert.equal(map.kernel.memory.view.getUint32(info + MAP_INFO.VALUE_SIZE, true), 8);
  });

  test("ids are written back", () => {
    using map = new Hash();
    assert.equal(map.call(BPF_MAP_GET_NEXT_ID, { [GET_ID.ID]: 0 }, GET_ID.NEXT_ID_END), 0);
    assert.ok(map.field(GET_ID.NEXT_ID) > 0);
  });

  test("a program is loaded, run, and gives back its instructions where its info points", () => {
    using map = new Hash();
    // r0 = 5; exit
    const code = Uint8Array.of(0xb7, 0, 0, 0, 5, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
    const license = map.put(Buffer.from("MIT\0"));
    const load = { 0: BPF_PROG_TYPE_SOCKET_FILTER, 4: 2, 8: map.put(code), 16: license };
    const fd = map.call(BPF_PROG_LOAD, load);
    assert.ok(fd > 0);

    const packet = map.allocate(64);
    assert.equal(map.call(BPF_PROG_TEST_RUN, { 0: fd, 8: 64, 16: packet, 32: 1 }), 0);
    assert.equal(map.field(4), 5);

    const info = map.allocate(232);
    const room = map.allocate(64);
    map.kernel.memory.view.setUint32(info + 20, 64, true);
    map.kernel.memory.view.setUint32(info + 32, room, true);
    const fields = { [OBJ_INFO.BPF_FD]: fd, [OBJ_INFO.INFO_LEN]: 232, [OBJ_INFO.INFO]: info };
    assert.equal(map.call(BPF_OBJ_GET_INFO_BY_FD, fields), 0);
    assert.equal(map.kernel.memory.view.getUint32(info, true), BPF_PROG_TYPE_SOCKET_FILTER);
    assert.deepEqual(map.kernel.memory.u8.slice(room, room + 16), code);
    assert.equal(map.kernel.memory.view.getBigUint64(info + 32, true), BigInt(room));
  });

  test("an info that points nowhere is EFAULT, and so is one that ends inside a pointer", () => {
    using map = new Hash();
    const info = map.allocate(MAP_INFO.SIZE);
    const fields = { [OBJ_INFO.BPF_FD]: map.fd, [OBJ_INFO.INFO_LEN]: MAP_INFO.SIZE, [OBJ_INFO.INFO]: 2 ** 32 - PAGE };
    assert.equal(map.call(BPF_OBJ_GET_INFO_BY_FD, fields), -EFAULT);
    map.kernel.memory.view.setUint32(info + MAP_INFO.HASH, info, true);
    const cut = { ...fields, [OBJ_INFO.INFO]: info, [OBJ_INFO.INFO_LEN]: MAP_INFO.HASH + 4 };
    assert.equal(map.call(BPF_OBJ_GET_INFO_BY_FD, cut), -EFAULT);
  });

  test("a log is written where an attr asks for it", () => {
    using map = new Hash();
    const log = map.allocate(256);
    const btf = map.put(new Uint8Array(24));
    assert.equal(map.call(BPF_BTF_LOAD, { 0: btf, 8: log, 16: 24, 20: 256, 24: 1 }), -EINVAL);
    assert.match(Buffer.from(map.kernel.memory.u8.slice(log, log + 64)).toString(), /magic/i);
    assert.ok(map.field(28) > 0, "btf_log_true_size");
  });

  for (const pointer of [MAP_ELEM.KEY, MAP_ELEM.VALUE]) {
    test(`a pointer at ${pointer} that leads out of the memory is EFAULT`, () => {
      using map = new Hash();
      assert.equal(map.element(BPF_MAP_UPDATE_ELEM, 1, 1), 0);
      const { size } = map.kernel.memory;
      for (const bad of [8, PAGE - 8, size, 2 ** 31, 2 ** 32 - PAGE]) {
        assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 1, 0, { [pointer]: bad }), -EFAULT, `address ${bad}`);
      }
      for (const high of [1, 0x7fff, 0xffff_ffff]) {
        assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 1, 0, { [pointer + 4]: high }), -EFAULT, `high ${high}`);
      }
      assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 1, 0, { [pointer]: 0 }), -EFAULT, "NULL");
    });
  }

  test("a value that begins inside the memory and ends outside is EFAULT", () => {
    using map = new Hash();
    assert.equal(map.element(BPF_MAP_UPDATE_ELEM, 1, 1), 0);
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 1, 0, { [MAP_ELEM.VALUE]: map.kernel.memory.size - 4 }), -EFAULT);
  });

  test("an attr outside the memory is EFAULT, unless no byte of it is given", () => {
    using map = new Hash();
    const { size } = map.kernel.memory;
    for (const attr of [0, 16, size, size - 16, 2 ** 40, -8, Number.NaN]) {
      assert.equal(map.kernel.bpf(BPF_MAP_LOOKUP_ELEM, attr, MAP_ELEM.END), -EFAULT, `attr at ${attr}`);
    }
    assert.equal(map.kernel.bpf(BPF_MAP_CREATE, 0, 0), -EINVAL);
  });

  test("an attr at the very end of the memory is read as any other", () => {
    using map = new Hash();
    map.element(BPF_MAP_UPDATE_ELEM, 3, 33);
    const { memory } = map.kernel;
    const attr = memory.size - MAP_ELEM.END;
    memory.u8.copyWithin(attr, map.attr, map.attr + MAP_ELEM.END);
    memory.view.setBigUint64(map.value, 0n, true);
    assert.equal(map.kernel.bpf(BPF_MAP_LOOKUP_ELEM, attr, MAP_ELEM.END), 0);
    assert.equal(map.result, 33);
  });

  test("an attr need not be aligned", () => {
    using map = new Hash();
    map.element(BPF_MAP_UPDATE_ELEM, 3, 33);
    for (const shift of [1, 2, 3, 4]) {
      const fields = { [MAP_ELEM.MAP_FD]: map.fd, [MAP_ELEM.KEY]: map.key, [MAP_ELEM.VALUE]: map.value };
      map.kernel.memory.view.setBigUint64(map.value, 0n, true);
      assert.equal(map.call(BPF_MAP_LOOKUP_ELEM, fields, MAP_ELEM.END, map.attr + shift), 0);
      assert.equal(map.result, 33);
    }
  });

  test("what a short attr leaves out is zero, even half a pointer", () => {
    using map = new Hash();
    map.element(BPF_MAP_UPDATE_ELEM, 3, 33);
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 3, 0, {}, MAP_ELEM.VALUE + 4), 0);
    assert.equal(map.result, 33);
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 3, 0, { [MAP_ELEM.VALUE + 4]: 1 }, MAP_ELEM.VALUE + 4), 0);
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 3, 0, {}, MAP_ELEM.VALUE), -EFAULT);
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 3, 0, {}, MAP_ELEM.KEY), -EFAULT);
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 3, 0, { [MAP_ELEM.MAP_FD]: 0x1_0000 + map.fd }, 2), -EFAULT);
  });

  test("an attr may be as long as a page when its rest is zero", () => {
    using map = new Hash();
    map.element(BPF_MAP_UPDATE_ELEM, 3, 33);
    for (const size of [MAP_ELEM.END + 1, ATTR_SIZE, ATTR_SIZE + 1, 1000, PAGE]) {
      assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 3, 0, {}, size), 0, `${size} bytes`);
      assert.equal(map.result, 33);
    }
  });

  test("a rest that is not zero is EINVAL inside the union and E2BIG behind it", () => {
    using map = new Hash();
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 3, 0, { [MAP_ELEM.END]: 1 }, ATTR_SIZE), -EINVAL);
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 3, 0, { [ATTR_SIZE]: 1 }, ATTR_SIZE + 4), -E2BIG);
    assert.equal(map.element(BPF_MAP_DELETE_ELEM, 3, 0, { [MAP_ELEM.VALUE]: map.value }), -EINVAL);
  });

  test("more than a page is E2BIG, before the attr is looked at", () => {
    using map = new Hash();
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 3, 0, {}, PAGE + 1), -E2BIG);
    assert.equal(map.kernel.bpf(BPF_MAP_LOOKUP_ELEM, 0, PAGE + 1), -E2BIG);
    assert.equal(map.kernel.bpf(BPF_MAP_LOOKUP_ELEM, map.attr, -1), -E2BIG);
  });

  test("a command that Linux does not have is EINVAL, after the attr has been looked at", () => {
    using map = new Hash();
    for (const command of [-1, 38, 1000, 33 + 2 ** 31]) {
      assert.equal(map.call(command, { [MAP_ELEM.KEY]: map.key }, MAP_ELEM.END), -EINVAL, `command ${command}`);
    }
    assert.equal(map.kernel.bpf(38, 0, MAP_ELEM.END), -EFAULT);
  });

  test("everything goes on after the memory has grown", () => {
    using map = new Hash();
    map.element(BPF_MAP_UPDATE_ELEM, 3, 33);
    const far = map.allocate(64 * 2 ** 20) + 60 * 2 ** 20;
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 3, 0, { [MAP_ELEM.VALUE]: far }), 0);
    assert.equal(map.kernel.memory.view.getBigUint64(far, true), 33n);
  });

  test("the upper half of four gigabytes is reached too", () => {
    using map = new Hash();
    map.element(BPF_MAP_UPDATE_ELEM, 3, 33);
    const far = map.allocate(3 * 2 ** 30) + 3 * 2 ** 30 - 8;
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 3, 0, { [MAP_ELEM.VALUE]: far }), 0);
    assert.equal(map.kernel.memory.view.getBigUint64(far, true), 33n);
  });

  test("only an fd that bpf gave out can be closed, and only once", () => {
    using map = new Hash();
    assert.equal(map.kernel.close(0), -EBADF);
    assert.equal(map.kernel.close(-1), -EBADF);
    using other = new Hash();
    assert.equal(map.kernel.close(other.fd), -EBADF);
    assert.equal(map.kernel.close(map.fd), 0);
    assert.equal(map.kernel.close(map.fd), -EBADF);
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 1), -EBADF);
  });

  test("after release everything is EBADF", () => {
    const map = new Hash();
    map.kernel.release();
    map.kernel.release();
    assert.equal(map.element(BPF_MAP_LOOKUP_ELEM, 1), -EBADF);
    assert.equal(map.kernel.close(map.fd), -EBADF);
    assert.equal(map.kernel.mmap(map.fd, PAGE, 1, 0), -EBADF);
    assert.equal(map.kernel.readdir("/sys/fs/bpf"), -EBADF);
  });

  test("the memory can be one's own", () => {
    const memory = new AddressSpace(2 ** 20);
    const kernel = new LinuxKernel(memory);
    assert.equal(kernel.memory, memory);
    kernel.release();
  });
});
