import { MAP_ELEM } from "../../abi/attr.ts";
import { BPF_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM } from "../../abi/commands.ts";
import { BPF_ANY, BPF_EXIST } from "../../abi/flags.ts";
import { BPF_MAP_TYPE_PERF_EVENT_ARRAY } from "../../abi/map-types.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import type { PreparedCommand } from "../prepared-command.ts";
import type { FileTable } from "./file-table.ts";
import type { ElementCode } from "./map-ops.ts";
import { accessOk, pointerAt, u64At } from "./user-memory.ts";

/**
 * Code is generated for commands that are called so often: making it, and having the engine compile it, takes about as long as
 * it saves in some ten thousand calls, which a program with many maps would pay for each.
 */
export const HOT_CALLS = 20_000;

/**
 * Lookups, updates and takes whose attr was found good once and for all: what remains to be asked at each call is whether the
 * fd is still open, and whether the map was frozen meanwhile. Whatever is out of the ordinary is left to the plain
 * command.
 */
export function prepareElement(
  memory: AddressSpace,
  files: FileTable,
  plain: PreparedCommand,
  cmd: number,
  attr: Address,
): PreparedCommand {
  const file = files.map(memory.view.getInt32(attr + MAP_ELEM.MAP_FD, true));
  if (file === undefined) return plain;
  const { map } = file;
  if (map.type === BPF_MAP_TYPE_PERF_EVENT_ARRAY) return plain;
  const key = pointerAt(memory, attr + MAP_ELEM.KEY);
  const value = pointerAt(memory, attr + MAP_ELEM.VALUE);
  const flags = u64At(memory, attr + MAP_ELEM.FLAGS);
  const isWholeKey = ((key | map.keySize) & 3) === 0 && accessOk(memory, key, map.keySize);
  const isExtraKey = map.keySize === 0 && key !== 0;
  if (!isWholeKey || isExtraKey || !accessOk(memory, value, map.userValueSize)) return plain;
  const code: ElementCode = { memory, file, key, value, slow: () => plain.run() };
  if (cmd === BPF_MAP_LOOKUP_ELEM && file.canRead && flags === 0) {
    const lookup = (): number => (file.isOpen ? map.copyValue(key, value) : plain.run());
    return hotCommand(lookup, () => (map.record === undefined ? map.generateLookup(code) : undefined));
  }
  if (cmd === BPF_MAP_UPDATE_ELEM && file.canWrite && flags <= BPF_EXIST) {
    const update = (): number => (file.isOpen && !map.isFrozen ? map.update(key, value, flags) : plain.run());
    return hotCommand(update, () =>
      flags === BPF_ANY && map.record === undefined ? map.generateUpdate(code) : undefined,
    );
  }
  if (cmd === BPF_MAP_LOOKUP_AND_DELETE_ELEM && file.canRead && file.canWrite && flags === 0) {
    return { run: () => (file.isOpen && !map.isFrozen ? map.lookupAndDelete(key, value) : plain.run()) };
  }
  return plain;
}

/** A command that is replaced by generated code once it has been called often, where its map type has any. */
function hotCommand(run: () => number, generate: () => (() => number) | undefined): PreparedCommand {
  let calls = 0;
  const command = {
    run: (): number => {
      calls++;
      if (calls === HOT_CALLS) command.run = generate() ?? run;
      return run();
    },
  };
  return command;
}
