/**
 * The code of shared maps in steps: the very sources, in which every load and store of shared memory is a point at
 * which somebody else may go on. Methods become generators, and what they call of each other is awaited by `yield*`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { build, transform } from "esbuild";

const ROOT = resolve(import.meta.dirname, "../..");
const SHARED = join(ROOT, "src/kernel/embedded/shared");

/** The methods and functions of each file that touch shared memory. */
const STEPPED: Readonly<Record<string, readonly string[]>> = {
  "locks.ts": ["take", "takeUnlessDead", "takeOver", "tryTake", "awaitRelease", "release", "version", "bumpVersion"],
  "hash-elements.ts": [
    ...[
      "lock",
      "unlock",
      "awaitSharers",
      "tryShare",
      "unshare",
      "find",
      "linkTo",
      "hasKey",
      "linked",
      "after",
      "insert",
      "replace",
      "remove",
      "chain",
      "takeSpare",
    ],
    ...["giveSpare", "take", "giveBack", "awaitHolders", "sweep", "#collect", "version", "#lockFree", "#unlockFree"],
    ...["#suspectLoss", "isLeaky", "#finish", "spareOf", "overwrittenOf", "setOverwritten"],
  ],
  "shared-hash.ts": [
    ...["copyValue", "update", "#updateLocked", "#fill", "storeValue", "dropValue", "evict", "#makeRoom", "delete"],
    ...[
      "overwrite",
      "#overwriteShared",
      "#readValue",
      "lookupAndDelete",
      "#release",
      "getNextKey",
      "#keyAfter",
      "#firstKey",
    ],
    ...["#wholeElement", "#readLocked", "#overwriteLocked", "#finishOverwriting", "lockValue"],
  ],
  "shared-lru-hash.ts": ["storeValue", "dropValue", "evict", "#unlink"],
  "shared-array.ts": [
    ...["copyValue", "update", "#storeData", "#loadPiece", "#storePiece", "#loadValue", "#storeValue", "#finish"],
    ...["#loadLocked", "#lock", "lockValue"],
  ],
  "shared-ring.ts": ["copyValue", "update", "lookupAndDelete", "#lock", "#push", "#copyNext", "#slotIn"],
  "shared-ringbuf.ts": [
    ...["reserve", "submit", "discard", "output", "settle", "loadPosition", "storePosition", "#lock", "#takeFromDead"],
    ...["#roomFor", "#advancePending", "#commit", "#finish", "#tell"],
  ],
  "ring-positions.ts": ["positionAt", "setPosition"],
  "pieces.ts": ["linked", "take", "giveBack", "collect"],
  "trie-walk.ts": [
    ...["longest", "placeOf", "isNodeOf", "after", "first", "child", "prefixOf", "valueOf", "agreement", "copyKey"],
  ],
  "shared-lpm-trie.ts": [
    ...[
      "copyValue",
      "update",
      "delete",
      "getNextKey",
      "#updateLocked",
      "#deleteLocked",
      "#join",
      "#fill",
      "#takeSpare",
    ],
    ...["#lock", "#collect"],
  ],
};
/** Those that the model has for the values with locks: see `World`. */
const OF_RECORDS = ["store", "storeNew"];
const NAMES = [...new Set([...Object.values(STEPPED).flat(), ...OF_RECORDS])];
/** What the memory does for the steps: see `Steps`. */
const PRELUDE = `const { load: $load, store: $store, atomics: $atomics, copyBytes: $copyBytes, loadValue: $loadValue } = globalThis.$steps;\n`;

