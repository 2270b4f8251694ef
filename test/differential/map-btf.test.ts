/** Which types of keys and values a map of each type can have: asked of both kernels. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, embedded, type MapCreateOptions, type MapTypeName } from "mapiary";
import { BPF_F_MMAPABLE, BPF_F_NO_PREALLOC } from "../../src/abi/flags.ts";
import { MAP_TYPE_NAMES } from "../../src/abi/map-types.ts";
import { onLinux } from "../kernels.ts";
import { valueTypes } from "./value-types.ts";

/** What besides sizes a map of a type is made with. */
function shapeOf(type: MapTypeName): { readonly flags: number; readonly maxEntries: number } {
  const isStorage = type.endsWith("_storage");
  const hasNoPrealloc = type === "lpm_trie" || (isStorage && !type.includes("cgroup"));
  const flags = type === "arena" ? BPF_F_MMAPABLE : hasNoPrealloc ? BPF_F_NO_PREALLOC : 0;
  return { flags, maxEntries: isStorage ? 0 : type.endsWith("ringbuf") ? 4096 : 1 };
}

function answer({ sys }: Bpf, create: MapCreateOptions): number {
  const fd = sys.mapCreate(create);
  if (fd >= 0) sys.close(fd);
  return Math.min(fd, 0);
}

onLinux(({ open }) =>
  describe("the types of keys and values, embedded against linux", () => {
    const { bytes, all } = valueTypes();
    const kernels = [embedded(), open()].map((bpf) => {
      const btfFd = bpf.sys.btfLoad(bytes);
      const innerMapFd = bpf.sys.mapCreate({ type: "array", keySize: 4, valueSize: 4, maxEntries: 1 });
      assert.ok(btfFd >= 0 && innerMapFd >= 0);
      return { bpf, btfFd, innerMapFd };
    });

    for (const type of MAP_TYPE_NAMES) {
      test(`of ${type} are taken and refused alike`, () => {
        for (const key of all.filter(({ isSpecial }) => !isSpecial)) {
          for (const value of all) {
            const keySizes = key.id === 0 ? [0, 4, 8] : [key.size];
            for (const keySize of keySizes) {
              const ids = { btfKeyTypeId: key.id, btfValueTypeId: value.id };
              const create = { type, keySize, valueSize: value.size, ...shapeOf(type), ...ids };
              const [ours, linux] = kernels.map(({ bpf, ...fds }) => answer(bpf, { ...create, ...fds }));
              assert.equal(ours, linux, `${key.name} (${keySize}) and ${value.name}`);
            }
          }
        }
      });
    }
  }),
);
