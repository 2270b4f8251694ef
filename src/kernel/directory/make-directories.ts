/** What is used of `node:fs` and `node:path`. */
interface System {
  readonly fs: {
    mkdirSync(path: string, options: { readonly mode: number }): void;
    statSync(path: string): { isDirectory(): boolean };
  };
  readonly path: { dirname(path: string): string };
}

/**
 * Makes a directory and those above it that are missing, for their owner alone. Throws the error of the file system.
 * One by one: the `recursive` of Node 20 never ends where a directory is there in which none can be made with ENOENT, as
 * in /proc.
 */
export function makeDirectories(system: System, directory: string): void {
  const error = failureOf(system, directory);
  if (error === undefined) return;
  const parent = system.path.dirname(directory);
  if (error.code !== "ENOENT" || parent === directory) throw error;
  makeDirectories(system, parent);
  const last = failureOf(system, directory);
  if (last !== undefined) throw last;
}

/** Why there is no such directory after it was tried to make it; `undefined` when there is one. */
function failureOf({ fs }: System, directory: string): (Error & { readonly code?: string }) | undefined {
  try {
    fs.mkdirSync(directory, { mode: 0o700 });
    return undefined;
  } catch (error) {
    return isDirectory(fs, directory) ? undefined : (error as Error);
  }
}

function isDirectory(fs: System["fs"], path: string): boolean {
  try {
    return fs.statSync(path).isDirectory();
  } catch {
    return false;
  }
}
