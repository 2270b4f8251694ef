/** A register of `jhash` while its code is written: a number as long as no word of the key has come into it. */
type Registers = Record<"a" | "b" | "c", number | undefined>;

type Name = keyof Registers;

/**
 * `jhash` of a key of whole words as generated code: from the variables `k0`, `k1` … to the variable `c`. `start` is what
 * the three registers begin with, a number or an expression; `jhashStart` says which. What follows from a number alone is
 * worked out here.
 */
export function jhashCode(keyWords: number, start: number | string): string {
  const known = typeof start === "number" ? start : undefined;
  const registers: Registers = { a: known, b: known, c: known };
  const lines = [`let a = ${start}, b = a, c = a;`];
  const text = (name: Name): string => `${registers[name] ?? name}`;
  const put = (name: Name, expression: string): void => {
    lines.push(`${name} = ${expression};`);
    registers[name] = undefined;
  };
  const add = (word: number): void => {
    for (const [index, name] of NAMES.entries()) {
      if (word + index < keyWords) put(name, `(${text(name)} + k${word + index}) | 0`);
    }
  };
  const mix = (x: Name, y: Name, z: Name, bits: number): void => {
    put(x, `((${text(x)} - ${text(y)}) ^ ${rotated(text(y), bits)}) | 0`);
    put(y, `(${text(y)} + ${text(z)}) | 0`);
  };
  const final = (x: Name, y: Name, bits: number): void => {
    const [left, right] = [registers[x], registers[y]];
    if (right === undefined) return put(x, `((${text(x)} ^ ${y}) - ${rotated(y, bits)}) | 0`);
    const turned = (right << bits) | (right >>> (32 - bits));
    if (left === undefined) return put(x, `((${x} ^ ${right}) - ${turned}) | 0`);
    registers[x] = ((left ^ right) - turned) | 0;
  };
  let word = 0;
  for (; keyWords - word > 3; word += 3) {
    add(word);
    mix("a", "c", "b", 4);
    mix("b", "a", "c", 6);
    mix("c", "b", "a", 8);
    mix("a", "c", "b", 16);
    mix("b", "a", "c", 19);
    mix("c", "b", "a", 4);
  }
  add(word);
  final("c", "b", 14);
  final("a", "c", 11);
  final("b", "a", 25);
  final("c", "b", 16);
  final("a", "c", 4);
  final("b", "a", 14);
  final("c", "b", 24);
  return lines.join("\n");
}

const NAMES = ["a", "b", "c"] as const;

/** What the registers of `jhash` begin with for a key of whole words. */
export function jhashStart(keyWords: number, seed: number): number {
  return (0xdeadbeef + keyWords * 4 + seed) | 0;
}

/** A line of code for each word, one after another. */
export function eachWord(count: number, line: (word: number) => string): string {
  return Array.from({ length: count }, (_, word) => line(word)).join("\n");
}

/** Whether the element at the word `at` has the key `k0`, `k1` …. */
export function isSameKey(keyWords: number): string {
  return Array.from({ length: keyWords }, (_, word) => `i32[at + ${1 + word}] === k${word}`).join(" && ");
}

function rotated(name: string, bits: number): string {
  return `((${name} << ${bits}) | (${name} >>> ${32 - bits}))`;
}
