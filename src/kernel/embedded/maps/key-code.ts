/**
 * `jhash` of a key of whole words as generated code: from the variables `k0`, `k1` … to the variable `c`. `start` is what
 * the three registers begin with, a number or an expression; `jhashStart` says which.
 */
export function jhashCode(keyWords: number, start: number | string): string {
  const lines = [`let a = ${start}, b = a, c = a;`];
  const add = (word: number): void => {
    ["a", "b", "c"].forEach((name, index) => {
      if (word + index < keyWords) lines.push(`${name} = (${name} + k${word + index}) | 0;`);
    });
  };
  let word = 0;
  for (; keyWords - word > 3; word += 3) {
    add(word);
    const mix = (x: string, y: string, z: string, bits: number): void => {
      lines.push(`${x} = ((${x} - ${y}) ^ ${rotated(y, bits)}) | 0; ${y} = (${y} + ${z}) | 0;`);
    };
    mix("a", "c", "b", 4);
    mix("b", "a", "c", 6);
    mix("c", "b", "a", 8);
    mix("a", "c", "b", 16);
    mix("b", "a", "c", 19);
    mix("c", "b", "a", 4);
  }
  add(word);
  const final = (x: string, y: string, bits: number): void => {
    lines.push(`${x} = ((${x} ^ ${y}) - ${rotated(y, bits)}) | 0;`);
  };
  final("c", "b", 14);
  final("a", "c", 11);
  final("b", "a", 25);
  final("c", "b", 16);
  final("a", "c", 4);
  final("b", "a", 14);
  final("c", "b", 24);
  return lines.join("\n");
}

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
