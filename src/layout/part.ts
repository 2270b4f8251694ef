import type { Memory } from "../memory/address-space.ts";
import type { Layout } from "./layout.ts";

/** A member of a struct or union: by its name, or, when it has none, by those of its own members. */
export interface Part {
  /** One name, or those that an anonymous struct or union adds to what it lies in. */
  readonly names: readonly string[];
  readonly isAnonymous: boolean;
  readonly offset: number;
  readonly layout: Layout<unknown>;
}

/** A member with a name. */
export function named(name: string, layout: Layout<unknown>, offset = 0): Part {
  return { names: [name], isAnonymous: false, offset, layout };
}

/** Reads a member into an object that has its names. */
export function readPart(
  { names: [name], isAnonymous, offset, layout }: Part,
  memory: Memory,
  address: number,
  into: Record<string, unknown>,
): void {
  const value = layout.read(memory, address + offset);
  if (isAnonymous) Object.assign(into, value);
  else into[name as string] = value;
}

/** The value of a member in an object that has its names; `undefined` when it has none of them. */
export function partOf({ names, isAnonymous }: Part, value: Record<string, unknown>): unknown {
  if (!isAnonymous) return value[names[0] as string];
  const given = names.filter((name) => value[name] !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given.map((name) => [name, value[name]]));
}
