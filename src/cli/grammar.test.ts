/** The parts of a command line: words, numbers, options, layouts, values. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cstring } from "../layout/text.ts";
import { CliError, strerror } from "./cli-error.ts";
import { parseByte, parseNumber, parseU32 } from "./numbers.ts";
import { OptionError, parseArguments } from "./options.ts";
import { JsonWriter, jsonText, prettyJson } from "./output/json-writer.ts";
import { takeData } from "./values/data-words.ts";
import { parseLayout } from "./values/layout-syntax.ts";
import { parseJsonLine, parseNotation } from "./values/notation.ts";
import { encode, LayoutTyping, type Typing } from "./values/typing.ts";
import { Words } from "./words.ts";

/** What a refusal says. */
function refusal(call: () => unknown): { message: string; hint: string | undefined } {
  try {
    call();
  } catch (error) {
    if (error instanceof CliError) return { message: error.message, hint: error.hint };
    throw error;
  }
  assert.fail("it was not refused");
}

describe("a number", () => {
  test("is read as strtoul reads it", () => {
    const read: [string, bigint | undefined][] = [
      ["10", 10n],
      ["0x1F", 31n],
      ["017", 15n],
      ["0", 0n],
      ["-1", -1n],
      ["+1", 1n],
      [" 1", 1n],
      ["", 0n],
      ["08", undefined],
      ["0x", undefined],
      ["1a", undefined],
      ["1 ", undefined],
    ];
    for (const [word, number] of read) assert.equal(parseNumber(word), number, word);
    assert.equal(parseNumber("ff", 16), 255n);
    assert.equal(parseNumber("0xff", 16), 255n);
    assert.equal(parseNumber("xy", 16), undefined);
  });

  test("that is no byte is refused, with what to write instead", () => {
    assert.equal(parseByte("-1", 0), 255);
    assert.match(refusal(() => parseByte("300", 0)).hint ?? "", /more than a byte/);
    assert.match(refusal(() => parseByte("ff", 0)).hint ?? "", /0x in front/);
  });

  test("of four bytes has a range", () => {
    assert.equal(parseU32("0xffffffff", "flags"), 0xffff_ffff);
    assert.equal(refusal(() => parseU32("4294967296", "flags")).message, "can't parse 4294967296 as flags");
  });
});

describe("options", () => {
  const of = (line: string) => parseArguments(line.split(" "));

  test("stand anywhere, in clusters and abbreviated", () => {
    const { words, options } = of("map -jp show --kern linux --key=u32 -- -x");
    assert.deepEqual(words, ["map", "show", "-x"]);
    assert.deepEqual([options.json, options.pretty, options.kernel, options.key], [true, true, "linux", "u32"]);
  });

  test("are not numbers", () => assert.deepEqual(of("map update -1 -").words, ["map", "update", "-1", "-"]));

  test("know bpftool's --bpffs from a directory", () => {
    assert.deepEqual([of("--bpffs map show").options.pins, of("--bpffs map show").options.bpffs], [true, undefined]);
    assert.deepEqual(of("--bpffs ./maps map").options.bpffs, "./maps");
    assert.deepEqual(of("--bpffs=maps map").options.bpffs, "maps");
    assert.equal(of("-f map").options.pins, true);
  });

  test("that are none are named, with the nearest", () => {
    const error = refusal(() => of("--kernal linux"));
    assert.deepEqual(error, { message: "unrecognized option '--kernal'", hint: "Did you mean 'kernel'?" });
    assert.equal(refusal(() => of("--key")).message, "--key needs a layout, such as u32");
    assert.throws(
      () => of("-j --nonsense"),
      (error) => error instanceof OptionError && error.options.json,
    );
  });
});

describe("a layout in words", () => {
  test("is that of the library", () => {
    assert.equal(parseLayout("u32", 4).name, "u32");
    assert.equal(parseLayout("u16[2][3]", 12).size, 12);
    assert.equal(parseLayout("array(u8, 0x10)", 16).size, 16);
    assert.equal(parseLayout("struct{a:u8, b: struct { c: u64; d: ipv4 }}", 24).size, 24);
    assert.equal(parseLayout("cstring", 16).name, cstring(16).name);
    assert.equal(parseLayout("enum{pass:0,drop:1}", 1).size, 1);
    assert.equal(parseLayout("enum{pass:0,drop:1}", 4).size, 4);
  });

  test("is refused where it stumbles, with the nearest name", () => {
    assert.deepEqual(
      refusal(() => parseLayout("struct{a:u33}", 4)),
      {
        message: "can't parse the layout 'struct{a:u33}' at 'u33'",
        hint: "Did you mean 'u32'?",
      },
    );
    assert.match(refusal(() => parseLayout("struct{a u32}", 4)).message, /at 'u32'$/);
    assert.match(refusal(() => parseLayout("struct{a:u32", 4)).message, /at the end$/);
    assert.match(refusal(() => parseLayout("u32 u32", 4)).message, /at 'u32'$/);
    assert.match(refusal(() => parseLayout("struct{a:cstring}", 4)).hint ?? "", /how many bytes/);
  });
});

