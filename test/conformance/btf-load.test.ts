import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, Btf, BtfBuilder } from "mapiary";
import { BTF_LOAD, OBJ_INFO } from "../../src/abi/attr.ts";
import { BPF_BTF_GET_FD_BY_ID, BPF_BTF_LOAD, BPF_OBJ_GET_INFO_BY_FD } from "../../src/abi/commands.ts";
import { E2BIG, EBADF, EBADFD, EFAULT, EINVAL, ENOENT, ENOSPC, ENOTSUPP } from "../../src/abi/errno.ts";
import { BTF_INFO } from "../../src/abi/info.ts";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { LinuxKernel } from "../../src/kernel/linux/linux-kernel.ts";
import { Sys } from "../../src/sys/sys.ts";
import { everyKind } from "../btf/every-kind.ts";
import { onEveryKernel } from "../kernels.ts";

function int(): Uint8Array {
  const builder = new BtfBuilder();
  builder.add({ kind: "int", name: "int", size: 4, isSigned: true });
  return builder.encode();
}

/** BTF with a pointer that has a name, which no pointer may. */
function bad(): Uint8Array {
  const builder = new BtfBuilder();
  builder.add({ kind: "int", name: "int", size: 4, isSigned: true });
  builder.add({ kind: "ptr", name: "named", type: 1 });
  return builder.encode();
}

const BAD_LOG_END = "[2] PTR named type_id=1 Invalid name\n";

function text(logBuf: Uint8Array): string {
  return new TextDecoder("latin1").decode(logBuf.subarray(0, logBuf.indexOf(0)));
}

function idsOf({ sys }: Bpf): number[] {
  const ids: number[] = [];
  const next = Uint32Array.of(0);
  while (sys.btfGetNextId(next[0] as number, next) === 0) ids.push(next[0] as number);
  return ids;
}

onEveryKernel(({ name, open }) => {
  describe("BPF_BTF_LOAD", () => {
    test("gives an fd, by which the same bytes are read back", () => {
      using bpf = open();
      const btf = everyKind();
      const fd = bpf.sys.btfLoad(btf);
      assert.ok(fd >= 0);
      const copy = new Uint8Array(btf.length);
      const info = bpf.sys.btfGetInfoByFd(fd, copy);
      assert.ok(typeof info === "object");
      assert.deepEqual([info.btfSize, info.name, info.kernelBtf], [btf.length, "", false]);
      assert.ok(info.id > 0);
      assert.deepEqual(copy, new Uint8Array(btf));
      assert.equal(new Btf(copy).find("all", "struct") !== undefined, true);
    });

    test("is EINVAL, and says in the log why, for BTF that is wrong", () => {
      using bpf = open();
      const logBuf = new Uint8Array(1000);
      assert.equal(bpf.sys.btfLoad(bad(), { logBuf, logLevel: 1 }), -EINVAL);
      assert.ok(text(logBuf).startsWith("magic: 0xeb9f\nversion: 1\n"));
      assert.ok(text(logBuf).endsWith(BAD_LOG_END), text(logBuf));
    });

    test("logs good BTF as well", () => {
      using bpf = open();
      const logBuf = new Uint8Array(1000);
      assert.ok(bpf.sys.btfLoad(int(), { logBuf, logLevel: 1 }) >= 0);
      assert.ok(text(logBuf).endsWith("[1] INT int size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n"));
    });

    test("is ENOSPC when the log is longer than its buffer, which has its end, or its beginning when that is asked for", () => {
      using bpf = open();
      const logBuf = new Uint8Array(BAD_LOG_END.length + 1);
      assert.equal(bpf.sys.btfLoad(bad(), { logBuf, logLevel: 1 }), -ENOSPC);
      assert.equal(text(logBuf), BAD_LOG_END);
      assert.equal(bpf.sys.btfLoad(bad(), { logBuf, logLevel: 1 | 8 }), -ENOSPC);
      assert.ok(text(logBuf).startsWith("magic: 0xeb9f\n"));
      assert.equal(bpf.sys.btfLoad(int(), { logBuf, logLevel: 1 }), -ENOSPC);
    });

    test("wants a log level with a buffer, and no unknown one", () => {
      using bpf = open();
      const logBuf = new Uint8Array(100);
      assert.equal(bpf.sys.btfLoad(int(), { logBuf }), -EINVAL);
      assert.equal(bpf.sys.btfLoad(int(), { logBuf, logLevel: 16 }), -EINVAL);
      assert.ok(bpf.sys.btfLoad(int(), { logLevel: 1 }) >= 0);
    });

    test("is ENOTSUPP for a version of the future, E2BIG beyond 16 MiB, EINVAL for nothing", () => {
      using bpf = open();
      const future = int();
      future[2] = 2;
      assert.equal(bpf.sys.btfLoad(future), -ENOTSUPP);
      assert.equal(bpf.sys.btfLoad(new Uint8Array(16 * 1024 * 1024 + 1)), -E2BIG);
      assert.equal(bpf.sys.btfLoad(new Uint8Array(0)), -EINVAL);
    });

    test("takes no flags but that of tokens, and no file for one", () => {
      using bpf = open();
      assert.equal(bpf.sys.btfLoad(int(), { flags: 1 }), -EINVAL);
      assert.equal(bpf.sys.btfLoad(int(), { flags: 1 << 16, tokenFd: -1 }), -EBADF);
    });
  });

  describe("BTF that is loaded", () => {
    test("is found by its id, which grows, and goes with its last fd", () => {
      using bpf = open();
      const { sys } = bpf;
      const first = sys.btfLoad(int());
      const second = sys.btfLoad(int());
      const [a, b] = [first, second].map((fd) => {
        const info = sys.btfGetInfoByFd(fd);
        return typeof info === "number" ? info : info.id;
      }) as [number, number];
      assert.ok(b > a && a > 0);
      assert.ok(idsOf(bpf).includes(a));
      const again = sys.btfGetFdById(a);
      assert.ok(again >= 0);
      sys.close(first);
      assert.ok(idsOf(bpf).includes(a));
      sys.close(again);
      if (name === "embedded") assert.deepEqual(idsOf(bpf), [b]);
      assert.equal(sys.btfGetFdById(2 ** 31 - 2), -ENOENT);
    });

    test("cannot be pinned", () => {
      using bpf = open();
      const fd = bpf.sys.btfLoad(int());
      assert.equal(bpf.sys.objPin(fd, "/sys/fs/bpf/btf"), -EINVAL);
    });
  });
});

