/** mapiary where there is nothing but JavaScript and WebAssembly: no Node, and no `eval`, which many pages forbid. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";

const PROGRAM = `
  import { Assembler, cidr, embedded, struct, u32, u64 } from "./src/index.ts";

  const bpf = embedded({ possibleCpus: 2 });
  const traffic = bpf.createMap({ type: "lpm_trie", name: "traffic", key: cidr, value: struct({ hits: u64 }), maxEntries: 8 });
  traffic.set("10.0.0.0/8", { hits: 3n });
  const packets = bpf.createMap({ type: "array", name: "packets", value: u64, maxEntries: 1 });
  const instructions = new Assembler()
    .store("u32", "r10", -4, 0)
    .mov("r2", "r10")
    .add("r2", -4)
    .loadMap("r1", packets)
    .call("bpf_map_lookup_elem")
    .jeq("r0", 0, "out")
    .mov("r1", 1)
    .atomicAdd("u64", "r0", 0, "r1")
    .label("out")
    .mov("r0", 2)
    .exit()
    .assemble();
  const { retval } = bpf.loadProgram({ type: "xdp", name: "count", instructions }).run({ data: new Uint8Array(64), repeat: 3 });
  const numbers = bpf.createMap({ type: "hash", name: "numbers", key: u32, value: u64.number, maxEntries: 8192 });
  for (let i = 0; i < 8192; i++) numbers.set(i, i);
  let sum = 0;
  for (let i = 0; i < 8192; i++) sum += numbers.get(i);
  for (const [key, value] of numbers) sum -= key + value;
  answer(traffic.get("10.1.2.3").hits, retval, packets.get(0), sum);
`;

/** A page and a worker of it, which are one program here: whoever is given no handle makes one. */
const SHARED_PROGRAM = `
  import { Assembler, embedded, u32, u64 } from "./src/index.ts";

  const bpf = embedded(handle === undefined ? { shared: true, possibleCpus: 2 } : { share: handle });
  if (handle === undefined) bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 8 }).pin("/sys/fs/bpf/hits");
  const hits = bpf.openMap("/sys/fs/bpf/hits", { type: "hash", key: u32, value: u64 });
  hits.set(handle === undefined ? 0 : 1, 100n);
  const instructions = new Assembler().call("bpf_get_smp_processor_id").exit().assemble();
  const { retval } = bpf.loadProgram({ type: "xdp", name: "cpu", instructions }).run({ data: new Uint8Array(64) });
  answer(bpf.share(), retval, [...hits].sort());
`;

async function bundled(contents: string): Promise<string> {
  const { outputFiles, warnings } = await build({
    stdin: { contents, resolveDir: join(import.meta.dirname, ".."), loader: "ts" },
    bundle: true,
    platform: "browser",
    format: "iife",
    target: "es2022",
    write: false,
    logLevel: "silent",
  });
  assert.deepEqual(warnings, []);
  return outputFiles[0]?.text ?? "";
}

/** What a program answers where there are these globals and what every browser has. */
function answersOf(program: string, globals: object): unknown[] {
  const answers: unknown[] = [];
  const answer = (...given: unknown[]) => answers.push(...given);
  const all = { ...globals, answer, WebAssembly, TextEncoder, TextDecoder, performance };
  const context = createContext(all, { codeGeneration: { strings: false, wasm: true } });
  // The main thread of a page must not sleep.
  runInContext(
    'Atomics.wait = () => { throw new TypeError("Atomics.wait cannot be called in this context"); };',
    context,
  );
  runInContext(program, context);
  return answers;
}

test("bundled for a browser, maps and programs need neither Node nor eval", async () => {
  const answers = answersOf(await bundled(PROGRAM), {});
  assert.deepEqual(answers, [3n, 2, 3n, -(8191 * 8192) / 2]);
});

test("bundled for a browser, a page shares its maps with its workers", async () => {
  const program = await bundled(SHARED_PROGRAM);
  const [handle, ...first] = answersOf(program, { handle: undefined });
  assert.equal(JSON.stringify(first.slice(0, 1)), "[0]");
  const [, cpu, entries] = answersOf(program, { handle: structuredClone(handle), crossOriginIsolated: true });
  assert.equal(cpu, 1);
  assert.deepEqual(structuredClone(entries), [
    [0, 100n],
    [1, 100n],
  ]);
});

test("a page that is not cross-origin isolated is told what it lacks", async () => {
  const program = await bundled(SHARED_PROGRAM);
  assert.throws(() => answersOf(program, { handle: undefined, crossOriginIsolated: false }), {
    message: /Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp/,
  });
});
