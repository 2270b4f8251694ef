import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Bpf, type EmbeddedOptions, embedded, type MapCreateOptions, type MapTypeName } from "mapiary";
import { linux } from "mapiary/linux";
import { ENOTSUP } from "../src/abi/errno.ts";

/** A kernel as the tests of every kernel see it. */
export interface TestKernel {
  readonly name: "embedded" | "linux";
  /** BPF on this kernel; the options concern the embedded one alone. */
  open(options?: EmbeddedOptions): Bpf;
  /** A directory of a BPF filesystem of its own, empty at first. */
  readonly bpffs: string;
  /** Whether its maps are files, which take longer to be made. */
  readonly isInDirectory: boolean;
  /** Whether it refuses to make maps of a type. */
  refuses(type: MapTypeName): boolean;
  /** Whether typed arrays over the memory of a map outlive it, for nothing empties those that threads share. */
  readonly leavesArrays?: boolean;
}

const EMBEDDED: TestKernel = {
  name: "embedded",
  open: embedded,
  bpffs: "/sys/fs/bpf",
  isInDirectory: false,
  refuses: () => false,
};

/** The types that cannot be shared, why, and a map of each. */
const PRIVATE: Partial<Record<MapTypeName, { readonly why: string; readonly map: Omit<MapCreateOptions, "type"> }>> = {
  prog_array: { why: "programs live in one process", map: { keySize: 4, valueSize: 4, maxEntries: 4 } },
  perf_event_array: { why: "perf events live in one process", map: { keySize: 4, valueSize: 4, maxEntries: 4 } },
};

/** With `--runs`, the suites of every kernel also run on maps that are shared, which takes as long again for each way. */
const IS_LONG = process.env["MAPIARY_RUNS"] !== undefined;

/** The embedded kernel with its maps in a directory of their own, which goes with the process. */
const IN_DIRECTORY: TestKernel = {
  name: "embedded",
  open: (options = {}) => embedded({ ...options, bpffs: newDirectory() }),
  bpffs: "/sys/fs/bpf",
  isInDirectory: true,
  refuses: (type) => PRIVATE[type] !== undefined,
};

/** The embedded kernel with its maps in memory that threads share. */
const IN_THREADS: TestKernel = {
  name: "embedded",
  open: (options = {}) => embedded({ ...options, shared: true }),
  bpffs: "/sys/fs/bpf",
  isInDirectory: false,
  refuses: (type) => PRIVATE[type] !== undefined,
  leavesArrays: true,
};

let directories: string | undefined;

/** An empty directory, which goes with the process. */
export function newDirectory(): string {
  if (directories === undefined) {
    const made = mkdtempSync(join(tmpdir(), "mapiary-maps-"));
    process.on("exit", () => rmSync(made, { recursive: true }));
    directories = made;
  }
  return mkdtempSync(join(directories, "bpffs-"));
}

/**
 * Declares the tests of a suite once for every kernel. Where Linux cannot be used its tests are skipped with the
 * reason, or fail when CI is true. Where one of the types that all of them need is refused, that is tested.
 */
export function onEveryKernel(suite: (kernel: TestKernel) => void, ...needs: MapTypeName[]): void {
  describe("embedded kernel", () => suite(EMBEDDED));
  if (IS_LONG) {
    describe("embedded kernel in a directory", () => withTypes(IN_DIRECTORY, needs, () => suite(IN_DIRECTORY)));
    describe("embedded kernel in shared memory", () => withTypes(IN_THREADS, needs, () => suite(IN_THREADS)));
  }
  onLinux((kernel) => describe("linux kernel", () => suite(kernel)));
}

/** Declares tests that need maps of some types; or for a kernel that refuses one of these, that it does. */
export function withTypes(kernel: TestKernel, types: readonly MapTypeName[], tests: () => void): void {
  const refused = types.filter((type) => kernel.refuses(type));
  if (refused.length === 0) tests();
  for (const type of refused) {
    const { why, map } = PRIVATE[type] ?? { why: "", map: {} };
    test(`a ${type} is ENOTSUP: ${why}`, () => {
      using bpf = kernel.open();
      assert.equal(bpf.sys.mapCreate({ type, ...map }), -ENOTSUP);
    });
  }
}

/** Declares tests that need the running Linux kernel, and a BPF filesystem that is mounted for them alone. */
export function onLinux(suite: (kernel: TestKernel) => void): void {
  const why = linux.unavailableReason() ?? mountProblem();
  if (why === undefined) {
    const root = mount();
    after(() => unmount(root));
    // Some kernels put iterators of their own into the root of every BPF filesystem.
    const bpffs = join(root, "tests");
    mkdirSync(bpffs);
    suite({ name: "linux", open: () => linux(), bpffs, isInDirectory: false, refuses: () => false });
    return;
  }
  test("linux kernel", { skip: process.env["CI"] === "true" ? false : why }, () => assert.fail(why));
}

let problem: string | undefined | null = null;

/** Why no BPF filesystem can be mounted here; `undefined` when one can. */
function mountProblem(): string | undefined {
  if (problem === null) {
    try {
      unmount(mount());
      problem = undefined;
    } catch (error) {
      problem = `no BPF filesystem can be mounted for the tests: ${(error as Error).message}`;
    }
  }
  return problem;
}

function mount(): string {
  const directory = mkdtempSync(join(tmpdir(), "mapiary-bpffs-"));
  const result = spawnSync("mount", ["-t", "bpf", "bpf", directory], { encoding: "utf8" });
  if (result.status === 0) return directory;
  rmdirSync(directory);
  throw new Error(result.error?.message ?? result.stderr.trim());
}

function unmount(directory: string): void {
  spawnSync("umount", [directory]);
  rmdirSync(directory);
}
