import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ProgressBar } from "./progress-bar.ts";

/** A bar over a clock that stands still unless it is set, and what it writes. */
function barOn({ isTTY }: { isTTY: boolean }): {
  bar: ProgressBar;
  at(milliseconds: number): ProgressBar;
  text(): string;
} {
  let time = 5000;
  let text = "";
  const stream = {
    isTTY,
    columns: 80,
    rows: 24,
    write(piece: string) {
      text += piece;
    },
  };
  const bar = new ProgressBar(stream, "import", () => time);
  const at = (milliseconds: number): ProgressBar => {
    time = 5000 + milliseconds;
    return bar;
  };
  return { bar, at, text: () => text };
}

describe("a progress bar", () => {
  test("shows nothing of what takes less than a second, and takes nothing away", () => {
    const { at, text } = barOn({ isTTY: true });
    at(500).show(1000, 0.5);
    at(999).show(2000, 0.9);
    at(999).end();
    assert.equal(text(), "");
  });

  test("shows how far it is, how many entries and how many a second, on one line", () => {
    const { at, text } = barOn({ isTTY: true });
    at(2000).show(5000, 0.5);
    assert.equal(text(), `\rimport  50% ${"█".repeat(12)}${"░".repeat(12)} 5,000 entries  2,500/s\x1b[K`);
  });

  test("leaves out the part where the whole is not known", () => {
    const { at, text } = barOn({ isTTY: true });
    at(1000).show(1000, undefined);
    assert.equal(text(), "\rimport 1,000 entries  1,000/s\x1b[K");
  });

  test("is drawn ten times a second at most, and taken away at the end", () => {
    const { at, text } = barOn({ isTTY: true });
    at(1000).show(1, undefined);
    const once = text();
    at(1050).show(2, undefined);
    assert.equal(text(), once);
    at(1100).show(3, undefined);
    assert.notEqual(text(), once);
    at(1100).end();
    assert.ok(text().endsWith("\r\x1b[K"));
  });

  test("is not for what is no terminal", () => {
    const { at, text } = barOn({ isTTY: false });
    at(5000).show(1000, 0.5);
    at(5000).end();
    assert.equal(text(), "");
  });
});
