import { Btf } from "mapiary";
import type { MapInfo } from "../../src/sys/map-info.ts";
import type { Sys } from "../../src/sys/sys.ts";
import { everyKind } from "../btf/every-kind.ts";
import { BTF_SLOTS, type BtfCommand } from "./command.ts";
import type { Observation } from "./machine.ts";
import { mutate, Random } from "./mutated-btf.ts";
import { valueTypes } from "./value-types.ts";

/** The BTFs that programs load. The first is the one whose types the maps of programs are drawn with. */
export const LOADED: readonly Uint8Array[] = [valueTypes().bytes, everyKind()];

/** An fd and an id that no BTF has. */
const CLOSED = 0xf0f0f0;
const NO_ID = 0x7ffffff0;

interface BtfSlot {
  readonly fd: number;
  readonly id: number;
}

const EMPTY: BtfSlot = { fd: CLOSED, id: NO_ID };

/** The BTF that a random program has open on one kernel, by the numbers of slots. */
export class BtfSlots {
  readonly #sys: Sys;
  readonly #slots: BtfSlot[] = new Array(BTF_SLOTS).fill(EMPTY);
  /** Ids in the order in which they were seen; 0 is none. */
  #ids: number[] = [0];

  constructor(sys: Sys) {
    this.#sys = sys;
  }

  fd(index: number): number {
    return this.#slot(index).fd;
  }

  id(index: number): number {
    return this.#slot(index).id;
  }

  /** A number for an id that is the same on every kernel. */
  knownId(id: number): number {
    if (!this.#ids.includes(id)) this.#ids.push(id);
    return this.#ids.indexOf(id);
  }

  execute(command: Exclude<BtfCommand, { op: "btfOfMap" | "btfForMap" }>): Observation {
    switch (command.op) {
      case "btfLoad":
        return this.#load(command);
      case "btfById":
        return this.open(command.btf, this.id(command.from));
      case "btfNextId": {
        // Before its own id, since what others load on Linux lies around it.
        const next = new Uint32Array(1);
        const result = this.#sys.btfGetNextId(this.id(command.btf) - 1, next);
        return [result, result < 0 ? 0 : this.knownId(next[0] ?? 0)];
      }
      case "btfInfo":
        return this.#info(command.btf, command.room);
      case "btfClose": {
        const { fd } = this.#slot(command.btf);
        this.#slots[command.btf] = EMPTY;
        return [this.#sys.close(fd)];
      }
    }
  }

  /** Opens BTF by its id, into a slot. */
  open(index: number, id = NO_ID): Observation {
    return this.#opened(index, this.#sys.btfGetFdById(id));
  }

  /** Where the lists of a map's values begin, in bytes. What user space reads there are addresses of Linux. */
  listsIn({ btfId, btfValueTypeId }: MapInfo): number[] {
    const fd = btfId === 0 ? -1 : this.#sys.btfGetFdById(btfId);
    if (fd < 0) return [];
    const info = this.#sys.btfGetInfoByFd(fd);
    const bytes = new Uint8Array(typeof info === "number" ? 0 : info.btfSize);
    this.#sys.btfGetInfoByFd(fd, bytes);
    this.#sys.close(fd);
    return listHeads(new Btf(bytes), btfValueTypeId);
  }

  /** Leaves every slot empty. */
  closeAll(): void {
    for (const { fd } of this.#slots) if (fd !== CLOSED) this.#sys.close(fd);
    this.#slots.fill(EMPTY);
    this.#ids = [0];
  }

  #load({ btf, source, mutation, flags, log }: Extract<BtfCommand, { op: "btfLoad" }>): Observation {
    const good = LOADED[source] as Uint8Array;
    const bytes = mutation === null ? good : mutate(good, new Random(mutation));
    const logBuf = log.size === 0 ? undefined : new Uint8Array(log.size);
    const result = this.#sys.btfLoad(bytes, { logLevel: log.level, logBuf, flags, tokenFd: CLOSED });
    return [...this.#opened(btf, result), logBuf ?? "no log"];
  }

  #opened(index: number, fd: number): Observation {
    if (fd < 0) return [fd];
    const info = this.#sys.btfGetInfoByFd(fd);
    if (typeof info === "number") return ["no info", info];
    const before = this.#slot(index).fd;
    if (before !== CLOSED) this.#sys.close(before);
    this.#slots[index] = { fd, id: info.id };
    return [this.knownId(info.id), info.btfSize];
  }

  #info(index: number, room: number): Observation {
    const bytes = new Uint8Array(room);
    const info = this.#sys.btfGetInfoByFd(this.fd(index), room === 0 ? undefined : bytes);
    if (typeof info === "number") return [info];
    return [JSON.stringify({ ...info, id: this.knownId(info.id) }), bytes];
  }

  #slot(index: number): BtfSlot {
    return this.#slots[index] as BtfSlot;
  }
}

function listHeads(btf: Btf, id: number): number[] {
  const type = btf.type(id);
  if (type.kind === "datasec") {
    return type.variables.flatMap(({ type, offset }) => listHeads(btf, type).map((at) => at + offset));
  }
  if (type.kind === "var") return listHeads(btf, type.type);
  if (type.kind === "array" && type.length <= 16) {
    const size = btf.sizeOf(type.type) ?? 0;
    const inOne = listHeads(btf, type.type);
    return Array.from({ length: type.length }, (_, index) => inOne.map((at) => at + index * size)).flat();
  }
  if (type.kind !== "struct") return [];
  if (type.name === "bpf_list_head") return [0];
  return type.members.flatMap(({ type, bitOffset }) => listHeads(btf, type).map((at) => at + bitOffset / 8));
}
