import type { Instruction } from "../../../../isa/instruction.ts";
import { BPF_JA, BPF_JMP, BPF_JMP32, LD_IMM64 } from "../../../../isa/opcodes.ts";
import { loopsOf } from "../strong-components.ts";
import { endsPath, isJump, jumpTarget } from "./encoding.ts";
import type { Checkpoint, State } from "./state.ts";

/** A path that ended where a state that was kept covers it, and what will matter of that state is not yet known. */
export interface BackEdge {
  readonly kept: Checkpoint;
  readonly state: State;
}

/** A loop being followed, from the state with which it was entered until every path from there came to its end. */
interface LoopVisit {
  entry: Checkpoint | undefined;
  backEdges: BackEdge[];
}

/**
 * Which loop a slot lies on, numbered from 1; 0 for none. A helper that calls functions back is a loop by itself.
 * `kernel/bpf/verifier.c: compute_scc`, 6.18.
 */
export function loopsOfProgram(
  program: readonly Instruction[],
  goesBack: boolean,
  callsBack: Uint8Array,
): Uint16Array | undefined {
  if (!goesBack && !callsBack.includes(1)) return undefined;
  const loopOf = new Uint16Array(program.length);
  let count = 0;
  const slots = Array.from(program, (_, slot) => slot);
  for (const loop of goesBack ? loopsOf(slots, (slot) => following(program, slot)) : []) {
    count++;
    for (const slot of loop) loopOf[slot] = count;
  }
  callsBack.forEach((isCall, slot) => {
    if (isCall === 1 && loopOf[slot] === 0) loopOf[slot] = ++count;
  });
  return loopOf;
}

/** Where control goes from a slot within its function. */
function following(program: readonly Instruction[], slot: number): number[] {
  const instruction = program[slot] as Instruction;
  const { opcode } = instruction;
  const next = slot + (opcode === LD_IMM64 ? 2 : 1);
  const targets: number[] = [];
  if (isJump(instruction)) targets.push(jumpTarget(instruction, slot));
  const isUnconditional = opcode === (BPF_JMP | BPF_JA) || opcode === (BPF_JMP32 | BPF_JA);
  if (!isUnconditional && !endsPath(instruction)) targets.push(next);
  return targets;
}

/**
 * What is known of loops while they are followed. A path that comes back into a loop ends where a state that was kept covers
 * it, but what of that state will matter (which ranges, which slots of the stack) is found out only on the paths that are
 * still to be followed. Until then all of it may matter, and once every path from where the loop was entered has come to its
 * end, what was found is handed on along the paths that came back, round by round, until nothing new is found.
 * `kernel/bpf/verifier.c: incomplete_read_marks, add_scc_backedge, propagate_backedges`, 6.18.
 */
export class LoopVisits {
  readonly #loopOf: Uint16Array | undefined;
  readonly #visits = new Map<string, LoopVisit>();
  readonly #handOn: (edge: BackEdge) => boolean;

  /** `handOn` tells the state that came back what matters of the one that covers it; it answers whether that was news. */
  constructor(loopOf: Uint16Array | undefined, handOn: (edge: BackEdge) => boolean) {
    this.#loopOf = loopOf;
    this.#handOn = handOn;
  }

  /** A state is kept: it may be the one with which a loop is entered. */
  enter(kept: Checkpoint): void {
    const key = this.#key(kept.slot, kept.state);
    if (key === undefined) return;
    const visit = this.#visits.get(key);
    if (visit === undefined) this.#visits.set(key, { entry: kept, backEdges: [] });
    else visit.entry ??= kept;
  }

  /** Whether it is not yet known all that matters of a state, although every path from it came to its end. */
  isOpen(kept: Checkpoint): boolean {
    return (this.#visit(kept)?.backEdges.length ?? 0) > 0;
  }

  /** A path ends at a state whose loop is still open. */
  comeBack(edge: BackEdge): void {
    this.#visit(edge.kept)?.backEdges.push(edge);
  }

  /** Every path from a state came to its end. */
  leave(kept: Checkpoint): void {
    const visit = this.#visit(kept);
    if (visit?.entry !== kept) return;
    const { backEdges } = visit;
    for (let hasNews = backEdges.length > 0; hasNews; ) {
      hasNews = false;
      for (const edge of backEdges) if (this.#handOn(edge)) hasNews = true;
    }
    visit.entry = undefined;
    visit.backEdges = [];
  }

  #visit({ slot, state }: Checkpoint): LoopVisit | undefined {
    const key = this.#key(slot, state);
    return key === undefined ? undefined : this.#visits.get(key);
  }

  /** The outermost loop that a state is in, and the calls that lead there: `compute_scc_callchain`. */
  #key(slot: number, { frames }: State): string | undefined {
    const loopOf = this.#loopOf;
    if (loopOf === undefined) return undefined;
    let calls = "";
    for (let index = 0; index < frames.length; index++) {
      const at = frames[index + 1]?.callSite ?? slot;
      const loop = loopOf[at] as number;
      if (loop !== 0) return `${calls}loop ${loop}`;
      calls += `${at} `;
    }
    return undefined;
  }
}
