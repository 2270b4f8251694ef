import { tmpdir, userInfo } from "node:os";
import { type Bpf, embedded } from "mapiary";
import { linux } from "mapiary/linux";

/** The embedded kernel, or the running Linux kernel when the example is started with `--linux`. */
export const openKernel = (): Bpf => (process.argv.includes("--linux") ? linux() : embedded());

/** The same, but the maps of the embedded kernel lie in a directory, `--bpffs <directory>` or one of this user's own. */
export function openSharedKernel(): Bpf {
  if (process.argv.includes("--linux")) return linux();
  const at = process.argv.indexOf("--bpffs");
  const directory = at < 0 ? undefined : process.argv[at + 1];
  return embedded({ bpffs: directory ?? `${tmpdir()}/mapiary-examples-${userInfo().uid}` });
}

/** Where the example pins: a path in the BPF filesystem that it is given, or `/sys/fs/bpf/hits`. */
export function pinPath(): string {
  return (
    process.argv.slice(2).find((argument) => argument.startsWith("/sys/fs/bpf") || isAfterLinux(argument)) ??
    "/sys/fs/bpf/hits"
  );
}

/** On Linux a BPF filesystem may be mounted anywhere. */
function isAfterLinux(argument: string): boolean {
  return process.argv.includes("--linux") && argument.startsWith("/");
}
