import type { Instruction } from "../../isa/instruction.ts";
import type { FunctionCode } from "../functions.ts";
import { ObjectError } from "../object-error.ts";
import type { ObjectFile } from "../object-file.ts";

/** CO-RE: adapts the instructions of an object to the types of a kernel. */
export class CoreAdaptation {
  readonly #object: ObjectFile;

  constructor(object: ObjectFile) {
    this.#object = object;
  }

  adapt(code: FunctionCode): readonly Instruction[] {
    const own = this.#object.btfExt?.relocations.find(({ section }) => section === code.section);
    const record = own?.records.find(({ offset }) => offset >= code.start && offset < code.end);
    if (record === undefined) return code.instructions;
    throw new ObjectError("CO-RE relocations are not made yet", { section: code.section, offset: record.offset });
  }
}
