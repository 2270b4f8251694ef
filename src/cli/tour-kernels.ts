import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { type Bpf, embedded } from "mapiary";
import { linux } from "mapiary/linux";

/** A kernel that the tour asks. */
export interface TourKernel extends Disposable {
  readonly name: "embedded" | "linux";
  /** What it is, in a few words. */
  readonly description: string;
  readonly bpf: Bpf;
  /** A directory for pins that is the tour's own and empty; or why there is none. */
  readonly pins: { readonly directory: string } | { readonly missing: string };
}

/** An embedded kernel. */
export function embeddedKernel(): TourKernel {
  const bpf = embedded();
  return {
    name: "embedded",
    description: "the map subsystem of Linux, in this process",
    bpf,
    pins: { directory: "/sys/fs/bpf" },
    [Symbol.dispose]: () => bpf.close(),
  };
}

/**
 * The running kernel, with a directory for pins: a BPF filesystem that is mounted for the purpose, or else a directory
 * below /sys/fs/bpf. Either is gone when the kernel is disposed of. Throws where Linux cannot be used.
 */
export function linuxKernel(): TourKernel {
  const bpf = linux();
  const undo: Undo = [holdSignals(), () => bpf.close()];
  const dispose = () => {
    while (undo.length > 0) undo.pop()?.();
  };
  try {
    const pins = directoryIn(mountedBpffs(undo) ?? "/sys/fs/bpf", bpf, undo);
    return { name: "linux", description: `Linux ${release()}, which runs here`, bpf, pins, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** What takes back what was done, the last first. */
type Undo = (() => unknown)[];

/** A BPF filesystem that is mounted for the tour; `undefined` where that may not be. */
function mountedBpffs(undo: Undo): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), "mapiary-tour-"));
  undo.push(() => rmdirSync(directory));
  if (spawnSync("mount", ["-t", "bpf", "bpf", directory]).status !== 0) return undefined;
  undo.push(() => spawnSync("umount", [directory]));
  return directory;
}

/** A directory of the tour's own: a fresh BPF filesystem may hold `maps.debug` and `progs.debug`. */
function directoryIn(bpffs: string, bpf: Bpf, undo: Undo): TourKernel["pins"] {
  const directory = `${bpffs}/mapiary-tour-${process.pid}`;
  try {
    bpf.bpffs.mkdir(directory);
  } catch (error) {
    const { code } = error as { code?: string };
    return { missing: `no BPF filesystem can be mounted here, nor a directory be made in ${bpffs} (${code})` };
  }
  undo.push(() => bpf.bpffs.rmdir(directory));
  return { directory };
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Keeps the signals that end a process from doing so before it has cleaned up; answers what lets them through again. */
function holdSignals(): () => void {
  const hold = () => {};
  for (const signal of SIGNALS) process.on(signal, hold);
  return () => {
    for (const signal of SIGNALS) process.off(signal, hold);
  };
}
