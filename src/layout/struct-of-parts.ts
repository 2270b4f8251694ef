import { faultFinder, refuse } from "./define.ts";
import { type Fault, fieldStep, quote, within, wrongKind } from "./fault.ts";
import type { Layout } from "./layout.ts";
import { defineOfParts } from "./layout-of-parts.ts";
import { type Part, partOf } from "./part.ts";

/**
 * A struct some of whose members have no name: their members are read and written as if they were the struct's own, as
 * C has it. Of an anonymous union one member is enough.
 */
export function structOfParts(
  name: string,
  parts: readonly Part[],
  size: number,
  align: number,
): Layout<Record<string, unknown>> {
  const names = new Set(parts.flatMap((part) => part.names));
  const finders = parts.map((part) => [part, faultFinder(part.layout)] as const);
  const layout: Layout<Record<string, unknown>> = defineOfParts("struct", parts, {
    name,
    size,
    align,
    write(memory, address, value) {
      if (fault(value) !== undefined) refuse(layout, value);
      memory.u8.fill(0, address, address + size);
      for (const part of parts) part.layout.write(memory, address + part.offset, partOf(part, value));
    },
    fault,
  });
  return layout;

  function fault(value: unknown): Fault | undefined {
    if (typeof value !== "object" || value === null) return wrongKind(name, "an object", value);
    const stray = Object.keys(value).find((given) => !names.has(given));
    if (stray !== undefined) return { error: TypeError, path: "", message: `${name}: unknown field ${quote(stray)}` };
    for (const [part, find] of finders) {
      const held = partOf(part, value as Record<string, unknown>);
      if (held === undefined) {
        const missing = part.isAnonymous ? `one of ${part.names.join(", ")}` : `field ${part.names[0]}`;
        return { error: TypeError, path: "", message: `${name}: ${missing} is missing` };
      }
      const fault = find(held);
      if (fault !== undefined) return part.isAnonymous ? fault : within(fieldStep(part.names[0] as string), fault);
    }
    return undefined;
  }
}
