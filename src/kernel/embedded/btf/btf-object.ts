import { Btf } from "../../../btf/btf.ts";
import type { KernelObject } from "../kernel-object.ts";
import type { Objects } from "../object-table.ts";
import { type BtfCheck, BtfRefusal } from "./btf-check.ts";
import { checkEachType } from "./first-pass.ts";
import { checkHeader } from "./header.ts";
import type { RawBtf } from "./raw-btf.ts";
import { type CheckedBtf, recallChecked, rememberChecked } from "./recent-checks.ts";
import { checkReferences } from "./second-pass.ts";
import { findStructRecords, type StructRecords } from "./struct-records.ts";
import { checkTypeTags } from "./type-tags.ts";

/** BTF that was loaded into the kernel. It lives while an fd, a map or a program refers to it. */
export class BtfObject implements KernelObject {
  readonly kind = "btf";
  id = 0;
  references = 0;
  /** The types as they were found when they were checked. */
  readonly raw: RawBtf;
  /** The special fields of its structs. */
  readonly records: StructRecords;
  readonly #table: Objects<KernelObject>;
  #btf: Btf | undefined;

  private constructor(table: Objects<KernelObject>, { raw, records }: CheckedBtf) {
    this.#table = table;
    this.raw = raw;
    this.records = records;
  }

  /** BTF of a table of loaded ones, checked as `kernel/bpf/btf.c: btf_parse` of Linux 6.18 does; `−errno` when it is refused. It has no id yet. */
  static check(table: Objects<KernelObject>, check: BtfCheck): BtfObject | number {
    // Whoever reads the log is told all that was looked at.
    const known = check.log.isNeeded ? undefined : recallChecked(check.btf.u8);
    if (known !== undefined) return new BtfObject(table, known);
    try {
      checkEachType(check, checkHeader(check));
      checkReferences(check);
      checkTypeTags(check);
      const checked = { raw: check.btf, records: findStructRecords(check.btf) };
      rememberChecked(checked);
      return new BtfObject(table, checked);
    } catch (error) {
      if (error instanceof BtfRefusal) return -error.errno;
      throw error;
    }
  }

  get bytes(): Uint8Array {
    return this.raw.u8;
  }

  /** The types for whoever reads them by name. */
  get types(): Btf {
    this.#btf ??= new Btf(this.bytes);
    return this.#btf;
  }

  /** Drops one reference. */
  put(): void {
    this.#table.put(this);
  }

  free(): void {}
}
