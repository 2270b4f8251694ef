/** What is under way in a search for strongly connected components. */
interface Step {
  readonly node: number;
  readonly successors: readonly number[];
  next: number;
}

/**
 * The strongly connected components of a graph that hold a loop: several nodes that reach one another, or one that leads to
 * itself. What `successorsOf` answers is among the nodes. Tarjan's algorithm (1972), without recursion.
 */
export function loopsOf(nodes: readonly number[], successorsOf: (node: number) => readonly number[]): number[][] {
  const order = new Map<number, number>();
  const low = new Map<number, number>();
  const open: number[] = [];
  const isOpen = new Set<number>();
  const loops: number[][] = [];
  const path: Step[] = [];
  const enter = (node: number): void => {
    low.set(node, order.size);
    order.set(node, order.size);
    open.push(node);
    isOpen.add(node);
    path.push({ node, successors: successorsOf(node), next: 0 });
  };
  const lower = (node: number, to: number): void => {
    low.set(node, Math.min(low.get(node) as number, to));
  };
  const close = ({ node, successors }: Step): void => {
    if (low.get(node) !== order.get(node)) return;
    const part = open.splice(open.lastIndexOf(node));
    for (const member of part) isOpen.delete(member);
    if (part.length > 1 || successors.includes(node)) loops.push(part);
  };
  for (const root of nodes) {
    if (order.has(root)) continue;
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { node } = top;
      const successor = top.successors[top.next++];
      if (successor === undefined) {
        path.pop();
        close(top);
        const parent = path.at(-1);
        if (parent !== undefined) lower(parent.node, low.get(node) as number);
      } else if (!order.has(successor)) enter(successor);
      else if (isOpen.has(successor)) lower(node, order.get(successor) as number);
    }
  }
  return loops;
}
