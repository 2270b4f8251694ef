import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Assembler, type Bpf, bytes, embedded, type KernelHandle, struct, u32, u64 } from "mapiary";
import { CONTROL } from "../../src/kernel/threads/control.ts";

const SPEC = { type: "hash", key: u32, value: u64, maxEntries: 64 } as const;
const MIB = 2 ** 20;

function other(bpf: Bpf, share: KernelHandle = bpf.share()): Bpf {
  return embedded({ share: structuredClone(share) });
}

function names(bpf: Bpf): string[] {
  return bpf.maps().map(({ name }) => name);
}

describe("kernels over one memory", () => {
  test("see the same maps, with the same ids, infos and types", () => {
    using one = embedded({ shared: true });
    using two = other(one);
    using hits = one.createMap({ ...SPEC, name: "hits", value: struct({ seen: u64, last: u32 }) });
    hits.set(5, { seen: 100n, last: 7 });
    using theirs = two.openMap<number>({ name: "hits" });
    assert.equal(theirs.id, hits.id);
    assert.deepEqual(theirs.get(5), { seen: 100n, last: 7 });
    assert.deepEqual(two.maps(), one.maps());
    theirs.set(6, { seen: 1n, last: 2 });
    assert.deepEqual([...hits].sort(), [...theirs].sort());
    assert.equal(hits.count(), 2);
  });

  test("give ids and numbers of BTF that nobody else has had", () => {
    using one = embedded({ shared: true });
    using two = other(one);
    const ids = new Set<number>();
    for (let round = 0; round < 20; round++) for (const bpf of [one, two]) ids.add(bpf.createMap(SPEC).id);
    assert.equal(ids.size, 40);
    assert.equal(new Set(one.maps().map(({ btfId }) => btfId)).size, 2);
  });

  test("see the same pins and directories", () => {
    using one = embedded({ shared: true });
    using two = other(one);
    using hits = one.createMap(SPEC);
    one.bpffs.mkdir("/sys/fs/bpf/app");
    hits.set(5, 100n).pin("/sys/fs/bpf/app/hits");
    assert.deepEqual(two.bpffs.readdir("/sys/fs/bpf"), ["app"]);
    assert.deepEqual(two.bpffs.readdir("/sys/fs/bpf/app"), ["hits"]);
    using theirs = two.openMap("/sys/fs/bpf/app/hits", { key: u32, value: u64 });
    assert.equal(theirs.get(5), 100n);
    assert.throws(() => theirs.pin("/sys/fs/bpf/app/hits"), { code: "EEXIST" });
    assert.throws(() => two.bpffs.rmdir("/sys/fs/bpf/app"), { code: "ENOTEMPTY" });
    two.bpffs.unlink("/sys/fs/bpf/app/hits");
    two.bpffs.rmdir("/sys/fs/bpf/app");
    assert.deepEqual(one.bpffs.readdir("/sys/fs/bpf"), []);
  });

  test("have as many pins as they like, each with its own name", () => {
    using one = embedded({ shared: true });
    using two = other(one);
    using map = one.createMap(SPEC);
    const paths = Array.from({ length: 300 }, (_, index) => `${"n".repeat(1 + (index % 250))}${index}`);
    for (const path of paths) map.pin(`/sys/fs/bpf/${path}`);
    assert.deepEqual(two.bpffs.readdir("/sys/fs/bpf"), paths.toSorted());
    for (const path of paths) two.bpffs.unlink(`/sys/fs/bpf/${path}`);
    assert.deepEqual(one.bpffs.readdir("/sys/fs/bpf"), []);
    map.pin("/sys/fs/bpf/again");
    assert.equal(two.openMap("/sys/fs/bpf/again").id, map.id);
  });

  test("keep a map for as long as one of them has it open, or it is pinned", () => {
    using one = embedded({ shared: true });
    using two = other(one);
    const made = one.createMap({ ...SPEC, name: "passed_on" });
    const { id } = made;
    made.set(1, 11n);
    const opened = two.mapById(id, { key: u32, value: u64 });
    made.close();
    assert.equal(opened.get(1), 11n);
    opened.pin("/sys/fs/bpf/kept");
    opened.close();
    {
      using again = one.openMap("/sys/fs/bpf/kept", { key: u32, value: u64 });
      assert.equal(again.get(1), 11n);
      two.bpffs.unlink("/sys/fs/bpf/kept");
      assert.equal(again.get(1), 11n);
      assert.deepEqual(names(two), ["passed_on"]);
    }
    assert.deepEqual(one.maps(), []);
    assert.throws(() => two.mapById(id), { code: "ENOENT" });
  });

  test("let go of all that they have open when they are closed", () => {
    using one = embedded({ shared: true });
    const two = other(one);
    two.createMap({ ...SPEC, name: "gone" });
    two.createMap({ ...SPEC, name: "kept" }).pin("/sys/fs/bpf/kept");
    assert.deepEqual(names(one), ["gone", "kept"]);
    two.close();
    assert.deepEqual(names(one), ["kept"]);
  });

  test("see at once that a map was frozen", () => {
    using one = embedded({ shared: true });
    using two = other(one);
    using map = one.createMap(SPEC);
    two.mapById(map.id).freeze();
    assert.throws(() => map.set(1, 2n), { code: "EPERM" });
  });

  test("reach maps in memory that another one has made grow", () => {
    using one = embedded({ shared: true });
    using two = other(one);
    const large = one.createMap({ type: "array", name: "large", value: bytes(MIB), maxEntries: 32 });
    large.set(31, new Uint8Array(MIB).fill(7));
    using theirs = two.openMap({ name: "large" }, { type: "array", value: bytes(MIB) });
    assert.equal(theirs.get(31)?.[MIB - 1], 7);
    theirs.set(30, new Uint8Array(MIB).fill(8));
    assert.equal(large.get(30)?.[0], 8);
  });

  test("use memory again that one of them has given back, and find zeros in it", () => {
    using one = embedded({ shared: true, maxMemory: 16 * MIB });
    using two = other(one);
    const spec = { type: "array", value: bytes(MIB), maxEntries: 8 } as const;
    const zeros = new Uint8Array(MIB);
    for (let round = 0; round < 3; round++) {
      for (const bpf of [one, two]) {
        using map = bpf.createMap(spec);
        assert.equal(Buffer.compare(map.get(7) as Uint8Array, zeros), 0);
        map.set(7, new Uint8Array(MIB).fill(1));
        assert.throws(() => (bpf === one ? two : one).createMap(spec), { code: "ENOMEM" });
      }
    }
  });

  test("write nothing to it once they are closed", () => {
    using one = embedded({ shared: true, maxMemory: 2 * MIB });
    const two = other(one);
    const theirs = two.createMap({ ...SPEC, value: bytes(3000) });
    theirs.set(1, new Uint8Array(3000).fill(1));
    two.close();
    const arrays = [4096, 65_536, 4096, 2048].map((size) =>
      one.createMap({ type: "array", value: bytes(size), maxEntries: 4 }),
    );
    assert.throws(() => theirs.set(0xffff_ffff, new Uint8Array(3000).fill(0xff)), { code: "EBADF" });
    assert.throws(() => [...theirs.entries()], { code: "EBADF" });
    assert.throws(() => two.createMap(SPEC), { code: "EBADF" });
    for (const array of arrays) for (const value of array.values()) assert(value.every((byte) => byte === 0));
  });

  test("keep a map for as long as a map of maps holds it, and programs of each find it there", () => {
    using one = embedded({ shared: true });
    using two = other(one);
    const inner = { ...SPEC, name: "inner" } as const;
    const outer = one.createMap({ type: "hash_of_maps", name: "outer", key: u32, inner, maxEntries: 8 });
    for (const key of [1, 2, 3]) {
      using made = one.createMap(inner);
      made.set(0, BigInt(key));
      outer.set(key, made);
    }
    assert.deepEqual(names(two), ["outer", "inner", "inner", "inner"]);
    const theirs = two.openMap({ name: "outer" }, { type: "hash_of_maps", key: u32, inner });
    using found = theirs.get(2);
    assert.equal(found?.get(0), 2n);
    const instructions = new Assembler()
      .store("u32", "r10", -4, 3)
      .mov("r2", "r10")
      .add("r2", -4)
      .loadMap("r1", theirs)
      .call("bpf_map_lookup_elem")
      .jeq("r0", 0, "none")
      .store("u32", "r10", -4, 0)
      .mov("r1", "r0")
      .mov("r2", "r10")
      .add("r2", -4)
      .call("bpf_map_lookup_elem")
      .jeq("r0", 0, "none")
      .load("u64", "r0", "r0", 0)
      .exit()
      .label("none")
      .mov("r0", -1)
      .exit()
      .assemble();
    const program = two.loadProgram({ type: "xdp", name: "find", instructions });
    const run = (): number => program.run({ data: new Uint8Array(64) }).retval;
    assert.equal(run(), 3);
    theirs.delete(1);
    assert.deepEqual(names(one), ["outer", "inner", "inner"]);
    outer.delete(3);
    assert.equal(run(), 0xffff_ffff);
    assert.deepEqual(names(one), ["outer", "inner"], "what a program has found is kept no longer than it runs");
    outer.close();
    program.close();
    assert.deepEqual(names(one), ["outer", "inner"]);
    theirs.close();
    assert.deepEqual(names(one), ["inner"], "which somebody has opened");
  });

  test("refuse types that cannot be shared, and pins of programs", () => {
    using bpf = embedded({ shared: true });
    assert.throws(() => bpf.createMap({ type: "prog_array", maxEntries: 4 }), { code: "ENOTSUP" });
    const instructions = new Assembler().mov("r0", 2).exit().assemble();
    using program = bpf.loadProgram({ type: "xdp", instructions });
    assert.throws(() => program.pin("/sys/fs/bpf/program"), { code: "ENOTSUP" });
    assert.deepEqual(bpf.maps(), []);
  });

  test("agree on the possible CPUs, and each is the first one that nobody else is", () => {
    using one = embedded({ shared: true, possibleCpus: 3 });
    const cpuOf = (bpf: Bpf): number => {
      const instructions = new Assembler().call("bpf_get_smp_processor_id").exit().assemble();
      using program = bpf.loadProgram({ type: "xdp", instructions });
      return program.run({ data: new Uint8Array(64) }).retval;
    };
    const two = other(one);
    using three = other(one);
    assert.equal(three.possibleCpus, 3);
    assert.deepEqual([one, two, three].map(cpuOf), [0, 1, 2]);
    two.close();
    using four = other(one);
    assert.equal(cpuOf(four), 1);
    assert.throws(() => embedded({ share: one.share(), possibleCpus: 2 }), /made for 3 possible CPUs, not for 2/);
  });

  test("are 128 at most", () => {
    using bpf = embedded({ shared: true });
    const others = Array.from({ length: 127 }, () => other(bpf));
    assert.throws(() => other(bpf), /128 kernels share these maps.*reclaim\(\)/);
    using map = (others[126] as Bpf).createMap({ ...SPEC, name: "last" });
    assert.equal(others.at(-2)?.mapById(map.id).name, "last");
    for (const each of others) each.close();
    assert.deepEqual(bpf.maps(), []);
    other(bpf).close();
  });
});

