import fs, { lstatSync } from "node:fs";
import { tmpdir } from "node:os";
import path, { join } from "node:path";
import { makeDirectories } from "../kernel/directory/make-directories.ts";
import { CliError } from "./cli-error.ts";
import { type CliKernel, cliKernel, type KernelName } from "./cli-kernel.ts";

/** Room for the buffers of commands, beside maps. */
const SPARE_BYTES = 16 << 20;
const ELSEWHERE = "--bpffs=DIR or MAPIARY_BPFFS names another directory for them.";
/** All that a kernel can address. */
const MOST_BYTES = 2 ** 32;

/**
 * Opens a kernel for the command line; `bpffs` is the directory that the embedded one keeps its maps in, in which it may be
 * about to make some. Throws a `CliError` where it cannot be used.
 */
export async function openKernel(name: KernelName, bpffs: string | undefined, makesMaps: boolean): Promise<CliKernel> {
  if (name === "linux") return await openLinux();
  return await openEmbedded(bpffs ?? ownDirectory(), bpffs !== undefined, makesMaps);
}

async function openLinux(): Promise<CliKernel> {
  const { LinuxKernel } = await import("../kernel/linux/linux-kernel.ts");
  try {
    return cliKernel(new LinuxKernel(), "the running Linux kernel");
  } catch (error) {
    throw new CliError("the running Linux kernel cannot be used", { hint: (error as Error).message, cause: error });
  }
}

async function openEmbedded(directory: string, isAskedFor: boolean, makesMaps: boolean): Promise<CliKernel> {
  const { MapKernel, DirectoryBacking, DirectoryUnavailableError, bytesOfMaps } = await import("./embedded.ts");
  // V8 takes all the addresses that a kernel may use for memory in use, and collects garbage three times over when they
  // are 4 GiB: a third of the time that a command takes.
  const maxMemory = makesMaps ? undefined : Math.min(MOST_BYTES, 2 * bytesOfMaps({ fs }, directory) + SPARE_BYTES);
  try {
    const backing = new DirectoryBacking({ bpffs: directory, maxMemory });
    return cliKernel(new MapKernel({}, backing), `the embedded kernel in ${directory}`);
  } catch (error) {
    if (!(error instanceof DirectoryUnavailableError)) throw error;
    if (!isAskedFor) {
      // A batch has its maps for as long as it takes, and every other command says what is the matter.
      const notice = `Maps are kept no longer than this command takes: ${error.reason}. ${ELSEWHERE}`;
      return cliKernel(new MapKernel({}), "the embedded kernel in memory", notice);
    }
    const hint = `${error.reason}. ${ELSEWHERE}`;
    throw new CliError(`the embedded kernel cannot keep its maps in ${directory}`, { hint, cause: error });
  }
}

/**
 * Where the maps of this user are kept when nobody says where: below the user's runtime directory, or else in a directory
 * for temporary files that is the user's alone.
 */
function ownDirectory(): string {
  const runtime = process.env["XDG_RUNTIME_DIR"];
  if (runtime !== undefined && runtime !== "") return join(runtime, "mapiary", "bpffs");
  const uid = process.getuid?.() ?? 0;
  const own = join(tmpdir(), `mapiary-${uid}`);
  makeDirectories({ fs, path }, own);
  const { uid: owner, mode } = lstatSync(own);
  // Anyone may make a directory there, under any name.
  if (owner === uid && (mode & 0o077) === 0) return join(own, "bpffs");
  throw new CliError(`${own} is not a directory of this user alone`, { hint: ELSEWHERE });
}
