import { createRequire } from "node:module";
import type { MapLike, Peer } from "./peer.ts";

/** What is used of lmdb, which is loaded only in the process that measures it. */
interface Lmdb {
  open(options: { path: string; keyEncoding: "uint32"; noSync: boolean; mapSize: number }): Database;
}

interface Database {
  get(key: number): number | undefined;
  putSync(key: number, value: number): boolean;
  removeSync(key: number): boolean;
  transactionSync(body: () => void): void;
  getRange(): Iterable<{ key: number; value: number }>;
}

const MAP_SIZE = 2 ** 31;

/** A table of lmdb with numbers for keys, in a directory that others may have open; it writes nothing to a disk. */
export function lmdbTable(path: string): Peer<number> {
  const { open } = createRequire(import.meta.url)("lmdb") as Lmdb;
  const database = open({ path, keyEncoding: "uint32", noSync: true, mapSize: MAP_SIZE });
  const setAll = (entries: readonly (readonly [number, number])[]): void => {
    database.transactionSync(() => {
      for (const [key, value] of entries) database.putSync(key, value);
    });
  };
  const map: MapLike<number> = {
    get: (key) => database.get(key),
    set: (key, value) => database.putSync(key, value),
    delete: (key) => database.removeSync(key),
    *[Symbol.iterator]() {
      for (const { key, value } of database.getRange()) yield [key, value];
    },
  };
  return { map, value: (of) => of, fill: setAll, prepareSetMany: (entries) => () => setAll(entries) };
}
