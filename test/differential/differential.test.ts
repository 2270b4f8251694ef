import { describe, test } from "node:test";
import fc from "fast-check";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import { LinuxKernel } from "../../src/kernel/linux/linux-kernel.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { onLinux } from "../kernels.ts";
import { anyProgram, type Command } from "./command.ts";
import { firstDifference } from "./difference.ts";
import { Machine } from "./machine.ts";
import { PAST_FAILURES } from "./past-failures.ts";

/** How many random commands a run of the test executes on each kernel; `--runs` asks for more. */
const COMMANDS = Number(process.env["MAPIARY_RUNS"] ?? 200_000);
const SEED = Number(process.env["MAPIARY_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

onLinux(({ bpffs }) =>
  describe("embedded against linux", () => {
    const running = new LinuxKernel(new AddressSpace(2 ** 28));
    const { possibleCpus } = running;
    const linux = new Machine(running, bpffs);
    const embedded = new Machine(new EmbeddedKernel({ possibleCpus }), "/sys/fs/bpf");
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
  }),
);
