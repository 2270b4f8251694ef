import type { Address } from "../../../../memory/address-space.ts";
import type { EmbeddedProgram } from "../embedded-program.ts";
import type { ProgramHost } from "../program-host.ts";
import type { RunResult } from "./test-run-attr.ts";

const U32_MAX = 2 ** 32 - 1;

/**
 * Runs a program on a context so often, and takes the time: `bpf_test_run`. A program that leaves the memory is stopped by
 * WebAssembly. None that was verified does: then an `Error` says what must be mended, instead of an errno that Linux gives
 * for something else.
 */
export function runTimes(host: ProgramHost, program: EmbeddedProgram, ctx: Address, times: number): RunResult {
  const start = host.clock.monotonic();
  const retval = run(host, program, ctx, times);
  const nanoseconds = (host.clock.monotonic() - start) / times;
  return { retval, duration: Math.min(U32_MAX, Math.floor(nanoseconds)) };
}

function run(host: ProgramHost, program: EmbeddedProgram, ctx: Address, times: number): number {
  try {
    return program.linked.run(ctx, host.frame, times);
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    const name = String.fromCharCode(...program.traits.name.filter((byte) => byte !== 0));
    throw new Error(
      `the program "${name}" was stopped (${error.message}), though the verifier of the embedded kernel let it pass: that is a bug of mapiary, please report it with the program`,
      { cause: error },
    );
  }
}
