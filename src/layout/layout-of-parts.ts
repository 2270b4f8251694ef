import type { Memory } from "../memory/address-space.ts";
import { defineComposite } from "./compile.ts";
import { type Definition, readFaultIn } from "./define.ts";
import { fieldStep, within } from "./fault.ts";
import type { Layout } from "./layout.ts";
import type { Part } from "./part.ts";
import { inlineParts } from "./part-code.ts";

type Members = Record<string, unknown>;

const partsByLayout = new WeakMap<object, readonly Part[]>();

/** Makes a layout that reads as an object with all of its parts; its definition says how such an object is written. */
export function defineOfParts(
  kind: "struct" | "union",
  parts: readonly Part[],
  definition: Omit<Definition<Members>, "read" | "readFault" | "inline">,
): Layout<Members> {
  const layout: Layout<Members> = defineComposite<Members>({
    ...definition,
    inline: inlineParts({ kind, parts, ...definition }),
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
