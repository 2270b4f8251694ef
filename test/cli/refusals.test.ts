/** What a command says when a kernel refuses speaks of the command line, and not of the library. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { onEveryKernel } from "../kernels.ts";
import { commandLine } from "./command-line.ts";

const REFUSALS: readonly (readonly [line: string, hint: string])[] = [
  ["type hash key 4 value 8 entries 0", "entries is 0, and a hash has room for one entry at least."],
  ["type hash key 0 value 8 entries 1", "a hash's key is at least 1 byte, not 0."],
  ["type array key 8 value 8 entries 1", "an array's key is 4 bytes, not 8."],
  [
    "type ringbuf key 0 value 0 entries 1",
    "a ringbuf's entries are its bytes, a power of two and whole pages (4096, 65536, 1048576 …), not 1.",
  ],
  ["type lpm_trie key 8 value 8 entries 3", "an lpm_trie is made with BPF_F_NO_PREALLOC only: flags 1."],
  ["type hash_of_maps key 4 value 4 entries 3", "it needs inner_map MAP, a map as all those in it shall be."],
];

onEveryKernel(({ name, bpffs }) => {
  const run = commandLine();

  test("a map that cannot be made is refused in the words of create", async () => {
    for (const [words, hint] of REFUSALS) {
      const { stderr } = await run(`--kernel ${name} map create ${bpffs}/refused ${words} name refused`);
      assert.equal(stderr.split("\n")[1]?.trim(), hint, words);
    }
  });

  test("an id that no map has is looked for with map show", async () => {
    const { stderr } = await run(`--kernel ${name} map dump id 4294967295`);
    assert.match(stderr, / no map has the id 4294967295: .* 'mapiary map show' lists those that live\. That was the /);
  });
});
