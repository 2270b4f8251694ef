import { BTF_EXT_HEADER } from "../abi/btf.ts";
import type { Btf } from "./btf.ts";
import { BtfError } from "./btf-error.ts";
import { type BtfBytes, btfBytes, headerLength, section } from "./sections.ts";

const WHAT = ".BTF.ext";

/** Which function begins at an instruction: `struct bpf_func_info`. */
export interface FunctionInfo {
  /** Where, in bytes from the start of its section. */
  readonly offset: number;
  /** The id of a `func`. */
  readonly type: number;
}

/** Which line of source an instruction comes from: `struct bpf_line_info`. */
export interface LineInfo {
  /** Where, in bytes from the start of its section. */
  readonly offset: number;
  readonly file: string;
  /** The text of the line; `""` when the compiler did not keep it. */
  readonly source: string;
  /** From 1. */
  readonly line: number;
  /** From 1; 0 when it is not known. */
  readonly column: number;
}

/** An instruction that the loader adapts to the types of the running kernel: `struct bpf_core_relo`. */
export interface CoreRelocation {
  /** Where, in bytes from the start of its section. */
  readonly offset: number;
  /** The id of the type that the access begins at. */
  readonly type: number;
  /** Indexes of members and elements, `"0:1:2"`, or of an enum's value. */
  readonly access: string;
  /** `enum bpf_core_relo_kind`. */
  readonly kind: number;
}

/** What is known of the instructions of one section of an object file. */
export interface SectionInfo<T> {
  /** `"xdp"`, `".text"` … */
  readonly section: string;
  /** In the order of the instructions. */
  readonly records: readonly T[];
}

/**
 * The section `.BTF.ext` of an object file: what its BTF says of instructions. Strings lie in that BTF, which is given too.
 * Throws a `BtfError` for bytes that are none.
 *
 * Source: Documentation/bpf/btf.rst, Linux 6.18.
 */
export class BtfExt {
  readonly functions: readonly SectionInfo<FunctionInfo>[];
  readonly lines: readonly SectionInfo<LineInfo>[];
  readonly relocations: readonly SectionInfo<CoreRelocation>[];

  constructor(u8: Uint8Array, btf: Btf) {
    const bytes = btfBytes(u8, BTF_EXT_HEADER.SIZE, WHAT);
    const header = headerLength(bytes, BTF_EXT_HEADER.SIZE, WHAT);
    const reader = new RecordReader(bytes, btf, header);
    this.functions = reader.sections(BTF_EXT_HEADER.FUNC_INFO_OFF, 8, ([offset, type]) => ({ offset, type }));
    this.lines = reader.sections(BTF_EXT_HEADER.LINE_INFO_OFF, 16, ([offset, file, source, place]) => ({
      offset,
      file: reader.string(file),
      source: reader.string(source),
      line: place >>> 10,
      column: place & 0x3ff,
    }));
    const hasRelocations = header >= BTF_EXT_HEADER.CORE_RELO_END;
    const readRelocations = () =>
      reader.sections(BTF_EXT_HEADER.CORE_RELO_OFF, 16, ([offset, type, access, kind]) => ({
        offset,
        type,
        access: reader.string(access),
        kind,
      }));
    this.relocations = hasRelocations ? readRelocations() : [];
  }
}

/** The words of a record, of which a later version may have more. */
type Words = [number, number, number, number];

class RecordReader {
  readonly #bytes: BtfBytes;
  readonly #btf: Btf;
  readonly #header: number;
  /** Where the record lies that is being read. */
  #at = 0;

  constructor(bytes: BtfBytes, btf: Btf, header: number) {
    this.#bytes = bytes;
    this.#btf = btf;
    this.#header = header;
  }

  string(offset: number): string {
    if (offset >= this.#btf.stringsEnd) throw this.#error(this.#at, `the BTF has no string at ${offset}`);
    return this.#btf.string(offset);
  }

  /** The records of the kind whose place stands at `offsetAt` of the header and its length behind that. */
  sections<T>(offsetAt: number, least: number, decode: (words: Words) => T): SectionInfo<T>[] {
    const { start, end } = section(this.#bytes, this.#header, offsetAt, offsetAt + 4, WHAT);
    if (start === end) return [];
    const recordSize = end - start < 4 ? 0 : this.#word(start);
    if (recordSize < least || recordSize % 4 !== 0) throw this.#error(start, `records of ${recordSize} bytes`);
    const sections: SectionInfo<T>[] = [];
    for (let at = start + 4; at < end; ) {
      if (end - at < 8) throw this.#error(at, "a section is cut off");
      const count = this.#word(at + 4);
      const records = at + 8;
      if (count * recordSize > end - records) throw this.#error(at + 4, `${count} records reach beyond byte ${end}`);
      this.#at = at;
      const name = this.string(this.#word(at));
      at = records + count * recordSize;
      sections.push({ section: name, records: this.#records(records, at, recordSize, least, decode) });
    }
    return sections;
  }

  #records<T>(start: number, end: number, size: number, least: number, decode: (words: Words) => T): T[] {
    const records: T[] = [];
    for (let at = start; at < end; at += size) {
      this.#at = at;
      const rest = least === 16 ? [this.#word(at + 8), this.#word(at + 12)] : [0, 0];
      records.push(decode([this.#word(at), this.#word(at + 4), ...rest] as Words));
    }
    return records;
  }

  #word(at: number): number {
    return this.#bytes.view.getUint32(at, this.#bytes.isLittleEndian);
  }

  #error(at: number, reason: string): BtfError {
    return new BtfError(at, reason, WHAT);
  }
}
