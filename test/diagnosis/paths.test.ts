import { tmpdir } from "node:os";
import { describe, test } from "node:test";
import { BPF_OBJ_GET } from "../../src/abi/commands.ts";
import { onLinux } from "../kernels.ts";
import { isNamed, type Mistake, namesMistakes, type Scene } from "./scene.ts";

/** A pinned map below a name that belongs to one mistake. */
function pinned(scene: Scene, name: string) {
  const map = scene.hash();
  map.pin(scene.at(name));
  return map;
}

namesMistakes([
  {
    mistake: "pinning where a pin is",
    make: (scene) => pinned(scene, "taken").pin(scene.at("taken")),
    code: "EEXIST",
    says: [/something is pinned at \S+\/taken already/, "openMap"],
  },
  {
    mistake: "pinning where a directory is",
    make: (scene) => scene.hash().pin(scene.bpffs),
    code: "EEXIST",
    says: ["is there already, and is a directory"],
  },
  {
    mistake: "pinning below a directory that is not there",
    make: (scene) => scene.hash().pin(scene.at("no/such/hits")),
    code: "ENOENT",
    says: [/the directory \S+\/no is missing: make it first, with bpffs\.mkdir/],
  },
  {
    mistake: "pinning below a pin",
    make: (scene) => pinned(scene, "leaf").pin(scene.at("leaf/hits")),
    code: "ENOTDIR",
    says: [/\S+\/leaf is no directory: nothing lies below it/],
  },
  {
    mistake: "pinning by a name with a dot",
    make: (scene) => scene.hash().pin(scene.at("hits.v1")),
    code: "EPERM",
    says: ['the name "hits.v1" has a dot'],
  },
  {
    mistake: "pinning below a name with a dot",
    make: (scene) => scene.hash().pin(scene.at("app.d/hits")),
    code: "EPERM",
    says: ['the name "app.d" has a dot'],
  },
  {
    mistake: "pinning outside a BPF filesystem",
    make: (scene) => scene.hash().pin("/sys/hits"),
    code: "EPERM",
    says: [/\/sys\/hits lies outside any BPF filesystem, .*(is at|mount -t bpf bpf) \/sys\/fs\/bpf/],
  },
  {
    mistake: "pinning where there is no BPF filesystem and no directory",
    make: (scene) => scene.hash().pin("/no/such/hits"),
    code: "ENOENT",
    says: [/the (linux|embedded) kernel has no directory \/no: .*\/sys\/fs\/bpf/],
  },
  {
    mistake: "opening what is neither pinned nor in a BPF filesystem",
    make: (scene) => scene.bpf.openMap("/sys/fs/hits"),
    code: "ENOENT",
    says: ["there is nothing at /sys/fs/hits, outside any BPF filesystem"],
  },
  {
    mistake: "pinning by a path with a NUL",
    make: (scene) => scene.hash().pin("hits\0"),
    code: "EPERM",
    says: ['the path "hits\\u0000" has a NUL character'],
  },
  {
    mistake: "pinning with a slash at the end",
    make: (scene) => scene.hash().pin(scene.at("hits/")),
    code: "ENOENT",
    says: ["ends with a slash"],
  },
  {
    mistake: "pinning by an empty path",
    make: (scene) => scene.hash().pin(""),
    code: "ENOENT",
    says: ["the path is empty"],
  },
  {
    mistake: "pinning by a name that is too long",
    make: (scene) => scene.hash().pin(scene.at("x".repeat(256))),
    code: "ENAMETOOLONG",
    says: ["is longer than 255 bytes"],
  },
  {
    mistake: "pinning by a path that is too long",
    make: (scene) => scene.hash().pin(scene.at("x/".repeat(3000))),
    code: "ENAMETOOLONG",
    says: ["a path has at most 4095"],
  },
  {
    mistake: "pinning a map that is closed",
    make: (scene) => {
      const map = scene.hash();
      map.close();
      map.pin(scene.at("closed"));
    },
    code: "EBADF",
    says: ["map hits is closed"],
  },
  {
    mistake: "pinning by an fd that was closed past its object",
    make: (scene) => {
      const map = scene.hash();
      scene.bpf.sys.close(map.fd);
      map.pin(scene.at("closed"));
    },
    code: "EINVAL",
    says: [/fd \d+ of map hits is not open any more/],
  },
  {
    mistake: "opening what is not pinned",
    make: (scene) => scene.bpf.openMap(scene.at("nothing")),
    code: "ENOENT",
    says: [/there is nothing at \S+\/nothing\./],
  },
  {
    mistake: "opening a pin by a name that is almost right",
    make: (scene) => {
      pinned(scene, "packets");
      scene.bpf.openMap(scene.at("pakets"));
    },
    code: "ENOENT",
    says: [/there is nothing at \S+\/pakets, but there is "packets" in /],
  },
  {
    mistake: "opening a directory",
    make: (scene) => scene.bpf.openMap(scene.bpffs),
    code: "EACCES",
    says: ["is a directory, not a pin"],
  },
  {
    mistake: "opening what is no pin",
    make: (scene) => scene.bpf.openMap("/sys/fs"),
    code: "EACCES",
    says: [/\/sys\/fs lies outside any BPF filesystem, .*(is at|mount -t bpf bpf) \/sys\/fs\/bpf/],
  },
  {
    mistake: "opening a name with a dot",
    make: (scene) => scene.bpf.openMap(scene.at("hits.v1")),
    code: "EPERM",
    says: ['the name "hits.v1" has a dot'],
  },
  {
    mistake: "opening below a pin",
    make: (scene) => {
      pinned(scene, "stem");
      scene.bpf.openMap(scene.at("stem/hits"));
    },
    code: "ENOTDIR",
    says: [/\S+\/stem is no directory: nothing lies below it/],
  },
  {
    mistake: "opening a pin with a slash at the end",
    make: (scene) => {
      pinned(scene, "slash");
      scene.bpf.openMap(scene.at("slash/"));
    },
    code: "ENOTDIR",
    says: ["is a pin: its path does not end with a slash"],
  },
  {
    mistake: "opening a pin for reading only and for writing only",
    make: (scene) => {
      const path = scene.at("both");
      pinned(scene, "both");
      scene.check(scene.bpf.sys.objGet(path, { fileFlags: 24 }), { command: BPF_OBJ_GET, path, flags: 24 });
    },
    code: "EINVAL",
    says: ["flags is 0x18: a map is opened with 0, BPF_F_RDONLY or BPF_F_WRONLY"],
  },
  {
    mistake: "taking away a pin that is not there",
    make: (scene) => scene.hash().unpin(scene.at("gone")),
    code: "ENOENT",
    says: [/there is nothing at \S+\/gone/],
  },
  {
    mistake: "taking away a directory as if it were a pin",
    make: (scene) => {
      scene.bpf.bpffs.mkdir(scene.at("folder"));
      scene.bpf.bpffs.unlink(scene.at("folder"));
    },
    code: "EISDIR",
    says: ["is a directory: remove it with bpffs.rmdir"],
  },
  {
    mistake: "making a directory where something is pinned",
    make: (scene) => {
      pinned(scene, "busy");
      scene.bpf.bpffs.mkdir(scene.at("busy"));
    },
    code: "EEXIST",
    says: [/something is pinned at \S+\/busy already/],
  },
  {
    mistake: "making a directory below one that is not there",
    make: (scene) => scene.bpf.bpffs.mkdir(scene.at("one/two")),
    code: "ENOENT",
    says: [/the directory \S+\/one is missing/],
  },
  {
    mistake: "making a directory of a name with a dot",
    make: (scene) => scene.bpf.bpffs.mkdir(scene.at("app.d")),
    code: "EPERM",
    says: ['the name "app.d" has a dot'],
  },
  {
    mistake: "removing a directory that is not empty",
    make: (scene) => {
      scene.bpf.bpffs.mkdir(scene.at("full"));
      pinned(scene, "full/hits");
      scene.bpf.bpffs.rmdir(scene.at("full"));
    },
    code: "ENOTEMPTY",
    says: [/the directory \S+\/full is not empty: it has hits/],
  },
  {
    mistake: "removing a pin as if it were a directory",
    make: (scene) => {
      pinned(scene, "flat");
      scene.bpf.bpffs.rmdir(scene.at("flat"));
    },
    code: "ENOTDIR",
    says: [/\S+\/flat is a pin, and no directory: take it away with bpffs\.unlink/],
  },
  {
    mistake: "listing a pin",
    make: (scene) => {
      pinned(scene, "list");
      scene.bpf.bpffs.readdir(scene.at("list"));
    },
    code: "ENOTDIR",
    says: ["is a pin, and only directories are listed"],
  },
  {
    mistake: "listing a directory that is not there",
    make: (scene) => scene.bpf.bpffs.readdir(scene.at("nowhere")),
    code: "ENOENT",
    says: [/there is nothing at \S+\/nowhere/],
  },
]);

describe("on Linux, where there are other filesystems", () => {
  onLinux((kernel) => {
    const mistakes: readonly Mistake[] = [
      {
        mistake: "pinning into an ordinary directory",
        make: (scene) => scene.hash().pin(`${tmpdir()}/hits`),
        code: "EPERM",
        says: ["/hits lies outside any BPF filesystem, in which alone there are pins"],
      },
      {
        mistake: "opening an ordinary file",
        make: (scene) => scene.bpf.openMap(import.meta.filename),
        code: "EACCES",
        says: ["paths.test.ts lies outside any BPF filesystem"],
      },
      {
        mistake: "pinning over an ordinary file",
        make: (scene) => scene.hash().pin(import.meta.filename),
        code: "EEXIST",
        says: ["paths.test.ts lies outside any BPF filesystem"],
      },
      {
        mistake: "opening what lies below an ordinary file",
        make: (scene) => scene.bpf.openMap(`${import.meta.filename}/hits`),
        code: "ENOTDIR",
        says: ["paths.test.ts is no directory: nothing lies below it"],
      },
    ];
    for (const each of mistakes) test(`${each.mistake} is named`, () => isNamed(kernel, each));
  });
});
