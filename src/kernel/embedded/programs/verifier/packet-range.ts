import { BPF_JGE, BPF_JGT, BPF_JLE, BPF_JLT } from "../../../../isa/opcodes.ts";
import { mirrored } from "./range-compare.ts";
import { AT_PACKET_END, BEYOND_PACKET_END, type Register, type RegisterKind } from "./register.ts";
import type { State } from "./state.ts";

const MAX_PACKET_OFFSET = 0xffffn;

/** Whether a comparison with the end of the packet holds, by a comparison before: `is_pkt_ptr_branch_taken`, 6.18. */
export function packetBranch(op: number, a: Register, b: Register): boolean | undefined {
  const isLeft = b.kind === "packet_end";
  if (!isLeft && a.kind !== "packet_end") return undefined;
  const packet = isLeft ? a : b;
  const comparison = isLeft ? op : mirrored(op);
  if (packet.extent >= 0) return undefined;
  const isBeyond = packet.extent === BEYOND_PACKET_END;
  if ((comparison === BPF_JGT || comparison === BPF_JLE) && isBeyond) return comparison === BPF_JGT;
  if (comparison === BPF_JGE || comparison === BPF_JLT) return comparison === BPF_JGE;
  return undefined;
}

/**
 * A pointer into the packet was compared with its end (or one into the metadata with the packet's beginning): on the way
 * where it is not beyond it, all bytes before it are there. `try_match_pkt_pointers`, 6.18.
 */
export function comparePacketEnd(op: number, dst: number, src: number, here: State, taken: State): void {
  const a = here.frame.registers[dst] as Register;
  const b = here.frame.registers[src] as Register;
  const isLeft = isBounded(a, b);
  if (!isLeft && !isBounded(b, a)) return;
  const pointer = isLeft ? a : b;
  const index = isLeft ? dst : src;
  switch (isLeft ? op : mirrored(op)) {
    case BPF_JGT:
      prove(here, pointer, false);
      markEnd(taken, index, BEYOND_PACKET_END);
      return;
    case BPF_JLT:
      prove(taken, pointer, true);
      markEnd(here, index, AT_PACKET_END);
      return;
    case BPF_JGE:
      prove(here, pointer, true);
      markEnd(taken, index, AT_PACKET_END);
      return;
    case BPF_JLE:
      prove(taken, pointer, false);
      markEnd(here, index, BEYOND_PACKET_END);
  }
}

function isBounded(pointer: Register, end: Register): boolean {
  if (pointer.kind === "packet") return end.kind === "packet_end";
  return pointer.kind === "packet_meta" && end.kind === "packet" && end.id === 0 && end.place === 0;
}

/** Every pointer from the same base reaches so far. `isBefore`: the pointer is before the end, not just at it. */
function prove(state: State, pointer: Register, isBefore: boolean): void {
  const { offset } = pointer;
  const { umax } = pointer.range;
  if (offset < 0 || (offset === 0 && isBefore) || umax + BigInt(offset) > MAX_PACKET_OFFSET) return;
  const extent = offset + (isBefore ? 1 : 0);
  const kind: RegisterKind = pointer.kind;
  state.changeRegisters((register) => {
    if (register.kind !== kind || register.id !== pointer.id || register.extent >= extent) return register;
    const proven = register.copy();
    proven.extent = extent;
    return proven;
  });
}

/** The pointer itself is at the end or beyond it; another comparison of it is then decided. */
function markEnd({ frame }: State, index: number, extent: number): void {
  const pointer = frame.registers[index] as Register;
  if (pointer.kind !== "packet") return;
  const marked = pointer.copy();
  marked.extent = extent;
  frame.registers[index] = marked;
}
