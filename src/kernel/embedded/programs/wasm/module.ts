import { ByteWriter } from "./byte-writer.ts";
import { FunctionBody, type FunctionType } from "./function-body.ts";
import { FUNCREF } from "./opcodes.ts";

/** The ids of sections, in the order in which they stand. */
const SECTION = { TYPE: 1, IMPORT: 2, FUNCTION: 3, EXPORT: 7, CODE: 10 } as const;
/** What is imported or exported. */
const FUNCTION = 0;
const TABLE = 1;
const MEMORY = 2;
const HAS_MAXIMUM = 1;
const IS_SHARED = 2;
/** The most pages of 64 KiB that a memory can have: the limit of whatever is imported is at most this. */
const MOST_PAGES = 65536;

/** The module whose imports all come from: their names are what tells them apart. */
export const IMPORT_MODULE = "k";

/**
 * A WebAssembly module that is being written: one imported memory, perhaps one imported table, imported functions, and
 * functions of its own. Imports of functions come before the first function, so that indexes hold.
 */
export class WasmModule {
  readonly #types: FunctionType[] = [];
  readonly #imports: { readonly name: string; readonly type: number }[] = [];
  readonly #functions: FunctionBody[] = [];
  readonly #exports: { readonly name: string; readonly index: number }[] = [];
  #hasTable = false;

  /** The index of a signature. */
  typeIndex(type: FunctionType): number {
    const known = this.#types.findIndex((candidate) => isSameType(candidate, type));
    return known >= 0 ? known : this.#types.push(type) - 1;
  }

  /** Imports a function and answers its index. */
  importFunction(name: string, type: FunctionType): number {
    if (this.#functions.length > 0) throw new Error(`the import ${name} comes behind a function`);
    return this.#imports.push({ name, type: this.typeIndex(type) }) - 1;
  }

  /** Imports the table that `callIndirect` calls through. */
  importTable(): void {
    this.#hasTable = true;
  }

  /** A new function, and its index. */
  addFunction(type: FunctionType): { readonly index: number; readonly body: FunctionBody } {
    const body = new FunctionBody(type);
    return { index: this.#imports.length + this.#functions.push(body) - 1, body };
  }

  exportFunction(name: string, index: number): void {
    this.#exports.push({ name, index });
  }

  /** The module's bytes; `isThreaded` says whether the memory that it imports is one that threads share. */
  encode(isThreaded: boolean): Uint8Array {
    const types = this.#functions.map(({ type }) => this.typeIndex(type));
    const writer = new ByteWriter();
    for (const byte of [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) writer.byte(byte);
    section(writer, SECTION.TYPE, this.#types, writeType);
    this.#writeImports(writer, isThreaded);
    section(writer, SECTION.FUNCTION, types, (to, type) => to.unsigned(type));
    section(writer, SECTION.EXPORT, this.#exports, (to, { name, index }) => {
      to.name(name);
      to.byte(FUNCTION);
      to.unsigned(index);
    });
    section(writer, SECTION.CODE, this.#functions, (to, body) => body.writeTo(to));
    return writer.bytes.slice();
  }

  #writeImports(writer: ByteWriter, isThreaded: boolean): void {
    const entries: ((to: ByteWriter) => void)[] = [];
    const entry = (name: string, write: (to: ByteWriter) => void): void => {
      entries.push((to) => {
        to.name(IMPORT_MODULE);
        to.name(name);
        write(to);
      });
    };
    entry("memory", (to) => {
      to.byte(MEMORY);
      to.byte(HAS_MAXIMUM | (isThreaded ? IS_SHARED : 0));
      to.unsigned(0);
      to.unsigned(MOST_PAGES);
    });
    if (this.#hasTable) {
      entry("table", (to) => {
        to.byte(TABLE);
        to.byte(FUNCREF);
        to.byte(0);
        to.unsigned(0);
      });
    }
    for (const { name, type } of this.#imports) {
      entry(name, (to) => {
        to.byte(FUNCTION);
        to.unsigned(type);
      });
    }
    section(writer, SECTION.IMPORT, entries, (to, write) => write(to));
  }
}

function section<T>(
  writer: ByteWriter,
  id: number,
  items: readonly T[],
  write: (to: ByteWriter, item: T) => void,
): void {
  const content = new ByteWriter();
  content.unsigned(items.length);
  for (const item of items) write(content, item);
  writer.byte(id);
  writer.unsigned(content.length);
  writer.append(content.bytes);
}

function writeType(to: ByteWriter, { params, results }: FunctionType): void {
  to.byte(0x60);
  to.unsigned(params.length);
  for (const param of params) to.byte(param);
  to.unsigned(results.length);
  for (const result of results) to.byte(result);
}

function isSameType(a: FunctionType, b: FunctionType): boolean {
  return isSame(a.params, b.params) && isSame(a.results, b.results);
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((type, index) => type === b[index]);
}
