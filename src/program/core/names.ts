import type { Btf } from "../../btf/btf.ts";
import type { BtfKind, BtfType } from "../../btf/btf-type.ts";

/** The name of a type without its flavour, what stands behind three underscores: `task_struct` for `task_struct___old`. */
export function essentialName(name: string): string {
  const flavour = /^(.*[^_])___(?=[^_])/.exec(name);
  return flavour?.[1] ?? name;
}

/** The name of a type, `""` for one that has none. */
export function nameOf(type: BtfType): string {
  return "name" in type ? type.name : "";
}

/** Whether two kinds are the same for CO-RE, which lets an enum become wider. */
export function isSameKind(one: BtfKind, other: BtfKind): boolean {
  const plain = (kind: BtfKind): BtfKind => (kind === "enum64" ? "enum" : kind);
  return plain(one) === plain(other);
}

/** The types of a target that a local one may be: of the same kind and, flavours aside, the same name. */
export function candidates(local: Btf, id: number, target: Btf): number[] {
  const type = local.type(id);
  const name = nameOf(type);
  const ids = new Set([...target.findAll(essentialName(name)), ...target.findAll(name)]);
  return [...ids].filter((candidate) => isSameKind(type.kind, target.kindOf(candidate)));
}
