/** BTF that is wrong somewhere is refused or read, and never a hang or more than that. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Btf, BtfError, layoutOfType } from "mapiary";
import { collectGarbage } from "../conformance/lifetime.ts";
import { mutate, Random } from "../differential/mutated-btf.ts";
import { everyKind } from "./every-kind.ts";

const RUNS = Number(process.env["MAPIARY_RUNS"] ?? 3000);
const SEED = Number(process.env["MAPIARY_SEED"] ?? 1000);
/** How much memory reading may take beyond what there was at first. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Asks everything that can be asked of BTF; an error of it is what is wrong with the BTF, or with one of its types. */
function readAll(bytes: Uint8Array): boolean {
  let btf: Btf;
  try {
    btf = new Btf(bytes);
  } catch (error) {
    assert.ok(error instanceof BtfError, String(error));
    return false;
  }
  for (const [id] of btf.types()) {
    for (const ask of [() => btf.sizeOf(id), () => btf.alignOf(id), () => layoutOfType(btf, id)]) {
      try {
        ask();
      } catch (error) {
        const isSaid = error instanceof BtfError || error instanceof RangeError || error instanceof TypeError;
        assert.ok(isSaid && !/call stack/.test(error.message), String(error));
      }
    }
  }
  return true;
}

test(`${RUNS} changed BTFs are refused or read, in little memory`, async (t) => {
  const good = everyKind();
  await collectGarbage();
  const before = process.memoryUsage();
  let read = 0;
  let most = 0;
  for (let run = 0; run < RUNS; run++) {
    if (readAll(mutate(good, new Random(SEED + run)))) read++;
    if (run % 1000 !== 0) continue;
    await collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    most = Math.max(most, heapUsed + external - before.heapUsed - before.external);
  }
  assert.ok(read > 0 && read < RUNS);
  assert.ok(most < MOST_BYTES, `${most} bytes`);
  t.diagnostic(`${read} of ${RUNS} were read, from seed ${SEED}; at most ${Math.round(most / 2 ** 20)} MiB more`);
});
