/** Timers in the values of maps, by a program that asks for everything: the same on every kernel. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, mock, test } from "node:test";
import { type ArrayMap, type Bpf, type BpfProgram, embedded, type HashMap, type LruHashMap } from "mapiary";
import { onEveryKernel } from "../kernels.ts";
import { withClang } from "../program/clang.ts";

interface Slot {
  fired: bigint;
  key: number;
}

interface Timed {
  maps: { hash: HashMap<number, Slot>; lru: LruHashMap<number, Slot>; array: ArrayMap<number, Slot> };
  variables: { answers: bigint[]; in_callback: bigint[]; fired: bigint; last_key: number; again: number };
  programs: Record<
    "facts" | "start_in_hash" | "start_in_lru" | "start_in_array" | "cancel_in_hash" | "overwrite_in_hash",
    BpfProgram
  >;
}

interface Request {
  readonly key?: number;
  readonly flags?: number;
  readonly milliseconds?: number;
  readonly times?: number;
  readonly deletes?: boolean;
}

const EPERM = -1n;
const EBUSY = -16n;
const EINVAL = -22n;
const EDEADLK = -35n;
const ABSOLUTE = 1;
const PINNED = 2;
/** Longer than any test takes, in milliseconds. */
const HOUR = 3_600_000;

/** `struct request`. */
function ask(program: BpfProgram, { key = 0, flags = 0, milliseconds = 1, times = 0, deletes = false }: Request): void {
  const ctx = new DataView(new ArrayBuffer(24));
  ctx.setUint32(0, key, true);
  ctx.setUint32(4, flags, true);
  ctx.setBigUint64(8, BigInt(milliseconds) * 1_000_000n, true);
  ctx.setUint32(16, times, true);
  ctx.setUint32(20, deletes ? 1 : 0, true);
  assert.equal(program.run({ ctx: new Uint8Array(ctx.buffer) }).retval, 0);
}

/** Waits for something that is to come, however long it takes. */
async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 1));
}

