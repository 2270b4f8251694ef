import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { array } from "./array.ts";
import { generatesCode, setCodeGeneration } from "./compile.ts";
import { u16, u32 } from "./scalar.ts";
import { struct } from "./struct.ts";

const FORBIDDEN = "--disallow-code-generation-from-strings";
const forbidden = process.execArgv.includes(FORBIDDEN);

afterEach(() => setCodeGeneration(undefined));

test("code is generated where the platform allows it", () => {
  assert.equal(generatesCode(), !forbidden);
});

test("a function of a struct is made at its first call, in the way that holds then", () => {
  const layout = struct({ hits: u32 });
  const before = layout.read;
  setCodeGeneration(false);
  assert.deepEqual(layout.decode(Uint8Array.of(5, 0, 0, 0)), { hits: 5 });
  assert.notEqual(layout.read, before);
  assert.doesNotMatch(String(layout.read), /getUint32/);
});

test("generated code is straight calls of a DataView, of nested fields too", { skip: forbidden && FORBIDDEN }, () => {
  const layout = struct({ hits: u32, inner: struct({ port: u16 }), pair: array(u16, 2) });
  layout.decode(layout.encode({ hits: 1, inner: { port: 2 }, pair: [3, 4] }));
  const source = String(layout.read);
  assert.match(
    source,
    /"hits": view\.getUint32\(address, true\), "inner": \{ "port": view\.getUint16\(address \+ 4, true\)/,
  );
  assert.match(source, /"pair": \[view\.getUint16\(address \+ 6, true\), view\.getUint16\(address \+ 8, true\)\]/);
});

test("the code of a type stays small, however deep it nests", { skip: forbidden && FORBIDDEN }, () => {
  let layout = struct({ a: u32, b: u32 });
  for (let depth = 0; depth < 12; depth++) layout = struct({ a: layout, b: layout }) as never;
  layout.decode(new Uint8Array(layout.size));
  assert.ok(String(layout.read).length < 10_000);
});

test(`everything holds under node ${FORBIDDEN}`, { skip: forbidden && "this is that run" }, () => {
  const files = ["array", "compile", "random-types", "struct"].map((name) =>
    fileURLToPath(new URL(`${name}.test.ts`, import.meta.url)),
  );
  // Without NODE_TEST_CONTEXT the child would take itself for a part of this run.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  for (const file of files) {
    const child = spawnSync(process.execPath, [FORBIDDEN, "--import", "tsx", file], { encoding: "utf8", env });
    assert.equal(child.status, 0, `${file}\n${child.stdout}${child.stderr}`);
    assert.match(child.stdout, /^(#|ℹ) fail 0$/m);
  }
});
