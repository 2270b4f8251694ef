import { MAP_ELEM } from "../abi/attr.ts";
import {
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_ELEM,
} from "../abi/commands.ts";
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST } from "../abi/flags.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { PreparedCommand } from "../kernel/prepared-command.ts";
import type { Address } from "../memory/address-space.ts";

/**
 * The call frame of a map with keys: its attrs, key, value and next key side by side in the address space, filled in
 * once, so that a command writes a key, makes one call and reads an answer.
 */
export interface ElementFrame {
  /** Where the frame begins: what is released with it. */
  readonly start: Address;
  readonly key: Address;
  readonly nextKey: Address;
  readonly value: Address;
  /** From `key` to `value`. */
  readonly lookup: PreparedCommand;
  /** From `key` and `value`. */
  readonly update: PreparedCommand;
  readonly updateNew: PreparedCommand;
  readonly updateExisting: PreparedCommand;
  /** Of `key`. */
  readonly delete: PreparedCommand;
  /** From `key` to `value`, and away. */
  readonly take: PreparedCommand;
  /** To `nextKey`. */
  readonly firstKey: PreparedCommand;
  /** From `key` to `nextKey`. */
  readonly followingKey: PreparedCommand;
}

const COMMANDS = 8;

/** Takes a frame for a map from the address space. Throws an `OutOfMemoryError` when there is no room for it. */
export function allocateElementFrame(
  kernel: Kernel,
  fd: number,
  keySize: number,
  valueSize: number,
  label: string,
): ElementFrame {
  const { memory } = kernel;
  const keyBytes = Math.ceil(keySize / 8) * 8;
  const attrs = COMMANDS * MAP_ELEM.END;
  const start = memory.allocate(attrs + 2 * keyBytes + valueSize, `the call frame of map ${label}`);
  const key = start + attrs;
  const nextKey = key + keyBytes;
  const value = nextKey + keyBytes;

  let attr = start;
  const prepare = (cmd: number, size: number, from: Address, to: Address, flags = 0): PreparedCommand => {
    const own = attr;
    memory.view.setUint32(own + MAP_ELEM.MAP_FD, fd, true);
    memory.view.setUint32(own + MAP_ELEM.KEY, from, true);
    if (to !== 0) memory.view.setUint32(own + MAP_ELEM.VALUE, to, true);
    if (flags !== 0) memory.view.setUint32(own + MAP_ELEM.FLAGS, flags, true);
    attr += MAP_ELEM.END;
    return kernel.prepare(cmd, own, size);
  };
  return {
    start,
    key,
    nextKey,
    value,
    lookup: prepare(BPF_MAP_LOOKUP_ELEM, MAP_ELEM.END, key, value),
    update: prepare(BPF_MAP_UPDATE_ELEM, MAP_ELEM.END, key, value, BPF_ANY),
    updateNew: prepare(BPF_MAP_UPDATE_ELEM, MAP_ELEM.END, key, value, BPF_NOEXIST),
    updateExisting: prepare(BPF_MAP_UPDATE_ELEM, MAP_ELEM.END, key, value, BPF_EXIST),
    delete: prepare(BPF_MAP_DELETE_ELEM, MAP_ELEM.KEY_END, key, 0),
    take: prepare(BPF_MAP_LOOKUP_AND_DELETE_ELEM, MAP_ELEM.END, key, value),
    firstKey: prepare(BPF_MAP_GET_NEXT_KEY, MAP_ELEM.NEXT_KEY_END, 0, nextKey),
    followingKey: prepare(BPF_MAP_GET_NEXT_KEY, MAP_ELEM.NEXT_KEY_END, key, nextKey),
  };
}
