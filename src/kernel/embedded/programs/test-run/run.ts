import type { Address } from "../../../../memory/address-space.ts";
import type { EmbeddedProgram } from "../embedded-program.ts";
import type { ProgramHost } from "../program-host.ts";
import type { RunResult } from "./test-run-attr.ts";

const U32_MAX = 2 ** 32 - 1;

/** Runs a program on a context so often, and takes the time: `bpf_test_run`. */
export function runTimes(host: ProgramHost, program: EmbeddedProgram, ctx: Address, times: number): RunResult {
  const start = host.clock.monotonic();
  const retval = program.linked.run(ctx, host.frame, times);
  const nanoseconds = (host.clock.monotonic() - start) / times;
  return { retval, duration: Math.min(U32_MAX, Math.floor(nanoseconds)) };
}
