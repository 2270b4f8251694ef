import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Sys } from "mapiary";
import { ENOENT } from "../../src/abi/errno.ts";

/** Whether a map of this id lives. */
export function lives(sys: Sys, id: number): boolean {
  const fd = sys.mapGetFdById(id);
  if (fd >= 0) sys.close(fd);
  else assert.equal(fd, -ENOENT);
  return fd >= 0;
}

/**
 * Waits until no map of this id lives. On Linux others may hold it for a moment: whoever lists all maps opens each.
 */
export async function gone(sys: Sys, id: number): Promise<void> {
  for (let waited = 0; lives(sys, id); waited += 5) {
    assert.ok(waited < 60_000, `map ${id} still lives after a minute`);
    await sleep(5);
  }
}

/** Collects what nobody refers to, and lets whoever waits for that know. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  await sleep(0);
}
