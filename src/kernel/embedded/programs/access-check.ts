import { SK_BUFF, XDP_MD } from "../../../abi/contexts.ts";
import { BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG } from "../../../abi/flags.ts";
import { BPF_PROG_TYPE_XDP } from "../../../abi/prog-types.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import type { MapGeometry } from "../maps/map-geometry.ts";
import { RingbufMap } from "../maps/ringbuf.ts";
import { SEGMENT } from "../segment.ts";
import { WRITES } from "./compiler/memory-access.ts";
import type { ProgramHost } from "./program-host.ts";

/** Is told of an access that a program is about to make, and throws when it must not. */
export type AccessCheck = (address: Address, bytes: number, access: number, slot: number) => void;

/** A program has reached for what is not its own: the verifier has let something through that it must not. */
export class AccessError extends Error {
  override readonly name = "AccessError";
}

/** What is asked of a program that is checked as it runs. */
interface Checked {
  readonly type: number;
  readonly maps: readonly EmbeddedMap[];
}

/**
 * The check of every access of a program: its stack, its context, its packet from end to end, records of ring buffers, and
 * the values of its maps, one at a time. For tests of the verifier: without it a program is as safe as it was proved to be.
 */
export function accessCheck(host: ProgramHost, program: Checked): AccessCheck {
  return (address, bytes, access, slot) => {
    const isWrite = (access & WRITES) !== 0;
    if (isOnStack(host, address, bytes) || isContext(host, address, bytes)) return;
    if (isInPacket(host, program, address, bytes)) return;
    if (program.maps.some((map) => isInMap(host, map, address, bytes, isWrite))) return;
    const does = isWrite ? "writes" : "reads";
    throw new AccessError(`slot ${slot} ${does} ${bytes} bytes at ${address}, which are not the program's`);
  };
}

function isWithin(address: Address, bytes: number, from: Address, to: Address): boolean {
  return address >= from && address + bytes <= to;
}

function isOnStack({ stack }: ProgramHost, address: Address, bytes: number): boolean {
  return isWithin(address, bytes, stack.start, stack.end);
}

function isContext({ context }: ProgramHost, address: Address, bytes: number): boolean {
  return isWithin(address, bytes, context, context + SK_BUFF.SIZE);
}

function isInPacket({ memory, context }: ProgramHost, { type }: Checked, address: Address, bytes: number): boolean {
  const { view } = memory;
  const isXdp = type === BPF_PROG_TYPE_XDP;
  const start = view.getUint32(context + (isXdp ? XDP_MD.DATA_META : SK_BUFF.DATA_META), true);
  const end = view.getUint32(context + (isXdp ? XDP_MD.DATA_END : SK_BUFF.DATA_END), true);
  return isWithin(address, bytes, start, end);
}

function isInMap(host: ProgramHost, map: EmbeddedMap, address: Address, bytes: number, isWrite: boolean): boolean {
  const size = host.memory.sizeOf(map.base) ?? 0;
  if (!isWithin(address, bytes, map.base + SEGMENT.HEADER_SIZE, map.base + size)) return false;
  const forbidden = isWrite ? BPF_F_RDONLY_PROG : BPF_F_WRONLY_PROG;
  if ((map.header(SEGMENT.MAP_FLAGS) & forbidden) !== 0) return false;
  return map instanceof RingbufMap || isOneValue(map, address, bytes);
}

/** Where the first value lies, and the bytes from one to the next. */
function placesOf(geometry: MapGeometry): { readonly first: Address; readonly stride: number } {
  if (geometry.kind === "array") return { first: geometry.values, stride: geometry.elementSize };
  const { origin, firstElement, valueWord, elementWords } = geometry.table;
  return { first: (origin + firstElement + valueWord) * 4, stride: elementWords * 4 };
}

/** Whether bytes are all of one value, and of one CPU's where there are several. */
function isOneValue(map: EmbeddedMap, address: Address, bytes: number): boolean {
  const geometry = map.programGeometry;
  if (geometry === undefined) return false;
  const { first, stride } = placesOf(geometry);
  const within = (address - first) % stride;
  const inSlot = geometry.cpuStride === 0 ? within : within % geometry.cpuStride;
  return address >= first && within < map.userValueSize && inSlot + bytes <= map.valueSize;
}
