/** BTF that is wrong somewhere is refused by both kernels alike: with the same error, and the same words in the log. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, embedded } from "mapiary";
import { everyKind } from "../btf/every-kind.ts";
import { onLinux } from "../kernels.ts";
import { mutate, Random } from "./mutated-btf.ts";

const RUNS = Number(process.env["MAPIARY_RUNS"] ?? 5000);
const SEED = Number(process.env["MAPIARY_SEED"] ?? 1000);

interface Answer {
  readonly result: number;
  readonly log: string;
}

function load({ sys }: Bpf, btf: Uint8Array, logBuf: Uint8Array): Answer {
  const result = sys.btfLoad(btf, { logLevel: 1, logBuf });
  if (result >= 0) sys.close(result);
  const log = new TextDecoder("latin1").decode(logBuf.subarray(0, logBuf.indexOf(0)));
  return { result: Math.min(result, 0), log };
}

onLinux(({ open }) =>
  describe("BTF, embedded against linux", () => {
    const kernels = [embedded(), open()] as const;
    const logBuf = new Uint8Array(1 << 16);

    test("the BTF that is changed is good", () => {
      for (const bpf of kernels) assert.equal(load(bpf, everyKind(), logBuf).result, 0);
    });

    test(`${RUNS} changed BTFs are loaded and refused alike`, (t) => {
      const good = everyKind();
      const seen = new Map<number, number>();
      for (let run = 0; run < RUNS; run++) {
        const btf = mutate(good, new Random(SEED + run));
        const [ours, linux] = kernels.map((bpf) => load(bpf, btf, logBuf)) as [Answer, Answer];
        assert.deepEqual(ours, linux, `seed ${SEED + run}`);
        seen.set(linux.result, (seen.get(linux.result) ?? 0) + 1);
      }
      assert.ok(seen.size > 3, "several errors were seen");
      const listing = [...seen].map(([result, times]) => `${result}: ${times}`).join(", ");
      t.diagnostic(`answers from seed ${SEED}: ${listing}`);
    });
  }),
);