/** Makes a module of the shared maps in steps, and imports it. */
export async function importStepped(): Promise<Record<string, unknown>> {
  mkdirSync(join(ROOT, ".tmp"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, ".tmp/stepped-"));
  const file = join(folder, "stepped.js");
  await build({
    stdin: {
      contents: `export { makeShared } from "./shared-maps.ts";
        export { AddressSpace } from "../../../memory/address-space.ts";
        export { MapCreateAttr } from "../map-create-attr.ts";
        export { MAP_TYPES } from "../maps/map-types.ts";`,
      resolveDir: SHARED,
    },
    outfile: file,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "es2022",
    logLevel: "error",
    plugins: [
      {
        name: "steps",
        setup(plugin) {
          plugin.onLoad({ filter: /embedded\/shared\/[\w-]+\.ts$/ }, async ({ path }) => {
            const { code } = await transform(readFileSync(path, "utf8"), { loader: "ts", target: "es2022" });
            return { contents: PRELUDE + steps(code, STEPPED[basename(path)] ?? []), loader: "js" };
          });
        },
      },
    ],
  });
  try {
    return (await import(file)) as Record<string, unknown>;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Rewrites the methods of some names, and leaves all others as they are. */
function steps(code: string, names: readonly string[]): string {
  const lines = code.split("\n");
  const result: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    const head = /^( {2}|export function |function )(?:get )?(#?\w+)\(.*\) \{$/.exec(line);
    const [, indent = "", name = ""] = head ?? [];
    if (head === null || !names.includes(name)) {
      result.push(line);
      continue;
    }
    const end = lines.indexOf(`${indent === "  " ? indent : ""}}`, at);
    const signature = line.replace(/^ {2}(?:get )?/, "  *").replace(/^(export )?function /, "$1function* ");
    result.push(signature, rewrite(lines.slice(at + 1, end).join("\n")), lines[end] as string);
    at = end;
  }
  return result.join("\n");
}

function rewrite(body: string): string {
  let text = body.replace(/\.isLeaky\b/g, ".isLeaky()");
  text = text.replaceAll("this.loadValue(", "LOAD_VALUE(");
  text = text.replace(
    /^(.*\) |\s*)((?:this\.)?(?:#?\w+\.)*(?:[iu](?:32|64)))\[(.+?)\] = (.+);$/gm,
    "$1STORE($2, $3, $4);",
  );
  text = wrap(
    text,
    /((?:this\.)?(?:#?\w+\.)*(?:[iu](?:32|64)))\[/g,
    "[",
    "]",
    (all, view) => `(yield* $load(${view}, ${all.slice(view.length + 1, -1)}))`,
  );
  text = wrap(text, /\bSTORE\(/g, "(", ")", (all) => `yield* $store(${all.slice(6, -1)})`);
  text = wrap(text, /\bAtomics\.\w+\(/g, "(", ")", (all) => `(yield* $atomics.${all.slice(8)})`);
  text = wrap(text, /\bLOAD_VALUE\(/g, "(", ")", (all) => `(yield* $loadValue(this, ${all.slice(11, -1)}))`);
  text = wrap(text, /\bcopyBytes\(/g, "(", ")", (all) => `(yield* $${all})`, /\$$/);
  const names = NAMES.map((name) => `${name}\\(`).join("|");
  if (new RegExp(`[)\\]]\\.(?:${names})`).test(text)) throw new Error(`a call that cannot be made in steps in ${body}`);
  const calls = new RegExp(
    `(?<![\\w$#.])(?:(?:(?:[a-z]\\w*|#\\w+)\\.)+(?:${names})|(?:bumpVersion|positionAt|setPosition)\\()`,
    "g",
  );
  return wrap(text, calls, "(", ")", (all) => `(yield* ${all})`);
}

/** Replaces what begins with a match and ends with the bracket that closes its last one, from the last match to the first. */
function wrap(
  text: string,
  pattern: RegExp,
  open: string,
  close: string,
  replace: (all: string, first: string) => string,
  unlessAfter?: RegExp,
): string {
  let result = text;
  for (const match of [...text.matchAll(pattern)].reverse()) {
    if (unlessAfter?.test(result.slice(0, match.index))) continue;
    let depth = 0;
    let end = match.index + match[0].length - 1;
    do {
      if (result[end] === open) depth++;
      if (result[end] === close) depth--;
      end++;
    } while (depth > 0);
    const all = result.slice(match.index, end);
    result = result.slice(0, match.index) + replace(all, match[1] ?? "") + result.slice(end);
  }
  return result;
}
