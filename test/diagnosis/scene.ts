import assert from "node:assert/strict";
import { test } from "node:test";
import { BpfError, type MapCreateOptions, u32, u64 } from "mapiary";
import { BPF_MAP_CREATE } from "../../src/abi/commands.ts";
import { Bpf } from "../../src/bpf.ts";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { LinuxKernel } from "../../src/kernel/linux/linux-kernel.ts";
import type { Failure } from "../../src/sys/diagnosis.ts";
import { onEveryKernel, type TestKernel } from "../kernels.ts";
import { WatchedKernel } from "./watched-kernel.ts";

/** A kernel on which a mistake is made, from below and from above. */
export class Scene implements Disposable {
  readonly kernel: WatchedKernel;
  readonly bpf: Bpf;
  readonly bpffs: string;

  constructor({ name, bpffs }: TestKernel, maxMemory = 64 * 2 ** 20) {
    const kernel: Kernel = name === "linux" ? new LinuxKernel() : new EmbeddedKernel({ maxMemory });
    this.kernel = new WatchedKernel(kernel);
    this.bpf = new Bpf(this.kernel);
    this.bpffs = bpffs;
  }

  /** A path in the kernel's BPF filesystem. */
  at(name: string): string {
    return `${this.bpffs}/${name}`;
  }

  hash(maxEntries = 2) {
    return this.bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries });
  }

  array(flags = 0) {
    return this.bpf.createMap({ type: "array", name: "counters", value: u64, maxEntries: 4, flags });
  }

  /** Throws for what `bpf.sys` answers as the typed face does. */
  check(result: number, failure: Omit<Failure, "kernel" | "sys" | "errno">): void {
    if (result < 0) throw new BpfError({ kernel: this.kernel, sys: this.bpf.sys, errno: result, ...failure });
  }

  /** BPF_MAP_CREATE of a small hash but for what is given. */
  create(options: Partial<MapCreateOptions>): void {
    const create = { type: "hash", keySize: 4, valueSize: 8, maxEntries: 4, ...options } as const;
    this.check(this.bpf.sys.mapCreate(create), { command: BPF_MAP_CREATE, create });
  }

  [Symbol.dispose](): void {
    this.bpf.close();
  }
}

/** A mistake, and what a person must be told of it. */
export interface Mistake {
  /** The mistake, in words. */
  readonly mistake: string;
  /** Makes it; throws a `BpfError`. */
  make(scene: Scene): unknown;
  readonly code: string;
  /** What the message says of it. */
  readonly says: readonly (string | RegExp)[];
}

/** Declares a test for each mistake on every kernel: it is named, and the diagnosis leaves nothing and changes nothing. */
export function namesMistakes(mistakes: readonly Mistake[]): void {
  onEveryKernel((kernel) => {
    for (const each of mistakes) test(`${each.mistake} is named`, () => isNamed(kernel, each));
  });
}

/** Makes a mistake and checks what is said of it. */
export function isNamed(kernel: TestKernel, { make, code, says }: Mistake): void {
  using scene = new Scene(kernel);
  const error = refusalOf(() => make(scene));
  assert.equal(error.code, code, error.message);
  for (const words of says) {
    const isSaid = typeof words === "string" ? error.message.includes(words) : words.test(error.message);
    assert.ok(isSaid, `${JSON.stringify(error.message)} does not say ${words}`);
  }
  assert.match(error.message, /^\w+: \w+: .*\.$/s, "a message ends its sentence");
  assert.deepEqual(scene.kernel.leftBehind(), [], "a diagnosis leaves nothing and changes nothing");
}

function refusalOf(call: () => unknown): BpfError {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof BpfError, String(error));
    return error;
  }
  return assert.fail("the kernel did not refuse");
}