withClang((compile) => {
  const object = (): Uint8Array => compile(join(import.meta.dirname, "timers.bpf.c"));

  onEveryKernel(({ open }) => {
    const timed = (run: (timed: Timed, bpf: Bpf) => Promise<void> | void) => async () => {
      using bpf = open();
      using loaded = bpf.load<Timed>(object());
      await run(loaded, bpf);
    };

    describe("a timer", () => {
      test(
        "is made once, for a clock that there is, and started when it has a callback",
        timed(({ programs, variables }) => {
          ask(programs.facts, {});
          const made = [EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, 0n, EBUSY];
          const started = [EINVAL, 0n, 0n, EINVAL, 0n, EINVAL, 0n, 0n, 0n, 1n, 0n];
          assert.deepEqual([...variables.answers], [...made, ...started]);
        }),
      );

      for (const [place, program] of [
        ["an array", "start_in_array"],
        ["a hash", "start_in_hash"],
        ["an LRU hash", "start_in_lru"],
      ] as const) {
        test(
          `in ${place} runs out, and its callback has the key and the value`,
          timed(async ({ maps, programs, variables }) => {
            ask(programs[program], { key: 2 });
            assert.deepEqual([...variables.answers].slice(0, 3), [0n, 0n, 0n]);
            await until(() => variables.fired === 1n);
            assert.equal(variables.last_key, 2);
            const map = { start_in_array: maps.array, start_in_hash: maps.hash, start_in_lru: maps.lru }[program];
            assert.deepEqual(map.get(2), { fired: 1n, key: 2 });
          }),
        );
      }

      test(
        "runs out at a time, and on a CPU",
        timed(async ({ programs, variables }) => {
          ask(programs.start_in_array, { flags: ABSOLUTE | PINNED, milliseconds: 2 });
          await until(() => variables.fired === 1n);
        }),
      );

      test(
        "that its callback starts runs out again, and its callback cannot cancel it",
        timed(async ({ maps, programs, variables }) => {
          ask(programs.start_in_hash, { key: 7, times: 3 });
          await until(() => variables.fired === 4n);
          assert.deepEqual(maps.hash.get(7), { fired: 4n, key: 7 });
          assert.deepEqual([...variables.in_callback], [EDEADLK, 0n]);
        }),
      );

      test(
        "that is started again waits anew",
        timed(async ({ programs, variables }) => {
          ask(programs.start_in_hash, { milliseconds: HOUR });
          ask(programs.start_in_hash, {});
          assert.deepEqual([...variables.answers].slice(0, 3), [EBUSY, 0n, 0n]);
          await until(() => variables.fired === 1n);
        }),
      );

      test(
        "that is cancelled waits no longer",
        timed(({ programs, variables }) => {
          ask(programs.start_in_hash, { milliseconds: HOUR });
          for (const wasWaiting of [1n, 0n]) {
            ask(programs.cancel_in_hash, {});
            assert.equal(variables.answers[0], wasWaiting);
          }
        }),
      );

      test(
        "goes with its element",
        timed(({ maps, programs, variables }) => {
          for (const key of [1, 2, 3, 4]) ask(programs.start_in_hash, { key, milliseconds: HOUR });
          maps.hash.delete(1);
          maps.hash.set(2, { fired: 100n, key: 0 });
          ask(programs.overwrite_in_hash, { key: 3 });
          maps.hash.take(4);
          for (const key of [1, 2, 3, 4]) {
            ask(programs.start_in_hash, { key, milliseconds: HOUR });
            assert.equal(variables.answers[0], 0n);
          }
          ask(programs.start_in_array, { milliseconds: HOUR });
          maps.array.set(0, { fired: 200n, key: 0 });
          ask(programs.start_in_array, { milliseconds: HOUR });
          assert.equal(variables.answers[0], 0n);
        }),
      );

      test(
        "is gone for a callback that deletes its own element",
        timed(async ({ maps, programs, variables }) => {
          ask(programs.start_in_hash, { key: 5, deletes: true });
          await until(() => variables.fired === 1n);
          assert.deepEqual([...variables.in_callback], [0n, EINVAL]);
          assert.equal(maps.hash.count(), 0);
        }),
      );

      test(
        "goes with the last fd of its map, though programs use it",
        timed(({ maps, programs, variables }) => {
          ask(programs.start_in_hash, { milliseconds: HOUR });
          maps.hash.close();
          ask(programs.start_in_hash, {});
          assert.deepEqual([...variables.answers].slice(0, 3), [EPERM, EINVAL, EINVAL]);
        }),
      );

      test(
        "keeps its program",
        timed(async ({ maps, programs }) => {
          ask(programs.start_in_array, { milliseconds: 50 });
          for (const program of Object.values(programs)) program.close();
          await until(() => maps.array.get(0)?.fired === 1n);
        }),
      );
    });
  });

  describe("a timer of the embedded kernel, by the timers of JavaScript, which a test can move,", () => {
    const inMockTime = (run: (object: Timed, bpf: Bpf) => void) => () => {
      mock.timers.enable({ apis: ["setTimeout"] });
      const bpf = embedded();
      try {
        run(bpf.load<Timed>(object()), bpf);
      } finally {
        bpf.close();
        mock.timers.reset();
      }
    };

    test(
      "runs out when it is time",
      inMockTime(({ programs, variables }) => {
        ask(programs.start_in_hash, { key: 1, milliseconds: HOUR });
        mock.timers.tick(HOUR - 1);
        assert.equal(variables.fired, 0n);
        mock.timers.tick(1);
        assert.equal(variables.fired, 1n);
      }),
    );

    test(
      "waits for longer than those of JavaScript do",
      inMockTime(({ programs, variables }) => {
        const longest = 2 ** 31 - 1;
        ask(programs.start_in_hash, { milliseconds: 2 * longest + 1000 });
        for (const step of [longest, longest, 999]) mock.timers.tick(step);
        assert.equal(variables.fired, 0n);
        mock.timers.tick(1);
        assert.equal(variables.fired, 1n);
      }),
    );

    test(
      "never runs out when it was cancelled, or its element or its map has gone",
      inMockTime(({ maps, programs, variables }) => {
        for (const key of [0, 1, 2, 3]) ask(programs.start_in_hash, { key });
        ask(programs.cancel_in_hash, {});
        maps.hash.delete(1);
        maps.hash.set(2, { fired: 0n, key: 0 });
        maps.hash.close();
        ask(programs.start_in_array, { key: 1 });
        maps.array.set(1, { fired: 0n, key: 0 });
        mock.timers.tick(HOUR);
        assert.equal(variables.fired, 0n);
      }),
    );

    test(
      "never runs out when its kernel has been closed",
      inMockTime(({ programs }, bpf) => {
        ask(programs.start_in_hash, {});
        bpf.close();
        assert.doesNotThrow(() => mock.timers.tick(HOUR));
      }),
    );
  });
});
