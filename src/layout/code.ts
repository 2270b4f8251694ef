import { inlineOf } from "./define.ts";
import type { Layout } from "./layout.ts";

/** Where a value lies, in generated code: a variable that holds an address, and a distance from there. */
export interface Place {
  readonly base: string;
  readonly offset: number;
}

/** How a layout is written into generated code. */
export interface Inline {
  /** How many values it holds: what its code costs in size. */
  readonly weight: number;
  /** An expression that reads the value at a place; what must happen before it is added to `code`. */
  read(code: Code, place: Place): string;
  /** Adds the test of `value`, a variable, and, where a place is given, the storing of it. */
  write(code: Code, value: string, place?: Place): void;
  /** The properties of the object that `read` is the expression of, for an object that has them among others. */
  properties?(code: Code, place: Place): string[];
  /** As `write`, of a value that may have other members too, at a place that is zero already. */
  writeMembers?(code: Code, value: string, place: Place): void;
}

/** Beyond so many values a layout inside another is called, lest code for deep types grow without bound. */
const INLINE_WEIGHT = 64;

/** The body of one function while it is generated. In its scope are `memory`, `view`, `u8` and `address`. */
export class Code {
  readonly #lines: string[] = [];
  readonly #constants: unknown[] = [];
  #variables = 0;

  /** Adds a statement. */
  add(statement: string): void {
    this.#lines.push(statement);
  }

  /** A name that nothing else has. */
  variable(): string {
    return `v${this.#variables++}`;
  }

  /** A name for a value that the code cannot spell out. */
  constant(value: unknown): string {
    this.#constants.push(value);
    return `c${this.#constants.length - 1}`;
  }

  /** Adds a statement that refuses the value unless `condition` holds; the caller of the code finds out why. */
  require(condition: string): void {
    this.add(`if (!(${condition})) throw null;`);
  }

  /** An expression that reads what `layout` has at a place. */
  read(layout: Layout<unknown>, place: Place): string {
    const inline = inlineWithin(layout);
    return inline?.read(this, place) ?? `${this.constant(layout)}.read(memory, ${addressOf(place)})`;
  }

  /** The properties that a value of `layout`, an object, adds to another. */
  properties(layout: Layout<unknown>, place: Place): string[] {
    return inlineWithin(layout)?.properties?.(this, place) ?? [`...${this.read(layout, place)}`];
  }

  /** Adds the storing of the members of `layout` that `value`, a variable, has among others. False when that has no code. */
  writeMembers(layout: Layout<unknown>, value: string, place: Place): boolean {
    const inline = inlineWithin(layout);
    inline?.writeMembers?.(this, value, place);
    return inline?.writeMembers !== undefined;
  }

  /** Adds the test and, where a place is given, the storing of `value`, an expression. */
  write(layout: Layout<unknown>, value: string, place?: Place): void {
    const held = this.variable();
    this.add(`const ${held} = ${value};`);
    const inline = inlineWithin(layout);
    if (inline !== undefined) return inline.write(this, held, place);
    this.require(`${held} !== undefined`);
    const name = this.constant(layout);
    this.add(place === undefined ? `${name}.check(${held});` : `${name}.write(memory, ${addressOf(place)}, ${held});`);
  }

  /** Adds the zeroing of some bytes. */
  zero(place: Place, length: number): void {
    const { base, offset } = place;
    if (length > 8) {
      this.add(`u8.fill(0, ${addressOf(place)}, ${addressOf({ base, offset: offset + length })});`);
      return;
    }
    for (let at = 0; at < length; ) {
      const width = length - at >= 4 ? 4 : length - at >= 2 ? 2 : 1;
      this.add(`view.setUint${width * 8}(${addressOf({ base, offset: offset + at })}, 0);`);
      at += width;
    }
  }

  /** The function of the given head whose body is what was added, with `tail` behind it. */
  build<F>(head: string, tail = ""): F {
    return this.buildExpression(`function ${head} {`, `${tail}\n}`);
  }

  /** The value of an expression that begins with `head` and ends with `tail`, what was added in between. */
  buildExpression<F>(head: string, tail: string): F {
    const names = this.#constants.map((_, index) => `c${index}`);
    const source = `"use strict"; return ${head}\n${this.#lines.join("\n")}\n${tail};`;
    return new Function(...names, source)(...this.#constants) as F;
  }
}

/** A place as an expression. */
export function addressOf({ base, offset }: Place): string {
  return offset === 0 ? base : `${base} + ${offset}`;
}

/** The code of a layout that is one value: an expression that reads it, a test, a statement that writes it. */
export function inlineScalar(scalar: {
  read(at: string): string;
  fits(value: string): string;
  write(at: string, value: string): string;
}): Inline {
  return {
    weight: 1,
    read: (_code, place) => scalar.read(addressOf(place)),
    write(code, value, place) {
      code.require(scalar.fits(value));
      if (place !== undefined) code.add(scalar.write(addressOf(place), value));
    },
  };
}

function inlineWithin(layout: Layout<unknown>): Inline | undefined {
  const inline = inlineOf(layout);
  return inline !== undefined && inline.weight <= INLINE_WEIGHT ? inline : undefined;
}
