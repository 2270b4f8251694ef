import { EINVAL, ENOTSUPP } from "../../../../abi/errno.ts";
import {
  BPF_PROG_TYPE_CGROUP_SKB,
  BPF_PROG_TYPE_LWT_IN,
  BPF_PROG_TYPE_LWT_OUT,
  BPF_PROG_TYPE_LWT_XMIT,
  BPF_PROG_TYPE_RAW_TRACEPOINT,
  BPF_PROG_TYPE_SCHED_ACT,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_SOCKET_FILTER,
  BPF_PROG_TYPE_SYSCALL,
  BPF_PROG_TYPE_XDP,
} from "../../../../abi/prog-types.ts";
import type { Address } from "../../../../memory/address-space.ts";
import { EmbeddedProgram } from "../embedded-program.ts";
import type { ProgramHost } from "../program-host.ts";
import { runSkb } from "./run-skb.ts";
import { runRawTracepoint, runSyscall } from "./run-tracing.ts";
import { runXdp } from "./run-xdp.ts";
import { TestRunAttr } from "./test-run-attr.ts";

/** How the programs of a type are run. */
type TestRun = (host: ProgramHost, program: EmbeddedProgram, attr: TestRunAttr) => number;

const TEST_RUNS: ReadonlyMap<number, TestRun> = new Map([
  [BPF_PROG_TYPE_XDP, runXdp],
  [BPF_PROG_TYPE_SOCKET_FILTER, runSkb],
  [BPF_PROG_TYPE_SCHED_CLS, runSkb],
  [BPF_PROG_TYPE_SCHED_ACT, runSkb],
  [BPF_PROG_TYPE_CGROUP_SKB, runSkb],
  [BPF_PROG_TYPE_LWT_IN, runSkb],
  [BPF_PROG_TYPE_LWT_OUT, runSkb],
  [BPF_PROG_TYPE_LWT_XMIT, runSkb],
  [BPF_PROG_TYPE_RAW_TRACEPOINT, runRawTracepoint],
  [BPF_PROG_TYPE_SYSCALL, runSyscall],
]);

/** BPF_PROG_TEST_RUN: `kernel/bpf/syscall.c: bpf_prog_test_run`, 6.18. */
export function progTestRun(host: ProgramHost, attr: Address, uattr: Address): number {
  const run = new TestRunAttr(host.memory, attr, uattr);
  const { files } = host.state;
  if (run.ctxSizeIn !== 0 && run.ctxIn === 0) return -EINVAL;
  if (run.ctxSizeIn === 0 && run.ctxIn !== 0) return -EINVAL;
  if (run.ctxSizeOut !== 0 && run.ctxOut === 0) return -EINVAL;
  if (run.ctxSizeOut === 0 && run.ctxOut !== 0) return -EINVAL;
  const program = files.file(run.progFd)?.object;
  if (!(program instanceof EmbeddedProgram)) return files.refusal(run.progFd);
  const testRun = TEST_RUNS.get(program.type);
  return testRun === undefined ? -ENOTSUPP : testRun(host, program, run);
}
