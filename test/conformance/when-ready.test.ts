/** Waiting for news of an fd, at the seam. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Assembler } from "mapiary";
import { EBADF, EPERM } from "../../src/abi/errno.ts";
import { onEveryKernel } from "../kernels.ts";
import { Seam } from "./seam.ts";

async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await turn();
}

onEveryKernel((kernel) => {
  describe("an fd that is waited for", () => {
    test("is one of this kernel, and of a map", () => {
      using seam = new Seam(kernel);
      assert.equal(seam.kernel.whenReady(1000, assert.fail), -EBADF);
      const insns = new Assembler().mov("r0", 0).exit().assemble();
      const program = seam.bpf.sys.progLoad({ type: "socket_filter", license: "GPL", insns });
      assert.equal(seam.kernel.whenReady(program, assert.fail), -EPERM);
      const fd = seam.bpf.sys.mapCreate({ type: "ringbuf", maxEntries: 4096 });
      seam.kernel.release();
      assert.equal(seam.kernel.whenReady(fd, assert.fail), -EBADF);
    });

    test("tells once that a map without news has none", async () => {
      using seam = new Seam(kernel);
      const hash = seam.bpf.sys.mapCreate({ type: "hash", keySize: 4, valueSize: 4, maxEntries: 1 });
      await new Promise<void>((resolve) => seam.kernel.whenReady(hash, resolve));
      const off = seam.kernel.whenReady(hash, assert.fail);
      await turns();
      if (typeof off === "function") off();
    });

    test("tells nothing when there is no news, or nobody listens any more", async () => {
      using seam = new Seam(kernel);
      const fd = seam.bpf.sys.mapCreate({ type: "ringbuf", maxEntries: 4096 });
      const off = seam.kernel.whenReady(fd, assert.fail);
      await turns();
      assert.ok(typeof off === "function");
      off();
      off();
      seam.kernel.close(fd);
      await turns();
    });

    test("tells from the beginning that there is room to write, once", async () => {
      using seam = new Seam(kernel);
      const fd = seam.bpf.sys.mapCreate({ type: "user_ringbuf", maxEntries: 4096 });
      await new Promise<void>((resolve) => seam.kernel.whenReady(fd, resolve));
      const off = seam.kernel.whenReady(fd, assert.fail);
      await turns();
      if (typeof off === "function") off();
    });

    test("tells everybody that it is closed, and not at once", async () => {
      using seam = new Seam(kernel);
      const fd = seam.bpf.sys.mapCreate({ type: "ringbuf", maxEntries: 4096 });
      let told = 0;
      for (let i = 0; i < 3; i++) seam.kernel.whenReady(fd, () => told++);
      seam.kernel.close(fd);
      assert.equal(told, 0);
      await turns();
      assert.equal(told, 3);
      const again = seam.bpf.sys.mapCreate({ type: "ringbuf", maxEntries: 4096 });
      assert.equal(again, fd);
      const off = seam.kernel.whenReady(again, assert.fail);
      await turns();
      if (typeof off === "function") off();
    });

    test("tells that its kernel is released", async () => {
      const seam = new Seam(kernel);
      const fd = seam.bpf.sys.mapCreate({ type: "ringbuf", maxEntries: 4096 });
      const told = new Promise<void>((resolve) => seam.kernel.whenReady(fd, resolve));
      seam.kernel.release();
      await told;
    });
  });
});
