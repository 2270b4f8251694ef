import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { BUILT, buildC } from "../build.ts";
import { type Spread, spreadOf } from "../statistics.ts";

/** What a process took that reads the types of the kernel. */
export interface Reader {
  readonly title: string;
  /** Milliseconds of CPU time, from its start to its end. */
  readonly time: Spread;
  /** The most MiB that it had. */
  readonly memory: Spread;
}

/** The readers of the kernel's types, or why they were not measured. */
export interface VmlinuxResult {
  /** Bytes of BTF. */
  readonly bytes: number;
  readonly readers: readonly Reader[];
  readonly absent?: string;
}

const VMLINUX = "/sys/kernel/btf/vmlinux";

const DUMP = ["btf", "dump", "file", VMLINUX];

/** Starts each reader once a round, in turn. */
export function measureVmlinux(rounds: number): VmlinuxResult {
  const nothing = (absent: string): VmlinuxResult => ({ bytes: 0, readers: [], absent });
  if (!existsSync(VMLINUX)) return nothing("there is no /sys/kernel/btf/vmlinux");
  const rusage = buildC("values/rusage.c");
  if ("absent" in rusage) return nothing(rusage.absent);
  const commands: readonly (readonly [title: string, command: readonly string[]])[] = [
    ["an empty script", [process.execPath, "--eval", ""]],
    ["mapiary: struct sk_buff by its name, as a layout", [process.execPath, BUILT.vmlinuxProcess, VMLINUX, "sk_buff"]],
    ["mapiary: every type as an object", [process.execPath, BUILT.vmlinuxProcess, VMLINUX]],
    ["bpftool btf dump", ["bpftool", ...DUMP]],
    ["bpftool btf dump … format c", ["bpftool", ...DUMP, "format", "c"]],
  ];
  const samples = commands.map(([title, command]) => ({
    title,
    command,
    time: [] as number[],
    memory: [] as number[],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const { command, time, memory } of samples) {
      const used = run(rusage.program, command);
      if (used === undefined) continue;
      time.push(used.time);
      memory.push(used.memory);
    }
  }
  const readers = samples.filter(({ time }) => time.length > 0);
  return {
    bytes: statSync(VMLINUX).size,
    readers: readers.map(({ title, time, memory }) => ({ title, time: spreadOf(time), memory: spreadOf(memory) })),
  };
}

/** What a command took; `undefined` when it failed, as where there is no bpftool. */
function run(
  rusage: string,
  command: readonly string[],
): { readonly time: number; readonly memory: number } | undefined {
  const { status, stdout } = spawnSync(rusage, command, { encoding: "utf8" });
  const [microseconds, kibibytes] = stdout.trim().split(" ").map(Number);
  if (status !== 0 || microseconds === undefined || kibibytes === undefined) return undefined;
  return { time: microseconds / 1000, memory: kibibytes / 1024 };
}
