/** Which types of keys and values a map of each type can have: asked of both kernels. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, BtfBuilder, embedded, type MapCreateOptions, type MapTypeName } from "mapiary";
import { BPF_F_MMAPABLE, BPF_F_NO_PREALLOC } from "../../src/abi/flags.ts";
import { MAP_TYPE_NAMES } from "../../src/abi/map-types.ts";
import { onLinux } from "../kernels.ts";

interface NamedType {
  readonly name: string;
  /** 0 for no type. */
  readonly id: number;
  readonly size: number;
}

function types(): { readonly bytes: Uint8Array; readonly all: readonly NamedType[] } {
  const builder = new BtfBuilder();
  const all: NamedType[] = [{ name: "none", id: 0, size: 0 }];
  const add = (name: string, size: number, type: Parameters<BtfBuilder["add"]>[0]): number => {
    const id = builder.add(type);
    all.push({ name, id, size });
    return id;
  };
  const at = (type: number, byte: number) => ({ name: `at${byte}`, type, bitOffset: byte * 8, bitfieldSize: 0 });
  const int = add("int", 4, { kind: "int", name: "int", size: 4, isSigned: true });
  const long = add("long", 8, { kind: "int", name: "long", size: 8 });
  add("typedef", 4, { kind: "typedef", name: "u32", type: int });
  add("array", 4, { kind: "array", type: int, indexType: int, length: 1 });
  add("enum", 4, { kind: "enum", name: "e", size: 4, isSigned: false, values: [{ name: "X", value: 1 }] });
  add("struct of 0", 0, { kind: "struct", name: "s0", size: 0, members: [] });
  add("struct of 4", 4, { kind: "struct", name: "s4", size: 4, members: [at(int, 0)] });
  add("struct of 8", 8, { kind: "struct", name: "s8", size: 8, members: [at(int, 0), at(int, 4)] });
  add("cgroup key", 16, { kind: "struct", name: "s16", size: 16, members: [at(long, 0), at(int, 8)] });
  add("no cgroup key", 16, { kind: "struct", name: "t16", size: 16, members: [at(int, 0), at(int, 8)] });
  const lock = builder.add({ kind: "struct", name: "bpf_spin_lock", size: 4, members: [at(int, 0)] });
  add("locked", 8, { kind: "struct", name: "locked", size: 8, members: [at(lock, 0), at(int, 4)] });
  const pair = builder.add({ kind: "array", type: long, indexType: int, length: 2 });
  for (const name of ["bpf_timer", "bpf_wq"]) {
    const special = builder.add({ kind: "struct", name, size: 16, members: [at(pair, 0)] });
    add(name, 16, { kind: "struct", name: `with_${name}`, size: 16, members: [at(special, 0)] });
  }
  const own = builder.add({ kind: "struct", name: "own_struct", size: 8, members: [at(long, 0)] });
  for (const name of ["kptr", "kptr_untrusted", "percpu_kptr", "uptr", "unknown"]) {
    const tag = builder.add({ kind: "type_tag", name, type: own, isAttribute: false });
    const pointer = builder.add({ kind: "ptr", name: "", type: tag });
    add(name, 8, { kind: "struct", name: `with_${name}`, size: 8, members: [at(pointer, 0)] });
  }
  const variable = builder.add({ kind: "var", name: "v", type: long, linkage: "global" });
  add("section", 8, { kind: "datasec", name: ".data", size: 8, variables: [{ type: variable, offset: 0, size: 8 }] });
  return { bytes: builder.encode(), all };
}

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
    const { bytes, all } = types();
    const kernels = [embedded(), open()].map((bpf) => {
      const btfFd = bpf.sys.btfLoad(bytes);
      const innerMapFd = bpf.sys.mapCreate({ type: "array", keySize: 4, valueSize: 4, maxEntries: 1 });
      assert.ok(btfFd >= 0 && innerMapFd >= 0);
      return { bpf, btfFd, innerMapFd };
    });

    for (const type of MAP_TYPE_NAMES) {
      test(`of ${type} are taken and refused alike`, () => {
        for (const key of all) {
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
