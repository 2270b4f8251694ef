import type { Btf } from "../btf/btf.ts";
import type { BtfExt } from "../btf/btf-ext.ts";
import { type DataSection, dataSections } from "./data-sections.ts";
import { ElfFile, type ElfRelocation, type ElfSymbol } from "./elf.ts";
import { type Extern, externs } from "./externs.ts";
import { type FunctionCode, Functions, TEXT } from "./functions.ts";
import { type MapDefinition, mapDefinitions } from "./map-definitions.ts";
import { readObjectBtf } from "./object-btf.ts";
import { ObjectError } from "./object-error.ts";
import { type SectionMeaning, sectionMeaning } from "./section-names.ts";

/** A program of an object, which can be loaded. */
export interface ProgramDefinition {
  /** The name of its function. */
  readonly name: string;
  /** The section that it lies in: `xdp`, `tracepoint/syscalls/sys_enter_openat`. */
  readonly section: string;
  /** What the section's name says; `undefined` for a name that says nothing. */
  readonly meaning: SectionMeaning | undefined;
  /** False for `SEC("?xdp")`: it is loaded only when it is asked for. */
  readonly isLoaded: boolean;
  readonly code: FunctionCode;
}

/**
 * What is in an object file that clang made for BPF: programs, maps, global variables, and their types. Nothing of a
 * kernel is needed to read it. Throws an `ObjectError` for a file that is none, or is broken.
 */
export class ObjectFile {
  /** What it is called, after its file: maps of global variables are named after it. */
  readonly name: string;
  readonly license: string;
  readonly programs: readonly ProgramDefinition[];
  readonly functions: Functions;
  readonly maps: readonly MapDefinition[];
  readonly sections: readonly DataSection[];
  readonly externs: ReadonlyMap<string, Extern>;
  /** `undefined` without `-g`. */
  readonly btf: Btf | undefined;
  readonly btfExt: BtfExt | undefined;
  readonly #elf: ElfFile;

  constructor(bytes: Uint8Array, name = "") {
    this.name = name;
    this.#elf = new ElfFile(bytes);
    const types = readObjectBtf(this.#elf);
    this.btf = types?.btf;
    this.btfExt = types?.ext;
    this.license = this.#text("license");
    this.functions = new Functions(this.#elf);
    this.programs = this.functions.all.filter(({ section }) => section !== TEXT).map(programOf);
    this.maps = mapDefinitions(this.#elf, this.btf);
    this.sections = dataSections(this.#elf, this.btf);
    this.externs = externs(this.#elf, this.btf);
  }

  /** The name of the section that a symbol lies in; `undefined` for one that lies in none. */
  sectionOf({ section }: ElfSymbol): string | undefined {
    return section === 0 ? undefined : this.#elf.sections[section]?.name;
  }

  /** The map that a relocation is about. */
  mapAt({ symbol }: Pick<ElfRelocation, "symbol">): MapDefinition | undefined {
    const section = this.sectionOf(symbol);
    return this.maps.find((map) => map.section === section && map.offset === symbol.value);
  }

  #text(section: string): string {
    const data = this.#elf.section(section)?.data ?? new Uint8Array(0);
    const end = data.indexOf(0);
    return new TextDecoder().decode(data.slice(0, end < 0 ? data.length : end));
  }
}

function programOf(code: FunctionCode): ProgramDefinition {
  if (!code.isGlobal) {
    throw new ObjectError(`function ${code.name} is static, so it is no program: take SEC away from it`, {
      section: code.section,
      offset: code.start,
    });
  }
  const isLoaded = !code.section.startsWith("?");
  const section = isLoaded ? code.section : code.section.slice(1);
  return { name: code.name, section, meaning: sectionMeaning(section), isLoaded, code };
}
