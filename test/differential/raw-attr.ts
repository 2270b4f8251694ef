import { BTF_LOAD, GET_ID, MAP_BATCH, MAP_ELEM, MAP_FREEZE, OBJ, OBJ_INFO } from "../../src/abi/attr.ts";
import { BPF_F_TOKEN_FD } from "../../src/abi/flags.ts";
import { MAP_INFO } from "../../src/abi/info.ts";
import type { AddressSpace } from "../../src/memory/address-space.ts";
import { LOADED } from "./btf-slots.ts";
import type { Command, Pointer } from "./command.ts";

type RawCommand = Extract<Command, { op: "raw" }>;

/** What a raw command is about. */
export interface RawTarget {
  readonly fd: number;
  /** The ids of the map and of the BTF. */
  readonly id: number;
  readonly btfId: number;
  readonly hasKey: boolean;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly path: string;
}

const PAGE = 4096;
/** A page for the attr, one for nothing, four for what it points to, and two more for nothing. */
export const RAW_BYTES = 8 * PAGE;

/** Where the last field of a command ends: junk behind it is refused, junk in front of it would be another command. */
export function attrEnd(cmd: number): number {
  const ends: Record<number, number> = { 3: MAP_ELEM.KEY_END, 4: MAP_ELEM.NEXT_KEY_END, 6: OBJ.END, 7: OBJ.END };
  Object.assign(ends, { 14: GET_ID.END, 15: OBJ_INFO.END, 22: MAP_FREEZE.END });
  Object.assign(ends, { 18: BTF_LOAD.END, 19: GET_ID.TOKEN_END, 23: GET_ID.NEXT_ID_END });
  return ends[cmd] ?? (cmd >= 24 ? MAP_BATCH.END : MAP_ELEM.END);
}

/** Whether a command answers an fd. */
export function opensFd(cmd: number): boolean {
  return cmd === 7 || cmd === 14 || cmd === 18 || cmd === 19;
}

/** How long the log of a BPF_BTF_LOAD would have been, as its attr has it; 0 for other commands. */
export function rawLogSize({ view }: AddressSpace, attr: number, cmd: number): number {
  return cmd === 18 ? view.getUint32(attr + BTF_LOAD.BTF_LOG_TRUE_SIZE, true) : 0;
}

/** Writes the attr that libbpf would give, but for one pointer. What it points to lies page by page behind it. */
export function fillRawAttr(memory: AddressSpace, raw: number, command: RawCommand, target: RawTarget): void {
  const { cmd, which } = command;
  const { view, u8 } = memory;
  const attr = raw + command.shift;
  u8.fill(0, u8.length - 2);
  const places = [2, 3, 4, 5].map((page) => raw + page * PAGE);
  const place = (index: number): number => places[index] as number;
  const bad = which % places.length;
  const u32 = (offset: number, value: number): void => view.setUint32(attr + offset, value, true);
  const pointer = (index: number, offset: number): void => {
    const good = place(index);
    const given = index === bad ? pointerOf(command.pointer, good, memory.size) : BigInt(good);
    view.setBigUint64(attr + offset, given, true);
  };
  u8.set(target.key.subarray(0, 64), place(0));
  u8.set(target.value.subarray(0, 64), place(1));
  if (cmd >= 24 && cmd <= 27) {
    pointer(3, MAP_BATCH.IN_BATCH);
    if (which === 0) view.setBigUint64(attr + MAP_BATCH.IN_BATCH, 0n, true);
    pointer(2, MAP_BATCH.OUT_BATCH);
    pointer(0, MAP_BATCH.KEYS);
    pointer(1, MAP_BATCH.VALUES);
    u32(MAP_BATCH.COUNT, command.key % 4);
    u32(MAP_BATCH.MAP_FD, target.fd);
  } else if (cmd === 6 || cmd === 7) {
    u8.set(new TextEncoder().encode(`${target.path}\0`), place(0));
    // Only a pointer that cannot be read: another would be another path on each kernel.
    if (command.pointer !== "unaligned" && command.pointer !== "edge") pointer(0, OBJ.PATHNAME);
    if (cmd === 6) u32(OBJ.BPF_FD, target.fd);
  } else if (cmd === 14) {
    u32(GET_ID.ID, target.id);
  } else if (cmd === 15) {
    u32(OBJ_INFO.BPF_FD, target.fd);
    u32(OBJ_INFO.INFO_LEN, [MAP_INFO.SIZE, 80, 200, 0][command.key % 4] ?? 0);
    pointer(0, OBJ_INFO.INFO);
    u8.fill(0, place(0), place(0) + 256);
    if (which === 3) u8[place(0) + 150] = 1;
  } else if (cmd === 18) {
    const btf = LOADED[0] as Uint8Array;
    u8.set(btf, place(0));
    pointer(0, BTF_LOAD.BTF);
    u32(BTF_LOAD.BTF_SIZE, btf.length - (which === 3 ? 1 : 0));
    if (command.key % 4 === 0) return;
    pointer(1, BTF_LOAD.BTF_LOG_BUF);
    u32(BTF_LOAD.BTF_LOG_SIZE, [0, 1, 100, PAGE][command.key % 4] as number);
    u32(BTF_LOAD.BTF_LOG_LEVEL, command.flags % 8);
  } else if (cmd === 19) {
    u32(GET_ID.ID, target.btfId);
    u32(GET_ID.OPEN_FLAGS, which === 3 ? command.flags % 2 ** 32 : 0);
    if (which === 2) u32(GET_ID.OPEN_FLAGS, BPF_F_TOKEN_FD);
    u32(GET_ID.TOKEN_FD, command.key % 2 === 0 ? target.fd : 0x70f0f0f0);
  } else if (cmd === 23) {
    u32(GET_ID.ID, target.btfId - 1);
  } else {
    u32(MAP_ELEM.MAP_FD, target.fd);
    if (cmd === 22) return;
    if (target.hasKey || which === 0) pointer(0, MAP_ELEM.KEY);
    if (cmd !== 3) pointer(1, MAP_ELEM.VALUE);
    if (cmd !== 3 && cmd !== 4) view.setBigUint64(attr + MAP_ELEM.FLAGS, BigInt(command.flags), true);
  }
}

function pointerOf(kind: Pointer, good: number, end: number): bigint {
  switch (kind) {
    case "good":
      return BigInt(good);
    case "unaligned":
      return BigInt(good + 1);
    case "null":
      return 0n;
    case "low":
      return 16n;
    case "beyond":
      return BigInt(end);
    case "wide":
      return BigInt(good) + 2n ** 32n;
    case "edge":
      return BigInt(end - 2);
  }
}
