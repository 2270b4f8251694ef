/** `union bpf_attr` itself: its size, what lies behind the fields of a command, and pointers that lead nowhere. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { u32 } from "mapiary";
import { ATTR_SIZE, GET_ID, MAP_BATCH, MAP_CREATE, MAP_ELEM, MAP_FREEZE, OBJ, OBJ_INFO } from "../../src/abi/attr.ts";
import * as cmd from "../../src/abi/commands.ts";
import { E2BIG, EBADFD, EFAULT, EINVAL, ENOENT, ENOSPC } from "../../src/abi/errno.ts";
import { BPF_F_ZERO_SEED } from "../../src/abi/flags.ts";
import { MAP_INFO } from "../../src/abi/info.ts";
import { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH } from "../../src/abi/map-types.ts";
import { onEveryKernel, type TestKernel } from "../kernels.ts";
import { NOWHERE, Seam } from "./seam.ts";

/** A hash or an array of `u32` to `u32` with room for eight entries. */
function createMap(seam: Seam, type: number = BPF_MAP_TYPE_HASH, flags = 0): number {
  return seam.call(cmd.BPF_MAP_CREATE, {
    [MAP_CREATE.MAP_TYPE]: type,
    [MAP_CREATE.KEY_SIZE]: 4,
    [MAP_CREATE.VALUE_SIZE]: 4,
    [MAP_CREATE.MAX_ENTRIES]: 8,
    [MAP_CREATE.MAP_FLAGS]: flags,
  });
}

function update(seam: Seam, fd: number, key: number, value: number): void {
  const result = seam.call(cmd.BPF_MAP_UPDATE_ELEM, {
    [MAP_ELEM.MAP_FD]: fd,
    [MAP_ELEM.KEY]: seam.put(u32.encode(key)),
    [MAP_ELEM.VALUE]: seam.put(u32.encode(value)),
  });
  assert.equal(result, 0);
}

function lookup(seam: Seam, fd: number, key: number): number {
  return seam.call(cmd.BPF_MAP_LOOKUP_ELEM, {
    [MAP_ELEM.MAP_FD]: fd,
    [MAP_ELEM.KEY]: seam.put(u32.encode(key)),
    [MAP_ELEM.VALUE]: seam.put(new Uint8Array(4)),
  });
}

/** A kernel with a map in which 1 is 10. */
function seamWithMap(kernel: TestKernel, type: number = BPF_MAP_TYPE_HASH): { seam: Seam; fd: number } {
  const seam = new Seam(kernel);
  const fd = createMap(seam, type);
  update(seam, fd, 1, 10);
  return { seam, fd };
}

/** The commands on maps, with the end of the last field of each. */
const COMMANDS: readonly (readonly [command: number, end: number])[] = [
  [cmd.BPF_MAP_CREATE, MAP_CREATE.END],
  [cmd.BPF_MAP_LOOKUP_ELEM, MAP_ELEM.END],
  [cmd.BPF_MAP_UPDATE_ELEM, MAP_ELEM.END],
  [cmd.BPF_MAP_DELETE_ELEM, MAP_ELEM.KEY_END],
  [cmd.BPF_MAP_GET_NEXT_KEY, MAP_ELEM.NEXT_KEY_END],
  [cmd.BPF_MAP_LOOKUP_AND_DELETE_ELEM, MAP_ELEM.END],
  [cmd.BPF_MAP_FREEZE, MAP_FREEZE.END],
  [cmd.BPF_OBJ_PIN, OBJ.END],
  [cmd.BPF_OBJ_GET, OBJ.END],
  [cmd.BPF_MAP_GET_NEXT_ID, GET_ID.NEXT_ID_END],
  [cmd.BPF_OBJ_GET_INFO_BY_FD, OBJ_INFO.END],
  [cmd.BPF_MAP_LOOKUP_BATCH, MAP_BATCH.END],
  [cmd.BPF_MAP_LOOKUP_AND_DELETE_BATCH, MAP_BATCH.END],
  [cmd.BPF_MAP_UPDATE_BATCH, MAP_BATCH.END],
  [cmd.BPF_MAP_DELETE_BATCH, MAP_BATCH.END],
];

