import { BPF_MAP_DELETE_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH, BPF_MAP_LOOKUP_BATCH } from "../../src/abi/commands.ts";
import { namesMistakes, type Scene } from "./scene.ts";

/** A hash of one bucket for two entries, so that they lie in it together. */
function crowdedBucket(scene: Scene) {
  const { bpf } = scene;
  const fd = bpf.sys.mapCreate({ type: "hash", name: "hits", keySize: 4, valueSize: 8, maxEntries: 64, flags: 64 });
  for (let key = 0; key < 64; key++) {
    bpf.sys.mapUpdateElem(fd, Uint8Array.of(key, 0, 0, 0), new Uint8Array(8), 0);
  }
  return fd;
}

namesMistakes([
  {
    mistake: "writing more entries than a hash has room for",
    make: (scene) =>
      scene.hash(2).setMany([
        [1, 1n],
        [2, 2n],
        [3, 3n],
      ]),
    code: "E2BIG",
    says: ["map hits is full: it has all of its 2 entries", "The 2 entries before it were written."],
  },
  {
    mistake: "writing past the end of an array among others",
    make: (scene) =>
      scene.array().setMany([
        [1, 1n],
        [4, 2n],
      ]),
    code: "E2BIG",
    says: ["index 4 is past the end of map counters", "The entry before it was written."],
  },
  {
    mistake: "writing many to a frozen map",
    make: (scene) => {
      const map = scene.hash();
      map.freeze();
      map.setMany([[1, 1n]]);
    },
    code: "EPERM",
    says: ["map hits is frozen", "Nothing was written."],
  },
  {
    mistake: "deleting many of which one is not there",
    make: (scene) => {
      const { fd } = scene.hash().set(1, 1n);
      const count = Uint32Array.of(2);
      const result = scene.bpf.sys.mapDeleteBatch(fd, Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0), count);
      scene.check(result, { command: BPF_MAP_DELETE_BATCH, fd, map: "hits", key: "2", count: count[0] });
    },
    code: "ENOENT",
    says: ["key 2 is not in map hits. The entry before it was deleted."],
  },
  {
    mistake: "a batch that is smaller than a bucket",
    make: (scene) => {
      const fd = crowdedBucket(scene);
      for (const cursor = new Uint8Array(4); ; ) {
        const [count, key, value] = [Uint32Array.of(1), new Uint8Array(4), new Uint8Array(8)];
        const inBatch = cursor.some((byte) => byte !== 0) ? cursor.slice() : null;
        const result = scene.bpf.sys.mapLookupBatch(fd, inBatch, cursor, key, value, count);
        scene.check(result, { command: BPF_MAP_LOOKUP_BATCH, fd, map: "hits", entries: 1 });
      }
    },
    code: "ENOSPC",
    says: ["a bucket of map hits holds more entries than fit in a batch of 1", "ask for more at once"],
  },
  {
    mistake: "draining an array",
    make: (scene) => {
      const { fd } = scene.array();
      const buffer = () => new Uint8Array(8);
      const { sys } = scene.bpf;
      const result = sys.mapLookupAndDeleteBatch(fd, null, buffer(), buffer(), buffer(), Uint32Array.of(1));
      scene.check(result, { command: BPF_MAP_LOOKUP_AND_DELETE_BATCH, fd, map: "counters", entries: 1 });
    },
    code: "ENOTSUPP",
    says: ["maps of type array have no such batch on this kernel"],
  },
  {
    mistake: "a batch whose buffers are too short",
    make: (scene) => {
      const { fd } = scene.hash().set(1, 1n);
      const buffer = () => new Uint8Array(4);
      const result = scene.bpf.sys.mapLookupBatch(fd, null, buffer(), buffer(), buffer(), Uint32Array.of(8));
      scene.check(result, { command: BPF_MAP_LOOKUP_BATCH, fd, map: "hits", entries: 8 });
    },
    code: "EFAULT",
    says: ["a buffer is too short: map hits has keys of 4 bytes and values of 8 bytes"],
  },
  {
    mistake: "a batch with flags",
    make: (scene) => {
      const { fd } = scene.hash().set(1, 1n);
      const buffer = () => new Uint8Array(8);
      const result = scene.bpf.sys.mapLookupBatch(fd, null, buffer(), buffer(), buffer(), Uint32Array.of(1), {
        elemFlags: 1,
      });
      scene.check(result, { command: BPF_MAP_LOOKUP_BATCH, fd, map: "hits", flags: 1 });
    },
    code: "EINVAL",
    says: ["flags is 0x1, and map hits takes none but BPF_F_LOCK here"],
  },
  {
    mistake: "clearing a map that was opened for writing",
    make: (scene) => {
      const map = scene.bpf.mapById(scene.hash().id, { access: "write" });
      return [...map];
    },
    code: "EPERM",
    says: ["BPF_MAP_LOOKUP_BATCH", "map hits was opened write-only"],
  },
  {
    mistake: "draining a frozen map",
    make: (scene) => {
      const map = scene.hash();
      map.freeze();
      map.drain();
    },
    code: "EPERM",
    says: ["BPF_MAP_LOOKUP_AND_DELETE_BATCH", "map hits is frozen"],
  },
]);
