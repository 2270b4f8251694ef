#!/usr/bin/env node
import { readSync } from "node:fs";
import * as module from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { main } from "./main.ts";
import { openKernel } from "./open-kernel.ts";
import { processStream } from "./output/stream.ts";

/** The command `mapiary`: what is loaded from here on is compiled once and then kept, where Node can do that. */
(module as { enableCompileCache?: () => unknown }).enableCompileCache?.();

function* stdin(): Generator<Uint8Array> {
  const piece = new Uint8Array(1 << 16);
  for (let length = 0; (length = readSync(0, piece)) > 0; ) yield piece.slice(0, length);
}

process.exitCode = await main(
  process.argv.slice(2),
  { env: process.env, openKernel, stdin, now: () => performance.now(), sleep },
  { results: processStream(1, () => process.stdout), complaints: processStream(2, () => process.stderr) },
);
