import type { Memory } from "../memory/address-space.ts";
import { addressOf, type Code, type Inline, type Place } from "./code.ts";
import { defineComposite } from "./compile.ts";
import { type Definition, inlineOf, readFaultIn } from "./define.ts";
import { fieldStep, within } from "./fault.ts";
import type { Layout } from "./layout.ts";

/** A member of a struct or union: by its name, or, when it has none, by those of its own members. */
export interface Part {
  /** One name, or those that an anonymous struct or union adds to what it lies in. */
  readonly names: readonly string[];
  readonly isAnonymous: boolean;
  readonly offset: number;
  readonly layout: Layout<unknown>;
}

type Members = Record<string, unknown>;

const partsByLayout = new WeakMap<object, readonly Part[]>();

/** A member with a name. */
export function named(name: string, layout: Layout<unknown>, offset = 0): Part {
  return { names: [name], isAnonymous: false, offset, layout };
}

/** Makes a layout that reads as an object with all of its parts; its definition says how such an object is written. */
export function defineOfParts(
  parts: readonly Part[],
  definition: Omit<Definition<Members>, "read" | "readFault" | "inline">,
): Layout<Members> {
  const layout: Layout<Members> = defineComposite<Members>({
    ...definition,
    inline: inlineParts(parts, definition),
    read(memory, address) {
      const value: Members = {};
      for (const part of parts) readPart(part, memory, address, value);
      return value;
    },
    readFault(memory, address) {
      for (const { names, isAnonymous, offset, layout } of parts) {
        const fault = readFaultIn(layout, memory, address + offset);
        if (fault !== undefined) return isAnonymous ? fault : within(fieldStep(names[0] as string), fault);
      }
      return undefined;
    },
  });
  partsByLayout.set(layout, parts);
  return layout;
}

/** The parts of a layout that has some. */
export function partsOf(layout: object): readonly Part[] | undefined {
  return partsByLayout.get(layout);
}

/** The value of a member in an object that has its names; `undefined` when it has none of them. */
export function partOf({ names, isAnonymous }: Part, value: Members): unknown {
  if (!isAnonymous) return value[names[0] as string];
  const given = names.filter((name) => value[name] !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given.map((name) => [name, value[name]]));
}

function readPart(
  { names: [name], isAnonymous, offset, layout }: Part,
  memory: Memory,
  address: number,
  into: Members,
) {
  const value = layout.read(memory, address + offset);
  if (isAnonymous) Object.assign(into, value);
  else into[name as string] = value;
}

/** Reading is written out; which member is to be written depends on the value, and is found by the definition's own `write`. */
function inlineParts(
  parts: readonly Part[],
  { write, fault }: Pick<Definition<Members>, "write" | "fault">,
): Inline & Required<Pick<Inline, "properties">> {
  return {
    weight: parts.reduce((sum, { layout }) => sum + (inlineOf(layout)?.weight ?? 1), 0),
    read(code, place) {
      return `{ ${this.properties(code, place).join(", ")} }`;
    },
    properties: (code, place) => parts.flatMap((part) => propertiesOf(part, code, place)),
    write(code, value, place) {
      if (place === undefined) code.require(`${code.constant(fault)}(${value}) === undefined`);
      else code.add(`${code.constant(write)}(memory, ${addressOf(place)}, ${value});`);
    },
  };
}

function propertiesOf(part: Part, code: Code, { base, offset }: Place): string[] {
  const place = { base, offset: offset + part.offset };
  if (part.isAnonymous) return code.properties(part.layout, place);
  return [`${JSON.stringify(part.names[0])}: ${code.read(part.layout, place)}`];
}
