/** Maps of numbers, and maps that stay empty, which two kernels of one directory have. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { embedded, type MapCreateOptions, u32 } from "mapiary";
import { E2BIG, EEXIST, EINVAL, ENOENT, ENOTSUP, ENOTSUPP } from "../../src/abi/errno.ts";
import { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG, BPF_NOEXIST } from "../../src/abi/flags.ts";
import { PROT_READ, PROT_WRITE } from "../../src/abi/mman.ts";
import { Bpf } from "../../src/bpf.ts";
import { DirectoryBacking } from "../../src/kernel/directory/directory-backing.ts";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import { newDirectory } from "../kernels.ts";

const READ_WRITE = PROT_READ | PROT_WRITE;
const PATH = "/sys/fs/bpf/map";
const NUMBERS = { keySize: 4, valueSize: 8, maxEntries: 4 };
const LOOPBACK = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

interface Both extends Disposable {
  readonly bpf: Bpf;
  readonly other: Bpf;
  readonly mine: number;
  readonly theirs: number;
}

/** A map of one kernel, and how another has it. */
function shared(options: MapCreateOptions): Both {
  const bpffs = newDirectory();
  const bpf = embedded({ bpffs, possibleCpus: 2 });
  const mine = bpf.sys.mapCreate(options);
  assert.ok(mine >= 0, `${mine}`);
  assert.equal(bpf.sys.objPin(mine, PATH), 0);
  const other = embedded({ bpffs });
  const theirs = other.sys.objGet(PATH);
  assert.ok(theirs >= 0, `${theirs}`);
  const dispose = (): void => {
    bpf.close();
    other.close();
  };
  return { bpf, other, mine, theirs, [Symbol.dispose]: dispose };
}

for (const type of ["devmap", "devmap_hash", "cpumap"] as const) {
  test(`what one writes into a ${type} is there for the other, and gone when that one deletes it`, () => {
    using both = shared({ type, ...NUMBERS });
    const { bpf, other, mine, theirs } = both;
    const found = new Uint8Array(8).fill(9);
    assert.equal(other.sys.mapLookupElem(theirs, u32.encode(1), found), -ENOENT);
    assert.equal(bpf.sys.mapUpdateElem(mine, u32.encode(1), LOOPBACK, 0), 0);
    assert.equal(other.sys.mapLookupElem(theirs, u32.encode(1), found), 0);
    assert.deepEqual(found, LOOPBACK);
    assert.equal(other.sys.mapUpdateElem(theirs, u32.encode(1), LOOPBACK, BPF_NOEXIST), -EEXIST);
    assert.equal(other.sys.mapDeleteElem(theirs, u32.encode(1)), 0);
    assert.equal(bpf.sys.mapLookupElem(mine, u32.encode(1), found), -ENOENT);
  });
}

test("a devmap_hash has any number for a key, no more entries than it was made for, and no batches", () => {
  using both = shared({ type: "devmap_hash", ...NUMBERS });
  const { bpf, other, mine, theirs } = both;
  const numbers = [0, 7, 100_000, 2 ** 32 - 1];
  for (const [index, number] of numbers.entries()) {
    const [kernel, fd] = index % 2 === 0 ? [bpf, mine] : [other, theirs];
    assert.equal(kernel.sys.mapUpdateElem(fd, u32.encode(number), LOOPBACK, 0), 0);
  }
  assert.equal(bpf.sys.mapUpdateElem(mine, u32.encode(5), LOOPBACK, 0), -E2BIG);
  assert.equal(bpf.sys.mapUpdateElem(mine, u32.encode(7), Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0), 0), -EINVAL);
  const seen: number[] = [];
  const next = new Uint8Array(4);
  let key: Uint8Array | null = null;
  while (other.sys.mapGetNextKey(theirs, key, next) === 0) {
    key = next.slice();
    seen.push(u32.decode(key));
  }
  assert.deepEqual(
    seen.sort((a, b) => a - b),
    numbers,
  );
  const buffer = new Uint8Array(64);
  assert.equal(other.sys.mapLookupBatch(theirs, null, buffer, buffer, buffer, Uint32Array.of(4)), -ENOTSUPP);
});

test("the flag that every devmap has is not asked for, and kept", () => {
  using both = shared({ type: "devmap", ...NUMBERS });
  const info = both.other.sys.objGetInfoByFd(both.theirs);
  assert.ok(typeof info !== "number");
  assert.equal(info.mapFlags, BPF_F_RDONLY_PROG);
});

test("an arena is one memory for all", () => {
  const bpffs = newDirectory();
  const first = new EmbeddedKernel({}, new DirectoryBacking({ bpffs }));
  const second = new EmbeddedKernel({}, new DirectoryBacking({ bpffs }));
  const fd = new Bpf(first).sys.mapCreate({
    ...{ type: "arena", keySize: 0, valueSize: 0, maxEntries: 2 },
    flags: BPF_F_MMAPABLE,
  });
  const info = new Bpf(first).sys.objGetInfoByFd(fd);
  assert.ok(typeof info !== "number");
  const ours = first.mmap(fd, 8192, READ_WRITE, 0);
  const theirs = second.mmap(new Bpf(second).sys.mapGetFdById(info.id), 8192, READ_WRITE, 0);
  assert.ok(ours > 0 && theirs > 0);
  first.memory.u8[ours + 5000] = 77;
  assert.equal(second.memory.u8[theirs + 5000], 77);
  first.release();
  second.release();
});

test("a prog_array is refused, and the error says what to do", () => {
  using bpf = embedded({ bpffs: newDirectory() });
  assert.throws(() => bpf.createMap({ type: "prog_array", maxEntries: 4 }), {
    code: "ENOTSUP",
    errno: -ENOTSUP,
    message: /cannot be shared, and this kernel's maps are: make it on a kernel with neither bpffs nor shared/,
  });
});
