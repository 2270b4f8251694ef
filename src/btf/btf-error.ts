/**
 * What is wrong with bytes that were to be BTF: `BTF, byte 36: type 2: …`. `offset` is where in those bytes.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Btf, BtfError } from "mapiary";
 *
 * assert.throws(() => new Btf(new Uint8Array(24)), (error) => error instanceof BtfError && error.offset === 0);
 * ```
 */
export class BtfError extends Error {
  override readonly name = "BtfError";
  /** Where the bytes are wrong, counted from their first. */
  readonly offset: number;
  /** What is wrong there, without the place. */
  readonly reason: string;

  /** @internal */
  constructor(offset: number, reason: string, what = "BTF") {
    super(`${what}, byte ${offset}: ${reason}`);
    this.offset = offset;
    this.reason = reason;
  }
}
