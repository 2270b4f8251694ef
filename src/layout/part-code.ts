import { addressOf, type Code, type Inline, type Place } from "./code.ts";
import { type Definition, inlineOf, isBytes } from "./define.ts";
import { membersGiven, type Part, partOf } from "./part.ts";

type Members = Record<string, unknown>;

/** Beyond so many members of a union the code that compares each with each is not worth its size. */
const MOST_COMPARED = 4;

/** What the code of a struct or union of parts is made from; what it does not do itself is done by `write` and `fault`. */
export interface PartsDefinition extends Pick<Definition<Members>, "size" | "write" | "fault"> {
  readonly kind: "struct" | "union";
  readonly parts: readonly Part[];
}

/** How a layout of parts is written into generated code. */
export function inlineParts(definition: PartsDefinition): Inline {
  const { kind, parts, size, fault } = definition;
  const names = new Set(parts.flatMap((part) => part.names));
  const isStray = (value: object): boolean => Object.keys(value).some((name) => !names.has(name));
  const writeMembers = kind === "union" ? unionWriter(definition) : structWriter(parts);
  return {
    weight: parts.reduce((sum, { layout }) => sum + (inlineOf(layout)?.weight ?? 1), 0),
    read: (code, place) => `{ ${parts.flatMap((part) => propertiesOf(part, code, place)).join(", ")} }`,
    properties: (code, place) => parts.flatMap((part) => propertiesOf(part, code, place)),
    write(code, value, place) {
      if (place === undefined) return code.require(`${code.constant(fault)}(${value}) === undefined`);
      code.require(`typeof ${value} === "object" && ${value} !== null`);
      const given = [...names].map((name) => `(${isGiven(value, name)} ? 1 : 0)`).join(" + ") || "0";
      code.require(`Object.keys(${value}).length === ${given} || !${code.constant(isStray)}(${value})`);
      code.zero(place, size);
      writeMembers(code, value, place);
    },
    writeMembers,
  };
}

type WriteMembers = NonNullable<Inline["writeMembers"]>;

function structWriter(parts: readonly Part[]): WriteMembers {
  return (code, value, place) => {
    for (const part of parts) writePart(code, part, value, within(place, part));
  };
}

/**
 * The widest member that is given is written; if all others that are given then read as they are given, that is all. If not,
 * it is for the plain code to find the one that counts, or to say what is wrong.
 */
function unionWriter({ parts, write }: PartsDefinition): WriteMembers {
  const widestFirst = [...parts].sort((a, b) => b.layout.size - a.layout.size);
  const names = parts.flatMap((part) => part.names);
  // Where the union has no name, the value has the members of what it lies in, too.
  const writePlainly: Definition<Members>["write"] = (memory, address, value) =>
    write(memory, address, membersGiven(names, value) ?? {});
  return (code, value, place) => {
    const given = widestFirst.map((part) => {
      const isThere = code.variable();
      code.add(`const ${isThere} = ${part.names.map((name) => isGiven(value, name)).join(" || ") || "false"};`);
      return isThere;
    });
    const agrees = code.variable();
    code.add(`let ${agrees} = true;`);
    for (const [index, part] of widestFirst.entries()) {
      code.add(`${index === 0 ? "" : "else "}if (${given[index]}) {`);
      writePart(code, part, value, place);
      const others = widestFirst.slice(index + 1);
      if (parts.length > MOST_COMPARED && others.length > 0) {
        code.add(`${agrees} = !(${given.slice(index + 1).join(" || ")});`);
      } else {
        for (const [nth, other] of others.entries()) {
          code.add(`if (${agrees} && ${given[index + 1 + nth]}) {`);
          const read = code.read(other.layout, place);
          code.add(`${agrees} = ${code.constant(isSame)}(${read}, ${memberOf(code, other, value)}); }`);
        }
      }
      code.add("}");
    }
    code.add("else throw null;");
    code.add(`if (!${agrees}) ${code.constant(writePlainly)}(memory, ${addressOf(place)}, ${value});`);
  };
}

/** Whether two values of layouts are the same all through. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (isBytes(a) !== isBytes(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => isSame((a as Members)[key], (b as Members)[key]));
}

function propertiesOf(part: Part, code: Code, place: Place): string[] {
  if (part.isAnonymous) return code.properties(part.layout, within(place, part));
  return [`${JSON.stringify(part.names[0])}: ${code.read(part.layout, within(place, part))}`];
}

function writePart(code: Code, part: Part, value: string, place: Place): void {
  if (part.isAnonymous && code.writeMembers(part.layout, value, place)) return;
  code.write(part.layout, memberOf(code, part, value), place);
}

/** An expression of what is given of a part; of several names an object that has just these. */
function memberOf(code: Code, part: Part, value: string): string {
  if (!part.isAnonymous) return `${value}[${JSON.stringify(part.names[0])}]`;
  return `${code.constant((from: Members) => partOf(part, from))}(${value})`;
}

function isGiven(value: string, name: string): string {
  return `${value}[${JSON.stringify(name)}] !== undefined`;
}

function within({ base, offset }: Place, part: Part): Place {
  return { base, offset: offset + part.offset };
}
