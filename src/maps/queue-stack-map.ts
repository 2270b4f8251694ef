import { BPF_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM } from "../abi/commands.ts";
import { ENOENT } from "../abi/errno.ts";
import { BPF_ANY, BPF_EXIST } from "../abi/flags.ts";
import type { PreparedCommand } from "../kernel/prepared-command.ts";
import { KeylessMap } from "./keyless-map.ts";

/**
 * What a push does when the map is full: `"any"` (`BPF_ANY`) fails, `"exist"` (`BPF_EXIST`) drops the oldest value to make
 * room. A push has no other flags.
 */
export type PushFlag = "any" | "exist";

const PUSH_FLAGS: Readonly<Record<PushFlag, number>> = { any: BPF_ANY, exist: BPF_EXIST };

/** Values that are pushed in and popped out: what queues and stacks have in common. */
export abstract class QueueStackMap<V> extends KeylessMap<V> {
  /**
   * Puts a value in and answers the map. Throws before anything is written when the value does not fit its layout; throws
   * a `BpfError`: `E2BIG` when the map is full, unless the flag is `"exist"`, which then drops the oldest value; `EPERM`
   * when the map is frozen or was opened read-only.
   */
  push(value: V, flag: PushFlag = "any"): this {
    const command = flag === "any" ? this.frame.update : this.#forcedUpdate(flag);
    this.assertOpen(BPF_MAP_UPDATE_ELEM);
    this.writeValue(value);
    const result = command.run();
    if (result < 0) throw this.failure(BPF_MAP_UPDATE_ELEM, result, { flags: PUSH_FLAGS[flag] });
    return this;
  }

  /**
   * Takes the next value out and answers it; `undefined` when the map is empty. The kernel lets it go before the layout
   * reads: a value that the layout refuses, one beyond 2^53 for `u64.number`, is gone with the error. Throws a `BpfError`
   * with the code `EPERM` when the map is frozen or was not opened for both reading and writing.
   */
  pop(): V | undefined {
    this.assertOpen(BPF_MAP_LOOKUP_AND_DELETE_ELEM);
    const result = this.frame.take.run();
    if (result === -ENOENT) return undefined;
    if (result < 0) throw this.failure(BPF_MAP_LOOKUP_AND_DELETE_ELEM, result);
    return this.readValue();
  }

  /** The value that `pop` would answer now, which stays in; `undefined` when the map is empty. */
  peek(): V | undefined {
    this.assertOpen(BPF_MAP_LOOKUP_ELEM);
    const result = this.frame.lookup.run();
    if (result === -ENOENT) return undefined;
    if (result < 0) throw this.failure(BPF_MAP_LOOKUP_ELEM, result);
    return this.readValue();
  }

  /**
   * Pops values until the map is empty, and answers them in that order; what a layout refuses is gone, as with `pop`. It
   * pops no more than `maxEntries` of them, so that it ends while others push.
   */
  drain(): V[] {
    const values: V[] = [];
    while (values.length < this.maxEntries) {
      const value = this.pop();
      if (value === undefined) break;
      values.push(value);
    }
    return values;
  }

  #forcedUpdate(flag: PushFlag): PreparedCommand {
    if (flag === "exist") return this.frame.updateExisting;
    throw new TypeError(`a push is "any" or "exist", not ${JSON.stringify(flag)}`);
  }
}
