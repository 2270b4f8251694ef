/** Who runs programs: what helpers answer that ask for the process, its user and its name. */
export interface Identity {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly comm: string;
}

/** What is used of Node's `process`, where there is one. */
interface ProcessLike {
  readonly pid?: number;
  readonly title?: string;
  getuid?(): number;
  getgid?(): number;
}

/** The process that JavaScript runs in; in a browser the first one, of root, with the name of this library. */
export function currentIdentity(): Identity {
  const { process } = globalThis as { readonly process?: ProcessLike };
  return {
    pid: process?.pid ?? 1,
    uid: process?.getuid?.() ?? 0,
    gid: process?.getgid?.() ?? 0,
    comm: process?.title ?? "mapiary",
  };
}
