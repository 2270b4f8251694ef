import { ENOENT } from "../abi/errno.ts";
import type { PreparedCommand } from "../kernel/prepared-command.ts";
import { Code } from "../layout/code.ts";
import type { Layout } from "../layout/layout.ts";
import type { Address, Memory } from "../memory/address-space.ts";

/** What `get` and `set` of one map are made of: the layouts, where their bytes lie for the kernel, and the commands. */
export interface ElementParts<K, V> {
  readonly memory: Memory;
  readonly key: Layout<K>;
  readonly value: Layout<V>;
  readonly keyAt: Address;
  readonly valueAt: Address;
  readonly lookup: PreparedCommand;
  readonly update: PreparedCommand;
  /** Throws the error for what a command answered. */
  readonly refuseLookup: (result: number) => never;
  readonly refuseUpdate: (result: number) => never;
}

/** What is called of a map most often. Methods of an interface, so that a map is as assignable as its own methods make it. */
export interface ElementAccess<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
}

/**
 * `get` of one map as one piece of code: the key is written, the command made and the value read without a call that
 * serves maps of other layouts too, which the engine could not look into.
 */
export function generateGet<K, V>(parts: ElementParts<K, V>): ElementAccess<K, V>["get"] {
  const { memory, key, value, keyAt, valueAt, lookup, refuseLookup } = parts;
  const code = new Code();
  const [memoryOf, command, refuse] = [code.constant(memory), code.constant(lookup), code.constant(refuseLookup)];
  writeInto(code, memoryOf, [[key, "key", keyAt]]);
  code.add(`const result = ${command}.run();`);
  code.add("if (result !== 0) {");
  code.add(`if (result === ${-ENOENT}) return undefined;`);
  code.add(`return ${refuse}(result); }`);
  // The command may have made the memory grow.
  code.add(`const memory = ${memoryOf}; const { view } = memory;`);
  const found = code.read(value, { base: `${valueAt}`, offset: 0 });
  return code.build("get(key)", `return ${found};`);
}

/** `set` of one map as one piece of code, as `generateGet`. */
export function generateSet<K, V>(parts: ElementParts<K, V>): ElementAccess<K, V>["set"] {
  const { memory, key, value, keyAt, valueAt, update, refuseUpdate } = parts;
  const code = new Code();
  const [memoryOf, command, refuse] = [code.constant(memory), code.constant(update), code.constant(refuseUpdate)];
  writeInto(code, memoryOf, [
    [key, "key", keyAt],
    [value, "value", valueAt],
  ]);
  code.add(`const result = ${command}.run();`);
  return code.build("set(key, value)", `if (result < 0) ${refuse}(result);`);
}

/** Adds the writing of some arguments. What only notices that something is wrong is followed by what says it. */
function writeInto(code: Code, memoryOf: string, values: readonly [Layout<unknown>, string, Address][]): void {
  code.add(`try { const memory = ${memoryOf}; const { view, u8 } = memory;`);
  for (const [layout, name, at] of values) code.write(layout, name, { base: `${at}`, offset: 0 });
  code.add("} catch (error) {");
  for (const [layout, name] of values) code.add(`${code.constant(layout)}.check(${name});`);
  code.add("throw error ?? new TypeError('a value changed while it was being written'); }");
}
