/** The method by which Node, Deno and Bun ask an object how `console.log` is to show it; other consoles ignore it. */
export const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** How a value is shown, as that method is given it. */
export type Inspect = (value: unknown, options: object) => string;

/** An object as its class and these properties of it: what lies behind it is of no use to who prints it. */
export function inspected(of: object, properties: object, options: object, inspect: Inspect): string {
  return `${of.constructor.name} ${inspect(properties, options)}`;
}
