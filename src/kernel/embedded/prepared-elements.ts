import { MAP_ELEM } from "../../abi/attr.ts";
import { BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM } from "../../abi/commands.ts";
import { BPF_EXIST } from "../../abi/flags.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import type { PreparedCommand } from "../prepared-command.ts";
import type { FileTable, OpenFile } from "./file-table.ts";
import { accessOk, pointerAt, u64At } from "./user-memory.ts";

/**
 * Lookups and updates whose attr was found good once and for all: what remains to be asked at each call is whether the
 * fd is still that of the same open file, and whether the map was frozen meanwhile. Whatever is out of the ordinary
 * is left to the plain command.
 */
export function prepareElement(
  memory: AddressSpace,
  files: FileTable,
  plain: PreparedCommand,
  cmd: number,
  attr: Address,
): PreparedCommand {
  const fd = memory.view.getInt32(attr + MAP_ELEM.MAP_FD, true);
  const file = files.get(fd);
  if (file === undefined) return plain;
  const { map } = file;
  const key = pointerAt(memory, attr + MAP_ELEM.KEY);
  const value = pointerAt(memory, attr + MAP_ELEM.VALUE);
  const flags = u64At(memory, attr + MAP_ELEM.FLAGS);
  const isWholeKey = ((key | map.keySize) & 3) === 0 && accessOk(memory, key, map.keySize);
  const isExtraKey = map.keySize === 0 && key !== 0;
  if (!isWholeKey || isExtraKey || !accessOk(memory, value, map.userValueSize)) return plain;
  const settled = { files, fd, file, key, value, flags, plain };
  if (cmd === BPF_MAP_LOOKUP_ELEM && file.canRead && flags === 0) return new PreparedLookup(settled);
  if (cmd === BPF_MAP_UPDATE_ELEM && file.canWrite && flags <= BPF_EXIST) return new PreparedUpdate(settled);
  return plain;
}

interface Settled {
  readonly files: FileTable;
  readonly fd: number;
  readonly file: OpenFile;
  readonly key: Address;
  readonly value: Address;
  readonly flags: number;
  readonly plain: PreparedCommand;
}

class PreparedLookup implements PreparedCommand {
  readonly #files: FileTable;
  readonly #fd: number;
  readonly #file: OpenFile;
  readonly #key: Address;
  readonly #value: Address;
  readonly #plain: PreparedCommand;

  constructor({ files, fd, file, key, value, plain }: Settled) {
    this.#files = files;
    this.#fd = fd;
    this.#file = file;
    this.#key = key;
    this.#value = value;
    this.#plain = plain;
  }

  run(): number {
    const file = this.#file;
    if (this.#files.get(this.#fd) !== file) return this.#plain.run();
    return file.map.copyValue(this.#key, this.#value);
  }
}

class PreparedUpdate implements PreparedCommand {
  readonly #files: FileTable;
  readonly #fd: number;
  readonly #file: OpenFile;
  readonly #key: Address;
  readonly #value: Address;
  readonly #flags: number;
  readonly #plain: PreparedCommand;

  constructor({ files, fd, file, key, value, flags, plain }: Settled) {
    this.#files = files;
    this.#fd = fd;
    this.#file = file;
    this.#key = key;
    this.#value = value;
    this.#flags = flags;
    this.#plain = plain;
  }

  run(): number {
    const file = this.#file;
    if (this.#files.get(this.#fd) !== file || file.map.isFrozen) return this.#plain.run();
    return file.map.update(this.#key, this.#value, this.#flags);
  }
}
