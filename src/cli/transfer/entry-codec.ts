import { bytes } from "../../layout/bytes.ts";
import type { Memory } from "../../memory/address-space.ts";
import { CliError } from "../cli-error.ts";
import type { MapHandle } from "../map-reference.ts";
import { holdsMaps, isPerCpu } from "../output/entry.ts";
import type { JsonValue } from "../output/json-writer.ts";
import { LayoutTyping, type MapTyping, memoryOf, percpuTyping, type Typing } from "../values/typing.ts";
import type { RawEntries } from "./map-reader.ts";

/** An entry for people and other programs: a key, where there are keys, and a value or one for each CPU. */
export interface EntryJson {
  readonly key?: JsonValue;
  readonly value?: JsonValue;
  readonly values?: JsonValue;
}

/** Brings the entries of a map into JSON and back. */
export class EntryCodec {
  readonly map: MapHandle;
  /** `undefined` for a map without keys. */
  readonly key: Typing | undefined;
  /** Of one CPU's value in a per-CPU map. */
  readonly value: Typing;
  /** What the kernel reads and writes: the values of all CPUs in a per-CPU map. */
  readonly #whole: Typing;
  readonly isPerCpu: boolean;

  /** Throws for a map whose values mean something else outside their kernel. */
  constructor(map: MapHandle, typing: MapTyping) {
    if (holdsMaps(map) || map.info.type === "prog_array") {
      const hint = "Their values are maps or programs of one kernel, which no file can hold.";
      throw new CliError(`a map of type ${map.info.type} cannot be written to a file`, { hint });
    }
    const { keySize, valueSize } = map.info;
    this.map = map;
    this.key = keySize === 0 ? undefined : (typing.key ?? new LayoutTyping(bytes(keySize)));
    this.value = typing.value ?? new LayoutTyping(bytes(valueSize));
    this.isPerCpu = isPerCpu(map);
    const cpus = map.cli.kernel.possibleCpus;
    this.#whole = this.isPerCpu ? percpuTyping(this.value, cpus) : this.value;
  }

  /** Every entry as JSON. */
  *toJson({ count, keys, values }: RawEntries): Generator<EntryJson> {
    const { keySize, valueSize } = this.map.shape;
    const keyMemory = memoryOf(keys);
    const valueMemory = memoryOf(values);
    const whole = this.#whole;
    for (let i = 0; i < count; i++) {
      const value = whole.read(valueMemory, i * valueSize);
      const rest = this.isPerCpu ? { values: value } : { value };
      if (this.key === undefined) yield rest;
      else yield { key: this.key.read(keyMemory, i * keySize), ...rest };
    }
  }

  /** Writes an entry as the one at an index. Throws for one that does not fit. */
  write({ keys, values }: { readonly keys: Memory; readonly values: Memory }, index: number, entry: EntryJson): void {
    const { keySize, valueSize } = this.map.shape;
    if (this.key !== undefined) this.key.write(keys, index * keySize, part(entry, "key"));
    this.#whole.write(values, index * valueSize, this.#valueOf(entry));
  }

  #valueOf(entry: EntryJson): JsonValue {
    if (!this.isPerCpu) return part(entry, "value");
    if (entry.values !== undefined) return entry.values;
    const value = part(entry, "value");
    return Array.from({ length: this.map.cli.kernel.possibleCpus }, () => value);
  }
}

function part(entry: EntryJson, name: "key" | "value"): JsonValue {
  const value = entry[name];
  if (value === undefined) throw new TypeError(`the entry has no ${name}`);
  return value;
}
