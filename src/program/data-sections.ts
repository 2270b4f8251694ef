import type { Btf } from "../btf/btf.ts";
import type { BtfVariable } from "../btf/btf-type.ts";
import { type ElfFile, type ElfSection, SHT_NOBITS, SHT_PROGBITS } from "./elf.ts";

/** A global variable of an object. */
export interface VariableDefinition {
  readonly name: string;
  /** Where it lies in its section, in bytes. */
  readonly offset: number;
  readonly size: number;
  /** The id of its type in the object's BTF. */
  readonly type: number;
  readonly isStatic: boolean;
}

/** A section of global variables, which becomes an array of one element. */
export interface DataSection {
  /** `.data`, `.rodata`, `.bss`, or one of these with more behind it. */
  readonly name: string;
  readonly isReadOnly: boolean;
  /** What it holds when the program begins. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly variables: readonly VariableDefinition[];
  /** The id of the section in the object's BTF, 0 when it is not there. */
  readonly type: number;
}

/** The sections of global variables. */
export function dataSections(elf: ElfFile, btf: Btf | undefined): DataSection[] {
  return elf.sections.filter(isData).map((section) => {
    const type = btf?.find(section.name, "datasec") ?? 0;
    const bytes = new Uint8Array(section.size);
    bytes.set(section.data);
    return {
      name: section.name,
      isReadOnly: section.name.startsWith(".rodata"),
      bytes,
      variables: btf === undefined || type === 0 ? [] : variablesOf(btf, type, section.size),
      type,
    };
  });
}

function isData({ name, type, size }: ElfSection): boolean {
  if (size === 0) return false;
  const isOne = (base: string): boolean => name === base || name.startsWith(`${base}.`);
  return type === SHT_NOBITS ? isOne(".bss") : type === SHT_PROGBITS && (isOne(".data") || isOne(".rodata"));
}

function variablesOf(btf: Btf, id: number, sectionSize: number): VariableDefinition[] {
  const section = btf.type(id);
  if (section.kind !== "datasec") return [];
  return section.variables.flatMap(({ type, offset, size }) => {
    const variable = btf.type(type) as BtfVariable;
    if (variable.kind !== "var" || offset + size > sectionSize) return [];
    return [{ name: variable.name, offset, size, type: variable.type, isStatic: variable.linkage === "static" }];
  });
}
