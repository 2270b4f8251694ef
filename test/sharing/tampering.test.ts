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
import { type ArrayMap, type Bpf, bytes, cidr, embedded, type HashSpec, type MapInfo, u32, u64 } from "mapiary";
import { E2BIG, EACCES, EBUSY, EINVAL, ENOTSUP, ESTALE, EUCLEAN } from "../../src/abi/errno.ts";
import { BPF_MAP_TYPE_RINGBUF, BPF_MAP_TYPE_USER_RINGBUF } from "../../src/abi/map-types.ts";
import { newDirectory } from "../kernels.ts";
import { generator, type Random } from "./random.ts";
import { type How, loadProducer, RECORD_ROOM } from "./ring-program.ts";
import { loadReader } from "./user-ring-program.ts";

const RUNS = Number(process.env["MAPIARY_RUNS"] ?? 400);
const SEED = Number(process.env["MAPIARY_SEED"] ?? 1000);
const HEADER = { VERSION: 8, TYPE: 12, VALUE_SIZE: 20, MAX_ENTRIES: 24, INNER_TYPE: 96, BOOT: 136, SIZE: 256 };
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

  test("when it says that its maps are what cannot be in a map", () => {
    const { ARRAY_OF_MAPS, HASH_OF_MAPS, PROG_ARRAY } = { ARRAY_OF_MAPS: 12, HASH_OF_MAPS: 13, PROG_ARRAY: 3 };
    for (const type of [ARRAY_OF_MAPS, HASH_OF_MAPS, PROG_ARRAY, 200]) {
      const { directory, file } = pinned((bpf) => nested("hash_of_maps")(bpf, 4));
      poke(file, HEADER.INNER_TYPE, type);
      using bpf = embedded({ bpffs: directory });
      assert.equal(bpf.sys.objGet(PIN), -EUCLEAN, `${type}`);
    }
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

const VALUE_BYTES = 12;
const PATTERN = 0xa5;
const PAGE = 4096;
const HOWS: readonly How[] = ["output", "submit", "discard"];
const value = bytes(VALUE_BYTES);

/** Makes a map with some entries. */
type Make = (bpf: Bpf, maxEntries: number) => { pin(path: string): void; close(): void };

function keyed(type: "hash" | "lru_hash" | "array"): Make {
  return (bpf, maxEntries) => {
    const map =
      type === "array"
        ? bpf.createMap({ type, value, maxEntries })
        : bpf.createMap({ type, key: u32, value, maxEntries } as HashSpec<number, Uint8Array>);
    for (let key = 0; key < maxEntries - 3; key++) map.set(key, new Uint8Array(VALUE_BYTES).fill(key));
    return map;
  };
}

const trie: Make = (bpf, maxEntries) => {
  const map = bpf.createMap({ type: "lpm_trie", key: cidr, value, maxEntries });
  for (let key = 0; key < maxEntries - 3; key++) {
    const network = key < 5 ? `10.${key}.0.0/16` : `10.${key & 15}.${key >> 4}.0/24`;
    map.set(network, new Uint8Array(VALUE_BYTES).fill(key));
  }
  return map;
};

const ring =
  (type: "queue" | "stack"): Make =>
  (bpf, maxEntries) => {
    const map = bpf.createMap({ type: type as "queue", value, maxEntries });
    for (let key = 0; key < maxEntries - 3; key++) map.push(new Uint8Array(VALUE_BYTES).fill(key));
    return map;
  };

const bloom: Make = (bpf, maxEntries) => bpf.createMap({ type: "bloom_filter", value, maxEntries });

const nested =
  (type: "array_of_maps" | "hash_of_maps"): Make =>
  (bpf, maxEntries) => {
    const spec = { type: "array", value: u32, maxEntries: 1 } as const;
    const map = bpf.createMap({ type: type as "hash_of_maps", key: u32, inner: spec, maxEntries });
    using first = bpf.createMap(spec);
    using second = bpf.createMap(spec);
    for (let key = 0; key < maxEntries - 3; key++) map.set(key, key % 2 === 0 ? first : second);
    return map;
  };

/** A ring buffer of as many records as there are entries, some of which were read. */
const ringBuffer: Make = (bpf, maxEntries) => {
  const map = bpf.createMap({ type: "ringbuf", maxEntries: PAGE });
  const { produce, close } = loadProducer(bpf, map, "submit", 0n);
  for (let round = 0; round < 2; round++) {
    produce(maxEntries);
    map.drain(maxEntries - 3);
  }
  close();
  return map;
};

/** Maps of numbers, and one that stays empty. */
const objects =
  (type: "devmap" | "devmap_hash" | "stack_trace"): Make =>
  ({ sys }, maxEntries) => {
    const fd = sys.mapCreate({ type, keySize: 4, valueSize: 8, maxEntries });
    for (let key = 0; key < maxEntries - 3; key++)
      sys.mapUpdateElem(fd, u32.encode(key), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
    return { pin: (path) => void sys.objPin(fd, path), close: () => void sys.close(fd) };
  };

/** The same of a user ring buffer. */
const userRingBuffer: Make = (bpf, maxEntries) => {
  const map = bpf.createMap({ type: "user_ringbuf", value: u64, maxEntries: PAGE });
  const reader = loadReader(bpf, map);
  for (let number = 0; number < maxEntries; number++) map.push(BigInt(number));
  reader.drain();
  reader.close();
  for (let number = 0; number < maxEntries; number++) map.push(BigInt(number));
  return map;
};

const KINDS: readonly Make[] = [
  ...[keyed("hash"), keyed("lru_hash"), keyed("array"), trie],
  ...[ring("queue"), ring("stack"), bloom, ringBuffer, userRingBuffer],
  ...[nested("array_of_maps"), nested("hash_of_maps")],
  ...[objects("devmap"), objects("devmap_hash"), objects("stack_trace")],
];
const TORN_ROUNDS = RUNS > 1000 ? 1000 : KINDS.length;

/** Where in a file something is changed that matters. */
function placeIn(kind: Make, size: number, random: Random): number {
  if (random(8) === 0) return random(HEADER.SIZE);
  if (kind !== ringBuffer && kind !== userRingBuffer) return 64 + random(Math.min(size, 2048) - 64);
  // What the kind keeps to itself, the positions, and the records, of which there are as many as were made twice.
  const [from, bytes] = [
    [64, 24],
    [PAGE, 8],
    [2 * PAGE, 8],
    [3 * PAGE, 24 * RECORD_ROOM],
  ][random(4)] as [number, number];
  return from + random(bytes);
}

/** A kernel in whose memory what must not be touched lies before and behind where maps are mapped. */
class Surrounded {
  readonly file: string;
  readonly bpf: Bpf;
  readonly #witnesses: readonly ArrayMap<number, Uint8Array>[];
  /** As much as can be asked for in one piece: what a map is said to hold is no more than its file. */
  readonly #room = new Uint8Array(65536);

  constructor() {
    const directory = newDirectory();
    this.file = join(directory, "map");
    this.bpf = embedded({ bpffs: directory });
    const bystanders = Array.from({ length: 3 }, () => {
      const map = this.bpf.createMap({ type: "array", value: bytes(4000), maxEntries: 1, flags: ["mmapable"] });
      return map.set(0, new Uint8Array(4000).fill(PATTERN));
    });
    bystanders[1]?.close();
    this.#witnesses = [bystanders[0], bystanders[2]] as ArrayMap<number, Uint8Array>[];
  }

  /** Makes the map that is then changed behind its back; nobody has it open. */
  make(make: Make, maxEntries: number): void {
    const map = make(this.bpf, maxEntries);
    map.pin(PIN);
    map.close();
  }

  /** Opens the map and does this and that with it; false when it is refused. */
  use(random: Random): boolean {
    const { sys } = this.bpf;
    const fd = sys.objGet(PIN);
    if (fd < 0) {
      assert([-EACCES, -ENOTSUP, -ESTALE, -EUCLEAN].includes(fd), `refused with ${fd}`);
      return false;
    }
    const { type, keySize, valueSize } = sys.objGetInfoByFd(fd) as MapInfo;
    if (type === BPF_MAP_TYPE_RINGBUF) this.#useRing(random);
    if (type === BPF_MAP_TYPE_USER_RINGBUF) this.#useUserRing(random);
    const key = this.#room.subarray(0, keySize);
    const next = new Uint8Array(keySize);
    const value = new Uint8Array(valueSize);
    for (let step = 0; step < 6; step++) {
      key.fill(0);
      // A number, or a network below 10.0.0.0.
      if (keySize > 4) key.set([random(34), 0, 0, 0, 10, random(16), random(4)].slice(0, keySize));
      else if (keySize > 0) key[0] = random(16);
      const results = [
        () => sys.mapLookupElem(fd, keySize === 0 ? null : key, value),
        () => sys.mapUpdateElem(fd, keySize === 0 ? null : key, value.fill(random(100)), random(3)),
        () => sys.mapDeleteElem(fd, key),
        () => sys.mapGetNextKey(fd, random(3) === 0 ? null : key, next),
        () => sys.mapLookupAndDeleteElem(fd, keySize === 0 ? null : key, value),
      ];
      assert((results[random(results.length)] as () => number)() <= 0);
      // What lies elsewhere must not come out either.
      assert(
        !value.includes(PATTERN) || !Buffer.from(value.buffer).includes(Buffer.alloc(4, PATTERN)),
        "foreign bytes",
      );
    }
    sys.close(fd);
    return true;
  }

  /** Lets a program write records, and reads some. */
  #useRing(random: Random): void {
    using ring = this.bpf.openMap(PIN, { type: "ringbuf" });
    const { produce, close } = loadProducer(this.bpf, ring, HOWS[random(HOWS.length)] as How, BigInt(random(100)));
    for (let round = 0; round < 3; round++) {
      produce(1 + random(3));
      try {
        for (const bytes of ring.drain(random(30)) as Uint8Array[]) assert(!bytes.includes(PATTERN), "foreign bytes");
      } catch (error) {
        assert.match(String(error), /are not as programs write them/);
      }
    }
    close();
  }

  /** Writes records, and lets a program read some. */
  #useUserRing(random: Random): void {
    using ring = this.bpf.openMap(PIN, { type: "user_ringbuf", value: u64 });
    const reader = loadReader(this.bpf, ring);
    for (let round = 0; round < 3; round++) {
      for (let count = random(4); count > 0; count--) ring.push(BigInt(count));
      const drained = reader.drain();
      assert(drained >= 0 || [-EBUSY, -EINVAL, -E2BIG].includes(drained), `refused with ${drained}`);
    }
    reader.close();
  }

  /** Takes the map away, and looks whether everything around it is as it was. */
  unmake(): void {
    this.bpf.bpffs.unlink(PIN);
    for (const witness of this.#witnesses) {
      assert(
        (witness.get(0) as Uint8Array).every((byte) => byte === PATTERN),
        "bytes beside the map have changed",
      );
    }
  }
}

test(`of ${RUNS} files that were changed none leads out of its segment (seed ${SEED})`, () => {
  const random = generator(SEED);
  const kernel = new Surrounded();
  let used = 0;
  for (let done = 0; done < RUNS; ) {
    const kind = KINDS[random(KINDS.length)] as Make;
    kernel.make(kind, 12);
    const { size } = statSync(kernel.file);
    const fd = openSync(kernel.file, "r+");
    const change = new Uint8Array(4);
    for (let round = 0; round < 20; round++, done++) {
      for (let changes = 1 + random(6); changes > 0; changes--) {
        const at = placeIn(kind, size, random) & ~3;
        change[0] = random(256);
        change[1] = random(random(2) === 0 ? 4 : 256);
        change[2] = random(2) * random(256);
        change[3] = random(2) * random(256);
        writeSync(fd, change, 0, 4, at);
      }
      if (!kernel.use(random)) break;
      used++;
    }
    closeSync(fd);
    kernel.unmake();
    if (RUNS >= 100_000 && Math.floor((done - 20) / 50_000) < Math.floor(done / 50_000))
      console.log(`${done} files, ${used} of them used, after ${Math.round(performance.now() / 1000)} s`);
  }
  kernel.bpf.close();
  assert(used > RUNS / 10, `only ${used} of ${RUNS} files were used at all`);
});

test("a file with pages of two moments, as a power cut may leave it, does not lead out of its segment either", () => {
  const random = generator(SEED);
  const kernel = new Surrounded();
  let used = 0;
  for (let round = 0; round < TORN_ROUNDS; round++) {
    kernel.make(KINDS[round % KINDS.length] as Make, 400);
    const before = readFileSync(kernel.file);
    for (let uses = 0; uses < 40; uses++) kernel.use(random);
    const after = readFileSync(kernel.file);
    for (let mixes = 0; mixes < 4; mixes++) {
      const mixed = Buffer.from(after);
      for (let page = 0; page < mixed.length; page += PAGE) {
        const state = [before, after, Buffer.alloc(PAGE + page)][random(3)] as Buffer;
        // Of the first page, which says what this is, there is always one or the other.
        if (page > 0 || state.length > PAGE) state.copy(mixed, page, page, page + PAGE);
      }
      const fd = openSync(kernel.file, "r+");
      writeSync(fd, mixed, 0, mixed.length, 0);
      closeSync(fd);
      for (let uses = 0; uses < 10; uses++) if (kernel.use(random)) used++;
    }
    kernel.unmake();
  }
  kernel.bpf.close();
  assert(used > TORN_ROUNDS, "hardly any was used at all");
});
