#!/usr/bin/env node
import { readSync } from "node:fs";
import * as module from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { processStream } from "./output/stream.ts";

/** The command `mapiary`: what follows is compiled once and then kept, where Node can do that. */
(module as { enableCompileCache?: () => unknown }).enableCompileCache?.();

const [{ main }, { openKernel }] = await Promise.all([import("./main.ts"), import("./open-kernel.ts")]);

function* stdin(): Generator<Uint8Array> {
  const piece = new Uint8Array(1 << 16);
  for (let length = 0; (length = readSync(0, piece)) > 0; ) yield piece.slice(0, length);
}

process.exitCode = await main(
  process.argv.slice(2),
  { env: process.env, openKernel, stdin, now: () => performance.now(), sleep },
  { results: processStream(1, process.stdout), complaints: processStream(2, process.stderr) },
);
