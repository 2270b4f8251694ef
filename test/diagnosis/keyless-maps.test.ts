import { u32, u64 } from "mapiary";
import { BPF_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_UPDATE_ELEM } from "../../src/abi/commands.ts";
import { BPF_EXIST, BPF_NOEXIST } from "../../src/abi/flags.ts";
import { namesMistakes, type Scene } from "./scene.ts";

function queue({ bpf }: Scene) {
  return bpf.createMap({ type: "queue", name: "jobs", value: u64, maxEntries: 2 });
}

function filter({ bpf }: Scene) {
  return bpf.createMap({ type: "bloom_filter", name: "seen", value: u64, maxEntries: 2 });
}

namesMistakes([
  {
    mistake: "a push to a full queue",
    make: (scene) => queue(scene).push(1n).push(2n).push(3n),
    code: "E2BIG",
    says: [
      "map jobs is full: it has all of its 2 entries.",
      'Pop some, push with "exist" to drop the oldest, or create it with a larger maxEntries.',
    ],
  },
  {
    mistake: "a push that is to be new",
    make: (scene) => {
      const { fd } = queue(scene);
      const result = scene.bpf.sys.mapUpdateElem(fd, null, new Uint8Array(8), BPF_NOEXIST);
      scene.check(result, { command: BPF_MAP_UPDATE_ELEM, fd, map: "jobs", flags: BPF_NOEXIST });
    },
    code: "EINVAL",
    says: ["flags is 0x1, and map jobs takes BPF_ANY or BPF_EXIST here"],
  },
  {
    mistake: "a push that is to be new and old",
    make: (scene) => {
      const { fd } = queue(scene);
      const result = scene.bpf.sys.mapUpdateElem(fd, null, new Uint8Array(8), BPF_NOEXIST | BPF_EXIST);
      scene.check(result, { command: BPF_MAP_UPDATE_ELEM, fd, map: "jobs", flags: BPF_NOEXIST | BPF_EXIST });
    },
    code: "EINVAL",
    says: ["flags is 0x3, and map jobs takes BPF_ANY or BPF_EXIST here"],
  },
  {
    mistake: "a push to a frozen stack",
    make: ({ bpf }) => {
      const map = bpf.createMap({ type: "stack", name: "ports", value: u32, maxEntries: 2 });
      map.freeze();
      map.push(1);
    },
    code: "EPERM",
    says: ["map ports is frozen"],
  },
  {
    mistake: "a pop from a queue that was opened for reading",
    make: (scene) => scene.bpf.mapById(queue(scene).id, { type: "queue", access: "read" }).pop(),
    code: "EPERM",
    says: ["map jobs was opened read-only"],
  },
  {
    mistake: "a peek into a queue that was opened for writing",
    make: (scene) => scene.bpf.mapById(queue(scene).id, { type: "queue", access: "write" }).peek(),
    code: "EPERM",
    says: ["map jobs was opened write-only"],
  },
  {
    mistake: "a pop from a queue that is closed",
    make: (scene) => {
      const map = queue(scene);
      map.close();
      map.pop();
    },
    code: "EBADF",
    says: ["map jobs is closed"],
  },
  {
    mistake: "an addition to a bloom filter that is to be there",
    make: (scene) => {
      const { fd } = filter(scene);
      const result = scene.bpf.sys.mapUpdateElem(fd, null, new Uint8Array(8), BPF_EXIST);
      scene.check(result, { command: BPF_MAP_UPDATE_ELEM, fd, map: "seen", flags: BPF_EXIST });
    },
    code: "EINVAL",
    says: ["flags is 0x2, and map seen takes BPF_ANY alone here"],
  },
  {
    mistake: "taking from a bloom filter",
    make: (scene) => {
      const { fd } = filter(scene);
      const result = scene.bpf.sys.mapLookupAndDeleteElem(fd, null, new Uint8Array(8));
      scene.check(result, { command: BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, map: "seen" });
    },
    code: "ENOTSUPP",
    says: ["maps of type bloom_filter have no take"],
  },
  {
    mistake: "a bloom filter with more hash functions than there are",
    make: ({ bpf }) => bpf.createMap({ type: "bloom_filter", name: "seen", value: u64, maxEntries: 2, hashes: 16 }),
    code: "EINVAL",
    says: ["mapExtra is 16, and for a bloom_filter it is a number of hash functions from 0 to 15"],
  },
]);
