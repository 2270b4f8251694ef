import { EINVAL } from "../../../../abi/errno.ts";
import {
  BPF_PROG_TYPE_CGROUP_DEVICE,
  BPF_PROG_TYPE_CGROUP_SKB,
  BPF_PROG_TYPE_CGROUP_SOCK,
  BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
  BPF_PROG_TYPE_CGROUP_SOCKOPT,
  BPF_PROG_TYPE_CGROUP_SYSCTL,
  BPF_PROG_TYPE_NETFILTER,
  BPF_PROG_TYPE_SK_LOOKUP,
  BPF_PROG_TYPE_SOCK_OPS,
} from "../../../../abi/prog-types.ts";
import { describe } from "./describe.ts";
import { checkCallbackAnswer, returnFromFunction } from "./function-call.ts";
import { checkNothingHeld } from "./references.ts";
import { markPrecise } from "./register.ts";
import { Rejection } from "./rejection.ts";
import type { Verification } from "./verification.ts";

const BPF_CGROUP_INET_EGRESS = 1;
const BIND: ReadonlySet<number> = new Set([8, 9]);
/** The hooks of received messages and of names, which cannot refuse. */
const ALWAYS_ALLOW: ReadonlySet<number> = new Set([19, 20, 29, 30, 31, 32, 51, 52, 53]);

/** The exit of a function or of the program: `process_bpf_exit_full`, 6.18. Answers whether the path is at its end. */
export function checkExit(v: Verification): boolean {
  const isOutermost = v.state.frames.length === 1;
  checkNothingHeld(v, "BPF_EXIT instruction in main prog", isOutermost);
  if (!isOutermost) {
    returnFromFunction(v);
    return false;
  }
  checkAnswer(v);
  return true;
}

/** What the program leaves in r0: `check_return_code`, 6.18. */
function checkAnswer(v: Verification): void {
  const answer = v.read(0);
  const { frame } = v;
  if (frame.kind === "async") return checkCallbackAnswer(answer, frame, "At async callback return");
  if (frame.subprogram !== 0) {
    if (!answer.isScalar) {
      throw new Rejection(
        EINVAL,
        `At subprogram exit the register R0 is not a scalar value: it is ${describe(answer)}; a global function returns a number`,
      );
    }
    return;
  }
  const allowed = answers(v.source.type, v.source.expectedAttachType);
  if (allowed === undefined) return;
  const [min, max] = allowed;
  if (!answer.isScalar) {
    throw new Rejection(
      EINVAL,
      `At program exit the register R0 is not a known value: it is ${describe(answer)}; it should have been in [${min}, ${max}]`,
    );
  }
  markPrecise(answer);
  if (answer.range.smin >= BigInt(min) && answer.range.smax <= BigInt(max)) return;
  throw new Rejection(
    EINVAL,
    `At program exit the register R0 has ${describe(answer)}: it should have been in [${min}, ${max}]`,
  );
}

/** From what to what a program of a type may answer; `undefined` when anything goes. */
function answers(type: number, expectedAttachType: number): readonly [number, number] | undefined {
  switch (type) {
    case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
      if (ALWAYS_ALLOW.has(expectedAttachType)) return [1, 1];
      return BIND.has(expectedAttachType) ? [0, 3] : [0, 1];
    case BPF_PROG_TYPE_CGROUP_SKB:
      return expectedAttachType === BPF_CGROUP_INET_EGRESS ? [0, 3] : [0, 1];
    case BPF_PROG_TYPE_CGROUP_SOCK:
    case BPF_PROG_TYPE_SOCK_OPS:
    case BPF_PROG_TYPE_CGROUP_DEVICE:
    case BPF_PROG_TYPE_CGROUP_SYSCTL:
    case BPF_PROG_TYPE_CGROUP_SOCKOPT:
    case BPF_PROG_TYPE_SK_LOOKUP:
    case BPF_PROG_TYPE_NETFILTER:
      return [0, 1];
    default:
      return undefined;
  }
}
