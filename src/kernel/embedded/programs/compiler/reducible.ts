import { loopsOf } from "../strong-components.ts";
import type { FlowNode } from "./flow-graph.ts";

/**
 * Makes a flow graph reducible: every loop gets one node by which it is entered. A loop with several gets a dispatch in
 * front of them, to which every edge into one of them goes by way of a node that chooses which. A graph that is reducible
 * is left as it is, and pays nothing.
 */
export function makeReducible(nodes: FlowNode[]): void {
  if (nodes.every(({ successors }, node) => successors.every((successor) => successor > node))) return;
  let sources = sourcesOf(nodes);
  const work: number[][] = [nodes.map((_, node) => node)];
  for (let region = work.pop(); region !== undefined; region = work.pop()) {
    for (const loop of loopsIn(nodes, region)) {
      const members = new Set(loop);
      const entries = loop.filter((node) => sources[node]?.some((source) => !members.has(source)));
      let header = entries[0] as number;
      if (entries.length > 1) {
        header = addDispatch(nodes, members, entries);
        sources = sourcesOf(nodes);
      }
      members.delete(header);
      if (members.size > 0) work.push([...members]);
    }
  }
}

/** Where the edges into each node come from. */
function sourcesOf(nodes: readonly FlowNode[]): number[][] {
  const sources: number[][] = nodes.map(() => []);
  nodes.forEach(({ successors }, node) => {
    for (const successor of successors) sources[successor]?.push(node);
  });
  return sources;
}

/**
 * Puts a dispatch before the entries of a loop. Edges from within the loop and from outside choose by nodes of their own:
 * one that both go through would be one more way in.
 */
function addDispatch(nodes: FlowNode[], members: Set<number>, entries: readonly number[]): number {
  const before = nodes.length;
  const dispatch = nodes.push({ content: { kind: "dispatch" }, successors: [...entries] }) - 1;
  const choosers = new Map<string, number>();
  const chooser = (entry: number, isWithin: boolean): number => {
    const name = `${entry} ${isWithin}`;
    const known = choosers.get(name);
    if (known !== undefined) return known;
    const content = { kind: "choose", choice: entries.indexOf(entry) } as const;
    const made = nodes.push({ content, successors: [dispatch] }) - 1;
    choosers.set(name, made);
    return made;
  };
  for (let node = 0; node < before; node++) {
    const { successors } = nodes[node] as FlowNode;
    const isWithin = members.has(node);
    successors.forEach((successor, index) => {
      if (entries.includes(successor)) successors[index] = chooser(successor, isWithin);
    });
  }
  for (const [name, node] of choosers) if (name.endsWith("true")) members.add(node);
  members.add(dispatch);
  return dispatch;
}

/** The parts of a region in which there is a loop, each as the nodes that reach one another. */
function loopsIn(nodes: readonly FlowNode[], region: readonly number[]): number[][] {
  const inside = new Set(region);
  return loopsOf(region, (node) => (nodes[node] as FlowNode).successors.filter((successor) => inside.has(successor)));
}