describe("a value in words", () => {
  test("is JSON with all its digits, with less quotes", () => {
    assert.deepEqual(parseNotation("{hits: 18446744073709551615, src: 10.0.0.1}"), {
      hits: 18446744073709551615n,
      src: "10.0.0.1",
    });
    assert.deepEqual(parseNotation(`[1, -2, 0x10, true, null, 'it''s']`.replace("''", "\\'")), [
      1,
      -2,
      "0x10",
      true,
      null,
      "it's",
    ]);
    assert.deepEqual(parseNotation('{"a":{"b":[1.5,"x\\n"]}}'), { a: { b: [1.5, "x\n"] } });
    assert.deepEqual(parseJsonLine('{"key":12345678901234567890}'), { key: 12345678901234567890n });
  });

  test("is refused where it stumbles", () => {
    assert.match(refusal(() => parseNotation("{a: 1")).hint ?? "", /',' or '}' is expected where the end stands/);
    assert.match(refusal(() => parseNotation("{a 1}")).hint ?? "", /':' is expected where '1' stands/);
    assert.match(refusal(() => parseNotation("[1] 2")).hint ?? "", /the end is expected where '2' stands/);
  });

  const place = (size: number, options: { typing?: Typing; isPrefix?: boolean } = {}) => ({
    role: "key",
    size,
    typing: options.typing,
    isPrefix: options.isPrefix ?? false,
  });
  const data = (line: string, ...rest: Parameters<typeof place>) => [
    ...takeData(new Words(line.split(" ")), place(...rest)),
  ];

  test("is bytes, or one word for all of them", () => {
    assert.deepEqual(data("1 0x2 03 4 value", 4), [1, 2, 3, 4]);
    assert.deepEqual(data("hex a 0b ff 4", 4), [10, 11, 255, 4]);
    assert.deepEqual(data("258", 4), [2, 1, 0, 0]);
    assert.deepEqual(data("-2 any", 2), [254, 255]);
    assert.deepEqual(data("10.0.0.1", 4), [10, 0, 0, 1]);
    assert.deepEqual(data("10.0.0.0/8", 8, { isPrefix: true }), [8, 0, 0, 0, 10, 0, 0, 0]);
    assert.deepEqual(data("02:00:00:00:00:0a", 6), [2, 0, 0, 0, 0, 10]);
    assert.deepEqual(data("::1", 16).at(-1), 1);
    assert.deepEqual(data("7", 1), [7]);
  });

  test("is read by its type, also when it looks like something else", () => {
    const text = new LayoutTyping(cstring(4));
    assert.deepEqual(data("hex", 4, { typing: text }), [0x68, 0x65, 0x78, 0]);
    assert.deepEqual(data("any", 4, { typing: text }), [0x61, 0x6e, 0x79, 0]);
    const pair = new LayoutTyping(parseLayout("struct{a:u8,b:u8}", 2));
    assert.deepEqual(data("{a:1,b:2}", 2, { typing: pair }), [1, 2]);
    assert.deepEqual(data("3 4", 2, { typing: pair }), [3, 4]);
    assert.deepEqual([...encode(pair, { a: "0x10", b: 1 })], [16, 1]);
  });

  test("is refused when it is too much, and when it is too little", () => {
    assert.equal(refusal(() => data("65536", 2)).message, "error parsing key: 65536");
    assert.equal(refusal(() => data("1 2 3", 4)).message, "key expected 4 bytes got 3");
    assert.equal(refusal(() => data("10.0.0.1/8", 8, { isPrefix: true })).message, "error parsing key: 10.0.0.1/8");
  });
});

describe("JSON", () => {
  test("has all the digits of a bigint, and no fields that are not there", () => {
    assert.equal(
      jsonText({ a: 2n ** 64n, b: undefined, c: [null, "\\"] }),
      '{"a":18446744073709551616,"c":[null,"\\\\"]}',
    );
  });

  test("for people is on a line while it fits", () => {
    assert.equal(prettyJson({ a: [1, 2] }), '{ "a": [1, 2] }');
    assert.equal(
      prettyJson(["x".repeat(60), "y".repeat(60)]),
      `[\n    "${"x".repeat(60)}",\n    "${"y".repeat(60)}"\n]`,
    );
  });

  test("can be written bit by bit, and ended at any time", () => {
    for (const isPretty of [false, true]) {
      let text = "";
      const json = new JsonWriter((part) => {
        text += part;
      }, isPretty);
      json.beginArray();
      json.beginObject();
      json.name("a");
      json.value(1);
      json.name("b");
      json.beginArray();
      json.endAll();
      assert.deepEqual(JSON.parse(text), [{ a: 1, b: [] }]);
      assert.ok(text.endsWith("\n"));
    }
  });
});

describe("errors", () => {
  test("have the words and the exit code of C", () => {
    assert.equal(strerror(-2), "No such file or directory");
    assert.equal(strerror(524), "Unknown error 524");
    assert.equal(strerror(-9999), "Unknown error 9999");
    assert.equal(new CliError("x").exitCode, 255);
    assert.equal(new CliError("x", { errno: -17 }).exitCode, 239);
    assert.equal(new CliError("x", { errno: -524 }).exitCode, 244);
  });

  test("say what was expected behind the last word", () => {
    const words = new Words(["id"]);
    words.take("a word");
    assert.equal(refusal(() => words.take("an id")).message, "expected an id after 'id'");
  });
});
