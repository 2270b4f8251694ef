import { ObjectError } from "./object-error.ts";

/** What the fields of an ELF file mean, as far as clang writes it for BPF (`include/uapi/linux/elf.h`). */
const EHDR = { CLASS: 4, DATA: 5, TYPE: 16, MACHINE: 18, SHOFF: 40, SHENTSIZE: 58, SHNUM: 60, SHSTRNDX: 62, SIZE: 64 };
const SHDR = { NAME: 0, TYPE: 4, FLAGS: 8, OFFSET: 24, SIZE: 32, LINK: 40, INFO: 44, ENTSIZE: 56, END: 64 };
const SYM = { NAME: 0, INFO: 4, OTHER: 5, SHNDX: 6, VALUE: 8, SIZE: 16, END: 24 };
const REL = { OFFSET: 0, TYPE: 8, SYMBOL: 12, END: 16 };

const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const ET_REL = 1;
const EM_BPF = 247;

export const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
export const SHT_NOBITS = 8;
const SHT_REL = 9;

export const SHF_EXECINSTR = 4;

export const STT_FUNC = 2;
export const STT_SECTION = 3;
export const STB_LOCAL = 0;
export const STB_WEAK = 2;
export const STV_INTERNAL = 1;
export const STV_HIDDEN = 2;
export const SHN_UNDEF = 0;

/** No section that a program or a map needs is as large as this; a size beyond it is a mistake, or an attack. */
const LARGEST_BSS = 2 ** 30;

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** Bytes; of a section without bits in the file, what it will have in memory. */
  readonly size: number;
  /** What the file has of it: nothing of `.bss`. */
  readonly data: Uint8Array;
  readonly link: number;
  readonly info: number;
  readonly entrySize: number;
}

export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  readonly value: number;
  readonly size: number;
  /** `STT_…` */
  readonly type: number;
  /** `STB_…` */
  readonly binding: number;
  /** `STV_…` */
  readonly visibility: number;
  /** The index of the section that it lies in; `SHN_UNDEF` for none. */
  readonly section: number;
}

export interface ElfRelocation {
  /** In bytes from the start of the section that is relocated. */
  readonly offset: number;
  /** `R_BPF_…` */
  readonly type: number;
  readonly symbol: ElfSymbol;
}

/**
 * A relocatable ELF file for BPF, as `clang -target bpf` writes it. Throws an `ObjectError` for a file that is none, or
 * of which a part lies outside.
 */
export class ElfFile {
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  readonly #relocations = new Map<number, ElfSection[]>();

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    checkHeader(bytes, view);
    this.sections = readSections(bytes, view);
    this.symbols = this.#readSymbols();
    for (const section of this.sections) {
      if (section.type !== SHT_REL) continue;
      const target = this.sections[section.info];
      if (target === undefined || section.info === 0) {
        throw new ObjectError(`relocates section ${section.info}, which is not there`, { section: section.name });
      }
      this.#relocations.set(section.info, [...(this.#relocations.get(section.info) ?? []), section]);
    }
  }

  /** The first section of a name. */
  section(name: string): ElfSection | undefined {
    return this.sections.find((section) => section.name === name);
  }

  /** What is to be relocated in a section, in the order of the file. */
  relocationsOf(section: ElfSection): ElfRelocation[] {
    return (this.#relocations.get(section.index) ?? []).flatMap((table) => this.#readRelocations(table, section));
  }

  #readRelocations(table: ElfSection, target: ElfSection): ElfRelocation[] {
    checkEntries(table, REL.END);
    const view = viewOf(table.data);
    return Array.from({ length: table.data.length / REL.END }, (_, index) => {
      const at = index * REL.END;
      const offset = wordOf(view, at + REL.OFFSET);
      const symbol = this.symbols[view.getUint32(at + REL.SYMBOL, true)];
      const place = { section: table.name, offset: at };
      if (symbol === undefined) throw new ObjectError("refers to a symbol that is not there", place);
      if (offset >= target.size) throw new ObjectError(`lies outside of section ${target.name}`, place);
      return { offset, type: view.getUint32(at + REL.TYPE, true), symbol };
    });
  }

  #readSymbols(): ElfSymbol[] {
    const table = this.sections.find((section) => section.type === SHT_SYMTAB);
    if (table === undefined) throw new ObjectError("the file has no symbols: it was stripped, or is no object file");
    checkEntries(table, SYM.END);
    const names = this.sections[table.link];
    if (names === undefined || names.type !== SHT_STRTAB) {
      throw new ObjectError(`its names are in section ${table.link}, which has none`, { section: table.name });
    }
    const view = viewOf(table.data);
    return Array.from({ length: table.data.length / SYM.END }, (_, index) => {
      const at = index * SYM.END;
      const info = view.getUint8(at + SYM.INFO);
      const section = view.getUint16(at + SYM.SHNDX, true);
      return {
        index,
        name: textAt(names, view.getUint32(at + SYM.NAME, true)) || this.#sectionName(info & 0xf, section),
        value: wordOf(view, at + SYM.VALUE),
        size: wordOf(view, at + SYM.SIZE),
        type: info & 0xf,
        binding: info >>> 4,
        visibility: view.getUint8(at + SYM.OTHER) & 3,
        section,
      };
    });
  }

  /** The symbol of a section is not always named. */
  #sectionName(type: number, section: number): string {
    return type === STT_SECTION ? (this.sections[section]?.name ?? "") : "";
  }
}

