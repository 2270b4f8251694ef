import { EINVAL } from "../../../../abi/errno.ts";
import { type Register, UNKNOWN_SCALAR } from "./register.ts";
import { Rejection } from "./rejection.ts";
import type { Verification } from "./verification.ts";

/** Takes note of something that must be given back, got at this instruction; answers its id. */
export function acquire(v: Verification): number {
  const id = v.newId();
  v.state.references = [...v.state.references, { id, slot: v.slot }];
  return id;
}

/** It is given back: nothing that came from it can be used any more. */
export function release(v: Verification, id: number): void {
  if (!v.state.references.some((reference) => reference.id === id)) {
    throw new Rejection(EINVAL, "reference has not been acquired before");
  }
  v.state.references = v.state.references.filter((reference) => reference.id !== id);
  v.state.changeRegisters((register) => (register.ref === id ? UNKNOWN_SCALAR : register));
}

/** The packet may have moved: pointers into it are numbers now. */
export function forgetPacket(v: Verification): void {
  v.state.changeRegisters((register: Register) => (register.isAnyPacket ? UNKNOWN_SCALAR : register));
}

/** Refuses to leave with something that was not given back, or with the lock: `check_resource_leak`, 6.18. */
export function checkNothingHeld(v: Verification, what: string, checksLock: boolean): void {
  if (checksLock && v.state.lock !== undefined) {
    throw new Rejection(EINVAL, `${what} cannot be used inside bpf_spin_lock-ed region: call bpf_spin_unlock before`);
  }
  const [reference] = v.state.references;
  if (v.state.frames.length > 1 || reference === undefined) return;
  throw new Rejection(
    EINVAL,
    `Unreleased reference id=${reference.id} alloc_insn=${reference.slot}: ${what} would lead to reference leak; what instruction ${reference.slot} gave must be submitted or discarded on every path`,
  );
}
