import { BPF_PSEUDO_BTF_ID, BPF_PSEUDO_KFUNC_CALL } from "../isa/opcodes.ts";
import { KSYMS } from "./externs.ts";
import type { KernelTypes } from "./kernel-types.ts";
import { ObjectError } from "./object-error.ts";
import type { ObjectFile } from "./object-file.ts";
import type { KernelReference, RelocationPlace } from "./relocate.ts";

/** What an object uses of the kernel, by name: functions and variables. */
export class KernelSymbols {
  readonly #object: ObjectFile;
  readonly #types: KernelTypes;

  constructor(object: ObjectFile, types: KernelTypes) {
    this.#object = object;
    this.#types = types;
  }

  /** How an instruction refers to a symbol; `undefined` for a weak one that the kernel has not. Throws an `ObjectError` for any other. */
  resolve(name: string, place: RelocationPlace): KernelReference | undefined {
    const extern = this.#object.externs.get(name);
    if (extern === undefined || extern.section !== KSYMS) {
      throw new ObjectError(`refers to ${name}, which is defined nowhere: is it in another file?`, place);
    }
    const id = this.#types.symbol(extern.isFunction ? "func" : "var", name);
    if (id !== undefined) {
      return { src: extern.isFunction ? BPF_PSEUDO_KFUNC_CALL : BPF_PSEUDO_BTF_ID, imm: id, next: 0 };
    }
    if (extern.isWeak) return undefined;
    const what = extern.isFunction ? "function" : "variable";
    throw new ObjectError(`refers to the kernel's ${what} ${name}, which this kernel has not`, place);
  }
}
