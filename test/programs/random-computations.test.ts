/**
 * Random programs, run on Linux and on the embedded kernel: what they return and what they leave behind is equal. On the
 * embedded kernel every access is checked once more as it is made.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { linux } from "mapiary/linux";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import { Sys } from "../../src/sys/sys.ts";
import { onLinux } from "../kernels.ts";
import { ComputationWriter } from "./random-computation.ts";

const RUNS = Number(process.env["MAPIARY_RUNS"] ?? 200);
const SEED = Number(process.env["MAPIARY_SEED"] ?? 1000);
const PACKET = Uint8Array.from({ length: 64 }, (_, index) => index * 37);

/** One kernel with the maps of the programs, which keep what each program leaves there for those behind it. */
class Machine {
  readonly #sys: Sys;
  readonly #maps: { readonly array: number; readonly hash: number };
  readonly #packet = new Uint8Array(64);
  readonly #value = new Uint8Array(64);
  readonly #entry = new Uint8Array(16);
  readonly #key = new Uint32Array(1);

  constructor(sys: Sys) {
    this.#sys = sys;
    this.#maps = {
      array: sys.mapCreate({ type: "array", keySize: 4, valueSize: 64, maxEntries: 1 }),
      hash: sys.mapCreate({ type: "hash", keySize: 4, valueSize: 16, maxEntries: 16 }),
    };
  }

  run(seed: number): string {
    const sys = this.#sys;
    const insns = new ComputationWriter(seed, this.#maps).write().assemble();
    const fd = sys.progLoad({ type: "xdp", insns, license: "GPL" });
    if (fd < 0) return `refused: ${fd}`;
    const options = { dataIn: PACKET, dataOut: this.#packet, repeat: 1 + (seed % 3), retval: 0 };
    const result = sys.progTestRun(fd, options);
    sys.close(fd);
    return `${result} ${options.retval} packet ${hex(this.#packet)} maps ${this.#content()}`;
  }

  #content(): string {
    const sys = this.#sys;
    sys.mapLookupElem(this.#maps.array, new Uint8Array(4), this.#value);
    let content = hex(this.#value);
    for (let key = 0; key < 16; key++) {
      this.#key[0] = key;
      const result = sys.mapLookupElem(this.#maps.hash, new Uint8Array(this.#key.buffer), this.#entry);
      if (result === 0) content += ` ${key}=${hex(this.#entry)}`;
    }
    return content;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

onLinux(() => {
  test(`${RUNS} random programs do on the embedded kernel what they do on Linux (seed ${SEED})`, () => {
    using bpf = linux();
    const kernel = new EmbeddedKernel({}, undefined, { checks: true });
    const own = new Machine(new Sys(kernel));
    const other = new Machine(bpf.sys);
    let refused = 0;
    for (let run = 0; run < RUNS; run++) {
      const seed = SEED + run;
      const expected = other.run(seed);
      assert.equal(own.run(seed), expected, `the program of seed ${seed}`);
      if (expected.startsWith("refused")) refused++;
    }
    kernel.release();
    assert.ok(refused <= RUNS / 20, `${refused} of the programs are refused, of which there should be few`);
  });
});
