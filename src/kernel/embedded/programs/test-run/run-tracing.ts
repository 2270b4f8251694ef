import { EFAULT, EINVAL, ENOMEM, ENXIO } from "../../../../abi/errno.ts";
import { BPF_F_TEST_RUN_ON_CPU } from "../../../../abi/prog-flags.ts";
import { accessOk } from "../../user-memory.ts";
import type { EmbeddedProgram } from "../embedded-program.ts";
import type { ProgramHost } from "../program-host.ts";
import type { TestRunAttr } from "./test-run-attr.ts";

/** `MAX_BPF_FUNC_ARGS`, in bytes. */
const MOST_RAW_TRACEPOINT_CONTEXT = 12 * 8;
const U16_MAX = 65535;

/** BPF_PROG_TEST_RUN of a raw tracepoint program: `net/bpf/test_run.c: bpf_prog_test_run_raw_tp`, 6.18. */
export function runRawTracepoint(host: ProgramHost, program: EmbeddedProgram, attr: TestRunAttr): number {
  if (attr.dataIn !== 0 || attr.dataOut !== 0 || attr.ctxOut !== 0 || attr.duration !== 0) return -EINVAL;
  if (attr.repeat !== 0 || attr.batchSize !== 0) return -EINVAL;
  const { ctxIn, ctxSizeIn } = attr;
  if (ctxSizeIn < program.traits.maxContextOffset || ctxSizeIn > MOST_RAW_TRACEPOINT_CONTEXT) return -EINVAL;
  const onCpu = (attr.flags & BPF_F_TEST_RUN_ON_CPU) !== 0;
  if (!onCpu && attr.cpu !== 0) return -EINVAL;
  if (!accessOk(host.memory, ctxIn, ctxSizeIn)) return -EFAULT;
  if (attr.cpu >= host.state.possibleCpus) return -ENXIO;
  host.memory.u8.copyWithin(host.context, ctxIn, ctxIn + ctxSizeIn);
  const retval = host.onCpu(onCpu ? attr.cpu : host.cpu, () => program.linked.run(host.context, host.frame, 1));
  return attr.answerRetval(retval) ? 0 : -EFAULT;
}

/** BPF_PROG_TEST_RUN of a program that makes system calls: `net/bpf/test_run.c: bpf_prog_test_run_syscall`, 6.18. */
export function runSyscall(host: ProgramHost, program: EmbeddedProgram, attr: TestRunAttr): number {
  if (attr.dataIn !== 0 || attr.dataOut !== 0 || attr.ctxOut !== 0 || attr.duration !== 0) return -EINVAL;
  if (attr.repeat !== 0 || attr.flags !== 0 || attr.batchSize !== 0) return -EINVAL;
  const { ctxIn, ctxSizeIn } = attr;
  if (ctxSizeIn < program.traits.maxContextOffset || ctxSizeIn > U16_MAX) return -EINVAL;
  if (!accessOk(host.memory, ctxIn, ctxSizeIn)) return -EFAULT;
  const ctx = host.memory.tryAllocate(ctxSizeIn);
  if (ctx === 0) return -ENOMEM;
  host.memory.u8.copyWithin(ctx, ctxIn, ctxIn + ctxSizeIn);
  const retval = program.linked.run(ctx, host.frame, 1);
  const isAnswered = attr.answerRetval(retval);
  host.memory.u8.copyWithin(ctxIn, ctx, ctx + ctxSizeIn);
  host.memory.release(ctx);
  return isAnswered ? 0 : -EFAULT;
}
