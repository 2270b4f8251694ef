import type { Instruction } from "../../../../isa/instruction.ts";
import { isWide } from "../../../../isa/instruction.ts";
import { BPF_CALL, BPF_EXIT, BPF_JA, BPF_JCOND, BPF_JMP, BPF_JMP32 } from "../../../../isa/opcodes.ts";
import type { Subprogram } from "../verified-program.ts";

/** A node of the flow graph of one function: what happens in it, and where control goes from there. */
export interface FlowNode {
  readonly content: NodeContent;
  /** The nodes that follow. With two, the first is where a condition that holds leads. */
  successors: number[];
}

/** The instructions of a basic block, or what was put in to make the graph reducible. */
export type NodeContent =
  | { readonly kind: "code"; readonly start: number; readonly end: number }
  /** Remembers which successor a dispatch is to take. */
  | { readonly kind: "choose"; readonly choice: number }
  /** Goes to the successor that was chosen. */
  | { readonly kind: "dispatch" };

const CLASS = 0x07;
const OPERATION = 0xf0;

/** The operation of a jump, or −1 for what is none: calls go on behind themselves. */
function jumpOperation({ opcode }: Instruction): number {
  const klass = opcode & CLASS;
  if (klass !== BPF_JMP && klass !== BPF_JMP32) return -1;
  const operation = opcode & OPERATION;
  return operation === BPF_CALL ? -1 : operation;
}

/** The slot that a jump leads to: `goto` of 32 bits has its distance in the immediate. */
function jumpTarget(instruction: Instruction, slot: number): number {
  const isLong = (instruction.opcode & CLASS) === BPF_JMP32 && (instruction.opcode & OPERATION) === BPF_JA;
  return slot + 1 + (isLong ? instruction.imm : instruction.offset);
}

/** Whether an instruction is a jump with a condition. */
export function isConditional(instruction: Instruction): boolean {
  const operation = jumpOperation(instruction);
  return operation > BPF_JA && operation !== BPF_EXIT;
}

/** Whether an instruction is `may_goto`, whose jump no register decides. */
export function isMayGoto(instruction: Instruction): boolean {
  return jumpOperation(instruction) === BPF_JCOND;
}

/** The slots to which control goes from an instruction, where a condition that holds leads first. */
function following(instruction: Instruction, slot: number): number[] {
  const operation = jumpOperation(instruction);
  const next = slot + (isWide(instruction) ? 2 : 1);
  if (operation < 0) return [next];
  if (operation === BPF_EXIT) return [];
  const target = jumpTarget(instruction, slot);
  return operation === BPF_JA ? [target] : [target, next];
}

/**
 * The basic blocks of a function. Node 0 is where it begins, and nothing leads back to it. An edge to what no path reaches
 * is left out: the verifier has proved that it is never taken.
 */
export function flowGraph(
  instructions: readonly Instruction[],
  subprogram: Subprogram,
  reachable: Uint8Array,
): FlowNode[] {
  const leaders = findLeaders(instructions, subprogram, reachable);
  const nodeAt = new Map<number, number>();
  for (let slot = subprogram.start; slot < subprogram.end; slot++) {
    if (leaders[slot - subprogram.start] === 1) nodeAt.set(slot, nodeAt.size + 1);
  }
  const nodes: FlowNode[] = [
    { content: { kind: "code", start: subprogram.start, end: subprogram.start }, successors: [1] },
  ];
  for (const start of nodeAt.keys()) {
    let slot = start;
    let behind = slotBehind(instructions, slot);
    while (leaders[behind - subprogram.start] !== 1 && goesOn(instructions[slot] as Instruction)) {
      slot = behind;
      behind = slotBehind(instructions, slot);
    }
    const targets = following(instructions[slot] as Instruction, slot).filter((target) => reachable[target] === 1);
    const successors = [...new Set(targets)].map((target) => nodeAt.get(target) as number);
    nodes.push({ content: { kind: "code", start, end: behind }, successors });
  }
  return nodes;
}

/** Whether control goes from an instruction to the next one, whatever happens. */
function goesOn(instruction: Instruction): boolean {
  const operation = jumpOperation(instruction);
  return operation < 0 || (operation === BPF_JA && jumpTarget(instruction, -1) === 0);
}

function slotBehind(instructions: readonly Instruction[], slot: number): number {
  return slot + (isWide(instructions[slot] as Instruction) ? 2 : 1);
}

/** 1 for each slot of the function at which a basic block begins. */
function findLeaders(
  instructions: readonly Instruction[],
  { start, end }: Subprogram,
  reachable: Uint8Array,
): Uint8Array {
  const leaders = new Uint8Array(end - start);
  leaders[0] = 1;
  for (let slot = start; slot < end; slot = slotBehind(instructions, slot)) {
    const instruction = instructions[slot] as Instruction;
    if (reachable[slot] !== 1 || jumpOperation(instruction) < 0) continue;
    for (const target of following(instruction, slot)) if (reachable[target] === 1) leaders[target - start] = 1;
  }
  return leaders;
}
