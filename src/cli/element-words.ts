import { BPF_ANY, BPF_EXIST, BPF_NOEXIST } from "../abi/flags.ts";
import { CliError } from "./cli-error.ts";
import { type MapHandle, openMap } from "./map-reference.ts";
import { openProgram } from "./program-reference.ts";
import type { Session } from "./session.ts";
import { takeData } from "./values/data-words.ts";
import { type MapTyping, typingOf } from "./values/typing.ts";
import { isPrefix, suggestion, type Words } from "./words.ts";

/** What a command on an element takes. */
export interface ElementGrammar {
  /** Whether it takes a key. */
  readonly key: boolean;
  /** Whether it takes a value. */
  readonly value: boolean;
  /** Whether it takes `any`, `exist` or `noexist`. */
  readonly flags: boolean;
}

/** An element as a command line has it. It holds the fd that its value may be until it is disposed of. */
export interface ElementWords extends Disposable {
  /** `null` for a map without keys. */
  readonly key: Uint8Array | null;
  /** As the kernel takes it: in a per-CPU map, the value for every CPU. */
  readonly value: Uint8Array;
  readonly flags: number;
  /** How the words were read. */
  readonly typing: MapTyping;
}

const KEYWORDS = ["key", "value", "any", "noexist", "exist"];

/** Reads the rest of a command line as an element: `[key DATA] [value VALUE] [any|exist|noexist]`, in any order. */
export async function takeElement(
  words: Words,
  map: MapHandle,
  grammar: ElementGrammar,
  session: Session,
): Promise<ElementWords> {
  return await new ElementParser(words, map, grammar, session).parse();
}

class ElementParser {
  readonly #words: Words;
  readonly #map: MapHandle;
  readonly #grammar: ElementGrammar;
  readonly #session: Session;
  readonly #typing: MapTyping;
  #key: Uint8Array | undefined;
  #value: Uint8Array | undefined;
  #flags: number | undefined;
  #heldFd: number | undefined;

  constructor(words: Words, map: MapHandle, grammar: ElementGrammar, session: Session) {
    this.#words = words;
    this.#map = map;
    this.#grammar = grammar;
    this.#session = session;
    this.#typing = typingOf(map, session.options);
  }

  async parse(): Promise<ElementWords> {
    for (let word = this.#words.peek(); word !== undefined; word = this.#words.peek()) await this.#part(word);
    const { key: takesKey, value: takesValue } = this.#grammar;
    if (takesKey && this.#key === undefined) throw new CliError("did not find key", { hint: this.#hint("key") });
    if (takesValue && this.#value === undefined)
      throw new CliError("did not find value", { hint: this.#hint("value") });
    return {
      key: this.#key ?? null,
      value: this.#value ?? new Uint8Array(0),
      flags: this.#flags ?? BPF_ANY,
      typing: this.#typing,
      [Symbol.dispose]: () => this.#release(),
    };
  }

  #release(): void {
    if (this.#heldFd !== undefined) this.#map.cli.sys.close(this.#heldFd);
    this.#heldFd = undefined;
  }

  async #part(word: string): Promise<void> {
    if (isPrefix(word, "key")) return this.#takeKey();
    if (isPrefix(word, "value")) return await this.#takeValue();
    const flag = flagOf(word);
    if (flag === undefined) {
      throw new CliError(`expected key or value, got: ${word}`, { hint: suggestion(word, KEYWORDS) });
    }
    if (!this.#grammar.flags || this.#flags !== undefined) {
      const hint = this.#grammar.flags ? "One of them is enough." : "Only an update takes any, exist or noexist.";
      throw new CliError(`flags specified multiple times: ${word}`, { hint });
    }
    this.#words.take("a flag");
    this.#flags = flag;
  }

  #takeKey(): void {
    const { info } = this.#map;
    if (!this.#grammar.key || this.#key !== undefined) {
      const hint = `A map of type ${info.type} has no keys.`;
      throw info.keySize > 0 ? new CliError("duplicate key") : new CliError("unnecessary key", { hint });
    }
    this.#words.take("key");
    const typing = this.#typing.key;
    const isPrefix = info.type === "lpm_trie";
    this.#key = takeData(this.#words, { role: "key", size: info.keySize, typing, isPrefix });
  }

  async #takeValue(): Promise<void> {
    const { info } = this.#map;
    if (!this.#grammar.value || this.#value !== undefined) {
      const hint = "Only an update, a push or an enqueue takes a value.";
      throw this.#grammar.value ? new CliError("duplicate value") : new CliError("unnecessary value", { hint });
    }
    this.#words.take("value");
    if (info.type === "array_of_maps" || info.type === "hash_of_maps")
      return await this.#takeFd("map in map", openMapFd);
    if (info.type === "prog_array") return await this.#takeFd("map of progs", openProgram);
    const typing = this.#typing.value;
    const value = takeData(this.#words, { role: "value", size: info.valueSize, typing, isPrefix: false });
    this.#value = forEveryCpu(value, this.#map.shape.valueSize);
  }

  async #takeFd(
    what: string,
    open: (words: Words, session: Session, map: MapHandle) => Promise<number>,
  ): Promise<void> {
    if (this.#words.left < 2) throw new CliError(`not enough value arguments for ${what}`);
    const fd = await open(this.#words, this.#session, this.#map);
    this.#heldFd = fd;
    this.#value = new Uint8Array(Uint32Array.of(fd).buffer);
  }

  #hint(role: "key" | "value"): string {
    const { keySize, valueSize, type } = this.#map.info;
    const size = role === "key" ? keySize : valueSize;
    const bytes = Array.from({ length: Math.min(size, 4) }, (_, i) => (i === 0 ? 1 : 0)).join(" ");
    return `A ${role} of map ${this.#map.label}, type ${type}, has ${size} bytes: ${role} ${bytes}${size > 4 ? " …" : ""}`;
  }
}

/** The flags of an update that a word stands for; `undefined` for any other word. */
export function flagOf(word: string): number | undefined {
  if (isPrefix(word, "any")) return BPF_ANY;
  if (isPrefix(word, "noexist")) return BPF_NOEXIST;
  return isPrefix(word, "exist") ? BPF_EXIST : undefined;
}

async function openMapFd(words: Words, session: Session): Promise<number> {
  return (await openMap(words, session, "write")).fd;
}

/** One value as often as a per-CPU map has it, each rounded up to 8 bytes; for other maps, itself. */
function forEveryCpu(value: Uint8Array, size: number): Uint8Array {
  if (size === value.length) return value;
  const all = new Uint8Array(size);
  const step = Math.ceil(value.length / 8) * 8;
  for (let at = 0; at < size; at += step) all.set(value, at);
  return all;
}
