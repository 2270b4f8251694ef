import type { Btf } from "./btf.ts";
import { BtfBuilder, type BtfTypeSpec } from "./btf-builder.ts";
import type { BtfComposite, BtfMember, BtfType } from "./btf-type.ts";
import { isSpecialField } from "./special-types.ts";

/** A type to declare, and what to call it. */
export interface Declared {
  readonly name: string;
  readonly id: number;
}

/** What can stand as a name in TypeScript without quotes. */
const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/** What no interface can be called: words of the language, its own types, and what the source that is written has itself. */
const TAKEN = new Set(
  [
    "await break case catch class const continue debugger default delete do else enum export extends false finally for",
    "function if implements import in instanceof interface let new null package private protected public return static",
    "super switch this throw true try typeof var void while with yield",
    "any bigint boolean never number object string symbol undefined unknown",
    "Btf Layout Uint8Array atob layoutOfType",
  ].flatMap((words) => words.split(" ")),
);

/**
 * TypeScript for types of BTF: an interface for each struct and union that has a name, a type and a layout for each that
 * is asked for. The layouts are made from the BTF of just these types, which the source carries with it, so that every
 * offset is the compiler's. It needs `mapiary`, and compiles under the strictest settings.
 */
export function declarations(btf: Btf, types: readonly Declared[]): string {
  if (types.length === 0) return "// Nothing here has a type: no map with types, and no variable.\nexport {};\n";
  const writer = new DeclarationWriter(btf, types);
  const subset = new Subset(btf);
  const exported = types.map(({ name, id }) => ({ name, type: writer.typeOf(id), id: subset.copy(id) }));
  const bytes = subset.builder.encode();
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).replace(
    /.{1,100}/g,
    (line) => `  "${line}" +\n`,
  );
  const layouts = exported.map(({ name, type, id }) => {
    const canAlias = type !== name && IDENTIFIER.test(name) && !TAKEN.has(name);
    const alias = canAlias ? `export type ${name} = ${type};\n` : "";
    return `${alias}export const ${variableName(name)}: Layout<${type}> = layoutOfType(types, ${id}) as Layout<unknown> as Layout<${type}>;\n`;
  });
  return `import { Btf, type Layout, layoutOfType } from "mapiary";

${writer.interfaces().join("\n")}
const types = new Btf(
  Uint8Array.from(
    atob(
${base64
  .replace(/ \+\n$/, ",\n")
  .replace(/^/gm, "    ")
  .trimEnd()}
    ),
    (character) => character.charCodeAt(0),
  ),
);

${layouts.join("\n")}`;
}

/** The name of a layout beside that of its type. */
function variableName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_$]/g, "_");
  return `${/^[0-9]/.test(plain) ? "_" : ""}${plain}Layout`;
}

/** Writes what values of types are in TypeScript: what `layoutOfType` gives. */
class DeclarationWriter {
  readonly #btf: Btf;
  readonly #interfaces = new Map<string, string>();
  readonly #names = new Map<number, string>();
  /** The types that are asked for, by the names that they get. */
  readonly #declared: ReadonlyMap<string, number>;

  constructor(btf: Btf, declared: readonly Declared[]) {
    this.#btf = btf;
    this.#declared = new Map(declared.map(({ name, id }) => [name, btf.resolve(id)]));
  }

  interfaces(): string[] {
    return [...this.#interfaces.values()];
  }

  typeOf(id: number): string {
    const resolved = this.#btf.resolve(id);
    const type = this.#btf.type(resolved);
    switch (type.kind) {
      case "int":
        if (type.isBool && type.size === 1) return "boolean";
        if (type.size <= 4) return "number";
        return type.size === 8 || type.size === 16 ? "bigint" : "Uint8Array";
      case "ptr":
        return "bigint";
      case "float":
        return type.size === 4 || type.size === 8 ? "number" : "Uint8Array";
      case "enum":
      case "enum64":
        return enumType(type);
      case "array":
        return this.#arrayType(type.type);
      case "struct":
      case "union":
        return type.name === "" ? this.#body(type) : this.#named(resolved, type);
      case "datasec":
        return `{ ${type.variables.flatMap((variable) => this.#variable(variable.type, variable.size)).join(" ")} }`;
      case "var":
        return this.typeOf(type.type);
      default:
        return "Uint8Array";
    }
  }

  #arrayType(of: number): string {
    const type = this.#btf.type(this.#btf.resolve(of));
    if (type.kind === "int" && type.size === 1 && !type.isBool) {
      if (type.isChar || type.name === "char") return "string";
      if (!type.isSigned) return "Uint8Array";
    }
    const element = this.typeOf(of);
    return /[|\s]/.test(element) ? `(${element})[]` : `${element}[]`;
  }

