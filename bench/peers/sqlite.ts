import { createRequire } from "node:module";
import type { MapLike, Peer } from "./peer.ts";

/** What is used of better-sqlite3, which is loaded only in the process that measures it. */
type Database = new (
  path: string,
) => {
  pragma(text: string): unknown;
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  transaction<T>(body: (argument: T) => void): (argument: T) => void;
};

interface Statement {
  pluck(): Statement;
  raw(): Statement;
  get(...parameters: number[]): unknown;
  run(...parameters: number[]): { changes: number };
  iterate(): IterableIterator<[number, number]>;
}

/** A table of better-sqlite3 by prepared statements, in the process's memory or in a file that others may have open. */
export function sqliteTable(path: string): Peer<number> {
  const database = new (createRequire(import.meta.url)("better-sqlite3") as Database)(path);
  database.pragma("journal_mode = wal");
  database.pragma("synchronous = off");
  database.exec("CREATE TABLE IF NOT EXISTS entries (key INTEGER PRIMARY KEY, value INTEGER NOT NULL)");
  const get = database.prepare("SELECT value FROM entries WHERE key = ?").pluck();
  const set = database.prepare(
    "INSERT INTO entries VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  const remove = database.prepare("DELETE FROM entries WHERE key = ?");
  const all = database.prepare("SELECT key, value FROM entries").raw();
  const setAll = database.transaction((entries: readonly (readonly [number, number])[]) => {
    for (const [key, value] of entries) set.run(key, value);
  });
  const map: MapLike<number> = {
    get: (key) => get.get(key) as number | undefined,
    set: (key, value) => set.run(key, value),
    delete: (key) => remove.run(key).changes === 1,
    [Symbol.iterator]: () => all.iterate(),
  };
  return { map, value: (of) => of, fill: setAll, prepareSetMany: (entries) => () => setAll(entries) };
}
