/** What compiles and what does not of the maps whose elements are no data of user space. The tests run too. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, embedded, type OpaqueMap, type OpaqueTypeName, u32 } from "mapiary";
import { MAP_TYPE_NAMES } from "../../src/abi/map-types.ts";
import { opaqueSizes } from "../../src/maps/opaque-map.ts";
import { BpfError } from "../../src/sys/bpf-error.ts";
import { onEveryKernel } from "../kernels.ts";

/** The least that makes each type. The storage of other objects needs BTF, and struct_ops a type of Linux. */
const SPECS = {
  prog_array: { maxEntries: 4 },
  stack_trace: { maxEntries: 4 },
  cgroup_array: { maxEntries: 4 },
  devmap: { maxEntries: 4 },
  devmap_hash: { maxEntries: 4 },
  cpumap: { maxEntries: 1 },
  xskmap: { maxEntries: 4 },
  sockmap: { maxEntries: 4 },
  sockhash: { maxEntries: 4 },
  reuseport_sockarray: { maxEntries: 4 },
  cgroup_storage: { valueSize: 8 },
  percpu_cgroup_storage: { valueSize: 8 },
  arena: { maxEntries: 4 },
} as const;
const TYPES = Object.keys(SPECS) as (keyof typeof SPECS)[];
const WITH_BTF = ["sk_storage", "inode_storage", "task_storage", "cgrp_storage", "struct_ops"] as const;

onEveryKernel((kernel) => {
  for (const type of TYPES) {
    test(`a ${type} can be made, pinned, opened and frozen`, () => {
      using bpf = kernel.open();
      using map: OpaqueMap = bpf.createMap({ type, name: "opaque", ...SPECS[type] });
      assert.equal(map.type, type);
      const { keySize, valueSize } = opaqueSizes(type);
      const sizes = { keySize, valueSize: "valueSize" in SPECS[type] ? 8 : valueSize };
      assert.deepEqual({ keySize: map.keySize, valueSize: map.valueSize }, sizes);
      const path = `${kernel.bpffs}/opaque`;
      map.pin(path);
      using opened: OpaqueMap = bpf.openMap(path, { type });
      assert.deepEqual(opened.info(), map.info());
      opened.freeze();
      assert.throws(() => map.freeze(), { code: "EPERM" });
      opened.unpin();
    });
  }

  for (const type of WITH_BTF) {
    test(`a ${type} is not made without BTF`, () => {
      using bpf = kernel.open();
      const maxEntries = type === "struct_ops" ? 1 : 0;
      const make = (): OpaqueMap => bpf.createMap({ type, valueSize: 8, maxEntries });
      assert.throws(make, (error) => error instanceof BpfError && error.code === "EINVAL");
    });
  }
});

test("every type of Linux that no other class is for is opaque", () => {
  const opaque: readonly OpaqueTypeName[] = [...TYPES, ...WITH_BTF];
  assert.equal(new Set(opaque).size, 18);
  for (const type of opaque) assert.ok(MAP_TYPE_NAMES.includes(type));
});

describe("an opaque map", () => {
  const devices = (bpf: Bpf): OpaqueMap => bpf.createMap({ type: "devmap", maxEntries: 4 });

  test("has no methods for elements", () => {
    using bpf = embedded();
    const map = devices(bpf);
    // @ts-expect-error: elements are for bpf.sys
    assert.equal(map.get, undefined);
    // @ts-expect-error: elements are for bpf.sys
    assert.equal(map.set, undefined);
    // @ts-expect-error: elements are for bpf.sys
    assert.equal(map.delete, undefined);
    // @ts-expect-error: elements are for bpf.sys
    assert.equal(map.keys, undefined);
  });

  test("has sizes, and no layouts", () => {
    using bpf = embedded();
    using map = bpf.createMap({ type: "sockhash", keySize: 16, valueSize: 8, maxEntries: 4 });
    assert.equal(map.keySize, 16);
    // @ts-expect-error: a key is bytes that mean something to programs
    const withKey = (): unknown => bpf.createMap({ type: "sockhash", key: u32, maxEntries: 4 });
    assert.ok(withKey);
  });

  test("of a type that there is", () => {
    using bpf = embedded();
    // @ts-expect-error: no such type
    assert.throws(() => bpf.createMap({ type: "ringbuffer", maxEntries: 4096 }));
  });
});
