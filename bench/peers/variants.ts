import { join } from "node:path";
import type { Peer } from "./peer.ts";
import { keepOpen, type OpenTable, sharedTable } from "./shared-table.ts";

type AnyPeer = Peer<number> | Peer<bigint>;

/** How each peer of `roster.ts` that is reached from TypeScript is made. A process loads the code of one, and no other. */
const VARIANTS: Readonly<Record<string, (entries: number) => Promise<AnyPeer>>> = {
  "map-number": async () => (await import("./javascript-map.ts")).javascriptMap((of) => of),
  "map-bigint": async () => (await import("./javascript-map.ts")).javascriptMap(BigInt),
  "embedded-number": async (entries) => (await import("./embedded.ts")).onEmbedded(entries, { values: "number" }),
  "embedded-bigint": async (entries) => (await import("./embedded.ts")).onEmbedded(entries, { values: "bigint" }),
  "embedded-mixed": async (entries) =>
    (await import("./embedded.ts")).onEmbedded(entries, { values: "number", isMixed: true }),
  "linux-number": async (entries) => (await import("./linux.ts")).onLinux(entries, { values: "number" }),
  "linux-bigint": async (entries) => (await import("./linux.ts")).onLinux(entries, { values: "bigint" }),
  "linux-mixed": async (entries) => (await import("./linux.ts")).onLinux(entries, { values: "number", isMixed: true }),
  "sqlite-memory": async () => (await import("./sqlite.ts")).sqliteTable(":memory:"),
  "npm-bpf-raw": async (entries) => (await import("./npm-bpf.ts")).npmBpfRawMap(entries),
  "npm-bpf-conv": async (entries) => (await import("./npm-bpf.ts")).npmBpfConvMap(entries),
};

/** How the tables are opened that a second process has open too. */
const SHARED: Readonly<Record<string, () => Promise<OpenTable>>> = {
  "shared-embedded": async () => (await import("./embedded.ts")).openShared,
  "shared-lmdb": async () => {
    const { lmdbTable } = await import("./lmdb.ts");
    return (directory) => lmdbTable(join(directory, "table"));
  },
  "shared-sqlite": async () => {
    const { sqliteTable } = await import("./sqlite.ts");
    return (directory) => sqliteTable(join(directory, "table.db"));
  },
};

/** Is the second process of a table that two share, if this process was started as one. */
export async function isSecondProcess(
  name: string,
  entries: number,
  [flag, directory]: readonly string[],
): Promise<boolean> {
  if (flag !== "--open" || directory === undefined) return false;
  await keepOpen(await sharedOpener(name), directory, entries);
  return true;
}

function sharedOpener(name: string): Promise<OpenTable> {
  const opener = SHARED[name];
  if (opener === undefined) throw new Error(`there is no shared table ${name}`);
  return opener();
}

/** Makes a peer with room for so many entries. */
export async function makePeer(name: string, entries: number): Promise<Peer<unknown>> {
  if (name in SHARED) return (await sharedTable(name, entries, await sharedOpener(name))) as Peer<unknown>;
  const make = VARIANTS[name];
  if (make === undefined) throw new Error(`there is no peer ${name}`);
  // Values come from the peer itself, so what type they are is nobody else's business.
  return (await make(entries)) as Peer<unknown>;
}
