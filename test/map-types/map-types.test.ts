/**
 * docs/map-types.md is what the kernels answer. With MAPIARY_WRITE_DOCS the page is written anew, for which both kernels
 * are needed: `npm run docs:map-types`.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { resolve } from "node:path";
import { test } from "node:test";
import { MAP_TYPE_NAMES } from "../../src/abi/map-types.ts";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { LinuxKernel } from "../../src/kernel/linux/linux-kernel.ts";
import { onLinux } from "../kernels.ts";
import { answersOf } from "./answers.ts";
import { type Column, linuxColumn, mapTypesPage } from "./page.ts";

const PAGE = resolve(import.meta.dirname, "../../docs/map-types.md");
const WRITE = process.env["MAPIARY_WRITE_DOCS"] !== undefined;

function columnOf(kernel: Kernel, bpffs: string): Column {
  const column = new Map(MAP_TYPE_NAMES.map((type) => [type, answersOf(kernel, bpffs, type)] as const));
  kernel.release();
  return column;
}

const page = (): string => (existsSync(PAGE) ? readFileSync(PAGE, "utf8") : "");
const embedded = (): Column => columnOf(new EmbeddedKernel(), "/sys/fs/bpf");

if (!WRITE) {
  test("docs/map-types.md says what the embedded kernel answers", () => {
    assert.equal(mapTypesPage(embedded(), linuxColumn(page())), page(), "run `npm run docs:map-types`");
  });
}

onLinux(({ bpffs }) => {
  const other = release().startsWith("6.18.") ? false : `the page is about Linux 6.18, and this is ${release()}`;

  test("docs/map-types.md says what Linux answers", { skip: other }, () => {
    const written = mapTypesPage(embedded(), columnOf(new LinuxKernel(), bpffs));
    if (WRITE) writeFileSync(PAGE, written);
    assert.equal(written, page(), "run `npm run docs:map-types`");
  });
});
