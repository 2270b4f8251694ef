/**
 * Another program that opens the same directory of maps, by a second argument as another user, and does what it is asked to:
 * see `directory.test.ts`.
 */
import "koffi";
import { type Bpf, embedded, type MapInfo, u32, u64 } from "mapiary";
import { answerWith } from "./processes.ts";

const [directory, user] = process.argv.slice(2) as [string, string | undefined];
if (user !== undefined) {
  process.setegid?.(Number(user));
  process.seteuid?.(Number(user));
}

let opened: Bpf | undefined;
function kernel(): Bpf {
  opened ??= embedded({ bpffs: directory });
  return opened;
}

/** What it keeps open from one request to the next. */
const kept = new Map<string, ReturnType<typeof open>>();

function open(path: string) {
  return kernel().openMap(path, { key: u32, value: u64 });
}

interface Requests {
  maps(): MapInfo[];
  readdir(path: string): string[];
  get(path: string, key: number): bigint | undefined;
  set(path: string, key: number, value: bigint): void;
  keep(path: string): number;
  drop(path: string): void;
  make(name: string): number;
  unlink(path: string): void;
  freeze(path: string): void;
}

/** Held here: a map that nobody refers to is closed when it is collected. */
const made: unknown[] = [];

const requests: Requests = {
  maps: () => kernel().maps(),
  readdir: (path) => kernel().bpffs.readdir(path),
  get(path, key) {
    using map = open(path);
    return map.get(key);
  },
  set(path, key, value) {
    using map = open(path);
    map.set(key, value);
  },
  keep(path) {
    const map = open(path);
    kept.set(path, map);
    return map.id;
  },
  drop(path) {
    kept.get(path)?.close();
  },
  make(name) {
    const map = kernel().createMap({ type: "hash", name, key: u32, value: u64, maxEntries: 8 });
    made.push(map);
    return map.id;
  },
  unlink: (path) => kernel().bpffs.unlink(path),
  freeze(path) {
    using map = open(path);
    map.freeze();
  },
};

answerWith(([name, ...args]: [keyof Requests, ...never[]]) =>
  (requests[name] as (...args: never[]) => unknown)(...args),
);
