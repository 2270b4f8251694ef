/** What no rule knows: it is tried, or said in the words of the error number, and never costs the error itself. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BpfError, cidr, embedded, u32 } from "mapiary";
import { BPF_MAP_CREATE, BPF_MAP_UPDATE_ELEM } from "../../src/abi/commands.ts";
import { EBUSY, EINVAL, ENOMEM } from "../../src/abi/errno.ts";
import { mapFlagBits } from "../../src/abi/flag-names.ts";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import type { MapCreateOptions } from "../../src/sys/sys.ts";
import { Sys } from "../../src/sys/sys.ts";

/** A kernel that refuses some maps that the embedded one would make, as another version of Linux may. */
class StricterSys extends Sys {
  readonly #refuses: (options: MapCreateOptions) => boolean;

  constructor(kernel: EmbeddedKernel, refuses: (options: MapCreateOptions) => boolean) {
    super(kernel);
    this.#refuses = refuses;
  }

  override mapCreate(options: MapCreateOptions): number {
    return this.#refuses(options) ? -EINVAL : super.mapCreate(options);
  }
}

/** What is said when such a kernel refuses a small hash. */
function said(refuses: (options: MapCreateOptions) => boolean, options: Partial<MapCreateOptions>): string {
  const kernel = new EmbeddedKernel();
  const create = { type: "hash", keySize: 4, valueSize: 4, maxEntries: 4, ...options } as const;
  const sys = new StricterSys(kernel, refuses);
  const { message } = new BpfError({ kernel, sys, command: BPF_MAP_CREATE, errno: sys.mapCreate(create), create });
  kernel.release();
  return message;
}

describe("a map that is refused for what no rule knows", () => {
  test("is made without the flag that is to blame", () => {
    const noPrealloc = mapFlagBits(["no_prealloc"]);
    const message = said(({ flags = 0 }) => (flags & noPrealloc) !== 0, {
      flags: noPrealloc | mapFlagBits(["rdonly_prog"]),
    });
    assert.match(message, /the kernel makes this map without BPF_F_NO_PREALLOC: leave it out\.$/);
  });

  test("is made without the name that is to blame", () => {
    const message = said(({ name = "" }) => name !== "", { name: "hits" });
    assert.match(message, /the kernel makes this map without its name/);
  });

  test("is made smaller when its size is to blame", () => {
    const message = said(({ maxEntries = 0 }) => maxEntries > 100, { maxEntries: 1000 });
    assert.match(
      message,
      /a smaller one is made: maxEntries 1000 with values of 4 bytes is more than this kernel takes/,
    );
  });

  test("is told whole when nothing helps", () => {
    const message = said(({ keySize }) => keySize === 4, { name: "hits" });
    assert.match(
      message,
      /EINVAL: invalid argument, asked for a hash named hits with keys of 4 and values of 4 bytes, maxEntries 4\.$/,
    );
  });
});

test("an error that no rule knows says what was asked", () => {
  const kernel = new EmbeddedKernel();
  const details = { command: BPF_MAP_UPDATE_ELEM, errno: -EBUSY, map: "hits", key: "5" };
  const error = new BpfError({ kernel, sys: new Sys(kernel), ...details });
  assert.equal(error.message, "BPF_MAP_UPDATE_ELEM: EBUSY: device or resource busy, asked for map hits, key 5.");
});

test("a question that fails leaves the error as it is", () => {
  const kernel = new EmbeddedKernel();
  class Broken extends Sys {
    override objGetInfoByFd(): never {
      throw new RangeError("no memory for a question");
    }
  }
  const details = { command: BPF_MAP_UPDATE_ELEM, errno: -EINVAL, fd: 3, map: "hits" };
  const error = new BpfError({ kernel, sys: new Broken(kernel), ...details });
  assert.equal(error.message, "BPF_MAP_UPDATE_ELEM: EINVAL: invalid argument, asked for map hits.");
});

test("a map that has no room in the embedded kernel says what is left and how to get more", () => {
  using bpf = embedded({ maxMemory: 4 * 2 ** 20 });
  const spec = { type: "array", value: u32, maxEntries: 2 ** 20 } as const;
  assert.throws(() => bpf.createMap(spec), {
    code: "ENOMEM",
    message:
      /needs about 8 MiB, and the embedded kernel has \S+ MiB in one piece left of its 4 MiB: .* embedded\(\{ maxMemory \}\)\.$/,
  });
});

test("an LPM trie that has no room counts its nodes too", () => {
  using bpf = embedded({ maxMemory: 4 * 2 ** 20 });
  assert.throws(() => bpf.createMap({ type: "lpm_trie", key: cidr, value: u32, maxEntries: 2 ** 20 }), {
    code: "ENOMEM",
    message: /needs about 48 MiB, and the embedded kernel has/,
  });
});

test("a map that takes memory entry by entry says what to do when there is none", () => {
  const kernel = new EmbeddedKernel();
  const sys = new Sys(kernel);
  const flags = mapFlagBits(["no_prealloc"]);
  const messageOf = (type: "hash" | "lpm_trie"): string => {
    const fd = sys.mapCreate({ type, keySize: 8, valueSize: 4, maxEntries: 1, flags });
    return new BpfError({ kernel, sys, command: BPF_MAP_UPDATE_ELEM, errno: -ENOMEM, fd, map: "full" }).message;
  };
  assert.match(messageOf("hash"), /delete entries, or make it without the flag no_prealloc\.$/);
  assert.match(messageOf("lpm_trie"), /delete entries\.$/);
});
