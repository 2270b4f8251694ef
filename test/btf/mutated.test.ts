/** BTF that is wrong somewhere is refused or read, in little time and little memory. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { Btf, BtfBuilder, layoutOfType } from "mapiary";
import type { Reading } from "./mutated-process.ts";

const RUNS = Number(process.env["MAPIARY_RUNS"] ?? 3000);
const SEED = Number(process.env["MAPIARY_SEED"] ?? 1000);

/** How much memory a process may take beyond what it has when it has read a few. */
const MOST_BYTES = 64 * 2 ** 20;
/** How many types may be looked at for one of the changed BTFs, of which none has more than a hundred types. */
const MOST_LOOKS = 50_000;
/** What would be a hang, in milliseconds of CPU time. */
const HANG = 10_000;
/** The heap of the process, which ends when it needs more: so no single BTF can ask for it, and none can hide behind another. */
const HEAP = ["--max-old-space-size=64", "--max-semi-space-size=2"];

test(`${RUNS} changed BTFs are refused or read, in little time and memory`, (t) => {
  const child = join(import.meta.dirname, "mutated-process.ts");
  const args = ["--import", "tsx", ...HEAP, child, `${RUNS}`, `${SEED}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr.slice(-2000));
  const { read, loaded, bytes, looks, milliseconds }: Reading = JSON.parse(stdout);
  t.diagnostic(`from seed ${SEED} ${read} of ${RUNS} were read, and ${loaded} loaded by the embedded kernel`);
  t.diagnostic(
    `at most ${(bytes / 2 ** 20).toFixed(1)} MiB more, ${looks} types looked at and ${milliseconds.toFixed(0)} ms for one`,
  );
  assert.ok(read > 0 && read < RUNS && loaded > 0);
  assert.ok(bytes < MOST_BYTES, `${bytes} bytes`);
  assert.ok(looks < MOST_LOOKS, `${looks} types looked at for one`);
  assert.ok(milliseconds < HANG, `${milliseconds} ms for one`);
});

/** A struct of two of the one before, so many times: few types that say very many members. */
function doubled(levels: number, isNamed: boolean): { readonly btf: Btf; readonly id: number } {
  const builder = new BtfBuilder();
  let type = builder.add({ kind: "int", name: "int", size: 4 });
  let size = 4;
  for (let level = 0; level < levels; level++) {
    const hasNames = isNamed || level === 0;
    const members = ["a", "b"].map((name, index) => {
      return { name: hasNames ? name : "", type, bitOffset: index * size * 8, bitfieldSize: 0 };
    });
    size *= 2;
    type = builder.add({ kind: "struct", name: isNamed ? `s${level}` : "", size, members });
  }
  return { btf: new Btf(builder.encode()), id: type };
}

test("structs that double at each level have layouts as small as their types", () => {
  const { btf, id } = doubled(24, true);
  assert.equal(layoutOfType(btf, id).size, 4 * 2 ** 24);
});

test("anonymous structs that double at each level are refused as soon as two members have one name", () => {
  const { btf, id } = doubled(24, false);
  assert.throws(() => layoutOfType(btf, id), /two members are called a/);
});

test("members without names that double at each level are refused when they are too many", () => {
  const builder = new BtfBuilder();
  const int = builder.add({ kind: "int", name: "int", size: 4 });
  const unnamed = { name: "", type: int, bitOffset: 0, bitfieldSize: 3 };
  let type = builder.add({ kind: "struct", name: "", size: 4, members: [unnamed] });
  for (let level = 0; level < 24; level++) {
    const members = [0, 4 * 2 ** level].map((byte) => ({ name: "", type, bitOffset: byte * 8, bitfieldSize: 0 }));
    type = builder.add({ kind: "struct", name: "", size: 8 * 2 ** level, members });
  }
  const btf = new Btf(builder.encode());
  assert.throws(() => layoutOfType(btf, type), /more than 65536 members in one type/);
});
