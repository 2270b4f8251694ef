import type { Inline } from "./code.ts";
import { inlineOf } from "./define.ts";
import type { Layout } from "./layout.ts";

/** Up to this number names are found by index, without hashing. */
const MOST_INDEXED = 255;

/** An enum: the number of each name, and the name that each number reads as. */
export interface Enumeration<N extends number | bigint> {
  readonly underlying: Layout<N>;
  readonly numbers: ReadonlyMap<unknown, N>;
  readonly names: ReadonlyMap<number | bigint, string>;
  /** Whether numbers without a name are read and written as themselves. */
  readonly isOpen: boolean;
}

/** How an enum is written into generated code. */
export function inlineEnum<N extends number | bigint>({ underlying, numbers, names, isOpen }: Enumeration<N>): Inline {
  const stored = underlying as Layout<unknown>;
  const indexed = indexedNames(names);
  return {
    weight: inlineOf(stored)?.weight ?? 1,
    read(code, place) {
      const [number, name] = [code.variable(), code.variable()];
      code.add(`const ${number} = ${code.read(stored, place)};`);
      if (indexed === undefined) code.add(`const ${name} = ${code.constant(names)}.get(${number});`);
      else {
        const table = code.constant(indexed);
        code.add(`const ${name} = ${number} >>> 0 < ${indexed.length} ? ${table}[${number}] : undefined;`);
      }
      if (isOpen) return `${name} ?? ${number}`;
      code.require(`${name} !== undefined`);
      return name;
    },
    write(code, value, place) {
      const number = `${code.constant(numbers)}.get(${value})`;
      code.write(stored, isOpen ? `typeof ${value} === "string" ? ${number} : ${value}` : number, place);
    },
  };
}

/** The names by their numbers; `undefined` when those are not all small. */
function indexedNames(names: ReadonlyMap<number | bigint, string>): (string | undefined)[] | undefined {
  const numbers = [...names.keys()];
  const areSmall = numbers.every((number) => typeof number === "number" && number >= 0 && number <= MOST_INDEXED);
  if (!areSmall || numbers.length === 0) return undefined;
  return Array.from({ length: Math.max(...(numbers as number[])) + 1 }, (_, number) => names.get(number));
}
