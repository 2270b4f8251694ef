import { MAP_ELEM } from "../abi/attr.ts";
import { BPF_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM } from "../abi/commands.ts";
import { BPF_ANY, BPF_EXIST } from "../abi/flags.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { PreparedCommand } from "../kernel/prepared-command.ts";
import type { Address } from "../memory/address-space.ts";

/** The call frame of a map without keys: its attrs and its value side by side in the address space, filled in once. */
export interface ValueFrame {
  /** Where the frame begins: what is released with it. */
  readonly start: Address;
  readonly value: Address;
  /** To `value`; of a bloom filter: whether `value` is there. */
  readonly lookup: PreparedCommand;
  /** From `value`. */
  readonly update: PreparedCommand;
  readonly updateExisting: PreparedCommand;
  /** To `value`, and away. */
  readonly take: PreparedCommand;
}

const COMMANDS = 4;

/** Takes a frame for a map from the address space. Throws an `OutOfMemoryError` when there is no room for it. */
export function allocateValueFrame(kernel: Kernel, fd: number, valueSize: number, label: string): ValueFrame {
  const { memory } = kernel;
  const attrs = COMMANDS * MAP_ELEM.END;
  const start = memory.allocate(attrs + valueSize, `the call frame of map ${label}`);
  const value = start + attrs;

  let attr = start;
  const prepare = (cmd: number, flags = 0): PreparedCommand => {
    const own = attr;
    memory.view.setUint32(own + MAP_ELEM.MAP_FD, fd, true);
    memory.view.setUint32(own + MAP_ELEM.VALUE, value, true);
    memory.view.setUint32(own + MAP_ELEM.FLAGS, flags, true);
    attr += MAP_ELEM.END;
    return kernel.prepare(cmd, own, MAP_ELEM.END);
  };
  return {
    start,
    value,
    lookup: prepare(BPF_MAP_LOOKUP_ELEM),
    update: prepare(BPF_MAP_UPDATE_ELEM, BPF_ANY),
    updateExisting: prepare(BPF_MAP_UPDATE_ELEM, BPF_EXIST),
    take: prepare(BPF_MAP_LOOKUP_AND_DELETE_ELEM),
  };
}
