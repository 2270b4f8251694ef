import { MAP_BATCH, OBJ_INFO } from "../../src/abi/attr.ts";
import { BPF_F_ZERO_SEED } from "../../src/abi/flags.ts";
import { BTF_INFO, MAP_INFO } from "../../src/abi/info.ts";
import { HASH_TABLE_TYPES, mapTypeNumber } from "../../src/abi/map-types.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import type { MapInfo } from "../../src/sys/map-info.ts";
import { mapShape } from "../../src/sys/map-shape.ts";
import { Sys } from "../../src/sys/sys.ts";
import { BtfSlots } from "./btf-slots.ts";
import { BTF_SLOTS, type Command, type MapTypes, type Odd, SLOTS } from "./command.ts";
import { errsByChance, looksForValue } from "./keyless-maps.ts";
import { objectKey, objectValue, takesFds } from "./object-maps.ts";
import { attrEnd, fillRawAttr, opensFd, RAW_BYTES, type RawTarget, rawLogSize } from "./raw-attr.ts";

/** What a command showed: numbers, texts and bytes that must be the same on every kernel. */
export type Observation = readonly (number | string | Uint8Array)[];

interface Slot {
  fd: number;
  info: MapInfo | undefined;
  shape: { readonly keySize: number; readonly valueSize: number };
  /** The last cursor that a batch left. */
  cursor: Uint8Array;
  /** Where in a value there are addresses of the kernel. */
  lists: readonly number[];
}

/** An fd that no process has; cut to fewer bytes it is none either. */
const CLOSED = 0xf0f0f0;
const PAGE = 4096;
const LIST_SIZE = 16;
const MOST_BATCH = 64;
const MOST_BYTES = 2 ** 23;

/**
 * Runs programs on one kernel and tells what they showed. What rightly differs between kernels (fds, ids, the order of a
 * hash with a seed of its own) is left out of what is told.
 */
export class Machine {
  readonly #kernel: Kernel;
  readonly #sys: Sys;
  readonly #bpffs: string;
  readonly #raw: number;
  readonly #btf: BtfSlots;
  #slots: Slot[] = [];
  /** Ids in the order in which they were seen. */
  #ids: number[] = [];
  #mappings: { address: number; length: number; writable: boolean }[] = [];

