import { isArrayLayout } from "./array.ts";
import { defineComposite, generatesCode } from "./compile.ts";
import { faultFinder, inlineOf, readFaultIn } from "./define.ts";
import { fieldStep, within } from "./fault.ts";
import { INSPECT } from "./inspect.ts";
import type { Layout } from "./layout.ts";
import { partsOf } from "./layout-of-parts.ts";
import { type Live, LiveArray, type LivePlace, type MakeLive } from "./live.ts";
import { isStructLayout, type StructField } from "./struct.ts";

const makers = new WeakMap<Layout<unknown>, MakeLive<unknown>>();

/**
 * How the values of a layout are read and written where they lie. The accessors are made from the layout once, and what
 * they write is checked first: bytes that are live must never hold half a value.
 */
export function liveMaker<V>(layout: Layout<V>): MakeLive<V> {
  let made = makers.get(layout) as MakeLive<V> | undefined;
  if (made === undefined) {
    made = makerOf(layout) as MakeLive<V>;
    makers.set(layout, made as MakeLive<unknown>);
  }
  return made;
}

function makerOf(layout: Layout<unknown>): (place: LivePlace, address: number) => unknown {
  const members = membersOf(layout);
  if (members !== undefined) {
    return accessors(
      layout,
      members.map((member) => accessorOf(layout, member)),
    );
  }
  if (isArrayLayout(layout)) {
    const { of, length } = layout;
    const make = liveMaker(of);
    return (place, address) => new LiveArray(place, address, of, length, of.size, make);
  }
  return accessors(layout, [{ name: "value", layout, make: undefined, offset: 0 }]);
}

/** A property of an accessor. */
interface Accessor {
  readonly name: string;
  /** Reads and writes the property's value, given where the whole lies. */
  readonly layout: Layout<unknown>;
  /** What stands for a value that has parts, which lies at `offset`. */
  readonly make: MakeLive<unknown> | undefined;
  readonly offset: number;
}

function accessorOf(struct: Layout<unknown>, field: StructField): Accessor {
  return {
    name: field.name,
    layout: fieldWithin(struct, field),
    make: hasParts(field.layout) ? liveMaker(field.layout) : undefined,
    offset: field.offset,
  };
}

function hasParts(layout: Layout<unknown>): boolean {
  return isArrayLayout(layout) || membersOf(layout) !== undefined;
}

/** The members of a struct or union, those of the ones without a name among them. */
function membersOf(layout: Layout<unknown>): readonly StructField[] | undefined {
  if (isStructLayout(layout)) return layout.fields;
  return partsOf(layout)?.flatMap(({ names: [name], isAnonymous, offset, layout }) => {
    if (!isAnonymous) return [{ name: name as string, offset, layout }];
    return (membersOf(layout) ?? []).map((member) => ({ ...member, offset: offset + member.offset }));
  });
}

/** One field as a layout of the whole struct's bytes: its errors name the struct and the field. */
function fieldWithin(struct: Layout<unknown>, { name, offset, layout }: StructField): Layout<unknown> {
  const findFault = faultFinder(layout);
  return defineComposite<unknown>({
    name: struct.name,
    size: struct.size,
    align: struct.align,
    inline: {
      weight: inlineOf(layout)?.weight ?? 1,
      read: (code, place) => code.read(layout, { base: place.base, offset: place.offset + offset }),
      write: (code, value, place) =>
        code.write(layout, value, place && { base: place.base, offset: place.offset + offset }),
    },
    read: (memory, address) => layout.read(memory, address + offset),
    write: (memory, address, value) => layout.write(memory, address + offset, value),
    fault(value) {
      const fault = findFault(value);
      return fault && within(fieldStep(name), fault);
    },
    readFault(memory, address) {
      const fault = readFaultIn(layout, memory, address + offset);
      return fault && within(fieldStep(name), fault);
    },
  });
}

function accessors(whole: Layout<unknown>, properties: readonly Accessor[]): MakeLive<unknown> {
  const Class = generatesCode() ? generatedClass(properties) : composedClass(properties);
  Object.defineProperty(Class.prototype, INSPECT, {
    value(this: LiveObject) {
      const { memory, address } = this[WHERE]();
      return whole.read(memory, address);
    },
  });
  return (place, address) => new Class(place, address) as unknown as Live<unknown>;
}

const WHERE = Symbol("where");

/** What stands for a value: it keeps its place to itself, so that its only properties are the value's. */
interface LiveObject {
  [WHERE](): { readonly memory: LivePlace["memory"]; readonly address: number };
}

type LiveClass = new (place: LivePlace, address: number) => LiveObject;

/** A class whose properties are code of their own, so that each knows its one layout when it is optimized. */
function generatedClass(properties: readonly Accessor[]): LiveClass {
  const members = properties.map(({ name, make, offset }, i) => {
    const property = JSON.stringify(name);
    const read =
      make === undefined
        ? `f${i}.read(this.#place.memory, this.#address)`
        : `m${i}(this.#place, this.#address + ${offset})`;
    return `
      get [${property}]() { return ${read}; }
      set [${property}](value) {
        const place = this.#place;
        place.assertWritable();
        f${i}.check(value);
        f${i}.write(place.memory, this.#address, value);
      }`;
  });
  const source = `"use strict";
    return class {
      #place;
      #address;
      constructor(place, address) { this.#place = place; this.#address = address; }
      [WHERE]() { return { memory: this.#place.memory, address: this.#address }; }
      ${members.join("")}
    };`;
  const names = properties.flatMap((_, i) => [`f${i}`, `m${i}`]);
  const values = properties.flatMap(({ layout, make }) => [layout, make]);
  return new Function("WHERE", ...names, source)(WHERE, ...values) as LiveClass;
}

/** The same class where the platform forbids code generation. */
function composedClass(properties: readonly Accessor[]): LiveClass {
  class Composed implements LiveObject {
    readonly #place: LivePlace;
    readonly #address: number;

    constructor(place: LivePlace, address: number) {
      this.#place = place;
      this.#address = address;
    }

    [WHERE](): { memory: LivePlace["memory"]; address: number } {
      return { memory: this.#place.memory, address: this.#address };
    }

    static define({ name, layout, make, offset }: Accessor): void {
      Object.defineProperty(Composed.prototype, name, {
        get(this: Composed) {
          const place = this.#place;
          return make === undefined ? layout.read(place.memory, this.#address) : make(place, this.#address + offset);
        },
        set(this: Composed, value: unknown) {
          const place = this.#place;
          place.assertWritable();
          layout.check(value);
          layout.write(place.memory, this.#address, value);
        },
        configurable: true,
      });
    }
  }
  for (const property of properties) Composed.define(property);
  return Composed;
}
