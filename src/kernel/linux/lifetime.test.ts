import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { onLinux } from "../../../test/kernels.ts";
import { BPF_F_MMAPABLE } from "../../abi/flags.ts";
import { PROT_READ } from "../../abi/mman.ts";
import { Sys } from "../../sys/sys.ts";
import { LinuxKernel } from "./linux-kernel.ts";

const SHAPE = { type: "array", keySize: 4, valueSize: 8, maxEntries: 1, flags: BPF_F_MMAPABLE } as const;

/** The maps that this process has open. */
function openMaps(): number {
  return readdirSync("/proc/self/fd").filter((fd) => targetOf(fd) === "anon_inode:bpf-map").length;
}

/** The fd that reads the directory is gone by the time that its link is read. */
function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}

function mappedMaps(): number {
  return readFileSync("/proc/self/maps", "utf8").split("bpf-map").length - 1;
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** Leaves behind a kernel that nobody can reach, with an open map that is mapped. */
function abandonKernel(): void {
  const kernel = new LinuxKernel();
  const fd = new Sys(kernel).mapCreate(SHAPE);
  assert.ok(fd > 0);
  assert.ok(kernel.mmap(fd, 8, PROT_READ, 0) > 0);
}

onLinux(() => {
  test("a perf event that is closed gives back what watched it", async () => {
    const kernel = new LinuxKernel();
    // More than there can be functions for C to call at once.
    for (let i = 0; i < 8200; i++) {
      const fd = kernel.openBpfOutput(0);
      assert.ok(fd > 0);
      assert.equal(kernel.close(fd), 0);
      if (i % 1000 === 0) await turn();
    }
    kernel.release();
  });

  test("a thousand kernels are opened and released, and leave no map behind", () => {
    const before = openMaps();
    for (let i = 0; i < 1000; i++) {
      const kernel = new LinuxKernel();
      assert.ok(new Sys(kernel).mapCreate(SHAPE) > 0);
      kernel.release();
    }
    assert.equal(openMaps(), before);
  });

  test("release closes every fd that is open", () => {
    const before = openMaps();
    const kernel = new LinuxKernel();
    for (let i = 0; i < 10; i++) new Sys(kernel).mapCreate(SHAPE);
    assert.equal(openMaps(), before + 10);
    kernel.release();
    assert.equal(openMaps(), before);
  });

  test("a kernel that is collected without release closes its fds and unmaps its maps", async () => {
    const before = openMaps();
    for (let i = 0; i < 5; i++) abandonKernel();
    for (let tries = 0; tries < 100 && openMaps() > before; tries++) {
      collectGarbage();
      await turn();
    }
    assert.equal(openMaps(), before);
    assert.equal(mappedMaps(), 0);
  });
});
