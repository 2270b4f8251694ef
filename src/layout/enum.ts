import { define, faultFinder, refuse, requireLayout } from "./define.ts";
import { inlineEnum } from "./enum-code.ts";
import { type Fault, faultError, nearest, outOfRange, quote, wrongKind } from "./fault.ts";
import type { Layout } from "./layout.ts";
import { u32 } from "./scalar.ts";

const NAMES_SHOWN = 12;

const enums = new WeakSet<object>();

/**
 * A C enum: a number in bytes, its name in JavaScript. Of two names for one number the first is read; both are
 * written. A name that is not in the enum throws a `RangeError` when it is written, and so does, when it is read, a
 * number that has no name: read `underlying` itself where programs store numbers of their own or combine flags.
 *
 * `underlying` is what the enum is stored as, `u32` as the C compiler has it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { enumOf, u8, type Value } from "mapiary";
 *
 * const protocol = enumOf({ ICMP: 1, TCP: 6, UDP: 17 }, u8);
 * const value: Value<typeof protocol> = "TCP"; // "ICMP" | "TCP" | "UDP"
 * assert.deepEqual(protocol.encode(value), Uint8Array.of(6));
 * assert.throws(() => protocol.decode(Uint8Array.of(7)), /7 has no name/);
 * ```
 */
export function enumOf<Names extends Readonly<Record<string, number>>>(
  names: Names,
  underlying: Layout<number> = u32,
): EnumLayout<keyof Names & string> {
  type Name = keyof Names & string;
  requireLayout(underlying, "enumOf");
  const numbers = new Map(Object.entries(names) as [Name, number][]);
  const namesByNumber = new Map<number, Name>();
  const find = faultFinder(underlying);
  const listing = listNames(numbers);
  const name = `enum { ${listing} }`;

  for (const [constant, number] of numbers) {
    const fault = find(number);
    if (fault !== undefined) throw faultError("enumOf", { ...fault, path: `.${constant}` });
    if (!namesByNumber.has(number)) namesByNumber.set(number, constant);
  }

  const layout: Layout<Name> = define<Name>({
    name,
    size: underlying.size,
    align: underlying.align,
    read(memory, address) {
      const number = underlying.read(memory, address);
      const constant = namesByNumber.get(number);
      if (constant === undefined) throw new RangeError(`enum: ${number} has no name; the enum is { ${listing} }`);
      return constant;
    },
    write(memory, address, value) {
      const number = numbers.get(value);
      if (number === undefined) refuse(layout, value);
      underlying.write(memory, address, number);
    },
    fault(value) {
      if (typeof value !== "string") return wrongKind("enum", `a name of { ${listing} }`, value);
      return numbers.has(value as Name) ? undefined : unknownName(value, numbers.keys(), listing);
    },
    inline: inlineEnum({ underlying, numbers, names: namesByNumber, isOpen: false }),
  });
  enums.add(layout);
  return Object.assign(layout, { names: Object.freeze({ ...names }), underlying });
}

/** Whether a layout is an `enumOf`. */
export function isEnumLayout(layout: object): layout is EnumLayout<string> {
  return enums.has(layout);
}

/** The layout of an enum, which also says what it was made of. */
export interface EnumLayout<Name extends string> extends Layout<Name> {
  /** The number of each name. */
  readonly names: Readonly<Record<Name, number>>;
  /** What the number is stored as. */
  readonly underlying: Layout<number>;
}

function unknownName(value: string, names: Iterable<string>, listing: string): Fault {
  const near = nearest(value, names);
  const advice = near === undefined ? `the enum is { ${listing} }` : `did you mean ${quote(near)}?`;
  return outOfRange("enum", `${quote(value)} is not a name of it; ${advice}`);
}

function listNames(numbers: ReadonlyMap<string, number>): string {
  const shown = [...numbers].slice(0, NAMES_SHOWN).map(([name, number]) => `${name}: ${number}`);
  if (numbers.size > NAMES_SHOWN) shown.push(`… ${numbers.size - NAMES_SHOWN} more`);
  return shown.join(", ");
}