describe("a handle of shared memory", () => {
  test("is refused when it is something else", () => {
    for (const memory of [{}, new ArrayBuffer(2 ** 20), new WebAssembly.Memory({ initial: 16 })]) {
      assert.throws(() => embedded({ share: { memory, thread: 1 } }), /no handle that Bpf.share\(\) gave/);
    }
  });

  test("says which kernels hold what is reclaimed, and no others", () => {
    using bpf = embedded({ shared: true });
    using kept = bpf.createMap({ ...SPEC, name: "kept" });
    const [lost, alive] = [bpf.share(), bpf.share()];
    using living = other(bpf, alive);
    living.createMap({ ...SPEC, name: "living" });
    for (const name of ["lost", "lost_too"]) other(bpf, lost).createMap({ ...SPEC, name });
    other(bpf, lost).mapById(kept.id, { key: u32, value: u64 }).set(1, 1n);
    assert.deepEqual(names(bpf).sort(), ["kept", "living", "lost", "lost_too"]);
    living.reclaim(structuredClone(lost));
    assert.deepEqual(names(bpf).sort(), ["kept", "living"]);
    assert.equal(kept.get(1), 1n);
    bpf.reclaim(lost);
    assert.deepEqual(names(bpf).sort(), ["kept", "living"]);
  });
});