function checkHeader(bytes: Uint8Array, view: DataView): void {
  const refuse = (offset: number, reason: string): never => {
    throw new ObjectError(reason, { offset });
  };
  if (bytes.length < 4 || view.getUint32(0, false) !== 0x7f454c46) refuse(0, "this is no ELF file");
  if (bytes.length < EHDR.SIZE) refuse(bytes.length, "the file ends in its header");
  if (bytes[EHDR.CLASS] !== ELFCLASS64) refuse(EHDR.CLASS, "this is no 64-bit object: compile with -target bpf");
  if (bytes[EHDR.DATA] !== ELFDATA2LSB) refuse(EHDR.DATA, "this is a big-endian object: compile with -target bpfel");
  const machine = view.getUint16(EHDR.MACHINE, true);
  if (machine !== EM_BPF) refuse(EHDR.MACHINE, `this is no BPF, but machine ${machine}: compile with -target bpf`);
  if (view.getUint16(EHDR.TYPE, true) !== ET_REL) refuse(EHDR.TYPE, "this is no object file (-c)");
  if (view.getUint16(EHDR.SHENTSIZE, true) !== SHDR.END) refuse(EHDR.SHENTSIZE, "sections are described unknown");
}

function readSections(bytes: Uint8Array, view: DataView): ElfSection[] {
  const table = wordOf(view, EHDR.SHOFF);
  const count = view.getUint16(EHDR.SHNUM, true);
  if (count === 0 || table + count * SHDR.END > bytes.length) {
    throw new ObjectError(`its ${count} sections are described at byte ${table}, but it ends at ${bytes.length}`, {
      offset: EHDR.SHOFF,
    });
  }
  const headers = Array.from({ length: count }, (_, index) => readHeader(bytes, view, table + index * SHDR.END, index));
  const names = headers[view.getUint16(EHDR.SHSTRNDX, true)];
  if (names === undefined || names.type !== SHT_STRTAB) {
    throw new ObjectError("its sections have no names", { offset: EHDR.SHSTRNDX });
  }
  return headers.map(({ nameAt, ...section }) => ({ ...section, name: textAt(names, nameAt) }));
}

function readHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  index: number,
): ElfSection & { readonly nameAt: number } {
  const type = view.getUint32(at + SHDR.TYPE, true);
  const start = wordOf(view, at + SHDR.OFFSET);
  const size = wordOf(view, at + SHDR.SIZE);
  const isInFile = type !== SHT_NOBITS && type !== 0;
  if (isInFile && start + size > bytes.length) {
    const reason = `section ${index} reaches from byte ${start} to ${start + size}, but the file ends at ${bytes.length}`;
    throw new ObjectError(reason, { offset: at + SHDR.OFFSET });
  }
  if (size > LARGEST_BSS) throw new ObjectError(`section ${index} has ${size} bytes`, { offset: at + SHDR.SIZE });
  return {
    index,
    name: "",
    nameAt: view.getUint32(at + SHDR.NAME, true),
    type,
    flags: wordOf(view, at + SHDR.FLAGS),
    size: type === 0 ? 0 : size,
    data: isInFile ? bytes.subarray(start, start + size) : new Uint8Array(0),
    link: view.getUint32(at + SHDR.LINK, true),
    info: view.getUint32(at + SHDR.INFO, true),
    entrySize: wordOf(view, at + SHDR.ENTSIZE),
  };
}

function checkEntries({ name, size, entrySize }: ElfSection, expected: number): void {
  if (entrySize === expected && size % expected === 0) return;
  throw new ObjectError(`${size} bytes are no entries of ${expected} bytes`, { section: name });
}

/** The NUL-terminated text at a place of a string table. */
function textAt({ data, name }: ElfSection, at: number): string {
  const end = data.indexOf(0, at);
  if (at >= data.length || end < 0) throw new ObjectError("there is no name", { section: name, offset: at });
  return new TextDecoder().decode(data.slice(at, end));
}

/** A 64-bit number that must be one of JavaScript's; what is larger is larger than any file, and stays so. */
function wordOf(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
