/**
 * Files that somebody else wrote, cut off or changed. Each is refused, or used without reading or writing a byte outside of
 * the segment. `--runs N` tries N of them.
 */
import assert from "node:assert/strict";
import {
  closeSync,
  copyFileSync,
  linkSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Bpf, BpfError, bytes, cidr, embedded, type HashMap, type HashSpec, u32 } from "mapiary";
import { newDirectory } from "../kernels.ts";

const RUNS = Number(process.env["MAPIARY_RUNS"] ?? 400);
const SEED = Number(process.env["MAPIARY_SEED"] ?? 1000);
const HEADER = { VERSION: 8, TYPE: 12, VALUE_SIZE: 20, MAX_ENTRIES: 24, BOOT: 136, SIZE: 256 };
const PIN = "/sys/fs/bpf/map";

function pinned(make: (bpf: Bpf) => { pin(path: string): void }): { directory: string; file: string } {
  const directory = newDirectory();
  using bpf = embedded({ bpffs: directory });
  make(bpf).pin(PIN);
  return { directory, file: join(directory, "map") };
}

const aHash = (bpf: Bpf) => bpf.createMap({ type: "hash", name: "hash", key: u32, value: u32, maxEntries: 16 });

function poke(file: string, at: number, ...values: number[]): void {
  const fd = openSync(file, "r+");
  writeSync(fd, Uint8Array.from(values), 0, values.length, at);
  closeSync(fd);
}

describe("a file in a directory of maps is refused", () => {
  const refused = (change: (file: string, directory: string) => void, code: string, why: RegExp): void => {
    const { directory, file } = pinned(aHash);
    change(file, directory);
    using bpf = embedded({ bpffs: directory });
    assert.throws(() => bpf.openMap(PIN, { key: u32, value: u32 }), { code, message: why });
  };

  test("when it is no segment", () => {
    refused((file) => writeFileSync(file, "hello"), "EACCES", /is no map/);
  });

  test("when it is cut off, or too long", () => {
    refused((file) => truncateSync(file, 2048), "EUCLEAN", /is damaged/);
    refused((file) => truncateSync(file, 100), "EUCLEAN", /is damaged/);
    refused((file) => truncateSync(file, 65536), "EUCLEAN", /is damaged/);
  });

  test("when it is of a newer version, or of none", () => {
    refused((file) => poke(file, HEADER.VERSION, 2), "ENOTSUP", /newer version/);
    refused((file) => poke(file, HEADER.VERSION, 0), "EUCLEAN", /is damaged/);
  });

  test("when it is from before the machine was started", () => {
    refused((file) => poke(file, HEADER.BOOT, 1, 2, 3), "ESTALE", /before this machine was last started/);
  });

  test("when it asks for more than is there", () => {
    refused((file) => poke(file, HEADER.MAX_ENTRIES, 0, 1), "EUCLEAN", /is damaged/);
    refused((file) => poke(file, HEADER.VALUE_SIZE + 2, 1), "EUCLEAN", /is damaged/);
    refused((file) => poke(file, HEADER.TYPE, 2), "EUCLEAN", /is damaged/);
    refused((file) => poke(file, HEADER.TYPE, 200), "EUCLEAN", /is damaged/);
  });

  test("when it is a copy of a map", () => {
    refused(
      (file, directory) => {
        copyFileSync(file, join(directory, "copy"));
        linkSync(join(directory, "copy"), join(directory, "other"));
        writeFileSync(file, readFileSync(join(directory, "copy")));
        poke(file, 40, 99);
      },
      "EUCLEAN",
      /is damaged/,
    );
  });
});

/** A small generator of its own, so that a run can be repeated. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const value = bytes(12);

/** A map that is changed behind its back, and what is then asked of it. */
interface Kind {
  make(bpf: Bpf): { pin(path: string): void; close(): void };
  use(bpf: Bpf, random: (below: number) => number): void;
}