onEveryKernel((kernel) => {
  describe("the size of an attr", () => {
    test("may be larger than the kernel's own when the rest is zero", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      assert.equal(seam.call(cmd.BPF_MAP_FREEZE, { [MAP_FREEZE.MAP_FD]: fd }, 1024), 0);
    });

    test("may reach to 4,096 bytes and not beyond", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      assert.equal(seam.call(cmd.BPF_MAP_FREEZE, { [MAP_FREEZE.MAP_FD]: fd }, 4097), -E2BIG);
      assert.equal(seam.call(cmd.BPF_MAP_FREEZE, { [MAP_FREEZE.MAP_FD]: fd }, 4096), 0);
    });

    test("is E2BIG when it holds something that the kernel does not know", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const size = ATTR_SIZE + 8;
      assert.equal(seam.call(cmd.BPF_MAP_FREEZE, { [MAP_FREEZE.MAP_FD]: fd, [ATTR_SIZE]: 1 }, size), -E2BIG);
      assert.equal(seam.call(cmd.BPF_MAP_FREEZE, { [MAP_FREEZE.MAP_FD]: fd, [ATTR_SIZE + 4]: 1 << 31 }, size), -E2BIG);
      assert.equal(seam.call(cmd.BPF_MAP_FREEZE, { [MAP_FREEZE.MAP_FD]: fd, [ATTR_SIZE + 8]: 1 }, size), 0);
    });

    test("may be smaller: what is missing is zero", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const fields = {
        [MAP_ELEM.MAP_FD]: fd,
        [MAP_ELEM.KEY]: seam.put(u32.encode(1)),
        [MAP_ELEM.VALUE]: seam.put(new Uint8Array(4)),
        [MAP_ELEM.FLAGS]: 1000,
      };
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_ELEM, fields, MAP_ELEM.END), -EINVAL);
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_ELEM, fields, MAP_ELEM.FLAGS), 0);
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_ELEM, fields, MAP_ELEM.VALUE), -EFAULT);
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_ELEM, fields, MAP_ELEM.KEY), -EFAULT);
      assert.equal(seam.call(cmd.BPF_MAP_GET_NEXT_KEY, { ...fields, [MAP_ELEM.FLAGS]: 0 }, MAP_ELEM.KEY), -EFAULT);
    });

    test("may end in the middle of a field", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const fields = {
        [MAP_ELEM.MAP_FD]: fd,
        [MAP_ELEM.KEY]: seam.put(u32.encode(1)),
        [MAP_ELEM.VALUE]: seam.put(new Uint8Array(4)),
        [MAP_ELEM.FLAGS]: 1 << 24,
      };
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_ELEM, fields, MAP_ELEM.FLAGS + 3), 0);
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_ELEM, fields, MAP_ELEM.FLAGS + 4), -EINVAL);
    });

    test("of zero is an attr of zeros", () => {
      using seam = new Seam(kernel);
      assert.equal(seam.call(cmd.BPF_MAP_CREATE, { [MAP_CREATE.MAP_TYPE]: 1 }, 0), -EINVAL);
      assert.equal(seam.call(cmd.BPF_OBJ_GET, { [OBJ.BPF_FD]: 1 }, 0), -EFAULT);
      assert.equal(seam.kernel.bpf(cmd.BPF_OBJ_GET, NOWHERE, 0), -EFAULT);
    });
  });

  test("an attr that cannot be read is EFAULT", () => {
    using seam = new Seam(kernel);
    for (const address of [NOWHERE, 0, 8, seam.kernel.memory.size - 8]) {
      assert.equal(seam.kernel.bpf(cmd.BPF_MAP_CREATE, address, ATTR_SIZE), -EFAULT);
      assert.equal(seam.kernel.bpf(cmd.BPF_MAP_LOOKUP_ELEM, address, MAP_ELEM.END), -EFAULT);
    }
    assert.equal(seam.kernel.bpf(1000, NOWHERE, ATTR_SIZE), -EFAULT);
    assert.equal(seam.kernel.bpf(cmd.BPF_MAP_CREATE, NOWHERE, 4097), -E2BIG);
  });

  test("an attr may lie anywhere, aligned or not", () => {
    const { seam, fd } = seamWithMap(kernel);
    using _ = seam;
    for (let shift = 1; shift < 8; shift++) {
      const attr = seam.attr + shift;
      const key = seam.put(u32.encode(1));
      const value = seam.put(new Uint8Array(4));
      seam.kernel.memory.u8.fill(0, attr, attr + ATTR_SIZE);
      seam.write(attr + MAP_ELEM.MAP_FD, fd);
      seam.write(attr + MAP_ELEM.KEY, key);
      seam.write(attr + MAP_ELEM.VALUE, value);
      assert.equal(seam.kernel.bpf(cmd.BPF_MAP_LOOKUP_ELEM, attr, MAP_ELEM.END), 0);
      assert.deepEqual(seam.bytes(value, 4), u32.encode(10));
    }
  });

  describe("a command", () => {
    test("that there is not is EINVAL", () => {
      using seam = new Seam(kernel);
      for (const command of [1000, 2 ** 31 - 1, -1, -(2 ** 31)]) assert.equal(seam.call(command, {}), -EINVAL);
    });

    for (const [command, end] of COMMANDS) {
      test(`${cmd.COMMAND_NAMES[command]} has nothing behind its last field`, () => {
        const { seam, fd } = seamWithMap(kernel);
        using _ = seam;
        const fields = { [MAP_ELEM.MAP_FD]: fd };
        assert.equal(seam.call(command, { ...fields, [end]: 1 }, end + 4), -EINVAL);
        assert.equal(seam.call(command, { ...fields, [ATTR_SIZE - 4]: 1 }), -EINVAL);
        assert.equal(seam.call(command, { ...fields, [end]: 1 << 31 }), -EINVAL);
      });
    }

    test("BPF_MAP_GET_FD_BY_ID has the fd of a token as its last field", () => {
      const { seam } = seamWithMap(kernel);
      using _ = seam;
      const id = 2 ** 31 - 2;
      assert.equal(seam.call(cmd.BPF_MAP_GET_FD_BY_ID, { [GET_ID.ID]: id }), -ENOENT);
      assert.equal(seam.call(cmd.BPF_MAP_GET_FD_BY_ID, { [GET_ID.ID]: id, 16: 1 }), -EINVAL);
    });
  });

  describe("a key that cannot be read", () => {
    for (const [name, low, high] of [
      ["NULL", 0, 0],
      ["in the first page", 4095, 0],
      ["beyond the memory", NOWHERE, 0],
      ["beyond 4 GiB", 65536, 1],
      ["in the kernel's half", 0, 0xffff8000],
    ] as const) {
      test(`is EFAULT: ${name}`, () => {
        const { seam, fd } = seamWithMap(kernel);
        using _ = seam;
        const value = seam.put(new Uint8Array(4));
        const fields = {
          [MAP_ELEM.MAP_FD]: fd,
          [MAP_ELEM.KEY]: low,
          [MAP_ELEM.KEY + 4]: high,
          [MAP_ELEM.VALUE]: value,
        };
        assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_ELEM, fields), -EFAULT);
        assert.equal(seam.call(cmd.BPF_MAP_UPDATE_ELEM, fields), -EFAULT);
        assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_AND_DELETE_ELEM, fields), -EFAULT);
        assert.equal(seam.call(cmd.BPF_MAP_DELETE_ELEM, fields, MAP_ELEM.KEY_END), -EFAULT);
        const isNull = low === 0 && high === 0;
        assert.equal(seam.call(cmd.BPF_MAP_GET_NEXT_KEY, fields), isNull ? 0 : -EFAULT);
      });
    }

    test("is EFAULT when only its last byte cannot", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const value = seam.put(new Uint8Array(4));
      const end = seam.kernel.memory.size;
      const fields = { [MAP_ELEM.MAP_FD]: fd, [MAP_ELEM.VALUE]: value };
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_ELEM, { ...fields, [MAP_ELEM.KEY]: end - 3 }), -EFAULT);
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_ELEM, { ...fields, [MAP_ELEM.KEY]: end - 4 }), -ENOENT);
    });
  });

  describe("a value that cannot be written", () => {
    test("is EFAULT for a key that is there, ENOENT for one that is not", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const fields = { [MAP_ELEM.MAP_FD]: fd, [MAP_ELEM.VALUE]: NOWHERE };
      const there = { ...fields, [MAP_ELEM.KEY]: seam.put(u32.encode(1)) };
      const missing = { ...fields, [MAP_ELEM.KEY]: seam.put(u32.encode(2)) };
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_ELEM, there), -EFAULT);
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_ELEM, missing), -ENOENT);
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_AND_DELETE_ELEM, missing), -ENOENT);
    });

    test("does not keep lookup-and-delete from deleting", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const fields = {
        [MAP_ELEM.MAP_FD]: fd,
        [MAP_ELEM.KEY]: seam.put(u32.encode(1)),
        [MAP_ELEM.VALUE]: NOWHERE,
      };
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_AND_DELETE_ELEM, fields), -EFAULT);
      assert.equal(lookup(seam, fd, 1), -ENOENT);
    });

    test("is EFAULT for an update, which then does nothing", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const fields = { [MAP_ELEM.MAP_FD]: fd, [MAP_ELEM.KEY]: seam.put(u32.encode(2)) };
      assert.equal(seam.call(cmd.BPF_MAP_UPDATE_ELEM, { ...fields, [MAP_ELEM.VALUE]: NOWHERE }), -EFAULT);
      assert.equal(seam.call(cmd.BPF_MAP_UPDATE_ELEM, { ...fields, [MAP_ELEM.FLAGS]: 1000 }), -EFAULT);
      assert.equal(lookup(seam, fd, 2), -ENOENT);
    });
  });

  test("a next key that cannot be written is EFAULT, ENOENT when there is none", () => {
    const { seam, fd } = seamWithMap(kernel);
    using _ = seam;
    const fields = { [MAP_ELEM.MAP_FD]: fd, [MAP_ELEM.NEXT_KEY]: NOWHERE };
    assert.equal(seam.call(cmd.BPF_MAP_GET_NEXT_KEY, fields), -EFAULT);
    const last = { ...fields, [MAP_ELEM.KEY]: seam.put(u32.encode(1)) };
    assert.equal(seam.call(cmd.BPF_MAP_GET_NEXT_KEY, last), -ENOENT);
  });

  test("a key and its value may lie anywhere, aligned or not", () => {
    const { seam, fd } = seamWithMap(kernel);
    using _ = seam;
    for (let shift = 0; shift < 8; shift++) {
      const place = seam.put(new Uint8Array(64)) + shift;
      seam.write(place, 1);
      const fields = { [MAP_ELEM.MAP_FD]: fd, [MAP_ELEM.KEY]: place, [MAP_ELEM.VALUE]: place + 9 };
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_ELEM, fields), 0);
      assert.deepEqual(seam.bytes(place + 9, 4), u32.encode(10));
    }
  });

  test("a key may lie where its value is put, and a next key where the key is", () => {
    const { seam, fd } = seamWithMap(kernel);
    using _ = seam;
    const place = seam.put(u32.encode(1));
    const fields = { [MAP_ELEM.MAP_FD]: fd, [MAP_ELEM.KEY]: place, [MAP_ELEM.VALUE]: place };
    assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_ELEM, fields), 0);
    assert.deepEqual(seam.bytes(place, 4), u32.encode(10));
    assert.equal(seam.call(cmd.BPF_MAP_GET_NEXT_KEY, { ...fields, [MAP_ELEM.NEXT_KEY]: place }), 0);
    assert.deepEqual(seam.bytes(place, 4), u32.encode(1));
  });

  describe("a batch with pointers that lead nowhere", () => {
    const count = { [MAP_BATCH.COUNT]: 8 };

    test("is EFAULT and has a count of zero, or of what was done", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const good = {
        ...count,
        [MAP_BATCH.MAP_FD]: fd,
        [MAP_BATCH.OUT_BATCH]: seam.put(new Uint8Array(4)),
        [MAP_BATCH.KEYS]: seam.put(new Uint8Array(32)),
        [MAP_BATCH.VALUES]: seam.put(new Uint8Array(32)),
      };
      for (const field of [MAP_BATCH.IN_BATCH, MAP_BATCH.KEYS, MAP_BATCH.VALUES, MAP_BATCH.OUT_BATCH]) {
        assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_BATCH, { ...good, [field]: NOWHERE }), -EFAULT, `field ${field}`);
        assert.equal(seam.field(MAP_BATCH.COUNT), 0, `field ${field}`);
      }
      assert.equal(seam.call(cmd.BPF_MAP_UPDATE_BATCH, { ...good, [MAP_BATCH.KEYS]: NOWHERE }), -EFAULT);
      assert.equal(seam.field(MAP_BATCH.COUNT), 0);
      assert.equal(seam.call(cmd.BPF_MAP_UPDATE_BATCH, { ...good, [MAP_BATCH.VALUES]: NOWHERE }), -EFAULT);
      assert.equal(seam.field(MAP_BATCH.COUNT), 0);
      assert.equal(seam.call(cmd.BPF_MAP_DELETE_BATCH, { ...good, [MAP_BATCH.KEYS]: NOWHERE }), -EFAULT);
      assert.equal(seam.field(MAP_BATCH.COUNT), 0);
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_BATCH, good), -ENOENT);
      assert.equal(seam.field(MAP_BATCH.COUNT), 1);
    });

    test("takes the entries that it fails to return", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const fields = {
        ...count,
        [MAP_BATCH.MAP_FD]: fd,
        [MAP_BATCH.OUT_BATCH]: seam.put(new Uint8Array(4)),
        [MAP_BATCH.KEYS]: NOWHERE,
        [MAP_BATCH.VALUES]: seam.put(new Uint8Array(32)),
      };
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_AND_DELETE_BATCH, fields), -EFAULT);
      assert.equal(lookup(seam, fd, 1), -ENOENT);
    });

    test("updates the entries before the one that cannot be read", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const keys = seam.put(Uint8Array.of(5, 0, 0, 0, 6, 0, 0, 0));
      const end = seam.kernel.memory.size;
      const fields = {
        [MAP_BATCH.COUNT]: 2,
        [MAP_BATCH.MAP_FD]: fd,
        [MAP_BATCH.KEYS]: keys,
        [MAP_BATCH.VALUES]: end - 4,
      };
      assert.equal(seam.call(cmd.BPF_MAP_UPDATE_BATCH, fields), -EFAULT);
      assert.equal(seam.field(MAP_BATCH.COUNT), 1);
      assert.equal(lookup(seam, fd, 5), 0);
      assert.equal(lookup(seam, fd, 6), -ENOENT);
    });

    test("does not look at them when there is nothing to do", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const nothing = {
        [MAP_BATCH.MAP_FD]: fd,
        [MAP_BATCH.IN_BATCH]: NOWHERE,
        [MAP_BATCH.OUT_BATCH]: NOWHERE,
        [MAP_BATCH.KEYS]: NOWHERE,
        [MAP_BATCH.VALUES]: NOWHERE,
      };
      for (const command of [
        cmd.BPF_MAP_LOOKUP_BATCH,
        cmd.BPF_MAP_LOOKUP_AND_DELETE_BATCH,
        cmd.BPF_MAP_UPDATE_BATCH,
        cmd.BPF_MAP_DELETE_BATCH,
      ]) {
        assert.equal(seam.call(command, nothing), 0);
      }
    });

    test("of an array returns the entries before the fault, and a count of zero", () => {
      const { seam, fd } = seamWithMap(kernel, BPF_MAP_TYPE_ARRAY);
      using _ = seam;
      const end = seam.kernel.memory.size;
      const values = seam.put(new Uint8Array(32));
      const fields = {
        ...count,
        [MAP_BATCH.MAP_FD]: fd,
        [MAP_BATCH.OUT_BATCH]: seam.put(new Uint8Array(4)),
        [MAP_BATCH.KEYS]: end - 8,
        [MAP_BATCH.VALUES]: values,
      };
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_BATCH, fields), -EFAULT);
      assert.equal(seam.field(MAP_BATCH.COUNT), 0);
      assert.deepEqual(seam.bytes(end - 8, 8), Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0));
      assert.deepEqual(seam.bytes(values + 4, 4), u32.encode(10));
    });

    test("of an array needs a cursor to continue from", () => {
      const { seam, fd } = seamWithMap(kernel, BPF_MAP_TYPE_ARRAY);
      using _ = seam;
      const fields = {
        ...count,
        [MAP_BATCH.MAP_FD]: fd,
        [MAP_BATCH.OUT_BATCH]: NOWHERE,
        [MAP_BATCH.KEYS]: seam.put(new Uint8Array(32)),
        [MAP_BATCH.VALUES]: seam.put(new Uint8Array(32)),
      };
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_BATCH, fields), -EFAULT);
      assert.equal(seam.field(MAP_BATCH.COUNT), 8);
      assert.equal(seam.call(cmd.BPF_MAP_LOOKUP_BATCH, { ...fields, [MAP_BATCH.IN_BATCH]: NOWHERE }), -EFAULT);
      assert.equal(seam.field(MAP_BATCH.COUNT), 0);
    });

    test("is ENOSPC before it is EFAULT", () => {
      using seam = new Seam(kernel);
      const fd = createMap(seam, BPF_MAP_TYPE_HASH, BPF_F_ZERO_SEED);
      for (let key = 1; key <= 8; key++) update(seam, fd, key, key);
      const answers = [0, 1, 2, 3, 4, 5, 6, 7].map((bucket) =>
        seam.call(cmd.BPF_MAP_LOOKUP_BATCH, {
          [MAP_BATCH.MAP_FD]: fd,
          [MAP_BATCH.IN_BATCH]: seam.put(u32.encode(bucket)),
          [MAP_BATCH.OUT_BATCH]: seam.put(new Uint8Array(4)),
          [MAP_BATCH.KEYS]: NOWHERE,
          [MAP_BATCH.VALUES]: NOWHERE,
          [MAP_BATCH.COUNT]: 1,
        }),
      );
      assert.deepEqual(answers, [-EFAULT, -EFAULT, -ENOSPC, -EFAULT, -EFAULT, -ENOSPC, -ENOSPC, -EFAULT]);
    });
  });

  describe("the name of a map", () => {
    const create = (seam: Seam, name: Uint8Array): number => {
      seam.kernel.memory.u8.fill(0, seam.attr, seam.attr + ATTR_SIZE);
      seam.write(seam.attr + MAP_CREATE.MAP_TYPE, BPF_MAP_TYPE_ARRAY);
      seam.write(seam.attr + MAP_CREATE.KEY_SIZE, 4);
      seam.write(seam.attr + MAP_CREATE.VALUE_SIZE, 4);
      seam.write(seam.attr + MAP_CREATE.MAX_ENTRIES, 1);
      seam.kernel.memory.u8.set(name, seam.attr + MAP_CREATE.MAP_NAME);
      return seam.kernel.bpf(cmd.BPF_MAP_CREATE, seam.attr, MAP_CREATE.END);
    };

    test("of 16 bytes without a NUL is EINVAL", () => {
      using seam = new Seam(kernel);
      assert.equal(create(seam, new Uint8Array(16).fill(0x61)), -EINVAL);
      assert.ok(create(seam, new Uint8Array(15).fill(0x61)) > 0);
    });

    test("ends at its first NUL, whatever lies behind", () => {
      using seam = new Seam(kernel);
      const fd = create(seam, Uint8Array.of(0x61, 0, 0x20, 0xff));
      assert.ok(fd > 0);
      const info = seam.put(new Uint8Array(MAP_INFO.SIZE));
      const fields = { [OBJ_INFO.BPF_FD]: fd, [OBJ_INFO.INFO_LEN]: MAP_INFO.SIZE, [OBJ_INFO.INFO]: info };
      assert.equal(seam.call(cmd.BPF_OBJ_GET_INFO_BY_FD, fields), 0);
      assert.deepEqual(seam.bytes(info + MAP_INFO.NAME, 4), Uint8Array.of(0x61, 0, 0, 0));
    });

    test("consists of the bytes that Linux counts among letters and digits, and of _ and .", () => {
      using seam = new Seam(kernel);
      const allowed: number[] = [];
      for (let byte = 1; byte < 256; byte++) {
        const fd = create(seam, Uint8Array.of(byte));
        if (fd >= 0) allowed.push(byte);
        else assert.equal(fd, -EINVAL);
      }
      const latin1 = new TextDecoder("latin1").decode(Uint8Array.from(allowed));
      assert.equal(
        latin1,
        ".0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz" +
          "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ",
      );
    });
  });

  describe("the info of a map", () => {
    const fields = (seam: Seam, fd: number, length: number) => ({
      [OBJ_INFO.BPF_FD]: fd,
      [OBJ_INFO.INFO_LEN]: length,
      [OBJ_INFO.INFO]: seam.put(new Uint8Array(8192)),
    });

    test("is as long as the caller has room for", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      for (const length of [0, 1, 4, 23, 24, 80, MAP_INFO.SIZE - 1, MAP_INFO.SIZE]) {
        const attr = fields(seam, fd, length);
        const info = attr[OBJ_INFO.INFO] as number;
        seam.kernel.memory.u8.fill(0, info, info + 512);
        assert.equal(seam.call(cmd.BPF_OBJ_GET_INFO_BY_FD, attr), 0);
        assert.equal(seam.field(OBJ_INFO.INFO_LEN), length);
        assert.deepEqual(seam.bytes(info + length, 200), new Uint8Array(200));
        if (length > 0) assert.equal(seam.bytes(info, 1)[0], BPF_MAP_TYPE_HASH);
      }
    });

    test("is no longer than the kernel's own, however much room there is", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      assert.equal(seam.call(cmd.BPF_OBJ_GET_INFO_BY_FD, fields(seam, fd, 4096)), 0);
      assert.equal(seam.field(OBJ_INFO.INFO_LEN), MAP_INFO.SIZE);
      assert.equal(seam.call(cmd.BPF_OBJ_GET_INFO_BY_FD, fields(seam, fd, 4097)), -E2BIG);
    });

    test("has no room for what is not zero behind the kernel's own", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const attr = fields(seam, fd, MAP_INFO.SIZE + 8);
      const info = attr[OBJ_INFO.INFO] as number;
      seam.write(info + MAP_INFO.SIZE + 4, 1);
      assert.equal(seam.call(cmd.BPF_OBJ_GET_INFO_BY_FD, attr), -E2BIG);
      seam.write(info + MAP_INFO.SIZE + 4, 0);
      seam.write(info + MAP_INFO.SIZE + 8, 1);
      assert.equal(seam.call(cmd.BPF_OBJ_GET_INFO_BY_FD, attr), 0);
    });

    test("that cannot be written is EFAULT, and of a bad fd EBADFD", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const length = { [OBJ_INFO.INFO_LEN]: MAP_INFO.SIZE };
      const nowhere = { ...length, [OBJ_INFO.BPF_FD]: fd, [OBJ_INFO.INFO]: NOWHERE };
      assert.equal(seam.call(cmd.BPF_OBJ_GET_INFO_BY_FD, nowhere), -EFAULT);
      assert.equal(seam.call(cmd.BPF_OBJ_GET_INFO_BY_FD, { ...nowhere, [OBJ_INFO.INFO]: 0 }), -EFAULT);
      assert.equal(seam.call(cmd.BPF_OBJ_GET_INFO_BY_FD, { ...nowhere, [OBJ_INFO.BPF_FD]: 1_000_000 }), -EBADFD);
    });
  });

  describe("a path", () => {
    const path = (seam: Seam, name: string) => seam.put(new TextEncoder().encode(name));

    test("that cannot be read is EFAULT", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      assert.equal(seam.call(cmd.BPF_OBJ_PIN, { [OBJ.BPF_FD]: fd, [OBJ.PATHNAME]: NOWHERE }), -EFAULT);
      assert.equal(seam.call(cmd.BPF_OBJ_PIN, { [OBJ.BPF_FD]: fd }), -EFAULT);
      assert.equal(seam.call(cmd.BPF_OBJ_GET, { [OBJ.PATHNAME]: NOWHERE }), -EFAULT);
    });

    test("that does not end before the memory does is EFAULT", () => {
      const { seam } = seamWithMap(kernel);
      using _ = seam;
      const { memory } = seam.kernel;
      memory.u8.fill(0x2f, memory.size - 100);
      assert.equal(seam.call(cmd.BPF_OBJ_GET, { [OBJ.PATHNAME]: memory.size - 100 }), -EFAULT);
    });

    test("of which an fd is given beside it is EINVAL where nothing is to be done with it", () => {
      const { seam, fd } = seamWithMap(kernel);
      using _ = seam;
      const name = `${kernel.bpffs}/nothing\0`;
      assert.equal(seam.call(cmd.BPF_OBJ_GET, { [OBJ.PATHNAME]: path(seam, name), [OBJ.BPF_FD]: fd }), -EINVAL);
      assert.equal(seam.call(cmd.BPF_OBJ_GET, { [OBJ.PATHNAME]: path(seam, name) }), -ENOENT);
    });
  });
});
