import { define, faultFinder, refuse, requireLayout } from "./define.ts";
import { inlineEnum } from "./enum-code.ts";
import { type Fault, faultError, wrongKind } from "./fault.ts";
import type { Layout } from "./layout.ts";
import { u32 } from "./scalar.ts";

const openEnums = new WeakSet<object>();

/**
 * A C enum whose bytes may hold numbers without a name, as flags that are combined and values of the future: they are
 * read and written as numbers. Of two names for one number the first is read. Over a layout of `bigint` numbers are
 * `bigint`s.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openEnum } from "mapiary";
 *
 * const action = openEnum({ XDP_DROP: 1, XDP_PASS: 2 });
 * assert.equal(action.decode(action.encode("XDP_PASS")), "XDP_PASS");
 * assert.equal(action.decode(action.encode(77)), 77);
 * ```
 */
export function openEnum<Names extends Readonly<Record<string, number | bigint>>, N extends number | bigint = number>(
  names: Names,
  underlying: Layout<N> = u32 as unknown as Layout<N>,
): OpenEnumLayout<keyof Names & string, N> {
  type Name = keyof Names & string;
  requireLayout(underlying, "openEnum");
  const numbers = new Map(Object.entries(names) as [string, N][]);
  const byNumber = new Map<number | bigint, Name>();
  const find = faultFinder(underlying);
  for (const [constant, number] of numbers) {
    const fault = find(number);
    if (fault !== undefined) throw faultError("openEnum", { ...fault, path: `.${constant}` });
    if (!byNumber.has(number)) byNumber.set(number, constant as Name);
  }
  const name = `enum { ${[...numbers]
    .slice(0, 12)
    .map(([constant, number]) => `${constant}: ${number}`)
    .join(", ")} }`;

  const layout: Layout<Name | N> = define<Name | N>({
    name,
    size: underlying.size,
    align: underlying.align,
    read(memory, address) {
      const number = underlying.read(memory, address);
      return byNumber.get(number) ?? number;
    },
    write(memory, address, value) {
      if (fault(value) !== undefined) refuse(layout, value);
      underlying.write(memory, address, typeof value === "string" ? (numbers.get(value) as N) : (value as N));
    },
    fault,
    inline: inlineEnum({ underlying, numbers, names: byNumber, isOpen: true }),
  });
  openEnums.add(layout);
  return Object.assign(layout, {
    names: Object.freeze({ ...names }) as unknown as Readonly<Record<Name, N>>,
    underlying,
  });

  function fault(value: unknown): Fault | undefined {
    if (typeof value !== "string") return find(value);
    return numbers.has(value) ? undefined : wrongKind(name, "a name of it or a number", value);
  }
}

/** Whether a layout is an `openEnum`. */
export function isOpenEnumLayout(layout: object): layout is OpenEnumLayout<string, number | bigint> {
  return openEnums.has(layout);
}

/** The layout of an enum that takes numbers too, which also says what it was made of. */
export interface OpenEnumLayout<Name extends string, N extends number | bigint> extends Layout<Name | N> {
  /** The number of each name. */
  readonly names: Readonly<Record<Name, N>>;
  /** What the number is stored as. */
  readonly underlying: Layout<N>;
}
