import { E2BIG, EEXIST, EINVAL, ENOENT } from "../../../abi/errno.ts";
import { BPF_EXIST, BPF_NOEXIST } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import { SEGMENT } from "../segment.ts";
import { ObjectArray } from "./object-map.ts";

/*
 * The arrays that packets are redirected by. The segment: the header, then an entry of 8 bytes for each index: a number
 * that is 0 where there is no entry, and the id of a program, which is always 0 here.
 */

/** The programs that a value of 8 bytes may give with the number: without one it is 0 or negative. */
export function givesProgram(view: DataView, value: Address, valueSize: number): boolean {
  return valueSize === 8 && view.getInt32(value + 4, true) > 0;
}

/** What devmap and cpumap have in common: `kernel/bpf/devmap.c`, `kernel/bpf/cpumap.c`, 6.18. */
export abstract class EntryArray extends ObjectArray {
  /** Why an entry of this number cannot be made; 0 when it can. */
  protected abstract entryRefusal(index: number, value: Address): number;

  override lookup(key: Address): Address {
    if (!this.has(key)) return 0;
    const entry = this.#entry(key);
    return this.memory.u32[entry >>> 2] === 0 ? 0 : entry;
  }

  /** The number is read once: whoever shares the map may take the entry away. */
  override copyValue(key: Address, value: Address): number {
    const number = this.has(key) ? (this.memory.u32[this.#entry(key) >>> 2] as number) : 0;
    if (number === 0) return -ENOENT;
    const { view } = this.memory;
    view.setUint32(value, number, true);
    if (this.valueSize === 8) view.setUint32(value + 4, 0, true);
    return 0;
  }

  override update(key: Address, value: Address, flags: number): number {
    if (flags > BPF_EXIST) return -EINVAL;
    if (!this.has(key)) return -E2BIG;
    if (flags === BPF_NOEXIST) return -EEXIST;
    const { u32, view } = this.memory;
    const refusal = this.entryRefusal(u32[key >>> 2] as number, value);
    if (refusal === 0) u32[this.#entry(key) >>> 2] = view.getUint32(value, true);
    return refusal;
  }

  /** An entry that is not there is deleted all the same. */
  override delete(key: Address): number {
    if (!this.has(key)) return -EINVAL;
    this.memory.u32[this.#entry(key) >>> 2] = 0;
    return 0;
  }

  #entry(key: Address): Address {
    return this.base + SEGMENT.HEADER_SIZE + 8 * (this.memory.u32[key >>> 2] as number);
  }
}
