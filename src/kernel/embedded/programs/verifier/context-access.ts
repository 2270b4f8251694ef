import { EACCES } from "../../../../abi/errno.ts";
import { progTypeName } from "../../../../abi/prog-types.ts";
import { type ContextField, contextFields } from "./context-fields.ts";
import { describe } from "./describe.ts";
import type { Access } from "./memory-access.ts";
import { pointer, type Register } from "./register.ts";
import { Rejection } from "./rejection.ts";
import type { Verification } from "./verification.ts";

/** Checks an access to the context, and answers the pointer that a load gives, if it gives one. */
export function checkContextAccess(v: Verification, access: Access): Register | undefined {
  const { name, offset, size, isWrite } = access;
  checkUnmoved(name, access.pointer);
  const { type, expectedAttachType } = v.source;
  const fields = contextFields(type, expectedAttachType) ?? [];
  const field = fields.find((candidate) => allows(candidate, offset, size, isWrite));
  if (field === undefined) {
    throw new Rejection(
      EACCES,
      `invalid bpf_context access off=${offset} size=${size}: a program of type ${progTypeName(type)} cannot ${isWrite ? "write" : "read"} these bytes so; ${alternatives(fields, offset, isWrite)}`,
    );
  }
  v.maxContextOffset = Math.max(v.maxContextOffset, offset + size);
  return isWrite ? undefined : given(v, field);
}

/** The context is used as it was handed over: `check_ptr_off_reg`, 6.18. */
export function checkUnmoved(name: string, context: Register): void {
  if (context.place === 0) return;
  throw new Rejection(
    EACCES,
    `dereference of modified ctx ptr ${name} disallowed: it is ${describe(context)}; give the offset in the instruction`,
  );
}

function allows({ from, to, reads, writes }: ContextField, offset: number, size: number, isWrite: boolean): boolean {
  return offset >= from && offset + size <= to && offset % size === 0 && (isWrite ? writes : reads).includes(size);
}

function alternatives(fields: readonly ContextField[], offset: number, isWrite: boolean): string {
  const near = fields.find(({ from, to }) => offset >= from && offset < to);
  const sizes = isWrite ? near?.writes : near?.reads;
  if (near === undefined || sizes === undefined || sizes.length === 0) return whatElse(fields, isWrite);
  return `bytes ${near.from} to ${near.to - 1} are ${isWrite ? "written" : "read"} ${sizes.join(", ")} at a time, aligned`;
}

/** What of the context is accessed at all, in as few ranges as there are. */
function whatElse(fields: readonly ContextField[], isWrite: boolean): string {
  const ranges: { from: number; to: number }[] = [];
  for (const { from, to, reads, writes } of fields) {
    if ((isWrite ? writes : reads).length === 0) continue;
    const last = ranges.at(-1);
    if (last?.to === from) last.to = to;
    else ranges.push({ from, to });
  }
  if (ranges.length === 0) return `it ${isWrite ? "writes" : "reads"} nothing of its context`;
  const listed = ranges.map(({ from, to }) => `${from} to ${to - 1}`).join(", ");
  return `what it ${isWrite ? "writes" : "reads"} of its context are bytes ${listed}`;
}

function given(v: Verification, field: ContextField): Register | undefined {
  switch (field.pointer) {
    case undefined:
      return undefined;
    case "sock":
      return pointer("sock");
    case "sock_or_null": {
      const socket = pointer("sock");
      socket.isNullable = true;
      socket.id = v.newId();
      return socket;
    }
    default:
      return pointer(field.pointer);
  }
}
