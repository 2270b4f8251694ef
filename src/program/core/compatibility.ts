import type { Btf } from "../../btf/btf.ts";
import type { BtfType } from "../../btf/btf-type.ts";
import { essentialName, isSameKind, nameOf } from "./names.ts";

/** Deeper than so no types are compared (`tools/lib/bpf/relo_core.c`). */
const GREATEST_DEPTH = 32;

/** A type of one BTF beside one of another. */
interface Pair {
  readonly local: Btf;
  readonly target: Btf;
}

const isComposite = ({ kind }: BtfType): boolean => kind === "struct" || kind === "union";
const isEnum = ({ kind }: BtfType): boolean => kind === "enum" || kind === "enum64";

/**
 * Whether a member of the target can stand for one of the object's: integers of any size for integers, any struct for any
 * struct, pointers for pointers. Source: `bpf_core_fields_are_compat`, Linux 6.18.
 */
export function areFieldsCompatible(pair: Pair, localId: number, targetId: number, depth = 0): boolean {
  const one = pair.local.type(pair.local.resolve(localId));
  const other = pair.target.type(pair.target.resolve(targetId));
  if (depth > GREATEST_DEPTH) return false;
  if (isComposite(one) && isComposite(other)) return true;
  if (!isSameKind(one.kind, other.kind)) return false;
  switch (one.kind) {
    case "ptr":
    case "float":
      return true;
    case "fwd":
    case "enum":
    case "enum64": {
      const names = [nameOf(one), nameOf(other)].map(essentialName);
      return names.includes("") || names[0] === names[1];
    }
    case "int":
      return one.bitOffset === 0 && other.kind === "int" && other.bitOffset === 0;
    case "array":
      return other.kind === "array" && areFieldsCompatible(pair, one.type, other.type, depth + 1);
    default:
      return false;
  }
}

/**
 * Whether a type of the target is, as far as `bpf_core_type_exists` cares, the object's: of the same kind through pointers,
 * arrays and prototypes. Source: `__bpf_core_types_are_compat`, Linux 6.18.
 */
export function areTypesCompatible(pair: Pair, localId: number, targetId: number, depth = 0): boolean {
  const one = pair.local.type(pair.local.resolve(localId));
  const other = pair.target.type(pair.target.resolve(targetId));
  if (depth > GREATEST_DEPTH || !isSameKind(one.kind, other.kind)) return false;
  switch (one.kind) {
    case "int":
      return one.bitOffset === 0 && other.kind === "int" && other.bitOffset === 0;
    case "ptr":
      return other.kind === "ptr" && areTypesCompatible(pair, one.type, other.type, depth + 1);
    case "array":
      return other.kind === "array" && areTypesCompatible(pair, one.type, other.type, depth + 1);
    case "func_proto":
      return (
        other.kind === "func_proto" &&
        one.params.length === other.params.length &&
        one.params.every(({ type }, index) =>
          areTypesCompatible(pair, type, other.params[index]?.type ?? 0, depth + 1),
        ) &&
        areTypesCompatible(pair, one.type, other.type, depth + 1)
      );
    case "func":
    case "var":
    case "datasec":
    case "decl_tag":
      return false;
    default:
      return true;
  }
}

/**
 * Whether a type of the target has all that the object's has, by the same names and of the same types: what
 * `bpf_core_type_matches` asks. Source: `__bpf_core_types_match`, Linux 6.18.
 */
export function doTypesMatch(
  pair: Pair,
  localId: number,
  targetId: number,
  isBehindPointer = false,
  depth = 0,
): boolean {
  const one = pair.local.type(pair.local.resolve(localId));
  const other = pair.target.type(pair.target.resolve(targetId));
  if (depth > GREATEST_DEPTH) return false;
  if (essentialName(nameOf(one)) !== essentialName(nameOf(other)) && nameOf(one) !== "") return false;
  if (!isSameKind(one.kind, other.kind)) {
    // Behind a pointer a struct of which only the name is known is as good as all of it.
    return isBehindPointer && [one, other].every((type) => isComposite(type) || type.kind === "fwd");
  }
  switch (one.kind) {
    case "int":
      return other.kind === "int" && one.size === other.size && one.isSigned === other.isSigned;
    case "enum":
    case "enum64":
      return doEnumsMatch(one, other);
    case "struct":
    case "union":
      return isBehindPointer || doMembersMatch(pair, localId, targetId, depth);
    case "ptr":
      return other.kind === "ptr" && doTypesMatch(pair, one.type, other.type, true, depth + 1);
    case "array":
      return (
        other.kind === "array" &&
        one.length === other.length &&
        doTypesMatch(pair, one.type, other.type, isBehindPointer, depth + 1)
      );
    case "func_proto":
      return (
        other.kind === "func_proto" &&
        one.params.length === other.params.length &&
        one.params.every(({ type }, index) =>
          doTypesMatch(pair, type, other.params[index]?.type ?? 0, isBehindPointer, depth + 1),
        ) &&
        doTypesMatch(pair, one.type, other.type, isBehindPointer, depth + 1)
      );
    default:
      return one.kind === "void" || one.kind === "fwd" || one.kind === "float";
  }
}

function doEnumsMatch(one: BtfType, other: BtfType): boolean {
  if (!isEnum(one) || !isEnum(other)) return false;
  const { values } = one as { readonly values: readonly { readonly name: string }[] };
  const names = new Set(
    (other as { readonly values: readonly { readonly name: string }[] }).values.map(({ name }) => essentialName(name)),
  );
  return values.every(({ name }) => names.has(essentialName(name)));
}

function doMembersMatch(pair: Pair, localId: number, targetId: number, depth: number): boolean {
  const one = pair.local.type(pair.local.resolve(localId));
  const other = pair.target.type(pair.target.resolve(targetId));
  if (one.kind !== "struct" && one.kind !== "union") return false;
  if (other.kind !== "struct" && other.kind !== "union") return false;
  return one.members.every(({ name, type }) =>
    other.members.some((member) => member.name === name && doTypesMatch(pair, type, member.type, false, depth + 1)),
  );
}
