import { bytes, u32, u64 } from "mapiary";
import { mapFlagBits } from "../../src/abi/flag-names.ts";
import { BPF_F_TOKEN_FD } from "../../src/abi/flags.ts";
import { namesMistakes } from "./scene.ts";

namesMistakes([
  {
    mistake: "a map type that there is not",
    make: (scene) => scene.create({ type: 99 }),
    code: "EINVAL",
    says: ["no map type 99"],
  },
  {
    mistake: "a key of no bytes",
    make: (scene) => scene.create({ keySize: 0 }),
    code: "EINVAL",
    says: ["a hash's key is at least 1 byte, not 0"],
  },
  {
    mistake: "a key of an array that is no index",
    make: ({ bpf }) => bpf.createMap({ type: "array", key: u64, value: u64, maxEntries: 4 }),
    code: "EINVAL",
    says: ["an array's key is 4 bytes, not 8: leave out key, or use a layout of 4 bytes."],
  },
  {
    mistake: "a value of no bytes",
    make: (scene) => scene.create({ valueSize: 0 }),
    code: "EINVAL",
    says: ["a hash's value is at least 1 byte, not 0"],
  },
  {
    mistake: "room for no entries",
    make: ({ bpf }) => bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 0 }),
    code: "EINVAL",
    says: ["maxEntries is 0", "one entry at least"],
  },
  {
    mistake: "a number of entries that no u32 holds",
    make: ({ bpf }) => bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 2 ** 32 }),
    code: "EINVAL",
    says: ["maxEntries is 4294967296", "no whole number from 0 to 4294967295"],
  },
  {
    mistake: "a negative number of entries",
    make: ({ bpf }) => bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: -1 }),
    code: "E2BIG",
    says: ["maxEntries is -1, which is no whole number"],
  },
  {
    mistake: "a key and a value that are too large together",
    make: (scene) => scene.create({ keySize: 8, valueSize: 4194304 }),
    code: "E2BIG",
    says: ["key and value are at most 4194255 bytes together, not 8 + 4194304 = 4194312"],
  },
  {
    mistake: "a value of an array that is too large",
    make: (scene) => scene.create({ type: "array", valueSize: 2 ** 31 }),
    code: "E2BIG",
    says: ["an array's value is at most 2147483647 bytes, not 2147483648"],
  },
  {
    mistake: "more entries than a hash can have",
    make: (scene) => scene.create({ maxEntries: 2 ** 27 + 1 }),
    code: "E2BIG",
    says: ["a hash has at most 134217728 entries, not 134217729"],
  },
  {
    mistake: "a name with a character that names have not",
    make: ({ bpf }) => bpf.createMap({ type: "hash", name: "my-map", key: u32, value: u64, maxEntries: 4 }),
    code: "EINVAL",
    says: ['the name "my-map" has "-" at index 2', "letters from A to Z, digits, _ and dots"],
  },
  {
    mistake: "a name with a letter that is not of A to Z",
    make: (scene) => scene.create({ name: "größe" }),
    code: "EINVAL",
    says: ['"ö" at index 2'],
  },
  {
    mistake: "a bit that is no flag",
    make: (scene) => scene.create({ flags: 0x2000000 | mapFlagBits(["no_prealloc"]) }),
    code: "EINVAL",
    says: ["flags has 0x2000000, which is no flag"],
  },
  {
    mistake: "a flag that a hash does not take",
    make: ({ bpf }) => bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4, flags: ["mmapable"] }),
    code: "EINVAL",
    says: ["a hash does not take BPF_F_MMAPABLE", /it takes .*BPF_F_NO_PREALLOC/],
  },
  {
    mistake: "flags that an array does not take",
    make: (scene) => scene.create({ type: "array", flags: mapFlagBits(["no_prealloc", "zero_seed", "mmapable"]) }),
    code: "EINVAL",
    says: ["an array does not take BPF_F_NO_PREALLOC, BPF_F_ZERO_SEED:"],
  },
  {
    mistake: "a map for reading only and for writing only",
    make: (scene) => scene.create({ flags: mapFlagBits(["rdonly", "wronly"]) }),
    code: "EINVAL",
    says: ["BPF_F_RDONLY and BPF_F_WRONLY exclude each other"],
  },
  {
    mistake: "a map that programs may only read and only write",
    make: (scene) => scene.create({ flags: mapFlagBits(["rdonly_prog", "wronly_prog"]) }),
    code: "EINVAL",
    says: ["BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG exclude each other"],
  },
  {
    mistake: "a NUMA node that is not there",
    make: ({ bpf }) =>
      bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4, flags: ["numa_node"], numaNode: 63 }),
    code: "EINVAL",
    says: ["there is no NUMA node 63 here"],
  },
  {
    mistake: "map_extra for a type that takes none",
    make: (scene) => scene.create({ mapExtra: 3 }),
    code: "EINVAL",
    says: ["mapExtra is 3, and a hash takes none"],
  },
  {
    mistake: "a hash of a program that is no SHA-256",
    make: (scene) => scene.create({ exclProgHash: new Uint8Array(31) }),
    code: "EINVAL",
    says: ["exclProgHash is 31 bytes, and a SHA-256 is 32"],
  },
  {
    mistake: "a type id for the key alone",
    make: (scene) => scene.create({ btfFd: 3, btfKeyTypeId: 1 }),
    code: "EINVAL",
    says: ["btfKeyTypeId is given, and btfValueTypeId is not"],
  },
  {
    mistake: "BTF of the kernel's own for a hash",
    make: (scene) => scene.create({ btfVmlinuxValueTypeId: 1 }),
    code: "EINVAL",
    says: ["btfVmlinuxValueTypeId is for struct_ops alone, not for a hash"],
  },
  {
    mistake: "BTF that is not open",
    make: (scene) => scene.create({ btfFd: 90000, btfKeyTypeId: 1, btfValueTypeId: 1 }),
    code: "EBADF",
    says: ["btfFd is 90000, which is not open"],
  },
  {
    mistake: "a token that is not open",
    make: (scene) => scene.create({ flags: BPF_F_TOKEN_FD, tokenFd: 90000 }),
    code: "EBADF",
    says: ["tokenFd is 90000, which is not open"],
  },
  {
    mistake: "a hash that is larger than the memory",
    make: ({ bpf }) => bpf.createMap({ type: "hash", key: u32, value: bytes(4_000_000), maxEntries: 2 ** 20 }),
    code: "ENOMEM",
    says: ["the map needs about 3.8 TiB", "ask for fewer entries"],
  },
  {
    mistake: "an array that is larger than the memory",
    make: ({ bpf }) => bpf.createMap({ type: "array", value: bytes(2 ** 20), maxEntries: 2 ** 32 - 1 }),
    code: "ENOMEM",
    says: ["the map needs about 4 PiB", "ask for fewer entries"],
  },
  {
    mistake: "a map of a kernel that is closed",
    make: (scene) => {
      scene.bpf.close();
      scene.create({});
    },
    code: "EBADF",
    says: ["this kernel was closed before"],
  },
]);
