/**
 * The instruction tests of the public BPF conformance suite, whose data is not part of this repository: MAPIARY_BPF_CONFORMANCE
 * is its folder `tests`, from https://github.com/Alan-Jowett/bpf_conformance. Some tests of our own in the same form run
 * without it.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { embedded } from "mapiary";
import { linux } from "mapiary/linux";
import { Bpf } from "../../../src/bpf.ts";
import { EmbeddedKernel } from "../../../src/kernel/embedded/embedded-kernel.ts";
import { trust } from "../../programs/trusted.ts";
import { readSuiteTest, type SuiteTest } from "./suite-file.ts";
import { runSuiteTest } from "./suite-run.ts";

const SUITE = process.env["MAPIARY_BPF_CONFORMANCE"];

const OWN: Readonly<Record<string, string>> = {
  "a loop that sums memory": `-- asm
    mov %r0, 0
    mov %r3, 0
    ldxw %r4, [%r1+4]
    again:
    add %r0, %r4
    add %r3, 1
    jlt %r3, 10, again
    exit
    -- mem
    01 02 03 04 05 00 00 00
    -- result
    0x32`,
  "a comparison that goes to the exit": `-- asm
    mov32 %r0, -1
    jslt32 %r0, 0, exit
    mov %r0, 0
    exit
    -- result
    0xffffffff`,
  "an exchange in the stack": `-- asm
    stdw [%r10-8], 5
    mov %r0, 9
    lock xchg [%r10-8], %r0
    ldxdw %r1, [%r10-8]
    lsh %r1, 8
    or %r0, %r1
    exit
    -- result
    0x905`,
  "a signed remainder": `-- asm
    mov %r0, -13
    smod %r0, 4
    exit
    -- result
    0xffffffffffffffff`,
  "a shift by more than there is, which is masked and no verifier lets through": `-- asm
    mov32 %r0, 0x80000001
    lsh32 %r0, 33
    exit
    -- result
    0x2`,
  "a call of a helper": `-- asm
    call 5
    mov %r0, 7
    exit
    -- result
    0x7`,
  "what is no instruction": `-- asm
    mov %r11, 1
    exit
    -- error
    refused`,
};

/** Where Linux can be asked, what it makes of a test. */
function asked(bpf: Bpf | undefined, suite: SuiteTest): bigint | string | undefined {
  return bpf === undefined ? undefined : runSuiteTest(bpf, suite);
}

type Outcome = "passed" | "refused by both, and passed unverified" | "of an instruction that Linux does not have";

/** An indirect call, which neither Linux nor RFC 9669 has. */
const CALL_OF_REGISTER = 0x8d;

/** What both verifiers refuse is run on an embedded kernel without one: the compiler knows what the suite expects. */
function passUnverified(name: string, suite: SuiteTest): Outcome {
  if (suite.instructions.some(({ opcode }) => opcode === CALL_OF_REGISTER))
    return "of an instruction that Linux does not have";
  using bpf = new Bpf(new EmbeddedKernel({}, undefined, { verify: trust }));
  assert.equal(runSuiteTest(bpf, suite), suite.result, name);
  return "refused by both, and passed unverified";
}

function check(bpf: Bpf, running: Bpf | undefined, name: string, suite: SuiteTest): Outcome {
  const result = runSuiteTest(bpf, suite);
  const oracle = asked(running, suite);
  if (oracle !== undefined) assert.equal(typeof result, typeof oracle, `${name}: ${result} here, ${oracle} on Linux`);
  if (suite.result === undefined) assert.equal(typeof result, "string", `${name} was accepted`);
  else if (typeof result === "bigint") assert.equal(result, suite.result, name);
  else assert.equal(typeof oracle, "string", `${name} was refused: ${result}`);
  if (typeof result === "bigint" && typeof oracle === "bigint") assert.equal(result, oracle, name);
  return typeof result === "string" && suite.result !== undefined ? passUnverified(name, suite) : "passed";
}

describe("the instruction tests of the conformance suite", () => {
  const running = linux.available() ? linux() : undefined;

  for (const [name, text] of Object.entries(OWN)) {
    const suite = readSuiteTest(text.replace(/^ +/gm, ""));
    test(name, () => {
      using bpf = embedded();
      const expected = name.includes("no verifier") ? "refused by both, and passed unverified" : "passed";
      assert.equal(check(bpf, running, name, suite), expected);
    });
  }

  const why = "MAPIARY_BPF_CONFORMANCE is not set to the folder of the suite's tests";
  test("every test of the suite passes", {
    skip: SUITE === undefined && why,
  }, (t) => {
    const folder = SUITE ?? "";
    const counts = new Map<Outcome, string[]>();
    const failures: string[] = [];
    for (const name of readdirSync(folder).filter((file) => file.endsWith(".data"))) {
      using bpf = embedded();
      try {
        const outcome = check(bpf, running, name, readSuiteTest(readFileSync(join(folder, name), "utf8")));
        counts.set(outcome, [...(counts.get(outcome) ?? []), name]);
      } catch (error) {
        failures.push(`${name}: ${(error as Error).message.split("\n")[0]}`);
      }
    }
    for (const [outcome, names] of counts) {
      t.diagnostic(`${names.length} ${outcome}${outcome === "passed" ? "" : `: ${names.join(" ")}`}`);
    }
    assert.deepEqual(failures, []);
  });
});