onEveryKernel(({ name }) => {
  const kernel: Kernel = name === "linux" ? new LinuxKernel() : new EmbeddedKernel();
  const sys = new Sys(kernel);
  const { memory } = kernel;

  /** A zeroed attr of a page, and the page behind it. */
  function place(): number {
    const at = memory.allocate(8192, "a test");
    memory.u8.fill(0, at, at + 8192);
    return at;
  }

  describe("the attr of BPF_BTF_LOAD", () => {
    function load(btf: Uint8Array, size: number): { result: number; trueSize: number } {
      const attr = place();
      memory.u8.set(btf, attr + 4096);
      memory.view.setUint32(attr + BTF_LOAD.BTF, attr + 4096, true);
      memory.view.setUint32(attr + BTF_LOAD.BTF_SIZE, btf.length, true);
      memory.view.setUint32(attr + BTF_LOAD.BTF_LOG_LEVEL, 1, true);
      const result = kernel.bpf(BPF_BTF_LOAD, attr, size);
      const trueSize = memory.view.getUint32(attr + BTF_LOAD.BTF_LOG_TRUE_SIZE, true);
      memory.release(attr);
      if (result >= 0) sys.close(result);
      return { result: Math.min(result, 0), trueSize };
    }

    test("is answered how large the log is, also without a buffer for it", () => {
      const { result, trueSize } = load(bad(), BTF_LOAD.END);
      assert.equal(result, -EINVAL);
      assert.equal(trueSize, 214);
    });

    test("is not written when it is too short for that", () => {
      assert.deepEqual(load(bad(), 31), { result: -EINVAL, trueSize: 0 });
      assert.deepEqual(load(int(), 28), { result: 0, trueSize: 0 });
    });

    test("is EFAULT with BTF or a log out of reach", () => {
      const attr = place();
      memory.view.setUint32(attr + BTF_LOAD.BTF, 16, true);
      memory.view.setUint32(attr + BTF_LOAD.BTF_SIZE, 24, true);
      assert.equal(kernel.bpf(BPF_BTF_LOAD, attr, BTF_LOAD.END), -EFAULT);
      memory.u8.set(int(), attr + 4096);
      memory.view.setUint32(attr + BTF_LOAD.BTF, attr + 4096, true);
      memory.view.setUint32(attr + BTF_LOAD.BTF_SIZE, int().length, true);
      memory.view.setUint32(attr + BTF_LOAD.BTF_LOG_BUF, 16, true);
      memory.view.setUint32(attr + BTF_LOAD.BTF_LOG_SIZE, 1000, true);
      memory.view.setUint32(attr + BTF_LOAD.BTF_LOG_LEVEL, 1, true);
      assert.equal(kernel.bpf(BPF_BTF_LOAD, attr, BTF_LOAD.END), -EFAULT);
      memory.release(attr);
    });

    test("of BPF_BTF_GET_FD_BY_ID has no flags", () => {
      const attr = place();
      memory.view.setUint32(attr + 8, 8, true);
      assert.equal(kernel.bpf(BPF_BTF_GET_FD_BY_ID, attr, 12), -EINVAL);
      memory.release(attr);
    });
  });

  describe("BPF_OBJ_GET_INFO_BY_FD of BTF", () => {
    const btf = int();

    /** The info after a call, its fields set by `fill` before. */
    function info(
      length: number,
      fill: (info: DataView, place: number) => void,
    ): { result: number; info: DataView; place: number } {
      const attr = place();
      const at = attr + 1024;
      const fd = sys.btfLoad(btf);
      fill(new DataView(memory.u8.buffer, at, 512), attr + 4096);
      memory.view.setInt32(attr + OBJ_INFO.BPF_FD, fd, true);
      memory.view.setUint32(attr + OBJ_INFO.INFO_LEN, length, true);
      memory.view.setUint32(attr + OBJ_INFO.INFO, at, true);
      const result = kernel.bpf(BPF_OBJ_GET_INFO_BY_FD, attr, OBJ_INFO.END);
      sys.close(fd);
      const answer = new DataView(memory.u8.slice(at, at + 512).buffer);
      return { result, info: answer, place: attr + 4096 };
    }

    test("gives as much of the bytes as there is room for, and says how many there are", () => {
      const answer = info(BTF_INFO.SIZE, (view, place) => {
        view.setUint32(BTF_INFO.BTF, place, true);
        view.setUint32(BTF_INFO.BTF_SIZE, 10, true);
      });
      assert.equal(answer.result, 0);
      assert.equal(answer.info.getUint32(BTF_INFO.BTF_SIZE, true), btf.length);
      const bytes = memory.u8.slice(answer.place, answer.place + 12);
      assert.deepEqual(bytes, Uint8Array.of(...btf.subarray(0, 10), 0, 0));
    });

    test("takes a name and its length together", () => {
      const set = (name: boolean, length: number) => (view: DataView, place: number) => {
        view.setUint32(BTF_INFO.NAME, name ? place : 0, true);
        view.setUint32(BTF_INFO.NAME_LEN, length, true);
      };
      assert.equal(info(BTF_INFO.SIZE, set(true, 0)).result, -EINVAL);
      assert.equal(info(BTF_INFO.SIZE, set(false, 5)).result, -EINVAL);
      const answer = info(BTF_INFO.SIZE, set(true, 1));
      assert.equal(answer.result, 0);
      assert.equal(answer.info.getUint32(BTF_INFO.NAME_LEN, true), 0);
    });

    test("writes no further than it was asked to", () => {
      const answer = info(16, (view) => view.setUint32(BTF_INFO.KERNEL_BTF, 77, true));
      assert.equal(answer.result, 0);
      assert.equal(answer.info.getUint32(BTF_INFO.KERNEL_BTF, true), 77);
      assert.ok(answer.info.getUint32(BTF_INFO.ID, true) > 0);
      assert.equal(info(BTF_INFO.SIZE + 8, (view) => view.setUint8(BTF_INFO.SIZE + 7, 1)).result, -E2BIG);
      assert.equal(info(BTF_INFO.SIZE + 8, () => {}).result, 0);
      assert.equal(info(5000, () => {}).result, -E2BIG);
    });

    test("is EBADFD for an fd that is closed", () => {
      assert.equal(sys.btfGetInfoByFd(9999), -EBADFD);
    });
  });
});
