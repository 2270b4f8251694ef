/** What an object is read from. */
export interface ReadFile {
  readonly bytes: Uint8Array;
  /** `counter` for `build/counter.bpf.o`; empty for bytes. */
  readonly name: string;
}

/** What of Node this needs, which a browser has not. */
interface NodeProcess {
  getBuiltinModule?(name: "node:fs"): { readFileSync(path: string): Uint8Array } | undefined;
}

/**
 * The bytes of an object file: given, or read where there is a filesystem. Throws a `TypeError` for a path where there is
 * none, and what Node throws for a file that cannot be read.
 */
export function readObjectFile(file: string | Uint8Array): ReadFile {
  if (typeof file !== "string") return { bytes: file, name: "" };
  const { process } = globalThis as { readonly process?: NodeProcess };
  const fs = process?.getBuiltinModule?.("node:fs");
  if (fs === undefined) {
    throw new TypeError(`${file} cannot be read here: Node 20.16 or newer can, elsewhere give the bytes of the file`);
  }
  const name = file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1).split(".")[0] ?? "";
  return { bytes: fs.readFileSync(file), name };
}
