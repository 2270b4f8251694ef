import { nearest, quote } from "../layout/fault.ts";
import type { Btf } from "./btf.ts";
import type { BtfKind } from "./btf-type.ts";

/** The kinds of types by the word before their name in C; what has none is a typedef or a type of the language. */
const KINDS: Readonly<Record<string, readonly BtfKind[]>> = {
  struct: ["struct"],
  union: ["union"],
  enum: ["enum", "enum64"],
};
const WITHOUT_WORD: readonly BtfKind[] = ["typedef", "int", "float"];

/** The id of the type that C calls so: `struct event`, `enum kind`, `pid_t`. Throws a `TypeError` when there is none. */
export function typeNamed(btf: Btf, text: string): number {
  const [, word, tag] = /^(struct|union|enum) +(.+)$/.exec(text) ?? [];
  const kinds = word === undefined ? WITHOUT_WORD : (KINDS[word] as readonly BtfKind[]);
  for (const kind of kinds) {
    const id = btf.find(tag ?? text, kind);
    if (id !== undefined) return id;
  }
  const meant = nearest(text, namesIn(btf));
  const hint = meant === undefined ? "" : `: there is ${quote(meant)}`;
  throw new TypeError(`the BTF has no type ${quote(text)}${hint}`);
}

/** The names of all types as C has them. */
function namesIn(btf: Btf): string[] {
  const names: string[] = [];
  for (const [, type] of btf.types()) {
    if (!("name" in type) || type.name === "") continue;
    const word = Object.keys(KINDS).find((each) => KINDS[each]?.includes(type.kind));
    if (word !== undefined) names.push(`${word} ${type.name}`);
    else if (WITHOUT_WORD.includes(type.kind)) names.push(type.name);
  }
  return names;
}