  /** The name of the interface of a struct, which is written when it is first needed. Two types of one name get numbers. */
  #named(id: number, type: BtfComposite): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const plain = type.name.replace(/[^A-Za-z0-9_$]/g, "_");
    let name = plain;
    for (let number = 2; this.#isTaken(name, id); number++) name = `${plain}_${number}`;
    this.#names.set(id, name);
    this.#interfaces.set(name, "");
    this.#interfaces.set(
      name,
      `/** \`${type.kind} ${type.name}\`, ${type.size} bytes. */\nexport interface ${name} ${this.#body(type)}\n`,
    );
    return name;
  }

  #isTaken(name: string, id: number): boolean {
    return this.#interfaces.has(name) || TAKEN.has(name) || (this.#declared.get(name) ?? id) !== id;
  }

  #body(type: BtfComposite): string {
    const members = this.#members(type, type.kind === "union");
    return members.length === 0
      ? "{ [name: string]: never }"
      : `{\n  ${members.join("\n").replaceAll("\n", "\n  ")}\n}`;
  }

  /** The members of a union are there when it is read; one is enough when it is written. */
  #members(type: BtfComposite, isOptional: boolean): string[] {
    return type.members.flatMap((member) => this.#member(member, isOptional));
  }

  #member(member: BtfMember, isOptional: boolean): string[] {
    const btf = this.#btf;
    if (isSpecialField(btf, member.type)) return [];
    const type = btf.type(btf.resolve(member.type));
    const isBitfield = member.bitfieldSize > 0;
    if (!isBitfield && !btf.sizeOf(member.type)) return [];
    if (member.name !== "") return [property(member.name, this.#memberType(member, type), isOptional)];
    if (type.kind !== "struct" && type.kind !== "union") return [];
    return this.#members(type, isOptional || type.kind === "union");
  }

  #memberType({ type, bitfieldSize }: BtfMember, resolved: BtfType): string {
    if (bitfieldSize === 0) return this.typeOf(type);
    const number = bitfieldSize <= 32 ? "number" : "bigint";
    const isEnum = resolved.kind === "enum" || resolved.kind === "enum64";
    return isEnum ? `${quotedNames(resolved)} | ${number}` : number;
  }

  #variable(id: number, size: number): string[] {
    const variable = this.#btf.type(id);
    if (variable.kind !== "var" || size === 0 || isSpecialField(this.#btf, variable.type)) return [];
    return [property(variable.name, this.typeOf(variable.type), false)];
  }
}

function property(name: string, type: string, isOptional: boolean): string {
  return `${IDENTIFIER.test(name) ? name : JSON.stringify(name)}${isOptional ? "?" : ""}: ${type};`;
}

function enumType(type: Extract<BtfType, { kind: "enum" | "enum64" }>): string {
  const number = type.size === 8 ? "bigint" : "number";
  return type.values.length === 0 ? number : `${quotedNames(type)} | ${number}`;
}

function quotedNames({ values }: Extract<BtfType, { kind: "enum" | "enum64" }>): string {
  return values.map(({ name }) => JSON.stringify(name)).join(" | ");
}

/** Copies types, and those that they are made of, into BTF of their own. What pointers point to is not copied. */
class Subset {
  readonly builder = new BtfBuilder();
  readonly #btf: Btf;
  readonly #copies = new Map<number, number>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  copy(id: number): number {
    const known = this.#copies.get(id);
    if (known !== undefined || id === 0) return known ?? 0;
    const copied = this.#spec(this.#btf.type(id));
    const copy = copied === undefined ? 0 : this.builder.add(copied);
    this.#copies.set(id, copy);
    return copy;
  }

  #spec(type: BtfType): BtfTypeSpec | undefined {
    switch (type.kind) {
      case "ptr": {
        const target = this.#btf.type(type.type);
        // The tag says whose pointer it is.
        const tag = target.kind === "type_tag" ? this.builder.add({ ...target, type: 0 }) : 0;
        return { ...type, type: tag };
      }
      case "array":
        return { ...type, type: this.copy(type.type), indexType: this.copy(type.indexType) };
      case "struct":
      case "union":
        return { ...type, members: type.members.map((member) => ({ ...member, type: this.copy(member.type) })) };
      case "typedef":
      case "volatile":
      case "const":
      case "restrict":
      case "type_tag":
      case "var":
        return { ...type, type: this.copy(type.type) };
      case "datasec":
        return { ...type, variables: type.variables.map((each) => ({ ...each, type: this.copy(each.type) })) };
      case "int":
      case "enum":
      case "enum64":
      case "float":
      case "fwd":
        return type;
      default:
        return undefined;
    }
  }
}
