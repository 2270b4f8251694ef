import { struct, u16, u32, u64 } from "mapiary";
import {
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_ELEM,
} from "../../src/abi/commands.ts";
import { BPF_F_LOCK } from "../../src/abi/flags.ts";
import { namesMistakes } from "./scene.ts";

namesMistakes([
  {
    mistake: "an update of a full hash",
    make: (scene) => scene.hash(2).set(1, 1n).set(2, 1n).set(3, 1n),
    code: "E2BIG",
    says: ["map hits is full: it has all of its 2 entries. Delete some, or create it with a larger maxEntries."],
  },
  {
    mistake: "an update past the end of an array",
    make: (scene) => scene.array().set(9, 1n),
    code: "E2BIG",
    says: ["index 9 is past the end of map counters: it has 4 entries, so its last index is 3"],
  },
  {
    mistake: '"noexist" for a key that is there',
    make: (scene) => scene.hash().set(7, 1n).set(7, 1n, "noexist"),
    code: "EEXIST",
    says: ["key 7 is in map hits already"],
  },
  {
    mistake: '"noexist" for an array',
    make: (scene) => scene.array().set(0, 1n, "noexist"),
    code: "EEXIST",
    says: ["every index of map counters is there from the beginning"],
  },
  {
    mistake: '"exist" for a key that is not there',
    make: ({ bpf }) =>
      bpf
        .createMap({ type: "hash", name: "flows", key: struct({ port: u16, host: u16 }), value: u32, maxEntries: 4 })
        .set({ port: 80, host: 1 }, 1, "exist"),
    code: "ENOENT",
    says: ['key {"port":80,"host":1} is not in map flows, and "exist" only overwrites'],
  },
  {
    mistake: "an update of a frozen map",
    make: (scene) => {
      const map = scene.hash();
      map.freeze();
      map.set(1, 1n);
    },
    code: "EPERM",
    says: ["map hits is frozen"],
  },
  {
    mistake: "an update through a map that was opened for reading",
    make: (scene) => scene.bpf.mapById(scene.array().id, { access: "read", value: u64 }).set(1 as never, 1n),
    code: "EPERM",
    says: ["map counters was opened read-only", 'without access: "read"'],
  },
  {
    mistake: "an update of a map that was created for reading",
    make: ({ bpf }) =>
      bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 4, flags: ["rdonly"] }).set(1, 1n),
    code: "EPERM",
    says: ["map hits was opened read-only", "the flag rdonly"],
  },
  {
    mistake: "an update of a map that is closed",
    make: (scene) => {
      const map = scene.hash();
      map.close();
      map.set(1, 1n);
    },
    code: "EBADF",
    says: ["map hits is closed"],
  },
  {
    mistake: "an update of a map whose kernel is closed",
    make: (scene) => {
      const map = scene.hash();
      scene.bpf.close();
      map.set(1, 1n);
    },
    code: "EBADF",
    says: ["this kernel was closed before"],
  },
  {
    mistake: "a lookup in a map that was opened for writing",
    make: (scene) => scene.bpf.mapById(scene.hash().id, { access: "write", key: u32 }).get(1),
    code: "EPERM",
    says: ["map hits was opened write-only", 'without access: "write"'],
  },
  {
    mistake: "taking from a map that was opened for reading",
    make: (scene) => {
      const { fd } = scene.bpf.mapById(scene.hash().id, { access: "read" });
      const result = scene.bpf.sys.mapLookupAndDeleteElem(fd, new Uint8Array(4), new Uint8Array(8));
      scene.check(result, { command: BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, map: "hits" });
    },
    code: "EPERM",
    says: ["map hits was opened read-only"],
  },
  {
    mistake: "taking from a map that was opened for writing",
    make: (scene) => {
      const { fd } = scene.bpf.mapById(scene.hash().id, { access: "write" });
      const result = scene.bpf.sys.mapLookupAndDeleteElem(fd, new Uint8Array(4), new Uint8Array(8));
      scene.check(result, { command: BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, map: "hits" });
    },
    code: "EPERM",
    says: ["map hits was opened write-only"],
  },
  {
    mistake: "an update that asks for BPF_F_LOCK",
    make: (scene) => {
      const map = scene.hash();
      const result = scene.bpf.sys.mapUpdateElem(map.fd, new Uint8Array(4), new Uint8Array(8), BPF_F_LOCK);
      scene.check(result, { command: BPF_MAP_UPDATE_ELEM, fd: map.fd, map: "hits", flags: BPF_F_LOCK });
    },
    code: "EINVAL",
    says: ["BPF_F_LOCK is for values that have a struct bpf_spin_lock, and those of map hits have none"],
  },
  {
    mistake: "an update that is to be new and old",
    make: (scene) => {
      const map = scene.hash();
      const result = scene.bpf.sys.mapUpdateElem(map.fd, new Uint8Array(4), new Uint8Array(8), 3);
      scene.check(result, { command: BPF_MAP_UPDATE_ELEM, fd: map.fd, map: "hits", flags: 3 });
    },
    code: "EINVAL",
    says: ["BPF_NOEXIST and BPF_EXIST exclude each other"],
  },
  {
    mistake: "a lookup with a flag",
    make: (scene) => {
      const map = scene.hash();
      const result = scene.bpf.sys.mapLookupElem(map.fd, new Uint8Array(4), new Uint8Array(8), 1);
      scene.check(result, { command: BPF_MAP_LOOKUP_ELEM, fd: map.fd, map: "hits", flags: 1 });
    },
    code: "EINVAL",
    says: ["flags is 0x1, and map hits takes none but BPF_F_LOCK here"],
  },
  {
    mistake: "a key that is too short",
    make: (scene) => {
      const map = scene.hash();
      const result = scene.bpf.sys.mapLookupElem(map.fd, new Uint8Array(2), new Uint8Array(8));
      scene.check(result, { command: BPF_MAP_LOOKUP_ELEM, fd: map.fd, map: "hits" });
    },
    code: "EFAULT",
    says: ["a buffer is too short: map hits has keys of 4 bytes and values of 8 bytes"],
  },
  {
    mistake: "a buffer for the value of one CPU alone",
    make: (scene) => {
      const { possibleCpus, sys } = scene.bpf;
      const map = scene.bpf.createMap({ type: "percpu_hash", name: "cpus", key: u32, value: u32, maxEntries: 1 });
      map.set(0, new Array<number>(possibleCpus).fill(0));
      const result = sys.mapLookupElem(map.fd, new Uint8Array(4), new Uint8Array(4));
      scene.check(result, { command: BPF_MAP_LOOKUP_ELEM, fd: map.fd, map: "cpus" });
    },
    code: "EFAULT",
    says: [/map cpus has keys of 4 bytes and values of \d+ bytes, 8 for each of \d+ CPUs\./],
  },
  {
    mistake: "taking from an array",
    make: (scene) => {
      const { fd } = scene.array();
      const result = scene.bpf.sys.mapLookupAndDeleteElem(fd, new Uint8Array(4), new Uint8Array(8));
      scene.check(result, { command: BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, map: "counters" });
    },
    code: "ENOTSUPP",
    says: ["map counters is an array, whose entries are always there and cannot be taken"],
  },
  {
    mistake: "deleting from an array",
    make: (scene) => {
      const { fd } = scene.array();
      const result = scene.bpf.sys.mapDeleteElem(fd, new Uint8Array(4));
      scene.check(result, { command: BPF_MAP_DELETE_ELEM, fd, map: "counters" });
    },
    code: "EINVAL",
    says: ["the entries of map counters, an array, are always there", "Set them to zero"],
  },
  {
    mistake: "deleting many from an array",
    make: (scene) => {
      const { fd } = scene.array();
      const result = scene.bpf.sys.mapDeleteBatch(fd, new Uint8Array(4), Uint32Array.of(1));
      scene.check(result, { command: BPF_MAP_DELETE_BATCH, fd, map: "counters", entries: 1 });
    },
    code: "ENOTSUPP",
    says: ["the entries of map counters, an array, are always there: they cannot be deleted"],
  },
  {
    mistake: "deleting from a frozen map",
    make: (scene) => {
      const map = scene.hash();
      map.freeze();
      map.delete(1);
    },
    code: "EPERM",
    says: ["map hits is frozen"],
  },
  {
    mistake: "going through the keys of a map that was opened for writing",
    make: (scene) => {
      const fd = scene.bpf.mapById(scene.hash().id, { access: "write" }).fd;
      const result = scene.bpf.sys.mapGetNextKey(fd, null, new Uint8Array(4));
      scene.check(result, { command: BPF_MAP_GET_NEXT_KEY, fd, map: "hits" });
    },
    code: "EPERM",
    says: ["map hits was opened write-only"],
  },
]);
