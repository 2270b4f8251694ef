import { Code } from "../layout/code.ts";
import { generatesCode } from "../layout/compile.ts";
import type { Layout } from "../layout/layout.ts";
import type { Memory } from "../memory/address-space.ts";
import { BatchIterator, type BatchSource, type EntryReader, ReadingIterator } from "./batch-iterator.ts";

/** Which part of an entry an iteration gives. */
type Part = "key" | "value" | "entry";

/** A class of iterators whose `next` is generated. */
type IteratorClass = new (source: BatchSource) => BatchIterator<unknown>;

interface EntryWriter<K, V> {
  /** Writes entries side by side: their keys from one address on, their values from another. */
  write(memory: Memory, entries: readonly (readonly [K, V])[], keysAt: number, valuesAt: number): void;
}

/** Code is generated for entries of two layouts when so many have come: making it costs about as much as some thousand reads. */
export const HOT_ENTRIES = 4096;

const KEY = { base: "keyAt", offset: 0 };
const VALUE = { base: "valueAt", offset: 0 };

/**
 * How the entries of maps with one layout of keys and one of values are read and written, many at a time. Once many have
 * come, by code made for just these two layouts; where no code can be generated the layouts' own functions do the same.
 */
export class EntryCode<K, V> {
  readonly #key: Layout<K>;
  readonly #value: Layout<V>;
  #entries = 0;
  readonly #iterators: { [P in Part]?: IteratorClass } = {};
  #read: EntryReader<[K, V]> | undefined;
  #write: EntryWriter<K, V>["write"] | undefined;

  constructor(key: Layout<K>, value: Layout<V>) {
    this.#key = key;
    this.#value = value;
  }

  /** An iterator over about `count` keys. */
  keys(source: BatchSource, count: number): IterableIterator<K> {
    const key = this.#key;
    const generated = this.#iterator("key", count);
    if (generated !== undefined) return new generated(source) as BatchIterator<K>;
    return new ReadingIterator(source, (memory, keyAt) => key.read(memory, keyAt));
  }

  /** An iterator over about `count` values. */
  values(source: BatchSource, count: number): IterableIterator<V> {
    const value = this.#value;
    const generated = this.#iterator("value", count);
    if (generated !== undefined) return new generated(source) as BatchIterator<V>;
    return new ReadingIterator(source, (memory, _keyAt, valueAt) => value.read(memory, valueAt));
  }

  /** An iterator over about `count` entries. */
  entries(source: BatchSource, count: number): IterableIterator<[K, V]> {
    const generated = this.#iterator("entry", count);
    if (generated !== undefined) return new generated(source) as BatchIterator<[K, V]>;
    return new ReadingIterator(source, this.#readPlainly);
  }

  /** The reader for `count` entries. */
  reader(count: number): EntryReader<[K, V]> {
    return this.#isHot(count) ? (this.#read ??= this.#generateRead()) : this.#readPlainly;
  }

  /** Writes entries. Throws what the layouts say of the first that does not fit; what was written is then undefined. */
  write(memory: Memory, entries: readonly (readonly [K, V])[], keysAt: number, valuesAt: number): void {
    if (!this.#isHot(entries.length)) return this.#writePlainly(memory, entries, keysAt, valuesAt);
    this.#write ??= this.#generateWrite();
    try {
      this.#write(memory, entries, keysAt, valuesAt);
    } catch {
      // The generated code only notices that something is wrong.
      this.#writePlainly(memory, entries, keysAt, valuesAt);
    }
  }

  #isHot(entries: number): boolean {
    this.#entries += entries;
    return this.#entries >= HOT_ENTRIES && generatesCode();
  }

  #writePlainly(memory: Memory, entries: readonly (readonly [K, V])[], keysAt: number, valuesAt: number): void {
    const [key, value] = [this.#key, this.#value];
    let keyAt = keysAt;
    let valueAt = valuesAt;
    for (const entry of entries) {
      key.write(memory, keyAt, entry[0]);
      value.write(memory, valueAt, entry[1]);
      keyAt += key.size;
      valueAt += value.size;
    }
  }

  readonly #readPlainly: EntryReader<[K, V]> = (memory, keyAt, valueAt) => [
    this.#key.read(memory, keyAt),
    this.#value.read(memory, valueAt),
  ];

  #iterator(part: Part, count: number): IteratorClass | undefined {
    return this.#isHot(count) ? (this.#iterators[part] ??= this.#generateIterator(part)) : undefined;
  }

  /**
   * A class of its own for each part, so that the engine knows what `next` does wherever a loop calls it. Its result is made
   * in one place: then a loop that takes it apart needs no memory for it.
   */
  #generateIterator(part: Part): IteratorClass {
    const code = new Code();
    const base = code.constant(BatchIterator);
    code.add("let done = false; let value;");
    code.add("if (this.left === 0 && !this.refill()) { done = true; } else {");
    code.add("const { memory, keyAt, valueAt } = this; const { view } = memory;");
    code.add("this.left--;");
    code.add(`this.keyAt = keyAt + ${this.#key.size}; this.valueAt = valueAt + ${this.#value.size};`);
    code.add(`value = ${this.#expression(code, part)}; }`);
    return code.buildExpression(`class extends ${base} { next() {`, "return { done, value }; } }");
  }

  #generateRead(): EntryReader<[K, V]> {
    const code = new Code();
    code.add("const { view } = memory;");
    const entry = this.#expression(code, "entry");
    return code.build("read(memory, keyAt, valueAt)", `return ${entry};`);
  }

  #expression(code: Code, part: Part): string {
    if (part === "key") return code.read(this.#key, KEY);
    if (part === "value") return code.read(this.#value, VALUE);
    return `[${code.read(this.#key, KEY)}, ${code.read(this.#value, VALUE)}]`;
  }

  #generateWrite(): EntryWriter<K, V>["write"] {
    const [key, value] = [this.#key, this.#value];
    const code = new Code();
    code.add("const { view, u8 } = memory;");
    code.add("for (let index = 0; index < entries.length; index++) { const entry = entries[index];");
    code.write(key, "entry[0]", KEY);
    code.write(value, "entry[1]", VALUE);
    code.add(`keyAt += ${key.size}; valueAt += ${value.size};`);
    return code.build("write(memory, entries, keyAt, valueAt)", "}");
  }
}

const made = new WeakMap<Layout<never>, WeakMap<Layout<never>, EntryCode<never, never>>>();

/** What reads and writes the entries of all maps with these layouts. */
export function entryCode<K, V>(key: Layout<K>, value: Layout<V>): EntryCode<K, V> {
  let ofKey = made.get(key as never);
  if (ofKey === undefined) made.set(key as never, (ofKey = new WeakMap()));
  let code = ofKey.get(value as never);
  if (code === undefined) ofKey.set(value as never, (code = new EntryCode<never, never>(key as never, value as never)));
  return code as unknown as EntryCode<K, V>;
}
