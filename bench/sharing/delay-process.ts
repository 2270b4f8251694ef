/**
 * How long it takes until another process sees an update: `delay-process <embedded | linux> <place> <updates>`, where the place
 * is a directory, or the id of a map. Two of it play one map back and forth: the first sets one key, the second sees it and
 * answers in another key with when it was. The first, which is given no place, writes the delays in nanoseconds as JSON.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bpf, embedded, type HashMap, u32, u64 } from "mapiary";
import { linux } from "mapiary/linux";

const [kernel = "", updatesText = "", place] = process.argv.slice(2);
const updates = Number(updatesText);
const layouts = { key: u32, value: u64.number } as const;
const [CALL, ANSWER] = [0, 1];
const WARM_UP = 2000;
const PATIENCE = 60_000_000_000n;
const started = process.hrtime.bigint();

if (place === undefined) first();
else second(place);

function first(): void {
  const directory = mkdtempSync(join(process.platform === "linux" ? "/dev/shm" : tmpdir(), "mapiary-bench-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const bpf: Bpf = kernel === "linux" ? linux() : embedded({ bpffs: directory });
  const map = bpf.createMap({ type: "hash", name: "delay", ...layouts, maxEntries: 2 });
  map.set(CALL, 0).set(ANSWER, 0);
  const args = [process.argv[1] as string, kernel, updatesText, kernel === "linux" ? `${map.id}` : directory];
  spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const delays: number[] = [];
  let answer = 0;
  for (let update = 1; update <= WARM_UP + updates; update++) {
    const before = Number(process.hrtime.bigint());
    map.set(CALL, update);
    answer = changed(map, ANSWER, answer);
    if (update > WARM_UP) delays.push(answer - before);
  }
  process.stdout.write(JSON.stringify(delays));
}

function second(at: string): void {
  const bpf: Bpf = kernel === "linux" ? linux() : embedded({ bpffs: at });
  const map =
    kernel === "linux"
      ? bpf.mapById(Number(at), { type: "hash", ...layouts })
      : bpf.openMap({ name: "delay" }, { type: "hash", ...layouts });
  for (let update = 0; update < WARM_UP + updates; ) {
    update = changed(map, CALL, update);
    map.set(ANSWER, Number(process.hrtime.bigint()));
  }
}

/** The value of a key once it is another than it was. */
function changed(map: HashMap<number, number>, key: number, before: number): number {
  for (let tries = 1; ; tries++) {
    const value = map.get(key);
    if (value !== before && value !== undefined) return value;
    if (tries % 1_000_000 === 0) endWhenAlone();
  }
}

function endWhenAlone(): void {
  if (process.hrtime.bigint() - started > PATIENCE) throw new Error("the other process does not answer");
}
