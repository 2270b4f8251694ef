import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import { LinuxKernel } from "../../src/kernel/linux/linux-kernel.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { onLinux } from "../kernels.ts";
import { fc } from "../seeded.ts";
import { ObservedKernel } from "./behaviour.ts";
import type { Command } from "./command.ts";
import { firstDifference } from "./difference.ts";
import { Machine } from "./machine.ts";
import { PAST_FAILURES } from "./past-failures.ts";
import { anyProgram } from "./program.ts";
import { readTriples, writeTriples } from "./triples.ts";

/** How many random commands a run of the test executes on each kernel; `--runs` asks for more. */
const COMMANDS = Number(process.env["MAPIARY_RUNS"] ?? 500_000);
const SEED = Number(process.env["MAPIARY_SEED"] ?? 1000);

onLinux(({ bpffs }) =>
  describe("embedded against linux", () => {
    const running = new ObservedKernel(new LinuxKernel(new AddressSpace(2 ** 28)));
    const { possibleCpus } = running;
    const inProcess = new ObservedKernel(new EmbeddedKernel({ possibleCpus }));
    const linux = new Machine(running, bpffs);
    const embedded = new Machine(inProcess, "/sys/fs/bpf");
    const compare = (program: readonly Command[]): void => {
      const difference = firstDifference(program, embedded.run(program), linux.run(program));
      if (difference !== undefined) throw new Error(difference);
    };

    for (const { title, program } of PAST_FAILURES) test(`once different: ${title}`, () => compare(program));

    test(`${COMMANDS} random commands show the same on both`, (t) => {
      let commands = 0;
      let programs = 0;
      for (let seed = SEED; commands < COMMANDS; seed++) {
        const property = fc.property(anyProgram, (program) => {
          commands += program.length;
          programs++;
          compare(program);
        });
        const { errorInstance, failed } = fc.check(property, { seed, numRuns: 500 });
        if (failed) throw new Error(`seed ${seed}: ${(errorInstance as Error).message}`);
      }
      t.diagnostic(`${commands} commands in ${programs} programs from seed ${SEED}`);
    });

    test("what map types were seen to answer on linux, they answer on the embedded kernel", (t) => {
      const known = readTriples();
      const seen = [...running.triples].sort();
      assert.deepEqual(
        seen.filter((triple) => !inProcess.triples.has(triple)),
        [],
      );
      const reached = known.filter((triple) => inProcess.triples.has(triple));
      const share = ((100 * reached.length) / known.length).toFixed(1);
      t.diagnostic(`${reached.length} of ${known.length} known answers (${share} %), ${seen.length} seen in this run`);
      const unknown = seen.filter((triple) => !known.includes(triple));
      if (process.env["MAPIARY_LEARN"] === "true") writeTriples([...known, ...unknown]);
      else if (unknown.length > 0) t.diagnostic(`not in the table yet: ${unknown.length}, ${unknown[0]} for one`);
    });
  }),
);
