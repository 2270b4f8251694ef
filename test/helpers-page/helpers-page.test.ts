/**
 * docs/helpers.md is what the kernels answer. With MAPIARY_WRITE_DOCS the page is written anew, for which both kernels are
 * needed: `npm run docs:helpers`.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { resolve } from "node:path";
import { test } from "node:test";
import { type Bpf, embedded } from "mapiary";
import { onLinux } from "../kernels.ts";
import { type Availability, availabilityOn } from "./availability.ts";
import { NOTED } from "./notes.ts";
import { helpersPage, linuxAvailability } from "./page.ts";

const PAGE = resolve(import.meta.dirname, "../../docs/helpers.md");
const WRITE = process.env["MAPIARY_WRITE_DOCS"] !== undefined;

const page = (): string => (existsSync(PAGE) ? readFileSync(PAGE, "utf8") : "");

function asked(open: () => Bpf): Availability {
  using bpf = open();
  return availabilityOn(bpf);
}

if (!WRITE) {
  test("docs/helpers.md says what the embedded kernel answers", () => {
    assert.equal(helpersPage(asked(embedded), linuxAvailability(page())), page(), "run `npm run docs:helpers`");
  });
}

test("what docs/helpers.md says of a helper is said of one that the embedded kernel has", () => {
  const has = asked(embedded);
  assert.deepEqual(
    NOTED.filter((helper) => (has.get(helper) ?? []).length === 0),
    [],
  );
});

onLinux(({ open }) => {
  const other = release().startsWith("6.18.") ? false : `the page is about Linux 6.18, and this is ${release()}`;

  test("docs/helpers.md says what Linux answers", { skip: other }, () => {
    const written = helpersPage(asked(embedded), asked(open));
    if (WRITE) writeFileSync(PAGE, written);
    assert.equal(written, page(), "run `npm run docs:helpers`");
  });
});
