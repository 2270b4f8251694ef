import type { FlowNode } from "./flow-graph.ts";

/** The order of a flow graph: what comes before what on every path, and what joins. */
export interface FlowOrder {
  /** The place of each node in a reverse postorder; an edge to a place that is not later goes back to the head of a loop. */
  readonly place: Int32Array;
  /** The nodes that each node dominates immediately, the last in order first. */
  readonly dominated: readonly (readonly number[])[];
  /** 1 for each node that edges from several places join in, those that go back not counted. */
  readonly isMerge: Uint8Array;
  /** 1 for each node to which an edge goes back. */
  readonly isLoop: Uint8Array;
}

/** Cooper, Harvey and Kennedy: A Simple, Fast Dominance Algorithm. Node 0 is the beginning, and reaches every other. */
export function flowOrder(nodes: readonly FlowNode[]): FlowOrder {
  const order = reversePostorder(nodes);
  const place = new Int32Array(nodes.length);
  order.forEach((node, index) => {
    place[node] = index;
  });
  const predecessors: number[][] = nodes.map(() => []);
  const isMerge = new Uint8Array(nodes.length);
  const isLoop = new Uint8Array(nodes.length);
  nodes.forEach(({ successors }, node) => {
    for (const successor of successors) {
      predecessors[successor]?.push(node);
      if ((place[successor] as number) <= (place[node] as number)) isLoop[successor] = 1;
    }
  });
  predecessors.forEach((sources, node) => {
    const forward = sources.filter((source) => (place[source] as number) < (place[node] as number));
    if (forward.length > 1) isMerge[node] = 1;
  });
  const dominated: number[][] = nodes.map(() => []);
  const dominators = immediateDominators(order, place, predecessors);
  for (let index = order.length - 1; index > 0; index--) {
    dominated[order[dominators[index] as number] as number]?.push(order[index] as number);
  }
  return { place, dominated, isMerge, isLoop };
}

function reversePostorder(nodes: readonly FlowNode[]): number[] {
  const seen = new Uint8Array(nodes.length);
  const postorder: number[] = [];
  const path = [{ node: 0, next: 0 }];
  seen[0] = 1;
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const successor = (nodes[top.node] as FlowNode).successors[top.next++];
    if (successor === undefined) {
      postorder.push(top.node);
      path.pop();
    } else if (seen[successor] === 0) {
      seen[successor] = 1;
      path.push({ node: successor, next: 0 });
    }
  }
  return postorder.reverse();
}

/** The immediate dominator of each node, both by their places in the order. */
function immediateDominators(
  order: readonly number[],
  place: Int32Array,
  predecessors: readonly number[][],
): Int32Array {
  const dominators = new Int32Array(order.length).fill(-1);
  dominators[0] = 0;
  for (let hasChanged = true; hasChanged; ) {
    hasChanged = false;
    for (let index = 1; index < order.length; index++) {
      let dominator = -1;
      for (const predecessor of predecessors[order[index] as number] as number[]) {
        const candidate = place[predecessor] as number;
        if (dominators[candidate] === -1) continue;
        dominator = dominator === -1 ? candidate : commonDominator(dominators, dominator, candidate);
      }
      if (dominators[index] === dominator) continue;
      dominators[index] = dominator;
      hasChanged = true;
    }
  }
  return dominators;
}

function commonDominator(dominators: Int32Array, a: number, b: number): number {
  while (a !== b) {
    while (a > b) a = dominators[a] as number;
    while (b > a) b = dominators[b] as number;
  }
  return a;
}
