import { ipv4, ipv6, mac } from "../../layout/address.ts";
import { array } from "../../layout/array.ts";
import { i16be, i32be, u16be, u32be } from "../../layout/big-endian.ts";
import { bytes } from "../../layout/bytes.ts";
import { cidr, cidr6 } from "../../layout/cidr.ts";
import { enumOf } from "../../layout/enum.ts";
import type { Layout } from "../../layout/layout.ts";
import { bool, f32, f64, i8, i16, i32, u8, u16, u32 } from "../../layout/scalar.ts";
import { type Fields, struct } from "../../layout/struct.ts";
import { cstring } from "../../layout/text.ts";
import { i64, i64be, u64, u64be } from "../../layout/wide.ts";
import { CliError } from "../cli-error.ts";
import { parseNumber } from "../numbers.ts";
import { suggestion } from "../words.ts";

const SCALARS: Readonly<Record<string, Layout<unknown>>> = {
  u8,
  u16,
  u32,
  u64,
  i8,
  i16,
  i32,
  i64,
  u16be,
  u32be,
  u64be,
  i16be,
  i32be,
  i64be,
  f32,
  f64,
  bool,
  ipv4,
  ipv6,
  mac,
  cidr,
  cidr6,
};

/** The names that a layout can begin with. */
export const LAYOUT_NAMES = [...Object.keys(SCALARS), "bytes", "cstring", "array", "struct", "enum"];

/**
 * The layout that a text describes: `u32`, `ipv4`, `cstring(16)`, `bytes(4)`, `u32[8]`, `array(u32, 8)`,
 * `enum{pass: 0, drop: 1}`, `struct{hits: u64, seen: u64}` and what is made of these. `cstring` and `bytes` alone are as
 * long as `size` has it. Throws a `CliError` that names the word it stumbled on.
 */
export function parseLayout(text: string, size: number): Layout<unknown> {
  const parser = new LayoutParser(text, size);
  const layout = parser.layout(true);
  parser.end();
  return layout;
}

class LayoutParser {
  readonly #text: string;
  readonly #size: number;
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string, size: number) {
    this.#text = text;
    this.#size = size;
    this.#tokens = text.match(/[\w.-]+|\S/g) ?? [];
  }

  layout(isWhole: boolean): Layout<unknown> {
    let layout = this.#element(isWhole);
    while (this.#takeIf("[")) {
      const length = this.#number("the length of an array");
      this.#expect("]");
      layout = array(layout, length);
    }
    return layout;
  }

  end(): void {
    const token = this.#tokens[this.#at];
    if (token !== undefined) throw this.#refusal(token, "Nothing is expected there.");
  }

  #element(isWhole: boolean): Layout<unknown> {
    const name = this.#take("a layout");
    const scalar = Object.hasOwn(SCALARS, name) ? SCALARS[name] : undefined;
    if (scalar !== undefined) return scalar;
    switch (name) {
      case "struct":
        return struct(this.#members(() => this.layout(false)) as Fields);
      case "enum":
        return this.#enum();
      case "array":
        return this.#array();
      case "bytes":
        return bytes(this.#length(isWhole));
      case "cstring":
        return cstring(this.#length(isWhole));
      default:
        throw this.#refusal(name, suggestion(name, LAYOUT_NAMES));
    }
  }

  #array(): Layout<unknown> {
    this.#expect("(");
    const of = this.layout(false);
    this.#expect(",");
    const length = this.#number("the length of an array");
    this.#expect(")");
    return array(of, length);
  }

  /** An enum as wide as what it is given to when that is 1, 2 or 4 bytes: programs store them so. */
  #enum(): Layout<unknown> {
    const names = this.#members(() => this.#number("the number of a name"));
    const underlying = { 1: u8, 2: u16 }[this.#size] ?? u32;
    return enumOf(names, underlying);
  }

  #length(isWhole: boolean): number {
    if (!this.#takeIf("(")) {
      if (isWhole) return this.#size;
      throw this.#refusal(this.#tokens[this.#at] ?? "the end", "Say how many bytes: cstring(16).");
    }
    const length = this.#number("a number of bytes");
    this.#expect(")");
    return length;
  }

  #members<T>(value: () => T): Record<string, T> {
    const members: [string, T][] = [];
    this.#expect("{");
    while (!this.#takeIf("}")) {
      const name = this.#take("a name");
      this.#expect(":");
      members.push([name, value()]);
      if (!this.#takeIf(",") && !this.#takeIf(";") && this.#tokens[this.#at] !== "}") this.#expect("}");
    }
    return Object.fromEntries(members);
  }

  #number(what: string): number {
    const token = this.#take(what);
    const number = parseNumber(token);
    if (number === undefined) throw this.#refusal(token, `It should be ${what}.`);
    return Number(number);
  }

  #take(expected: string): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw this.#refusal("the end", `It should be ${expected}.`);
    return token;
  }

  #takeIf(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    const found = this.#take(`'${token}'`);
    if (found !== token) throw this.#refusal(found, `It should be '${token}'.`);
  }

  #refusal(token: string, hint: string): CliError {
    const at = token === "the end" ? token : `'${token}'`;
    return new CliError(`can't parse the layout '${this.#text}' at ${at}`, { hint });
  }
}