describe("a lock of a kernel that is gone", () => {
  /** Where the lock of all tables lies, and the number of the last agent. */
  const [LOCK, LAST_AGENT] = [CONTROL.LOCK >>> 2, CONTROL.LAST_AGENT >>> 2];

  function lose(bpf: Bpf): KernelHandle {
    const share = bpf.share();
    other(bpf, share).createMap({ ...SPEC, name: "lost" });
    const words = new Int32Array((share as unknown as { memory: WebAssembly.Memory }).memory.buffer);
    words[LOCK] = words[LAST_AGENT] as number;
    return share;
  }

  test("is nobody's once it is reclaimed", () => {
    using bpf = embedded({ shared: true });
    bpf.reclaim(lose(bpf));
    assert.deepEqual(bpf.maps(), []);
    assert.equal(bpf.createMap({ ...SPEC, name: "next" }).name, "next");
  });

  test("is waited for, but not for ever, and the error says what to do", ({ mock }) => {
    let now = 0;
    mock.method(performance, "now", () => {
      now += 100;
      return now;
    });
    using bpf = embedded({ shared: true });
    const share = lose(bpf);
    assert.throws(() => bpf.createMap(SPEC), /has not let go of it for 10 seconds.*call reclaim\(\)/);
    bpf.reclaim(share);
    assert.deepEqual(bpf.maps(), []);
  });
});

test("a memory has the sizes that are asked for", () => {
  assert.throws(() => embedded({ shared: true, maxMemory: 1000 }), RangeError);
  assert.throws(() => embedded({ shared: true, possibleCpus: 0 }), RangeError);
  using small = embedded({ shared: true, maxMemory: 2 ** 20 });
  const room = { type: "array", value: bytes(2 ** 18), maxEntries: 1 } as const;
  assert.equal(small.createMap(room).get(0)?.length, 2 ** 18);
  assert.throws(() => small.createMap({ ...room, maxEntries: 4 }), { code: "ENOMEM" });
});