function keyed(type: "hash" | "lru_hash" | "array"): Kind {
  return {
    make(bpf) {
      const map =
        type === "array"
          ? bpf.createMap({ type, value, maxEntries: 12 })
          : bpf.createMap({ type, key: u32, value, maxEntries: 12 } as HashSpec<number, Uint8Array>);
      for (let key = 0; key < 9; key++) map.set(key, new Uint8Array(12).fill(key));
      return map;
    },
    use(bpf, random) {
      using map = bpf.openMap(PIN, { key: u32, value });
      map.get(random(14));
      map.set(random(12), new Uint8Array(12).fill(9));
      map.count();
      map.nextKey(random(14));
      if ("delete" in map) (map as HashMap<number, Uint8Array>).delete(random(14));
    },
  };
}

const TRIE: Kind = {
  make(bpf) {
    const map = bpf.createMap({ type: "lpm_trie", key: cidr, value, maxEntries: 12 });
    for (let key = 0; key < 9; key++) map.set(`10.${key}.0.0/${16 + key}`, new Uint8Array(12).fill(key));
    return map;
  },
  use(bpf, random) {
    using map = bpf.openMap(PIN, { type: "lpm_trie", key: cidr, value });
    map.get(`10.${random(12)}.0.1`);
    map.delete(`10.${random(12)}.0.0/16`);
    map.set(`10.${random(12)}.0.0/${16 + random(9)}`, new Uint8Array(12).fill(5));
    map.nextKey(`10.${random(12)}.0.0/16`);
    map.nextKey();
  },
};

const QUEUE: Kind = {
  make(bpf) {
    const map = bpf.createMap({ type: "queue", value, maxEntries: 12 });
    for (let key = 0; key < 9; key++) map.push(new Uint8Array(12).fill(key));
    return map;
  },
  use(bpf) {
    using map = bpf.openMap(PIN, { type: "queue", value });
    map.peek();
    map.pop();
    map.push(new Uint8Array(12), "exist");
  },
};

const BLOOM: Kind = {
  make: (bpf) => bpf.createMap({ type: "bloom_filter", value, maxEntries: 12 }),
  use(bpf) {
    using map = bpf.openMap(PIN, { type: "bloom_filter", value });
    map.add(new Uint8Array(12).fill(3)).has(new Uint8Array(12).fill(7));
  },
};

const KINDS: readonly Kind[] = [keyed("hash"), keyed("lru_hash"), keyed("array"), TRIE, QUEUE, BLOOM];

test(`of ${RUNS} files that were changed none leads out of its segment (seed ${SEED})`, () => {
  const random = generator(SEED);
  const directory = newDirectory();
  using bpf = embedded({ bpffs: directory });
  // What must not be touched lies before and behind where the maps are mapped.
  const bystanders = Array.from({ length: 3 }, () => {
    const bystander = bpf.createMap({ type: "array", value: bytes(4000), maxEntries: 1, flags: ["mmapable"] });
    return bystander.set(0, new Uint8Array(4000).fill(0xa5));
  });
  bystanders[1]?.close();
  const witnesses = [bystanders[0], bystanders[2]];
  const file = join(directory, "map");
  let used = 0;
  for (let done = 0; done < RUNS; ) {
    const kind = KINDS[random(KINDS.length)] as Kind;
    const map = kind.make(bpf);
    map.pin(PIN);
    map.close();
    const { size } = statSync(file);
    for (let round = 0; round < 20; round++, done++) {
      for (let change = 1 + random(6); change > 0; change--) {
        const at = (random(8) === 0 ? random(HEADER.SIZE) : 64 + random(size - 64)) & ~3;
        poke(
          file,
          at,
          random(256),
          random(random(2) === 0 ? 4 : 256),
          random(2) * random(256),
          random(2) * random(256),
        );
      }
      if (isRefused(() => kind.use(bpf, random))) break;
      used++;
    }
    bpf.bpffs.unlink(PIN);
    for (const witness of witnesses) assert.deepEqual(witness?.get(0), new Uint8Array(4000).fill(0xa5));
  }
  assert(used > RUNS / 10, `only ${used} of ${RUNS} files were used at all`);
});

/** Whether a damaged map is refused, or asks for other layouts; whatever else it answers is right. */
function isRefused(use: () => void): boolean {
  try {
    use();
    return false;
  } catch (error) {
    if (error instanceof BpfError) return error.command === "BPF_OBJ_GET";
    if (error instanceof TypeError && /of type|bytes/.test(error.message)) return true;
    if (error instanceof RangeError && /^cidr: the bytes/.test(error.message)) return false;
    throw error;
  }
}
