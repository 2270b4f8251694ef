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

/** A member with a name. */
export function named(name: string, layout: Layout<unknown>, offset = 0): Part {
  return { names: [name], isAnonymous: false, offset, layout };
}

/** The value of a member in an object that has its names; `undefined` when it has none of them. */
export function partOf({ names, isAnonymous }: Part, value: Members): unknown {
  return isAnonymous ? membersGiven(names, value) : value[names[0] as string];
}

/** Those of some members that a value has; `undefined` when it has none. */
export function membersGiven(names: readonly string[], value: Members): Members | undefined {
  const given = names.filter((name) => value[name] !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given.map((name) => [name, value[name]]));
}
