/** What a kernel says of an fd beside what BPF_OBJ_GET_INFO_BY_FD does: `/proc/self/fdinfo`. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EBADF } from "../../src/abi/errno.ts";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { LinuxKernel } from "../../src/kernel/linux/linux-kernel.ts";
import { Sys } from "../../src/sys/sys.ts";
import { onEveryKernel } from "../kernels.ts";

/** The lines that do not differ between two maps that are made alike; those of every file are left out. */
function linesOf(kernel: Kernel, fd: number): ReadonlyMap<string, string> {
  const text = kernel.fdinfo(fd);
  assert.equal(typeof text, "string");
  const lines = String(text).trimEnd().split("\n");
  return new Map(lines.map((line) => line.split(":\t") as [string, string]));
}

onEveryKernel(({ name }) => {
  describe("the fdinfo of a map", () => {
    const kernel = name === "linux" ? new LinuxKernel() : new EmbeddedKernel();
    const sys = new Sys(kernel);

    test("says what it was made with, its id and its memory", () => {
      const options = { type: "bloom_filter", valueSize: 8, maxEntries: 100, mapExtra: 3, name: "fdinfo" } as const;
      const fd = sys.mapCreate(options);
      const info = sys.objGetInfoByFd(fd);
      const lines = linesOf(kernel, fd);
      const said = ["map_type", "key_size", "value_size", "max_entries", "map_flags", "map_extra", "frozen"];
      assert.deepEqual(
        said.map((line) => lines.get(line)),
        ["30", "0", "8", "100", "0x0", "0x3", "0"],
      );
      assert.equal(Number(lines.get("map_id")), typeof info === "number" ? info : info.id);
      assert.ok(Number(lines.get("memlock")) > 0);
      sys.close(fd);
    });

    test("says that it is frozen", () => {
      const fd = sys.mapCreate({ type: "array", keySize: 4, valueSize: 8, maxEntries: 1 });
      assert.equal(sys.mapFreeze(fd), 0);
      assert.equal(linesOf(kernel, fd).get("frozen"), "1");
      sys.close(fd);
    });

    test("is EBADF for an fd that the kernel did not give out", () => {
      const fd = sys.mapCreate({ type: "array", keySize: 4, valueSize: 8, maxEntries: 1 });
      sys.close(fd);
      assert.equal(kernel.fdinfo(fd), -EBADF);
      assert.equal(kernel.fdinfo(0), -EBADF);
    });
  });
});