  /** `bpffs` is an empty directory of the kernel's BPF filesystem. */
  constructor(kernel: Kernel, bpffs: string) {
    this.#kernel = kernel;
    this.#sys = new Sys(kernel);
    this.#btf = new BtfSlots(this.#sys);
    this.#bpffs = `${bpffs}/programs/here`;
    kernel.mkdir(`${bpffs}/programs`);
    kernel.mkdir(this.#bpffs);
    this.#raw = kernel.memory.allocate(RAW_BYTES, "raw attrs");
    this.#reset();
  }

  /** Runs one program from an empty kernel to an empty kernel: what each command showed, and what was left at the end. */
  run(program: readonly Command[]): Observation[] {
    try {
      return [...program.map((command) => this.#execute(command)), ...this.#dump()];
    } finally {
      this.#cleanUp();
    }
  }

  #execute(command: Command): Observation {
    switch (command.op) {
      case "create":
        return this.#create(command);
      case "update":
        return this.#update(command.slot, command.key, command.value, command.flags);
      case "lookup":
      case "take":
        return this.#lookup(command);
      case "delete":
        return [this.#sys.mapDeleteElem(this.#fd(command.slot), this.#keyOrNone(command.slot, command.key))];
      case "nextKey":
        return this.#nextKey(command.slot, command.key);
      case "lookupBatch":
      case "takeBatch":
        return this.#lookupBatch(command);
      case "updateBatch":
      case "deleteBatch":
        return this.#writeBatch(command);
      case "freeze":
        return [this.#sys.mapFreeze(this.#fd(command.slot))];
      case "info":
        return this.#info(command.slot);
      case "close":
        return this.#close(command.slot);
      case "pin": {
        const options = { fileFlags: command.fileFlags, pathFd: command.fileFlags === 16384 ? -100 : 0 };
        return [this.#sys.objPin(this.#fd(command.slot), this.#path(command.path), options)];
      }
      case "get": {
        const options = { fileFlags: command.fileFlags, pathFd: command.fileFlags === 16384 ? -100 : 0 };
        return this.#opened(command.slot, this.#sys.objGet(this.#path(command.path), options));
      }
      case "byId": {
        const id = this.#slot(command.from).info?.id ?? 0x7ffffff0;
        return this.#opened(command.slot, this.#sys.mapGetFdById(id, { openFlags: command.openFlags }));
      }
      case "inner":
        return this.#openInner(command);
      case "mkdir":
      case "rmdir":
      case "unlink":
        return [this.#kernel[command.op](this.#path(command.path))];
      case "readdir": {
        const names = this.#kernel.readdir(this.#path(command.path));
        return [typeof names === "number" ? names : names.join()];
      }
      case "mmap":
        return this.#mmap(command);
      case "store":
        return this.#store(command.at, command.value);
      case "munmap": {
        const mapping = this.#mappings.pop();
        return [mapping === undefined ? "none" : this.#kernel.munmap(mapping.address, mapping.length)];
      }
      case "btfOfMap":
        return this.#btf.open(command.btf, this.#slot(command.slot).info?.btfId);
      case "btfForMap":
        return this.#takeBtf(command.btf, command.slot);
      case "raw":
        return this.#rawCommand(command);
      default:
        return this.#btf.execute(command);
    }
  }

  #create(command: Extract<Command, { op: "create" }>): Observation {
    const { type, keySize, valueSize, maxEntries, flags, name, odd, inner } = command;
    const innerMapFd = inner === undefined ? undefined : this.#fd(inner);
    const sizes = { keySize, valueSize, maxEntries };
    const types = this.#typeFields(command.types);
    const fd = this.#sys.mapCreate({ type, ...sizes, flags, name, innerMapFd, ...types, ...oddField(odd) });
    return this.#opened(command.slot, fd);
  }

  #typeFields(types: MapTypes | undefined): Record<string, number> {
    if (types === undefined) return {};
    const { btf, key, value } = types;
    const btfFd = btf === "closed" ? CLOSED : btf === "map" ? this.#fd(0) : this.#btf.fd(btf);
    return { btfFd, btfKeyTypeId: key, btfValueTypeId: value };
  }

  /** Gives a slot of maps the fd of BTF. */
  #takeBtf(btf: number, index: number): Observation {
    const fd = this.#sys.btfGetFdById(this.#btf.id(btf));
    if (fd < 0) return [fd];
    this.#close(index);
    this.#slots[index] = { ...closedSlot(), fd };
    return ["BTF"];
  }

  #opened(index: number, fd: number): Observation {
    if (fd < 0) return [fd];
    this.#close(index);
    const info = this.#sys.objGetInfoByFd(fd);
    if (typeof info === "number") return ["no info", info];
    const shape = mapShape(info, this.#kernel.possibleCpus);
    this.#slots[index] = { fd, info, shape, cursor: new Uint8Array(cursorSize(info)), lists: this.#btf.listsIn(info) };
    return this.#info(index);
  }

  #info(index: number): Observation {
    const info = this.#sys.objGetInfoByFd(this.#fd(index));
    if (typeof info === "number") return [info];
    if (this.#slot(index).info === undefined) return ["BTF"];
    return [JSON.stringify({ ...info, id: this.#knownId(info.id), btfId: this.#btf.knownId(info.btfId) })];
  }

  #update(index: number, key: number, value: number, flags: number): Observation {
    const bytes = this.#value(index, looksForValue(this.#slot(index).info) ? key : value);
    // Where an object is asked for, now and then the fd of a map.
    if (takesFds(this.#slot(index).info) && value % 3 === 0) bytes.set(fdBytes(this.#fd(index)));
    return [this.#sys.mapUpdateElem(this.#fd(index), this.#keyOrNone(index, key), bytes, flags)];
  }

  #lookup({ op, slot, key, flags }: Extract<Command, { op: "lookup" | "take" }>): Observation {
    const { fd, info } = this.#slot(slot);
    const value = this.#holdsMaps(slot) ? new Uint8Array(4) : this.#value(slot, looksForValue(info) ? key : 0);
    const result =
      op === "lookup"
        ? this.#sys.mapLookupElem(fd, this.#keyOrNone(slot, key), value, flags)
        : this.#sys.mapLookupAndDeleteElem(fd, this.#keyOrNone(slot, key), value, flags);
    if (errsByChance(info)) return ["by chance"];
    return [result, this.#knownValues(slot, value)];
  }

  #openInner({ from, key, slot }: Extract<Command, { op: "inner" }>): Observation {
    if (!this.#holdsMaps(from)) return ["none"];
    const value = new Uint8Array(4);
    const result = this.#sys.mapLookupElem(this.#fd(from), this.#key(from, key), value);
    if (result < 0) return [result];
    return this.#opened(slot, this.#sys.mapGetFdById(new DataView(value.buffer).getUint32(0, true)));
  }

  #nextKey(index: number, key: number | null): Observation {
    const next = this.#key(index, 0);
    const from = key === null ? null : this.#keyOrNone(index, key);
    const result = this.#sys.mapGetNextKey(this.#fd(index), from, next);
    return this.#isOrdered(index) ? [result, next] : ["unordered"];
  }

  #lookupBatch(command: Extract<Command, { op: "lookupBatch" | "takeBatch" }>): Observation {
    const { slot, elemFlags, flags } = command;
    if (!this.#isOrdered(slot)) return ["unordered"];
    const { keySize, valueSize } = this.#sizes(slot);
    const size = Math.min(command.count, Math.floor(MOST_BYTES / (keySize + valueSize)));
    const { cursor } = this.#slot(slot);
    const keys = new Uint8Array(keySize * size);
    const values = new Uint8Array(valueSize * size);
    const count = Uint32Array.of(size);
    const inBatch = command.cursor === null ? null : cursor.slice();
    if (inBatch !== null && command.cursor !== "out") inBatch.fill(0).set([command.cursor as number]);
    const lookup = command.op === "lookupBatch" ? "mapLookupBatch" : "mapLookupAndDeleteBatch";
    const result = this.#sys[lookup](this.#fd(slot), inBatch, cursor, keys, values, count, { elemFlags, flags });
    return [result, count[0] ?? 0, keys, this.#knownValues(slot, values), cursor.slice()];
  }

  #writeBatch(command: Extract<Command, { op: "updateBatch" | "deleteBatch" }>): Observation {
    const { slot, elemFlags, flags } = command;
    const count = Uint32Array.of(command.keys.length);
    const keys = concat(command.keys.map((key) => this.#key(slot, key)));
    const fd = this.#fd(slot);
    if (command.op === "deleteBatch") {
      return [this.#sys.mapDeleteBatch(fd, keys, count, { elemFlags, flags }), count[0] ?? 0];
    }
    const values = concat(command.keys.map((key, index) => this.#value(slot, key * 31 + index)));
    return [this.#sys.mapUpdateBatch(fd, keys, values, count, { elemFlags, flags }), count[0] ?? 0];
  }

  #close(index: number): Observation {
    const slot = this.#slot(index);
    if (slot.fd === CLOSED) return [this.#sys.close(CLOSED)];
    const result = this.#sys.close(slot.fd);
    this.#slots[index] = closedSlot();
    return [result];
  }

  #mmap({ slot, pages, protection, offset }: Extract<Command, { op: "mmap" }>): Observation {
    const length = pages * PAGE;
    // Where an arena can be mapped a second time is each kernel's own affair.
    if (this.#slot(slot).info?.type === "arena") return ["arena"];
    const address = this.#kernel.mmap(this.#fd(slot), length, protection, offset);
    if (address < 0) return [address];
    this.#mappings.push({ address, length, writable: protection === 3 });
    return ["mapped", this.#kernel.memory.u8.slice(address, address + length)];
  }

  /** Stores a byte through the last mapping, if it may be written. */
  #store(at: number, value: number): Observation {
    const mapping = this.#mappings.at(-1);
    if (mapping === undefined) return ["none"];
    const { u8 } = this.#kernel.memory;
    if (mapping.writable) u8[mapping.address + at] = value;
    return [u8[mapping.address + at] ?? -1];
  }

  #rawCommand(command: Extract<Command, { op: "raw" }>): Observation {
    const { cmd, slot, junkAt, shift } = command;
    // A pointer that is cut in the middle points somewhere else on each kernel.
    const size = command.size < attrEnd(cmd) ? command.size & ~3 : command.size;
    const { memory } = this.#kernel;
    const attr = this.#raw + shift;
    memory.u8.fill(0, this.#raw, this.#raw + RAW_BYTES);
    fillRawAttr(memory, this.#raw, command, this.#rawTarget(command));
    if (junkAt !== null) memory.u8[attr + attrEnd(cmd) + junkAt] = 0x40;
    if (!this.#isOrdered(slot) && [4, 24, 25].includes(cmd)) return ["unordered"];
    if (cmd === 1 && errsByChance(this.#slot(slot).info)) return ["by chance"];
    // From 0 on the BTF of Linux itself is found.
    if (cmd === 23 && size < 4) return ["of others"];
    const result = this.#kernel.bpf(cmd, attr, size);
    if (opensFd(cmd) && result >= 0) {
      this.#sys.close(result);
      return ["opened", rawLogSize(memory, attr, cmd)];
    }
    if (result > 0) return [result, "unexpected"];
    const outputs = memory.u8.slice(this.#raw + PAGE, this.#raw + RAW_BYTES - 2 * PAGE);
    if (cmd === 6 || cmd === 7) outputs.fill(0);
    if (cmd === 15) {
      const ids = this.#slot(slot).info === undefined ? [BTF_INFO.ID] : [MAP_INFO.ID, MAP_INFO.BTF_ID];
      for (const id of ids) outputs.fill(0, PAGE + id, PAGE + id + 5);
    }
    if (this.#holdsMaps(slot) || this.#slot(slot).lists.length > 0) outputs.fill(0, 2 * PAGE, 3 * PAGE);
    const count = cmd >= 24 && cmd <= 27 ? memory.view.getUint32(attr + MAP_BATCH.COUNT, true) : 0;
    const infoLength = cmd === 15 ? memory.view.getUint32(attr + OBJ_INFO.INFO_LEN, true) : 0;
    return [result, count, infoLength, rawLogSize(memory, attr, cmd), outputs];
  }

  #rawTarget({ slot, key }: Extract<Command, { op: "raw" }>): RawTarget {
    const { keySize, valueSize } = this.#sizes(slot);
    const fits = keySize * 4 <= PAGE && valueSize * 4 <= PAGE;
    return {
      fd: fits ? this.#fd(slot) : CLOSED,
      id: this.#slot(slot).info?.id ?? 0x7ffffff0,
      btfId: this.#btf.id(slot % BTF_SLOTS),
      hasKey: keySize > 0,
      key: this.#key(slot, key),
      value: this.#value(slot, key),
      path: this.#path("raw"),
    };
  }

  /** What is left in every slot: the info, and all entries in order. */
  #dump(): Observation[] {
    const observations: Observation[] = [];
    for (let index = 0; index < SLOTS; index++) {
      observations.push(this.#info(index));
      if (this.#slot(index).info !== undefined) {
        observations.push(
          this.#lookupBatch({
            op: "lookupBatch",
            slot: index,
            cursor: null,
            count: MOST_BATCH,
            elemFlags: 0,
            flags: 0,
          }),
          ...this.#values(index),
        );
      }
    }
    for (let btf = 0; btf < BTF_SLOTS; btf++) observations.push(this.#btf.execute({ op: "btfInfo", btf, room: 64 }));
    return observations;
  }

  /** What a map without keys still has: all that can be popped, or which values it knows. */
  #values(slot: number): Observation[] {
    const { info } = this.#slot(slot);
    if (info === undefined || info.keySize > 0 || info.valueSize === 0) return [];
    const op = looksForValue(info) ? "lookup" : "take";
    const keys = Array.from({ length: Math.min(info.maxEntries + 1, 64) }, (_, key) => key);
    return keys.map((key) => this.#lookup({ op, slot, key: key * 8, flags: 0 }));
  }

  #cleanUp(): void {
    for (const { address, length } of this.#mappings) this.#kernel.munmap(address, length);
    for (let index = 0; index < SLOTS; index++) if (this.#slot(index).fd !== CLOSED) this.#close(index);
    this.#btf.closeAll();
    this.#empty(this.#bpffs);
    this.#reset();
  }

  #empty(directory: string): void {
    const names = this.#kernel.readdir(directory);
    if (typeof names === "number") throw new Error(`readdir of ${directory}: ${names}`);
    for (const name of names) {
      const path = `${directory}/${name}`;
      if (this.#kernel.unlink(path) === 0) continue;
      this.#empty(path);
      this.#kernel.rmdir(path);
    }
  }

  #reset(): void {
    this.#slots = Array.from({ length: SLOTS }, closedSlot);
    this.#ids = [];
    this.#mappings = [];
  }

  #slot(index: number): Slot {
    return this.#slots[index] as Slot;
  }

  #fd(index: number): number {
    return this.#slot(index).fd;
  }

  #sizes(index: number): { keySize: number; valueSize: number } {
    return this.#slot(index).shape;
  }

  #key(index: number, key: number): Uint8Array {
    const { info } = this.#slot(index);
    if (info?.type === "lpm_trie") return prefix(key, info.keySize);
    return objectKey(info, key) ?? spread(key, this.#sizes(index).keySize);
  }

  /** A map without keys is now and then given one. */
  #keyOrNone(index: number, key: number): Uint8Array | null {
    return this.#sizes(index).keySize === 0 && key % 8 !== 5 ? null : this.#key(index, key);
  }

  #value(index: number, value: number): Uint8Array {
    if (this.#holdsMaps(index)) return fdBytes(this.#anyFd(value));
    const { valueSize } = this.#sizes(index);
    return objectValue(this.#slot(index).info, value, valueSize) ?? spread(value, valueSize);
  }

  /** The fd of a slot, of a file that is no map, or of none. */
  #anyFd(value: number): number {
    const which = value % (SLOTS + 2);
    if (which < SLOTS) return this.#fd(which);
    return which === SLOTS ? 0 : CLOSED;
  }

  #holdsMaps(index: number): boolean {
    return String(this.#slot(index).info?.type).endsWith("_of_maps");
  }

  /** Values as they may be compared: of a map of maps, whose values are ids, as ids that are known; without addresses. */
  #knownValues(index: number, values: Uint8Array): Uint8Array {
    const { lists, shape } = this.#slot(index);
    for (const list of lists) {
      for (let at = list; at < values.length; at += shape.valueSize) values.fill(0, at, at + LIST_SIZE);
    }
    if (!this.#holdsMaps(index)) return values;
    const ids = new Uint32Array(values.slice().buffer);
    return new Uint8Array(ids.map((id) => (id === 0 ? 0 : this.#knownId(id) + 1)).buffer);
  }

  #path(path: string): string {
    return path === "" ? "" : `${this.#bpffs}/${path}`;
  }

  #knownId(id: number): number {
    if (!this.#ids.includes(id)) this.#ids.push(id);
    return this.#ids.indexOf(id);
  }

  /** Whether the order of a map's entries is the same everywhere: of a hash, when its seed is zero. */
  #isOrdered(index: number): boolean {
    const { info } = this.#slot(index);
    if (info === undefined || !HASH_TABLE_TYPES.has(mapTypeNumber(String(info.type)) ?? 0)) return true;
    return (info.mapFlags & BPF_F_ZERO_SEED) !== 0;
  }
}

function fdBytes(fd: number): Uint8Array {
  return new Uint8Array(Int32Array.of(fd).buffer);
}

function closedSlot(): Slot {
  return { fd: CLOSED, info: undefined, shape: { keySize: 4, valueSize: 4 }, cursor: new Uint8Array(4), lists: [] };
}

function cursorSize(info: MapInfo): number {
  return Math.max(4, info.keySize);
}

/** A number over so many bytes: its own four, then bytes that follow from it. */
function spread(value: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size && at < 4096; at++)
    bytes[at] = at < 4 ? value >>> (8 * at) : (value * 7 + at) >>> (at % 3);
  return bytes;
}

/** A number as the key of an LPM trie: prefixes of all lengths, one too long among them, that agree in many bits. */
function prefix(value: number, size: number): Uint8Array {
  const bits = (size - 4) * 8;
  const bytes = new Uint8Array(size).fill([0, 0xff, 0xa5][value % 3] as number);
  const turned = (value * 7) % bits;
  bytes[4 + (turned >> 3)] = (bytes[4 + (turned >> 3)] as number) ^ (0x80 >> (turned & 7));
  new DataView(bytes.buffer).setUint32(0, (value * 5) % (bits + 2), true);
  return bytes;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function oddField(odd: Odd | null): Record<string, number> {
  if (odd === null) return {};
  // Which network devices there are beside the first is this machine's affair.
  const isDevice = odd.field === "ifindex" && odd.value !== 1;
  return { [odd.field]: isDevice ? 2 ** 31 - 1 : odd.value };
}
