import { E2BIG, EACCES, EBADF, EFAULT, EINVAL, ENOSPC, ENOTSUPP, EPERM } from "../../abi/errno.ts";
import { fdClosed } from "./closed.ts";
import { mapOf as programOf, type Rule, type Rules } from "./failure.ts";

/** How much of a verifier's log a message shows; the error has all of it. */
const LAST_LINES = 12;

/** What the verifier says, as a person reads it: why, at which instruction, from which line. */
const refusedByVerifier: Rule = (failure) => {
  const { log } = failure;
  if (log === undefined || log === "") return undefined;
  const lines = log
    .split("\n")
    .filter((line) => line !== "" && !/^(processed|verification time|stack depth) /.test(line));
  const reason = lines.findLast((line) => !/^(cur|old) state: /.test(line));
  if (reason === undefined) return undefined;
  const instruction = lines.findLast((line) => /^\d+: \(/.test(line));
  const source = lines.findLast((line) => line.startsWith("; "))?.slice(2);
  const place =
    instruction === undefined ? "" : `, at instruction ${instruction.replace(/\s+; .*/, "")}${fromLine(source)}`;
  const end = lines.slice(-LAST_LINES).map((line) => `  ${line}`);
  return `the verifier refuses ${programOf(failure)}: ${reason}${place}.\n${end.join("\n")}`;
};

/** The verifier's `return *value; @ counter.bpf.c:10`. */
function fromLine(source: string | undefined): string {
  if (source === undefined) return "";
  const [, text, file] = /^(.*?)(?: @ (\S+:\d+))?$/.exec(source.trim()) ?? [];
  return file === undefined ? `, which is "${text}"` : `, which is "${text}" in ${file}`;
}

/** BPF_PROG_LOAD. */
export function progLoadRules(): Rules {
  return {
    [EACCES]: refusedByVerifier,
    [EINVAL]: (failure) =>
      refusedByVerifier(failure) ??
      `the kernel does not take ${programOf(failure)}: its type, its attach type, its flags or its BTF is none that the kernel has.`,
    [E2BIG]: (failure) =>
      refusedByVerifier(failure) ?? `${programOf(failure)} has no instructions, or more than the kernel takes.`,
    [EPERM]: (failure) =>
      refusedByVerifier(failure) ??
      `this process may not load ${programOf(failure)}: most types need CAP_BPF and CAP_PERFMON or CAP_NET_ADMIN, or root.`,
    [EFAULT]: refusedByVerifier,
    [ENOTSUPP]: refusedByVerifier,
  };
}

/** BPF_PROG_TEST_RUN. */
export function testRunRules(): Rules {
  return {
    [EBADF]: fdClosed,
    [ENOTSUPP]: (failure) =>
      `${programOf(failure)} is of type ${failure.run?.type}, which the kernel cannot run on demand.`,
    [ENOSPC]: ({ run }) =>
      `the packet has ${run?.dataSizeOut} bytes afterwards, for which there was room for ${run?.dataOut?.length}: give dataSizeOut.`,
    [EINVAL]: (failure) => {
      const { run } = failure;
      if (run === undefined) return undefined;
      const bytes = run.dataIn?.length;
      if (bytes === undefined && run.type !== "syscall" && run.type !== "raw_tracepoint") {
        return `a program of type ${run.type} runs on a packet: give data, of 14 bytes at least.`;
      }
      if (bytes !== undefined && bytes < 14) return `data has ${bytes} bytes; a packet has 14 at least.`;
      return `what ${programOf(failure)} was run with does not fit its type, ${run.type}: data of ${bytes ?? 0} bytes, ctx of ${run.ctxIn?.length ?? 0} bytes.`;
    },
  };
}

/** BPF_BTF_LOAD. */
export function btfLoadRules(): Rules {
  return {
    [EINVAL]: ({ log }) => {
      const reason = log?.split("\n").findLast((line) => line !== "");
      return reason === undefined ? undefined : `the kernel does not take the BTF: ${reason}.`;
    },
  };
}
