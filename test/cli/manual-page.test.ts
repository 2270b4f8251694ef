/** The manual page says what the command can do: it is made from the same list. MAPIARY_WRITE_DOCS=1 writes it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { withoutProgram } from "../prerequisite.ts";
import { manualPage } from "./manual-page.ts";

const PAGE = resolve(import.meta.dirname, "../../docs/mapiary.1");

describe("the manual page", () => {
  test("is what the commands are", () => {
    if (process.env["MAPIARY_WRITE_DOCS"] === "1") writeFileSync(PAGE, manualPage());
    assert.equal(readFileSync(PAGE, "utf8"), manualPage(), "npm run docs:manual writes it anew");
  });

  const missing = withoutProgram("groff", "--version");
  test("can be set by groff", { skip: missing }, () => {
    const { status, stdout, stderr } = spawnSync("groff", ["-man", "-Tutf8", "-ww", PAGE], { encoding: "utf8" });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    // Bold is a letter over itself.
    assert.match(stdout.replace(/.[\b]/g, ""), /^ +getnext MAP/m);
  });
});
