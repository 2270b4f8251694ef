/** Where in an object file something is wrong. */
export interface ObjectPlace {
  /** The name of the section; none where the file itself is wrong. */
  readonly section?: string | undefined;
  /** In bytes from the start of the section, or of the file. */
  readonly offset?: number | undefined;
  /** The error in which it showed. */
  readonly cause?: unknown;
}

/**
 * An object file that cannot be loaded as it is: what is wrong, in which section and at which byte of it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, ObjectError } from "mapiary";
 *
 * using bpf = embedded();
 * assert.throws(() => bpf.load(new Uint8Array(64)), (error) => error instanceof ObjectError && error.offset === 0);
 * ```
 */
export class ObjectError extends Error {
  override readonly name = "ObjectError";
  /** The name of the section; `undefined` where the file itself is wrong. */
  readonly section: string | undefined;
  /** In bytes from the start of the section, or of the file. */
  readonly offset: number | undefined;

  /** @internal */
  constructor(reason: string, { section, offset, cause }: ObjectPlace = {}) {
    const place = [
      ...(section === undefined ? [] : [`section ${section}`]),
      ...(offset === undefined ? [] : [`byte ${offset}`]),
    ].join(", ");
    super(place === "" ? reason : `${place}: ${reason}`, cause === undefined ? {} : { cause });
    this.section = section;
    this.offset = offset;
  }
}
