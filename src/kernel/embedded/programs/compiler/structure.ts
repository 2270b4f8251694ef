import type { FunctionBody, Local } from "../wasm/function-body.ts";
import { I32, I32_EQZ, UNREACHABLE } from "../wasm/opcodes.ts";
import { type FlowOrder, flowOrder } from "./dominators.ts";
import type { FlowNode } from "./flow-graph.ts";

/** Writes the instructions of basic blocks. */
export interface BlockCompiler {
  /** Writes a block without the jump at its end. With a condition, leaves on the stack whether it holds. */
  block(start: number, end: number, hasCondition: boolean): void;
}

/**
 * Writes a reducible flow graph as blocks, loops and branches out of them: Ramsey, Beyond Relooper (ICFP 2022). A node that
 * several edges join in is placed behind a block that the node which dominates it opens, and is reached by leaving that
 * block; any other node stands where control comes from. Without recursion, for programs are long.
 */
export function writeStructured(body: FunctionBody, nodes: readonly FlowNode[], compiler: BlockCompiler): void {
  new Structure(body, nodes, compiler).write();
}

class Structure {
  readonly #body: FunctionBody;
  readonly #nodes: readonly FlowNode[];
  readonly #compiler: BlockCompiler;
  readonly #order: FlowOrder;
  /** The depth within the block or loop by which a node is reached. */
  readonly #blockDepth: Int32Array;
  readonly #loopDepth: Int32Array;
  /** What is still to be written, the next at the end: a node's tree, or the end of a block. */
  readonly #work: (number | typeof END_BLOCK)[] = [0];
  #choice: Local | undefined;

  constructor(body: FunctionBody, nodes: readonly FlowNode[], compiler: BlockCompiler) {
    this.#body = body;
    this.#nodes = nodes;
    this.#compiler = compiler;
    this.#order = flowOrder(nodes);
    this.#blockDepth = new Int32Array(nodes.length);
    this.#loopDepth = new Int32Array(nodes.length);
  }

  write(): void {
    for (let item = this.#work.pop(); item !== undefined; item = this.#work.pop()) {
      if (item === END_BLOCK) this.#body.end();
      else this.#writeTree(item);
    }
    // Every path has left by now, which the end of a loop does not show.
    this.#body.op(UNREACHABLE);
  }

  /** Opens what a node and those that it dominates need, and leaves the rest as work. */
  #writeTree(node: number): void {
    const { isLoop, isMerge, dominated } = this.#order;
    const joined = (dominated[node] as readonly number[]).filter((child) => isMerge[child] === 1);
    if (isLoop[node] === 1) {
      this.#body.loop();
      this.#loopDepth[node] = this.#body.depth;
      this.#work.push(END_BLOCK);
    }
    for (const child of joined) {
      this.#body.block();
      this.#blockDepth[child] = this.#body.depth;
      this.#work.push(child, END_BLOCK);
    }
    this.#writeNode(node);
  }

  #writeNode(node: number): void {
    const { content, successors } = this.#nodes[node] as FlowNode;
    switch (content.kind) {
      case "code":
        this.#compiler.block(content.start, content.end, successors.length === 2);
        if (successors.length === 2) this.#branchOnCondition(node, successors[0] as number, successors[1] as number);
        else if (successors.length === 1) this.#branch(node, successors[0] as number);
        else this.#body.op(UNREACHABLE);
        break;
      case "choose":
        this.#body.i32(content.choice).set(this.#choiceLocal());
        this.#branch(node, successors[0] as number);
        break;
      case "dispatch":
        this.#dispatch(node, successors);
        break;
    }
  }

  /** The condition is on the stack. */
  #branchOnCondition(node: number, whenTrue: number, whenFalse: number): void {
    const label = this.#labelOf(node, whenTrue);
    if (label !== undefined) {
      this.#body.brIf(label);
      return this.#branch(node, whenFalse);
    }
    const other = this.#labelOf(node, whenFalse);
    if (other !== undefined) {
      this.#body.op(I32_EQZ).brIf(other);
      this.#work.push(whenTrue);
      return;
    }
    this.#body.if();
    this.#work.push(whenFalse, END_BLOCK, whenTrue);
  }

  #branch(from: number, to: number): void {
    const label = this.#labelOf(from, to);
    if (label === undefined) this.#work.push(to);
    else this.#body.br(label);
  }

  /** What is dominated by a dispatch and joined by nothing else stands behind blocks as well, for br_table to reach it. */
  #dispatch(node: number, successors: readonly number[]): void {
    const inline = successors.filter((successor) => this.#labelOf(node, successor) === undefined);
    for (const successor of inline) {
      this.#body.block();
      this.#blockDepth[successor] = this.#body.depth;
      this.#work.push(successor, END_BLOCK);
    }
    const labels = successors.map((successor) =>
      inline.includes(successor)
        ? this.#body.depth - (this.#blockDepth[successor] as number)
        : (this.#labelOf(node, successor) as number),
    );
    this.#body.get(this.#choiceLocal()).brTable(labels.slice(0, -1), labels.at(-1) as number);
  }

  /** The label that an edge branches to; `undefined` when its target stands right here. */
  #labelOf(from: number, to: number): number | undefined {
    const { place, isMerge } = this.#order;
    if ((place[to] as number) <= (place[from] as number)) return this.#body.depth - (this.#loopDepth[to] as number);
    return isMerge[to] === 1 ? this.#body.depth - (this.#blockDepth[to] as number) : undefined;
  }

  #choiceLocal(): Local {
    this.#choice ??= this.#body.local(I32);
    return this.#choice;
  }
}

const END_BLOCK = "end";
