import type { Queue, Stack } from "mapiary";
import { valueOfKey } from "../key-sequence.ts";
import { type MeasuredMap, sink } from "./measured-map.ts";

/** `pop` and `push` of a queue or a stack that is half full between the two, each undone by the other. */
export function ring(map: Queue<number> | Stack<number>): MeasuredMap {
  const half = Math.max(1, Math.floor(map.maxEntries / 2));
  const push = (count: number): number => {
    for (let i = 0; i < count; i++) map.push(valueOfKey(i));
    return count;
  };
  const pop = (count: number): number => {
    let popped = 0;
    for (let i = 0; i < count; i++) {
      const value = map.pop();
      if (value !== undefined) popped++;
      sink[i & 7] = value;
    }
    return popped;
  };
  push(half);
  return {
    map,
    lookup: { run: pop, undo: push, most: half },
    update: { run: push, undo: pop, most: map.maxEntries - half },
    verify() {
      const values = map.drain();
      if (values.length !== half) throw new Error(`${values.length} values came out, not ${half}`);
      const most = valueOfKey(map.maxEntries);
      const wrong = values.find((value) => value < 1 || value > most || value % 3 !== 1);
      if (wrong !== undefined) throw new Error(`${wrong} came out, which was never pushed`);
      push(half);
    },
  };
}
