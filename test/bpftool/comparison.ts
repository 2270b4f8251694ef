import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Answer } from "../cli/command-line.ts";
import type { Player } from "./player.ts";
import { EFFECT, type Line } from "./script.ts";

/** What a line answered, without what differs from run to run. */
export interface Result {
  readonly exitCode: number;
  /** The value that `-j` printed, or `undefined` when it printed none. */
  readonly json: unknown;
  /** Whether a person was told something. */
  readonly complained: boolean;
}

/** Plays a script on a player, and then reads all maps that it has made. */
export async function play(player: Player, script: readonly Line[]): Promise<Result[]> {
  const ids = new Ids(player);
  const results: Result[] = [];
  for (const { line, hasIds } of script) {
    const argv = await ids.argv(line);
    results.push(resultOf(await player.run(["-j", ...argv]), player, ids, hasIds === true));
  }
  return [...results, ...(await readEffect(player, ids))];
}

/** Reads all maps that the script has made, by one batch file. */
async function readEffect(player: Player, ids: Ids): Promise<Result[]> {
  const lines = await Promise.all(EFFECT.map(({ line }) => ids.argv(line)));
  const file = join(mkdtempSync(join(tmpdir(), "mapiary-batch-")), "effect");
  writeFileSync(file, `${lines.map((argv) => argv.join(" ")).join("\n")}\n`);
  const answer = await player.run(["-j", "batch", "file", file]);
  rmSync(dirname(file), { recursive: true });
  const outputs = JSON.parse(answer.stdout) as { output: unknown }[];
  return outputs.map(({ output }, index) => {
    const stdout = JSON.stringify(output);
    return resultOf({ ...answer, stdout }, player, ids, EFFECT[index]?.hasIds === true);
  });
}

/** The ids of a player's maps, by the name of the first pin. */
class Ids {
  readonly #player: Player;
  readonly #pins = new Map<number, string>();
  readonly #ids = new Map<string, number>();

  constructor(player: Player) {
    this.#player = player;
  }

  /** The words of a line, for the player. */
  async argv(line: string): Promise<string[]> {
    const { bpffs, prefix } = this.#player;
    const words = line.split(" ").map((word) => word.replace(/^(['"])(.*)\1$/, "$2"));
    const argv: string[] = [];
    for (const word of words) {
      const [, pin] = /^\$ID\((\w+)\)$/.exec(word) ?? [];
      argv.push(pin === undefined ? word.replace("$FS", bpffs).replace("$N", prefix) : String(await this.of(pin)));
    }
    return argv;
  }

  async of(pin: string): Promise<number> {
    const known = this.#ids.get(pin);
    if (known !== undefined) return known;
    const { stdout } = await this.#player.run(["-j", "map", "show", "pinned", `${this.#player.bpffs}/${pin}`]);
    const { id } = JSON.parse(stdout) as { id: number };
    if (!this.#pins.has(id)) this.#pins.set(id, pin);
    this.#ids.set(pin, id);
    return id;
  }

  /** What stands for an id in a result. */
  nameOf(id: number): string {
    return this.#pins.get(id) ?? "an id";
  }
}

function resultOf(answer: Answer, player: Player, ids: Ids, hasIds: boolean): Result {
  const text = answer.stdout.replaceAll(player.bpffs, "$FS").replaceAll(player.prefix, "$N");
  return {
    exitCode: answer.exitCode,
    json: text.trim() === "" ? undefined : normalized(JSON.parse(text) as unknown, ids, hasIds),
    complained: text.includes('"error"') || answer.stderr !== "",
  };
}

/** Without ids, memory and what mapiary says beyond bpftool's words. */
function normalized(json: unknown, ids: Ids, hasIds: boolean): unknown {
  if (Array.isArray(json)) return json.map((item) => normalized(item, ids, hasIds));
  if (typeof json !== "object" || json === null) return json;
  const fields = Object.entries(json).flatMap(([name, value]): [string, unknown][] => {
    if (name === "bytes_memlock" || name === "hint" || name === "code") return [];
    if (name === "id") return [[name, ids.nameOf(Number(value))]];
    if (name === "value" && hasIds) return [[name, "an id"]];
    return [[name, normalized(value, ids, hasIds)]];
  });
  return Object.fromEntries(fields);
}
