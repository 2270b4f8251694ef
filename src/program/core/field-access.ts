import type { Btf } from "../../btf/btf.ts";
import type { BtfMember } from "../../btf/btf-type.ts";
import { areFieldsCompatible } from "./compatibility.ts";

/** One step of an access: to a member that has a name, or to an element of an array. */
interface Step {
  /** The struct of the member; the type of the element. */
  readonly type: number;
  /** Of the member in its struct, or of the element. */
  readonly index: number;
  /** `undefined` for an element. */
  readonly member: BtfMember | undefined;
}

/** An access to a field: `&task->cred[1].uid`, resolved in one BTF. */
export interface FieldAccess {
  readonly btf: Btf;
  readonly steps: readonly Step[];
  /** From the beginning of what the access starts at. */
  readonly bitOffset: number;
}

/** Where an access cannot be followed. */
export class AccessError extends Error {}

/** Follows `0:1:2` through the object's own types. Throws an `AccessError` where it leads nowhere. */
export function localAccess(btf: Btf, type: number, access: string): FieldAccess {
  const indexes = access.split(":").map(Number);
  let id = btf.resolve(type);
  const steps: Step[] = [];
  let bitOffset = 0;
  for (const [depth, index] of indexes.entries()) {
    if (!Number.isInteger(index)) throw new AccessError(`"${access}" is no access`);
    if (depth === 0) {
      steps.push({ type: id, index, member: undefined });
      bitOffset += index * bitsOf(btf, id);
      continue;
    }
    const current = btf.type(id);
    if (current.kind === "struct" || current.kind === "union") {
      const member = current.members[index];
      if (member === undefined)
        throw new AccessError(`"${access}": ${current.kind} ${current.name} has no member ${index}`);
      bitOffset += member.bitOffset;
      if (member.name !== "") steps.push({ type: id, index, member });
      id = btf.resolve(member.type);
    } else if (current.kind === "array") {
      id = btf.resolve(current.type);
      steps.push({ type: id, index, member: undefined });
      bitOffset += index * bitsOf(btf, id);
    } else {
      throw new AccessError(`"${access}" leads into a type of kind ${current.kind}`);
    }
  }
  return { btf, steps, bitOffset };
}

/** The same access in a type of the target; `undefined` when it has not all of the members, or others. */
export function targetAccess(local: FieldAccess, target: Btf, root: number): FieldAccess | undefined {
  const steps: Step[] = [];
  let id = target.resolve(root);
  let bitOffset = 0;
  for (const [depth, step] of local.steps.entries()) {
    if (step.member !== undefined) {
      const found = findMember(local.btf, step.member, target, id);
      if (found === undefined) return undefined;
      steps.push({ type: found.owner, index: found.index, member: found.member });
      bitOffset += found.bitOffset;
      id = target.resolve(found.member.type);
      continue;
    }
    if (depth > 0) {
      const array = target.type(id);
      if (array.kind !== "array" || (step.index >= array.length && !isFlexible(target, steps, array.length)))
        return undefined;
      id = target.resolve(array.type);
    }
    steps.push({ type: id, index: step.index, member: undefined });
    bitOffset += step.index * bitsOf(target, id);
  }
  return { btf: target, steps, bitOffset };
}

/** The type of what an access leads to. */
export function accessedType({ btf, steps }: FieldAccess): number {
  const last = steps.at(-1) as Step;
  return btf.resolve(last.member?.type ?? last.type);
}

interface FoundMember {
  readonly owner: number;
  readonly index: number;
  readonly member: BtfMember;
  /** From the beginning of the struct that was searched. */
  readonly bitOffset: number;
}

/** The member of the same name, also in anonymous structs and unions; `undefined` when its type is another. */
function findMember(local: Btf, wanted: BtfMember, target: Btf, id: number): FoundMember | undefined {
  const composite = target.type(id);
  if (composite.kind !== "struct" && composite.kind !== "union") return undefined;
  for (const [index, member] of composite.members.entries()) {
    if (member.name === "") {
      const found = findMember(local, wanted, target, target.resolve(member.type));
      if (found !== undefined) return { ...found, bitOffset: found.bitOffset + member.bitOffset };
    } else if (member.name === wanted.name) {
      const isSame = areFieldsCompatible({ local, target }, wanted.type, member.type);
      return isSame ? { owner: id, index, member, bitOffset: member.bitOffset } : undefined;
    }
  }
  return undefined;
}

/** An array without length at the end of a struct has as many elements as there is room for. */
function isFlexible(btf: Btf, steps: readonly Step[], length: number): boolean {
  const last = steps.at(-1);
  if (length > 0 || last?.member === undefined) return false;
  const owner = btf.type(last.type);
  return owner.kind === "struct" && last.index === owner.members.length - 1;
}

function bitsOf(btf: Btf, id: number): number {
  const size = btf.sizeOf(id);
  if (size === undefined) throw new AccessError("leads to what has no size");
  return size * 8;
}
