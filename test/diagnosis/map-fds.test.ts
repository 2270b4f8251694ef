import { BPF_MAP_GET_FD_BY_ID } from "../../src/abi/commands.ts";
import { BPF_F_MMAPABLE, BPF_F_RDONLY, BPF_F_RDONLY_PROG, BPF_F_WRONLY } from "../../src/abi/flags.ts";
import { PROT_READ, PROT_WRITE } from "../../src/abi/mman.ts";
import { namesMistakes, type Scene } from "./scene.ts";

const READ_WRITE = PROT_READ | PROT_WRITE;

function mmap(scene: Scene, fd: number, length: number, protection = READ_WRITE, offset = 0): void {
  const mapping = { length, protection, offset };
  scene.check(scene.kernel.mmap(fd, length, protection, offset), { command: "mmap", fd, map: "counters", mapping });
}

namesMistakes([
  {
    mistake: "freezing a map twice",
    make: (scene) => {
      const map = scene.hash();
      map.freeze();
      map.freeze();
    },
    code: "EPERM",
    says: ["map hits is frozen"],
  },
  {
    mistake: "freezing a map that was opened for reading",
    make: (scene) => scene.bpf.mapById(scene.hash().id, { access: "read" }).freeze(),
    code: "EPERM",
    says: ["map hits was opened read-only"],
  },
  {
    mistake: "freezing a map that is mapped for writing",
    make: (scene) => {
      const map = scene.array(BPF_F_MMAPABLE);
      mmap(scene, map.fd, 32);
      map.freeze();
    },
    code: "EBUSY",
    says: ["map counters is being written now, or is mapped into memory for writing: unmap it"],
  },
  {
    mistake: "an id that no map has",
    make: ({ bpf }) => bpf.mapById(2 ** 31 - 5),
    code: "ENOENT",
    says: ["no map has the id 2147483643"],
  },
  {
    mistake: "a name that no map has",
    make: (scene) => {
      scene.hash();
      scene.bpf.openMap({ name: "hist" });
    },
    code: "ENOENT",
    says: ['no map is named "hist": there is "hits"'],
  },
  {
    mistake: "opening a map for reading only and for writing only",
    make: (scene) => {
      const { id } = scene.hash();
      const flags = BPF_F_RDONLY | BPF_F_WRONLY;
      const result = scene.bpf.sys.mapGetFdById(id, { openFlags: flags });
      scene.check(result, { command: BPF_MAP_GET_FD_BY_ID, id, flags });
    },
    code: "EINVAL",
    says: ["flags is 0x18: a map is opened with 0, BPF_F_RDONLY or BPF_F_WRONLY, not with both"],
  },
  {
    mistake: "asking about a map that is closed",
    make: (scene) => {
      const map = scene.hash();
      map.close();
      map.info();
    },
    code: "EBADF",
    says: ["map hits is closed"],
  },
  {
    mistake: "an fd that was closed past its object",
    make: (scene) => {
      const map = scene.hash();
      scene.bpf.sys.close(map.fd);
      map.freeze();
    },
    code: "EBADF",
    says: [/fd \d+ of map hits is not open any more/],
  },
  {
    mistake: "mapping an array that was made without the flag",
    make: (scene) => mmap(scene, scene.array().fd, 32),
    code: "EINVAL",
    says: ["map counters was made without the flag mmapable"],
  },
  {
    mistake: "mapping a hash",
    make: (scene) => mmap(scene, scene.hash().fd, 32),
    code: "ENOTSUPP",
    says: ["maps of type hash cannot be mapped"],
  },
  {
    mistake: "mapping more than an array has",
    make: (scene) => mmap(scene, scene.array(BPF_F_MMAPABLE).fd, 2 ** 16 + 1),
    code: "EINVAL",
    says: ["the mapping of 65537 bytes from 0 leaves map counters, whose values are 32 bytes"],
  },
  {
    mistake: "mapping from the middle of a page",
    make: (scene) => mmap(scene, scene.array(BPF_F_MMAPABLE).fd, 32, READ_WRITE, 8),
    code: "EINVAL",
    says: ["a mapping begins on a page, and 8 is no multiple of 4096"],
  },
  {
    mistake: "mapping a frozen array for writing",
    make: (scene) => {
      const map = scene.array(BPF_F_MMAPABLE);
      map.freeze();
      mmap(scene, map.fd, 32);
    },
    code: "EPERM",
    says: ["map counters is frozen"],
  },
  {
    mistake: "mapping an array for writing that was opened for reading",
    make: (scene) => {
      const map = scene.array(BPF_F_MMAPABLE);
      mmap(scene, scene.bpf.mapById(map.id, { access: "read" }).fd, 32);
    },
    code: "EACCES",
    says: ["map counters was opened read-only"],
  },
  {
    mistake: "mapping an array for writing that programs only read",
    make: (scene) => mmap(scene, scene.array(BPF_F_MMAPABLE | BPF_F_RDONLY_PROG).fd, 32),
    code: "EACCES",
    says: ["map counters was made with rdonly_prog", "without PROT_WRITE"],
  },
]);
