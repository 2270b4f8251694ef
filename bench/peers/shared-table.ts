import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Peer } from "./peer.ts";

/** How a table is opened that several processes share, in a directory. */
export type OpenTable = (directory: string, entries: number) => Promise<Peer<number>> | Peer<number>;

/** Where a directory is that never reaches a disk, if there is such a place. */
const MEMORY = "/dev/shm";

/**
 * A table that a second process has open too. It is opened there by this very program, given `--open` and the directory,
 * once the first entry is in it; the table is measured only when that process has found the entry.
 */
export async function sharedTable(name: string, entries: number, open: OpenTable): Promise<Peer<number>> {
  const directory = mkdtempSync(join(process.platform === "linux" ? MEMORY : tmpdir(), "mapiary-bench-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const peer = await open(directory, entries);
  peer.map.set(FIRST_KEY, FIRST_VALUE);
  await openElsewhere(name, directory, entries);
  return peer;
}

const FIRST_KEY = 0;
const FIRST_VALUE = 7;

/** What the second process does: it opens the table, looks whether the first one's entry is there, and keeps it open. */
export async function keepOpen(open: OpenTable, directory: string, entries: number): Promise<void> {
  const { map } = await open(directory, entries);
  const value = map.get(FIRST_KEY);
  if (value !== FIRST_VALUE) throw new Error(`the other process finds ${value} in the table, not ${FIRST_VALUE}`);
  process.stdout.write("open\n");
  for await (const _ of process.stdin);
}

async function openElsewhere(name: string, directory: string, entries: number): Promise<void> {
  const args = [process.argv[1] as string, name, `${entries}`, "--open", directory];
  const other = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  process.once("exit", () => other.kill());
  for await (const line of createInterface({ input: other.stdout })) {
    if (line === "open") break;
  }
  if (other.exitCode !== null) throw new Error("the other process could not open the table");
  other.unref();
  (other.stdin as unknown as { unref(): void }).unref();
  (other.stdout as unknown as { unref(): void }).unref();
}
