import { ENOENT, ENOTDIR, EPERM } from "../../abi/errno.ts";
import type { Failure } from "./failure.ts";

/** The directory that has a BPF filesystem everywhere it was mounted for the whole system. */
const USUAL_PLACE = "/sys/fs/bpf";

/** How far a path leads. */
export interface Walk {
  /** The path up to the first name that leads no further, or the whole of it. */
  readonly at: string;
  /** That name. */
  readonly name: string;
  /** The directory that it lies in. */
  readonly parent: string;
  /** Whether it is the path's last name. */
  readonly isLast: boolean;
  /** What is there; `"outside"` is anything that is there outside the BPF filesystems. */
  readonly is: "directory" | "outside" | "file" | "missing" | "refused" | "forbidden";
}

/** Walks a path name by name until something leads no further. Reads directories, and changes nothing. */
export function walk(failure: Failure, path: string): Walk {
  const names = path.split("/").filter((name) => name !== "");
  let last: Walk = { at: path, name: "", parent: path.startsWith("/") ? "/" : ".", isLast: true, is: "outside" };
  for (const [index, name] of names.entries()) {
    const parent = index === 0 ? last.parent : last.at;
    const at = parent === "." ? name : `${parent === "/" ? "" : parent}/${name}`;
    const is = stateOf(failure, at, parent, name);
    // Only what is asked of something below tells a file outside from a directory.
    if (is === "file" && index > 0 && last.is === "outside") return { ...last, isLast: false, is };
    last = { at, name, parent, isLast: index === names.length - 1, is };
    if (is !== "directory" && is !== "outside") return last;
  }
  return last;
}

function stateOf(failure: Failure, at: string, parent: string, name: string): Walk["is"] {
  const entries = failure.kernel.readdir(at);
  if (typeof entries !== "number") return "directory";
  if (entries === -ENOENT) return "missing";
  if (entries === -ENOTDIR) return "file";
  if (entries !== -EPERM) return "forbidden";
  return name.includes(".") && isBpffs(failure, parent) ? "refused" : "outside";
}

/**
 * Whether a directory belongs to a BPF filesystem: there alone a name with a dot is not even looked for, which is EPERM
 * and not ENOENT (`kernel/bpf/inode.c: bpf_lookup`, 6.18).
 */
export function isBpffs({ sys }: Failure, directory: string): boolean {
  return sys.objGet(`${directory}/no.such.name`) === -EPERM;
}

/** Where to pin instead: the BPF filesystem of the system, or how to get one. */
export function whereBpffsIs(failure: Failure): string {
  return isBpffs(failure, USUAL_PLACE)
    ? `the BPF filesystem is at ${USUAL_PLACE}`
    : `mount one with mount -t bpf bpf ${USUAL_PLACE}`;
}

/** What there is in a directory, for people who mistyped a name. */
export function namesIn({ kernel }: Failure, directory: string): string[] {
  const names = kernel.readdir(directory);
  return typeof names === "number" ? [] : names;
}
