/** Several processes produce the records of one ring buffer, and are killed at any moment. `--runs N` kills N of them. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Bpf, embedded } from "mapiary";
import { newDirectory } from "../kernels.ts";
import { bundle } from "./bundle.ts";
import { generator } from "./random.ts";
import { type How, numberOf, producerState, RECORD_ROOM, record } from "./ring-program.ts";

const RUNS = Number(process.env["MAPIARY_RUNS"] ?? 12);
const SEED = Number(process.env["MAPIARY_SEED"] ?? 1);
const AT_A_TIME = 3;
const LONGEST_LIFE = 30;
const HOWS: readonly How[] = ["submit", "output", "submit"];
const WHO = 2n ** 32n;
const SIZE = 8192;

interface Victim {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly number: number;
}

async function kill({ child }: Victim): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  assert.deepEqual(await ended, [null, "SIGKILL"]);
}

/** How many records one who was killed had been told that they were produced. */
function acknowledged(bpf: Bpf, { number }: Victim): bigint {
  using state = bpf.openMap(`/sys/fs/bpf/${number}`, { type: "array", value: producerState });
  return (state.get(0)?.next ?? 0n) % WHO;
}

test(`of ${RUNS} producers that are killed no acknowledged record is lost, none comes twice, and nobody is held up (seed ${SEED})`, async (context) => {
  const program = await bundle("ring-victim-process.ts");
  const directory = newDirectory();
  const bpf = embedded({ bpffs: directory });
  const ring = bpf.createMap({ type: "ringbuf", name: "ring", value: record, maxEntries: SIZE });
  ring.pin("/sys/fs/bpf/ring");
  const random = generator(SEED);
  /** The number behind that of the last record that came, of each producer. */
  const next = new Map<number, bigint>();
  let taken = 0;

  async function read(): Promise<void> {
    for await (const batch of ring.batches()) {
      for (const number of batch.map(numberOf)) {
        const who = Number(number / WHO);
        assert.equal(number % WHO, next.get(who) ?? 0n, `of producer ${who}`);
        next.set(who, (number % WHO) + 1n);
      }
      taken += batch.length;
    }
  }

  async function start(number: number): Promise<Victim> {
    const args = [program.file, directory, HOWS[number % HOWS.length] as How, String(number)];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    assert.equal(String((await once(child.stdout, "data"))[0]), "ready\n");
    return { child, number };
  }

  const reading = read();
  const everybody: Victim[] = [];
  for (let number = 0; number < RUNS; number += AT_A_TIME) {
    const victims = await Promise.all(Array.from({ length: AT_A_TIME }, (_, index) => start(number + index)));
    everybody.push(...victims);
    for (const { child } of victims) child.stdin.write("!");
    for (const victim of victims) {
      await delay(random(LONGEST_LIFE));
      await kill(victim);
    }
  }
  // Whoever comes last produces behind all that the dead have left, and is read behind it.
  const last = await start(everybody.length);
  everybody.push(last);
  last.child.stdin.write("!");
  while (!next.has(last.number)) await Promise.race([delay(1), reading]);
  await kill(last);
  // What that one has left is skipped when somebody else begins to read.
  const other = bpf.mapById(ring.id, { type: "ringbuf", value: record });
  other.poll();
  await delay(1);
  ring.close();
  await reading;
  for (const victim of everybody) {
    const known = acknowledged(bpf, victim);
    const seen = next.get(victim.number) ?? 0n;
    assert(seen === known || seen === known + 1n, `of producer ${victim.number} ${known} were told, and ${seen} seen`);
  }
  assert(taken * RECORD_ROOM > SIZE, `only ${taken} records`);
  context.diagnostic(`${taken} records of ${everybody.length} producers`);
  bpf.close();
  program.remove();
});
