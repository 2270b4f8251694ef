import { isArrayLayout } from "../layout/array.ts";
import type { Layout } from "../layout/layout.ts";
import { isStructLayout } from "../layout/struct.ts";
import { isUnionLayout, unionFields } from "../layout/union.ts";
import type { Btf } from "./btf.ts";
import type { BtfMember } from "./btf-type.ts";

/** A member and where it begins, the members of anonymous structs and unions as if they were the struct's own. */
interface Placed {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly type: number;
}

/**
 * How a layout differs from a type of BTF: `field seen: at offset 4 with 4 bytes, but in BTF at offset 8 with 8`. A field
 * is compared with the member of its name, or with the one that lies at its place, which C may call otherwise; `undefined`
 * when nothing differs that counts.
 */
export function layoutMismatch(layout: Layout<unknown>, btf: Btf, id: number, path = ""): string | undefined {
  const where = path === "" ? "it" : `field ${path}`;
  const size = btf.sizeOf(id);
  if (size !== undefined && size !== layout.size) {
    return `${where} has ${layout.size} bytes, but ${describe(btf, id)} in BTF has ${size}`;
  }
  const type = btf.type(btf.resolve(id));
  if (isArrayLayout(layout) && type.kind === "array") {
    if (layout.length !== type.length)
      return `${where} has ${layout.length} elements, but in BTF it has ${type.length}`;
    return layoutMismatch(layout.of, btf, type.type, `${path}[]`);
  }
  const fields = isStructLayout(layout) ? layout.fields : isUnionLayout(layout) ? unionFields(layout) : undefined;
  if (fields === undefined || (type.kind !== "struct" && type.kind !== "union")) return undefined;
  const members = placedMembers(btf, type.members, 0, 0);
  for (const { name, offset, layout: field } of fields) {
    const step = path === "" ? name : `${path}.${name}`;
    const same = members.find((member) => member.name === name);
    const here = members.find((member) => member.offset === offset && member.size === field.size);
    const member = same ?? here;
    if (member === undefined) {
      return `field ${step}: there is none of that name in BTF, nor one at offset ${offset} with ${field.size} bytes`;
    }
    if (member.offset !== offset || member.size !== field.size) {
      return `field ${step}: at offset ${offset} with ${field.size} bytes, but in BTF at offset ${member.offset} with ${member.size}`;
    }
    const inner = layoutMismatch(field, btf, member.type, step);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function placedMembers(btf: Btf, members: readonly BtfMember[], start: number, depth: number): Placed[] {
  return members.flatMap(({ name, type, bitOffset }) => {
    const offset = start + Math.floor(bitOffset / 8);
    const inner = btf.type(btf.resolve(type));
    const isAnonymous = name === "" && (inner.kind === "struct" || inner.kind === "union") && depth < 32;
    if (isAnonymous) return placedMembers(btf, inner.members, offset, depth + 1);
    return [{ name, offset, size: btf.sizeOf(type) ?? 0, type }];
  });
}

function describe(btf: Btf, id: number): string {
  const type = btf.type(id);
  return "name" in type && type.name !== "" ? `${type.kind} ${type.name}` : `the ${type.kind}`;
}
