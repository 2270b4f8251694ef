import { decode, INSTRUCTION_SIZE, type Instruction } from "../isa/instruction.ts";
import {
  type ElfFile,
  type ElfRelocation,
  type ElfSection,
  type ElfSymbol,
  SHF_EXECINSTR,
  SHT_PROGBITS,
  STB_LOCAL,
  STT_FUNC,
  STV_HIDDEN,
  STV_INTERNAL,
} from "./elf.ts";
import { ObjectError } from "./object-error.ts";

/** The section of the functions that are no programs. */
export const TEXT = ".text";

/** A function as the compiler left it: a program, or what a program calls. */
export interface FunctionCode {
  readonly name: string;
  readonly section: string;
  /** Where it begins and ends in its section, in bytes. */
  readonly start: number;
  readonly end: number;
  readonly instructions: readonly Instruction[];
  /** What is to be filled in, by slot. */
  readonly relocations: ReadonlyMap<number, ElfRelocation>;
  /** Whether it is seen by other objects, and verified by itself. */
  readonly isGlobal: boolean;
  /** Whether it is `__hidden`: global for the linker, and static for the verifier. */
  readonly isHidden: boolean;
}

/** The functions of the sections of an object that have instructions, by section and place. */
export class Functions {
  readonly all: readonly FunctionCode[];
  readonly #bySection = new Map<string, FunctionCode[]>();

  constructor(elf: ElfFile) {
    this.all = elf.sections.filter(isCode).flatMap((section) => functionsOf(elf, section));
    for (const code of this.all) {
      const known = this.#bySection.get(code.section);
      if (known === undefined) this.#bySection.set(code.section, [code]);
      else known.push(code);
    }
  }

  /** The function that begins at a byte of a section. */
  at(section: string, offset: number): FunctionCode | undefined {
    return this.#bySection.get(section)?.find(({ start }) => start === offset);
  }

  /** The functions of a section, in the order in which they lie. */
  in(section: string): readonly FunctionCode[] {
    return this.#bySection.get(section) ?? [];
  }
}

function isCode({ type, flags, size }: ElfSection): boolean {
  return type === SHT_PROGBITS && (flags & SHF_EXECINSTR) !== 0 && size > 0;
}

function functionsOf(elf: ElfFile, section: ElfSection): FunctionCode[] {
  const symbols = elf.symbols
    .filter((symbol) => symbol.section === section.index && symbol.type === STT_FUNC)
    .sort((one, other) => one.value - other.value);
  checkTiling(section, symbols);
  const relocations = new Map(elf.relocationsOf(section).map((relocation) => [relocation.offset, relocation]));
  for (const offset of relocations.keys()) {
    if (offset % INSTRUCTION_SIZE === 0) continue;
    throw new ObjectError("is to be relocated, but no instruction begins here", { section: section.name, offset });
  }
  return symbols.map((symbol) => {
    const start = symbol.value;
    const end = start + symbol.size;
    const own = [...relocations.entries()].filter(([offset]) => offset >= start && offset < end);
    return {
      name: symbol.name,
      section: section.name,
      start,
      end,
      instructions: decode(section.data.subarray(start, end)),
      relocations: new Map(own.map(([offset, relocation]) => [(offset - start) / INSTRUCTION_SIZE, relocation])),
      isGlobal: symbol.binding !== STB_LOCAL,
      isHidden: symbol.visibility === STV_HIDDEN || symbol.visibility === STV_INTERNAL,
    };
  });
}

/** Functions are whole instructions, one behind the other. */
function checkTiling({ name, size }: ElfSection, symbols: readonly ElfSymbol[]): void {
  let free = 0;
  for (const symbol of symbols) {
    const { value, size: length } = symbol;
    const place = { section: name, offset: value };
    if (value % INSTRUCTION_SIZE !== 0 || length % INSTRUCTION_SIZE !== 0 || length === 0) {
      throw new ObjectError(`function ${symbol.name} has ${length} bytes, which are no whole instructions`, place);
    }
    if (value < free) throw new ObjectError(`function ${symbol.name} begins inside another`, place);
    free = value + length;
    if (free > size)
      throw new ObjectError(`function ${symbol.name} ends at byte ${free}, its section at ${size}`, place);
  }
}
