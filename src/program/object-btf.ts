import { Btf } from "../btf/btf.ts";
import { BtfBuilder, type BtfTypeSpec } from "../btf/btf-builder.ts";
import { BtfError } from "../btf/btf-error.ts";
import { BtfExt } from "../btf/btf-ext.ts";
import type { BtfSection, BtfType } from "../btf/btf-type.ts";
import { type ElfFile, type ElfSection, SHN_UNDEF, STB_LOCAL, STV_HIDDEN, STV_INTERNAL } from "./elf.ts";
import { KCONFIG, KSYMS } from "./externs.ts";
import { ObjectError } from "./object-error.ts";

/** The BTF of an object, and what it says of the instructions; `undefined` without `-g`. */
export interface ObjectBtf {
  readonly btf: Btf;
  readonly ext: BtfExt | undefined;
}

/** Reads `.BTF` and `.BTF.ext`. Sections and variables get the sizes and places that the compiler left to the linker. */
export function readObjectBtf(elf: ElfFile): ObjectBtf | undefined {
  const section = elf.section(".BTF");
  if (section === undefined) return undefined;
  const raw = within(section, () => new Btf(section.data));
  const btf = within(section, () => new Btf(complete(elf, raw).encode()));
  const ext = elf.section(".BTF.ext");
  return { btf, ext: ext && within(ext, () => new BtfExt(ext.data, raw)) };
}

/** The same types with the same ids, complete. */
function complete(elf: ElfFile, btf: Btf): BtfBuilder {
  const hidden = new Set(
    elf.symbols
      .filter(({ visibility }) => visibility === STV_HIDDEN || visibility === STV_INTERNAL)
      .map(({ name }) => name),
  );
  const builder = new BtfBuilder();
  for (const [, type] of btf.types()) builder.add(completeType(elf, btf, type, hidden));
  return builder;
}

function completeType(elf: ElfFile, btf: Btf, type: BtfType, hidden: ReadonlySet<string>): BtfTypeSpec {
  if (type.kind === "datasec") return completeSection(elf, btf, type);
  // `kernel/bpf/btf.c: btf_check_func_type_match`: what is global is verified by itself, which hidden functions are not.
  if (type.kind === "func" && type.linkage === "global" && hidden.has(type.name)) return { ...type, linkage: "static" };
  return type as BtfTypeSpec;
}

function completeSection(elf: ElfFile, btf: Btf, type: BtfSection): BtfSection {
  const section = elf.section(type.name);
  if (section === undefined) return type;
  const variables = type.variables.map((variable) => {
    const named = btf.type(variable.type);
    if (named.kind !== "var" || named.linkage === "static") return variable;
    const symbol = elf.symbols.find(
      ({ name, section: index, binding }) =>
        name === named.name && index === section.index && index !== SHN_UNDEF && binding !== STB_LOCAL,
    );
    return symbol === undefined ? variable : { ...variable, offset: symbol.value };
  });
  variables.sort((one, other) => one.offset - other.offset);
  return { ...type, size: section.size, variables };
}

/**
 * The types as a kernel takes them, with the texts of the source lines among the strings. What an object has from
 * elsewhere it does not define: Linux takes no `extern` variables, and no section of functions.
 */
export function loadedBtf(btf: Btf, ext: BtfExt | undefined): BtfBuilder {
  const builder = new BtfBuilder();
  for (const [, type] of btf.types()) builder.add(withoutExtern(type));
  for (const { records } of ext?.lines ?? []) {
    for (const { file, source } of records) {
      builder.string(file);
      builder.string(source);
    }
  }
  return builder;
}

function withoutExtern(type: BtfType): BtfTypeSpec {
  if (type.kind === "var" && type.linkage === "extern") return { ...type, linkage: "global" };
  const isForeign = type.kind === "datasec" && (type.name === KSYMS || type.name === KCONFIG || type.size === 0);
  return isForeign ? { kind: "struct", name: "", size: 0, members: [] } : (type as BtfTypeSpec);
}

/** A `BtfError` with the section that it is in. */
function within<T>(section: ElfSection, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
    throw new ObjectError(error.reason, { section: section.name, offset: error.offset, cause: error });
  }
}
