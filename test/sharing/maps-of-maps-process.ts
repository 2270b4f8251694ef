/** Another program that opens the same directory, and does with maps of maps what it is asked to: see `maps-of-maps.test.ts`. */
import fs from "node:fs";
import "koffi";
import { type Bpf, embedded, u32 } from "mapiary";
import { answerWith } from "./processes.ts";

const [directory] = process.argv.slice(2) as [string];
const bpf: Bpf = embedded({ bpffs: directory });
const { sys } = bpf;
const INNER = { type: "hash", keySize: 4, valueSize: 4, maxEntries: 4 } as const;

function made(): number {
  const fd = sys.mapCreate(INNER);
  if (fd < 0) throw new Error(`no map can be made: ${fd}`);
  return fd;
}

function idOf(fd: number): number {
  const info = sys.objGetInfoByFd(fd);
  if (typeof info === "number") throw new Error(`no info: ${info}`);
  return info.id;
}

/** The fds of pins that were asked for before. */
const opened = new Map<string, number>();

function open(path: string): number {
  const fd = opened.get(path) ?? sys.objGet(path);
  opened.set(path, fd);
  return fd;
}

const requests = {
  /** Puts a new map with one entry under a key, and keeps no fd of it: its id. */
  put(path: string, key: number, value: number): number {
    const fd = made();
    sys.mapUpdateElem(fd, u32.encode(0), u32.encode(value), 0);
    const result = sys.mapUpdateElem(open(path), u32.encode(key), u32.encode(fd), 0);
    const id = idOf(fd);
    sys.close(fd);
    return result < 0 ? result : id;
  },
  /** Puts the map of an id under a key. */
  putId(path: string, key: number, id: number): number {
    const fd = sys.mapGetFdById(id);
    const result = sys.mapUpdateElem(open(path), u32.encode(key), u32.encode(fd), 0);
    sys.close(fd);
    return result;
  },
  /** Lets this process be killed at a call that gives a name to a file or takes it away: before it or after it is made. */
  dieAt(call: number, isAfter: boolean): void {
    let calls = 0;
    for (const name of ["linkSync", "unlinkSync"] as const) {
      const plain = fs[name] as (...paths: string[]) => void;
      const deadly = (...paths: string[]): void => {
        const isLast = ++calls === call;
        if (isLast && !isAfter) process.kill(process.pid, "SIGKILL");
        plain(...paths);
        if (isLast) process.kill(process.pid, "SIGKILL");
      };
      Object.assign(fs, { [name]: deadly });
    }
  },
  unlink: (path: string): void => bpf.bpffs.unlink(path),
  /** Closes what was opened. */
  close(path: string): void {
    sys.close(open(path));
  },
  remove: (path: string, key: number): number => sys.mapDeleteElem(open(path), u32.encode(key)),
  /** The one value in the map under a key, or −errno. */
  read(path: string, key: number): number {
    const id = new Uint8Array(4);
    const found = sys.mapLookupElem(open(path), u32.encode(key), id);
    const fd = found < 0 ? found : sys.mapGetFdById(u32.decode(id));
    if (fd < 0) return fd;
    const value = new Uint8Array(4);
    const result = sys.mapLookupElem(fd, u32.encode(0), value);
    sys.close(fd);
    return result < 0 ? result : u32.decode(value);
  },
  /** Makes a map of maps at a path, which nobody keeps but by its pin, or if there is none by this process. */
  makeOuter(type: "array_of_maps" | "hash_of_maps", path: string, isPinned: boolean): number {
    const innerMapFd = made();
    const fd = sys.mapCreate({ type, keySize: 4, valueSize: 4, maxEntries: 4, innerMapFd });
    sys.close(innerMapFd);
    if (isPinned) sys.objPin(fd, path);
    opened.set(path, fd);
    return idOf(fd);
  },
  /** Changes the maps of a map of maps for as long as it lives. */
  hammer(path: string): void {
    const fd = open(path);
    const inner = [made(), made()];
    process.send?.({ answer: inner.map(idOf) });
    for (let round = 0; ; round++) {
      sys.mapUpdateElem(fd, u32.encode(round % 3), u32.encode(inner[round % 2] as number), 0);
      if (round % 5 === 0) sys.mapDeleteElem(fd, u32.encode((round >>> 1) % 3));
    }
  },
};

answerWith(([name, ...args]: [keyof typeof requests, ...never[]]) =>
  (requests[name] as (...args: never[]) => unknown)(...args),
);
