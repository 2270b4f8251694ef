import { MAP_BATCH, MAP_CREATE, MAP_ELEM, OBJ, OBJ_INFO } from "../../src/abi/attr.ts";
import {
  BPF_BTF_GET_FD_BY_ID,
  BPF_BTF_GET_NEXT_ID,
  BPF_BTF_LOAD,
  BPF_MAP_CREATE,
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_GET_FD_BY_ID,
  BPF_MAP_LOOKUP_BATCH,
  BPF_OBJ_GET,
  BPF_OBJ_GET_INFO_BY_FD,
  BPF_OBJ_PIN,
  COMMAND_NAMES,
} from "../../src/abi/commands.ts";
import { errnoCode } from "../../src/abi/errno.ts";
import { MAP_INFO } from "../../src/abi/info.ts";
import { mapTypeName } from "../../src/abi/map-types.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import type { Address } from "../../src/memory/address-space.ts";
import { DelegatingKernel } from "../delegating-kernel.ts";

/** What a map type, or BTF, was seen to answer to a command: `hash BPF_MAP_UPDATE_ELEM E2BIG`, with `0` for success. */
export type Triple = string;

/** The commands that are about BTF alone, whose type is `btf`. */
const BTF_COMMANDS: ReadonlySet<number> = new Set([BPF_BTF_LOAD, BPF_BTF_GET_FD_BY_ID, BPF_BTF_GET_NEXT_ID]);

/** A kernel that notes what each map type answers to each command. */
export class ObservedKernel extends DelegatingKernel {
  /** Everything that was seen. */
  readonly triples = new Set<Triple>();
  readonly #types = new Map<number, string>();
  readonly #info: Address;

  constructor(kernel: Kernel) {
    super(kernel);
    this.#info = kernel.memory.allocate(OBJ_INFO.END + MAP_INFO.SIZE, "the info of a map that is observed");
  }

  override bpf(cmd: number, attr: Address, size: number): number {
    const type = this.#typeOf(cmd, attr, size);
    const result = this.kernel.bpf(cmd, attr, size);
    if (BTF_COMMANDS.has(cmd)) return this.#noteBtf(cmd, result);
    const opens = cmd === BPF_MAP_CREATE || cmd === BPF_OBJ_GET || cmd === BPF_MAP_GET_FD_BY_ID;
    if (opens && result >= 0) this.#types.set(result, this.#askType(result));
    const seenOn = cmd !== BPF_MAP_CREATE && opens && result >= 0 ? this.#types.get(result) : type;
    const command = COMMAND_NAMES[cmd];
    if (seenOn !== undefined && command !== undefined) {
      this.triples.add(`${seenOn} ${command} ${result < 0 ? errnoCode(result) : "0"}`);
    }
    return result;
  }

  override close(fd: number): number {
    this.#types.delete(fd);
    return this.kernel.close(fd);
  }

  override mmap(fd: number, length: number, protection: number, offset: number): Address {
    const address = this.kernel.mmap(fd, length, protection, offset);
    const type = this.#types.get(fd);
    if (type !== undefined) this.triples.add(`${type} mmap ${address < 0 ? errnoCode(address) : "0"}`);
    return address;
  }

  #noteBtf(cmd: number, result: number): number {
    if (result >= 0 && cmd !== BPF_BTF_GET_NEXT_ID) this.#types.set(result, "btf");
    this.triples.add(`btf ${COMMAND_NAMES[cmd]} ${result < 0 ? errnoCode(result) : "0"}`);
    return result;
  }

  /** The type of the map that a command is about; `undefined` when there is none, or nothing to tell it by. */
  #typeOf(cmd: number, attr: Address, size: number): string | undefined {
    if (size > 4096 || attr + size > this.memory.size) return undefined;
    const word = (offset: number): number | undefined =>
      offset + 4 <= size ? this.memory.view.getInt32(attr + offset, true) : undefined;
    if (cmd === BPF_MAP_CREATE) return mapTypeName(word(MAP_CREATE.MAP_TYPE) ?? 0);
    if (cmd === BPF_OBJ_GET || cmd === BPF_MAP_GET_FD_BY_ID) return undefined;
    return this.#types.get(word(fdOffset(cmd)) ?? -1);
  }

  #askType(fd: number): string {
    const { u8, view } = this.memory;
    const info = this.#info + OBJ_INFO.END;
    u8.fill(0, this.#info, info + MAP_INFO.SIZE);
    view.setInt32(this.#info + OBJ_INFO.BPF_FD, fd, true);
    view.setUint32(this.#info + OBJ_INFO.INFO_LEN, MAP_INFO.SIZE, true);
    view.setUint32(this.#info + OBJ_INFO.INFO, info, true);
    this.kernel.bpf(BPF_OBJ_GET_INFO_BY_FD, this.#info, OBJ_INFO.END);
    return mapTypeName(this.memory.view.getUint32(info + MAP_INFO.TYPE, true)) ?? "unknown";
  }
}

/** Where a command's attr has the fd of its map. */
function fdOffset(cmd: number): number {
  if (cmd >= BPF_MAP_LOOKUP_BATCH && cmd <= BPF_MAP_DELETE_BATCH) return MAP_BATCH.MAP_FD;
  return cmd === BPF_OBJ_PIN ? OBJ.BPF_FD : MAP_ELEM.MAP_FD;
}
