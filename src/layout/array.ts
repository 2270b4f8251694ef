import { addressOf, type Inline } from "./code.ts";
import { defineComposite } from "./compile.ts";
import { faultFinder, inlineOf, readFaultIn, refuse, requireLayout, requireLength } from "./define.ts";
import { elementStep, outOfRange, within, wrongKind } from "./fault.ts";
import type { Layout } from "./layout.ts";

/** Up to so many values an array is written out in generated code; a longer one is a loop. */
const UNROLLED_WEIGHT = 16;

/** The layout of an array, which also says what it was made of. */
export interface ArrayLayout<T> extends Layout<T[]> {
  /** The layout of an element. */
  readonly of: Layout<T>;
  /** How many elements there are. */
  readonly length: number;
}

/**
 * `length` elements one behind the other, as a JavaScript array of exactly that many: any other length throws a
 * `RangeError` when it is written.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { array, u16 } from "mapiary";
 *
 * const ports = array(u16, 3);
 * assert.equal(ports.size, 6);
 * assert.deepEqual(ports.decode(ports.encode([80, 443, 8080])), [80, 443, 8080]);
 * assert.throws(() => ports.encode([80, 443, 65536]), /element \[2\]: u16: 65536 is out of range/);
 * ```
 */
export function array<T>(of: Layout<T>, length: number): ArrayLayout<T> {
  requireLayout(of, "array");
  requireLength("array", length, of.size);
  const name = `array(${of.name}, ${length})`;
  const stride = of.size;
  const findFault = faultFinder(of);

  const layout: Layout<T[]> = defineComposite<T[]>({
    name,
    size: stride * length,
    align: of.align,
    inline: inlineArray(of, length),
    read(memory, address) {
      const elements = new Array<T>(length);
      for (let i = 0; i < length; i++) elements[i] = of.read(memory, address + i * stride);
      return elements;
    },
    write(memory, address, value) {
      if (!Array.isArray(value) || value.length !== length) refuse(layout, value);
      for (let i = 0; i < length; i++) of.write(memory, address + i * stride, value[i] as T);
    },
    fault(value) {
      if (!Array.isArray(value)) return wrongKind(name, `an array of ${length}`, value);
      if (value.length !== length) return outOfRange(name, `expected ${length} elements, got ${value.length}`);
      for (let i = 0; i < length; i++) {
        const fault = findFault(value[i]);
        if (fault !== undefined) return within(elementStep(i), fault);
      }
      return undefined;
    },
    readFault(memory, address) {
      for (let i = 0; i < length; i++) {
        const fault = readFaultIn(of, memory, address + i * stride);
        if (fault !== undefined) return within(elementStep(i), fault);
      }
      return undefined;
    },
  });
  return Object.assign(layout, { of, length });
}

/** Whether a layout is that of an array, which says what its elements are. */
export function isArrayLayout(layout: Layout<unknown>): layout is ArrayLayout<unknown> {
  const { of, length } = layout as Partial<ArrayLayout<unknown>>;
  return of !== undefined && typeof length === "number";
}

function inlineArray(of: Layout<unknown>, length: number): Inline {
  const weight = inlineOf(of)?.weight ?? 1;
  return length * weight <= UNROLLED_WEIGHT ? unrolled(of, length, weight) : looped(of, length, weight);
}

function unrolled(of: Layout<unknown>, length: number, weight: number): Inline {
  return {
    weight: length * weight,
    read(code, { base, offset }) {
      const elements: string[] = [];
      for (let i = 0; i < length; i++) elements.push(code.read(of, { base, offset: offset + i * of.size }));
      return `[${elements.join(", ")}]`;
    },
    write(code, value, place) {
      code.require(`Array.isArray(${value}) && ${value}.length === ${length}`);
      for (let i = 0; i < length; i++) {
        code.write(of, `${value}[${i}]`, place && { base: place.base, offset: place.offset + i * of.size });
      }
    },
  };
}

function looped(of: Layout<unknown>, length: number, weight: number): Inline {
  return {
    weight,
    read(code, place) {
      const [elements, index, at] = [code.variable(), code.variable(), code.variable()];
      code.add(`const ${elements} = new Array(${length});`);
      code.add(`for (let ${index} = 0; ${index} < ${length}; ${index}++) {`);
      code.add(`const ${at} = ${addressOf(place)} + ${index} * ${of.size};`);
      code.add(`${elements}[${index}] = ${code.read(of, { base: at, offset: 0 })}; }`);
      return elements;
    },
    write(code, value, place) {
      const [index, at] = [code.variable(), code.variable()];
      code.require(`Array.isArray(${value}) && ${value}.length === ${length}`);
      code.add(`for (let ${index} = 0; ${index} < ${length}; ${index}++) {`);
      if (place !== undefined) code.add(`const ${at} = ${addressOf(place)} + ${index} * ${of.size};`);
      code.write(of, `${value}[${index}]`, place && { base: at, offset: 0 });
      code.add("}");
    },
  };
}
