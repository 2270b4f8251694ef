import { type Fault, fieldStep, wrongKind } from "../layout/fault.ts";

/** How two values of a field become one: by a name, by a function of both, or, of a struct, field by field. */
export type Merge<T> =
  | "sum"
  | "max"
  | "min"
  | ((a: T, b: T) => T)
  | (T extends object ? { readonly [Field in keyof T]: Merge<T[Field]> } : never);

type Numeric = number | bigint;
type Combine = (a: Numeric, b: Numeric) => Numeric;

const COMBINE: Readonly<Record<"sum" | "max" | "min", Combine>> = {
  // Both are numbers or both are bigints: they come from one layout.
  sum: (a, b) => (a as number) + (b as number),
  max: (a, b) => (b > a ? b : a),
  min: (a, b) => (b < a ? b : a),
};

/**
 * The values of all possible CPUs, in the order of the CPUs: an array, with what is mostly wanted of them. Whoever makes
 * values for `set` makes a plain array.
 *
 * Numbers are combined as they are, and structs and arrays of numbers field by field; sums do not wrap around. What is no
 * number throws a `TypeError` that names the field: `merge` says for each field how.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, struct, u32, u64 } from "mapiary";
 *
 * using bpf = embedded({ possibleCpus: 2 });
 * const value = struct({ packets: u64, longest: u32 });
 * using traffic = bpf.createMap({ type: "percpu_array", name: "traffic", value, maxEntries: 1 });
 * traffic.set(0, [{ packets: 7n, longest: 1500 }, { packets: 3n, longest: 60 }]);
 *
 * const values = traffic.get(0);
 * assert.equal(values?.length, 2);
 * assert.deepEqual(values?.sum(), { packets: 10n, longest: 1560 });
 * assert.deepEqual(values?.merge({ packets: "sum", longest: "max" }), { packets: 10n, longest: 1500 });
 * ```
 */
export interface PercpuValues<T> extends Array<T> {
  /** The values of all CPUs together. Throws a `TypeError` for what is no number. */
  sum(): T;
  /** The greatest value of any CPU; of structs, that of each field. Throws a `TypeError` for what is no number. */
  max(): T;
  /**
   * One value of all, two at a time: by a function; by `"sum"`, `"max"` or `"min"`; or, of structs, by an object that says
   * it for each field. Throws a `TypeError` for what is no number and has no function.
   */
  merge(how: Merge<T>): T;
}

const SUM: PropertyDescriptor = { value: sum };
const MAX: PropertyDescriptor = { value: max };
const MERGE: PropertyDescriptor = { value: merge };

/**
 * Gives an array the methods, where nobody sees them: it stays equal to a plain array, which a class of its own would not
 * be, and what is made of it has none.
 */
export function percpuValues<T>(values: T[]): PercpuValues<T> {
  Object.defineProperty(values, "sum", SUM);
  Object.defineProperty(values, "max", MAX);
  Object.defineProperty(values, "merge", MERGE);
  return values as PercpuValues<T>;
}

function sum<T>(this: T[]): T {
  return merged(this, "sum");
}

function max<T>(this: T[]): T {
  return merged(this, "max");
}

function merge<T>(this: T[], how: Merge<T>): T {
  return merged(this, how as AnyMerge);
}

function merged<T>(values: readonly T[], how: AnyMerge): T {
  return values.reduce((a, b) => combined(how, a, b, "") as T);
}

type AnyMerge = "sum" | "max" | "min" | ((a: unknown, b: unknown) => unknown) | { readonly [field: string]: AnyMerge };

function combined(how: AnyMerge, a: unknown, b: unknown, path: string): unknown {
  if (typeof how === "function") return how(a, b);
  if (typeof how === "string" && isNumeric(a) && isNumeric(b)) return COMBINE[how](a, b);
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.map((value, i) => combined(partOf(how, `${i}`, path), value, b[i], `${path}[${i}]`));
  }
  if (isStruct(a) && isStruct(b)) {
    const whole: Record<string, unknown> = {};
    for (const field of Object.keys(a)) {
      whole[field] = combined(partOf(how, field, path), a[field], b[field], path + fieldStep(field));
    }
    return whole;
  }
  throw refusal(path, wrongKind("", "a number, or a function that merges", a));
}

/** How a part is merged: as the whole is, or as it is said for the part. */
function partOf(how: Exclude<AnyMerge, (...values: never) => unknown>, part: string, path: string): AnyMerge {
  if (typeof how === "string") return how;
  const own = how[part];
  if (own !== undefined) return own;
  throw new TypeError(`merge: say how field ${(path + fieldStep(part)).replace(/^\./, "")} is merged`);
}

function isNumeric(value: unknown): value is Numeric {
  return typeof value === "number" || typeof value === "bigint";
}

function isStruct(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !ArrayBuffer.isView(value);
}

function refusal(path: string, { message }: Fault): TypeError {
  const place = path === "" ? "the values" : `field ${path.replace(/^\./, "")}`;
  return new TypeError(`${place} cannot be merged${message}`);
}
