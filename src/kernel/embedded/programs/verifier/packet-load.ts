import { EINVAL } from "../../../../abi/errno.ts";
import {
  BPF_PROG_TYPE_SCHED_ACT,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_SOCKET_FILTER,
} from "../../../../abi/prog-types.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import { BPF_ABS, BPF_IND } from "../../../../isa/opcodes.ts";
import { checkUnmoved } from "./context-access.ts";
import { describe } from "./describe.ts";
import { accessSize } from "./encoding.ts";
import { checkNothingHeld } from "./references.ts";
import { UNKNOWN_SCALAR } from "./register.ts";
import { Rejection } from "./rejection.ts";
import type { Verification } from "./verification.ts";

const TYPES: ReadonlySet<number> = new Set([
  BPF_PROG_TYPE_SOCKET_FILTER,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_SCHED_ACT,
]);

/** `r0 = skb[…]`, the old way to read a packet: `kernel/bpf/verifier.c: check_ld_abs`, 6.18. */
export function checkPacketLoad(v: Verification, { opcode, dst, src, offset }: Instruction): void {
  const mode = opcode & 0xe0;
  if (!TYPES.has(v.source.type)) {
    throw new Rejection(
      EINVAL,
      "BPF_LD_[ABS|IND] instructions not allowed for this program type: they are for socket filters and classifiers",
    );
  }
  const isValid =
    (mode === BPF_ABS || mode === BPF_IND) &&
    dst === 0 &&
    offset === 0 &&
    accessSize(opcode) < 8 &&
    (mode === BPF_IND || src === 0);
  if (!isValid) throw new Rejection(EINVAL, "BPF_LD_[ABS|IND] uses reserved fields: what it does not take is 0");
  const context = v.read(6);
  checkNothingHeld(v, "BPF_LD_[ABS|IND]", true);
  if (context.kind !== "ctx") {
    throw new Rejection(EINVAL, `at the time of BPF_LD_ABS|IND R6 != pointer to skb: R6 is ${describe(context)}`);
  }
  if (mode === BPF_IND) v.read(src);
  checkUnmoved("R6", context);
  v.forgetCallerSaved();
  v.registers[0] = UNKNOWN_SCALAR;
}
