/** BPF_F_LOCK and `bpf_spin_lock` in maps that threads and processes share. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BPF_F_LOCK, embedded, u64 } from "mapiary";
import { newDirectory } from "../kernels.ts";
import { type Bundle, bundle } from "./bundle.ts";
import { agentsOf } from "./held-locks.ts";
import {
  COUNTED,
  filled,
  isWhole,
  KINDS,
  LOCK_WORD,
  loadCounter,
  makeLocked,
  VALUE_BYTES,
  WRITTEN,
} from "./locked-values.ts";
import { startCompanion } from "./processes.ts";

const ROUNDS = 200;
const ADDITIONS = 100_000;

let locking: Bundle;

before(async () => {
  locking = await bundle("locking-process.ts");
});

after(() => locking.remove());

test("two processes of two threads never meet half of a value with a lock, and their programs lose no count", async () => {
  const directory = newDirectory();
  using bpf = embedded({ bpffs: directory });
  using counts = bpf.createMap({ type: "array", name: "counts", value: u64, maxEntries: 1 });
  const fds = KINDS.map((kind) => makeLocked(bpf, kind));
  const statuses = await Promise.all(
    [0, 2].map(async (first) => {
      const args = [locking.file, directory, String(ROUNDS), String(ADDITIONS), String(first)];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
      return (await once(child, "exit"))[0] as number;
    }),
  );
  assert.deepEqual(statuses, [0, 0]);
  const value = new Uint8Array(VALUE_BYTES);
  for (const fd of fds) {
    assert.equal(bpf.sys.mapLookupElem(fd, COUNTED, value, BPF_F_LOCK), 0);
    assert.deepEqual(value, filled(4 * ROUNDS));
    assert.equal(bpf.sys.mapLookupElem(fd, WRITTEN, value), 0);
    assert(isWhole(value));
  }
  assert.equal(counts.get(0), BigInt(4 * ADDITIONS), "an atomic addition was lost");
});

for (const kind of KINDS) {
  test(`the lock in a value of ${kind} is taken over from who was killed with it, by user space and by programs`, async () => {
    const directory = newDirectory();
    using bpf = embedded({ bpffs: directory });
    const { sys } = bpf;
    const fd = makeLocked(bpf, kind);
    const count = loadCounter(bpf, fd);
    const companion = startCompanion(join(import.meta.dirname, "companion-process.ts"), directory);
    await companion.ask(["readdir", "/sys/fs/bpf"]);
    const [agent] = agentsOf(companion.process.pid as number) as [number];
    await companion.kill();

    const value = new Uint8Array(VALUE_BYTES);
    const taken: (() => void)[] = [
      () => assert.equal(sys.mapUpdateElem(fd, WRITTEN, filled(78), BPF_F_LOCK), 0),
      () => assert.equal(sys.mapLookupElem(fd, WRITTEN, value, BPF_F_LOCK), 0),
      () => count(WRITTEN),
    ];
    for (const [index, use] of taken.entries()) {
      const written = filled(100 + index);
      assert.equal(sys.mapUpdateElem(fd, WRITTEN, written), 0);
      const lock = lockIn(join(directory, kind), written);
      lock.set(agent);
      use();
      assert.equal(lock.get(), 0);
    }
    assert.equal(sys.mapLookupElem(fd, WRITTEN, value, BPF_F_LOCK), 0);
    assert.deepEqual(value, filled(100 + taken.length));
  });
}

/** The lock of a value in the file of a map. */
function lockIn(path: string, value: Uint8Array): { get(): number; set(agent: number): void } {
  const at = readFileSync(path).indexOf(value) + LOCK_WORD * 4;
  assert(at > LOCK_WORD * 4);
  return {
    get: () => readFileSync(path).readInt32LE(at),
    set(agent) {
      const fd = openSync(path, "r+");
      writeSync(fd, Int32Array.of(agent), 0, 4, at);
      closeSync(fd);
    },
  };
}
