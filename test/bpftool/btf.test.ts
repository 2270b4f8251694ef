/** Maps whose BTF says what is in them: mapiary's JSON is bpftool's, value by value. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { array, cstring, struct, u32 } from "mapiary";
import { linux } from "mapiary/linux";
import { BtfBuilder } from "../../src/btf/btf-builder.ts";
import { LinuxKernel } from "../../src/kernel/linux/linux-kernel.ts";
import { Sys } from "../../src/sys/sys.ts";
import { commandLine } from "../cli/command-line.ts";
import { onLinux } from "../kernels.ts";
import { withoutProgram } from "../prerequisite.ts";

const missing = withoutProgram("bpftool", "version");

/** Types of every kind that a value may have. */
function types(): { bytes: Uint8Array; key: number; value: number; size: number } {
  const btf = new BtfBuilder();
  const int = (name: string, size: number, options = {}): number =>
    btf.add({ kind: "int", name, size, bits: size * 8, ...options });
  const u8 = int("unsigned char", 1);
  const u32 = int("unsigned int", 4);
  const u64 = int("unsigned long long", 8);
  const s16 = int("short", 2, { isSigned: true });
  const s64 = int("long long", 8, { isSigned: true });
  const char = int("char", 1, { isSigned: true });
  const bool = int("_Bool", 1, { isBool: true });
  const constant = btf.add({ kind: "const", name: "", type: char });
  const byte = btf.add({ kind: "typedef", name: "byte_t", type: char });
  const pointer = btf.add({ kind: "ptr", name: "", type: 0 });
  const array = (type: number, length: number): number => btf.add({ kind: "array", type, indexType: u32, length });
  const verdict = btf.add({
    kind: "enum",
    name: "verdict",
    size: 4,
    isSigned: false,
    values: [
      { name: "PASS", value: 0 },
      { name: "DROP", value: 1 },
    ],
  });
  const pair = btf.add({
    kind: "struct",
    name: "pair",
    size: 4,
    members: [
      { name: "low", type: u32, bitOffset: 0, bitfieldSize: 5 },
      { name: "high", type: u32, bitOffset: 5, bitfieldSize: 20 },
    ],
  });
  const key = btf.add({
    kind: "struct",
    name: "key",
    size: 4,
    members: [{ name: "port", type: u32, bitOffset: 0, bitfieldSize: 0 }],
  });
  const members: [string, number, number][] = [
    ["hits", u64, 0],
    ["delta", s64, 64],
    ["small", s16, 128],
    ["flag", bool, 144],
    ["byte", u8, 152],
    ["verdict", verdict, 160],
    ["name", array(constant, 8), 192],
    ["raw", array(byte, 4), 256],
    ["pair", pair, 288],
    ["grid", array(array(s16, 2), 2), 320],
    ["next", pointer, 384],
  ];
  const value = btf.add({
    kind: "struct",
    name: "value",
    size: 56,
    members: members.map(([name, type, bitOffset]) => ({ name, type, bitOffset, bitfieldSize: 0 })),
  });
  return { bytes: btf.encode(), key, value, size: 56 };
}

/** Bytes for values: printable names, others, and the largest numbers. */
const VALUES = [
  [..."\x01\0\0\0\0\0\0\0"].map((each) => each.charCodeAt(0)).concat(Array.from({ length: 48 }, () => 0)),
  Array.from({ length: 56 }, () => 0xff),
  Array.from({ length: 56 }, (_, i) => (i === 31 ? 0 : 0x41 + (i % 26))),
].map((bytes) => Uint8Array.from(bytes).with(18, 1));

describe("the BTF of maps", { skip: missing }, () => {
  onLinux(({ bpffs }) => {
    const run = commandLine();
    const path = `${bpffs}/typed`;
    const kernel = new LinuxKernel();
    const sys = new Sys(kernel);
    const { bytes, key, value, size } = types();

    const theirs = (line: string): unknown => {
      const { stdout } = spawnSync("bpftool", ["-n", "-j", ...line.split(" ")], { encoding: "utf8" });
      return JSON.parse(stdout) as unknown;
    };
    const ours = async (line: string): Promise<unknown> => {
      const { stdout } = await run(["--kernel", "linux", "-j", ...line.split(" ")]);
      return JSON.parse(stdout) as unknown;
    };

    test("is read as bpftool reads it", async () => {
      const btfFd = sys.btfLoad(bytes);
      assert.ok(btfFd > 0, `the kernel takes the BTF: ${btfFd}`);
      const ids = { btfFd, btfKeyTypeId: key, btfValueTypeId: value };
      const fd = sys.mapCreate({ type: "hash", name: "typed", keySize: 4, valueSize: size, maxEntries: 8, ...ids });
      assert.ok(fd > 0);
      assert.equal(sys.objPin(fd, path), 0);
      for (const [index, bytes] of VALUES.entries()) {
        assert.equal(sys.mapUpdateElem(fd, Uint8Array.of(index, 0, 0, 0), bytes), 0);
      }
      for (const line of [
        `map show pinned ${path}`,
        `map dump pinned ${path}`,
        `map lookup pinned ${path} key 2 0 0 0`,
      ]) {
        assert.deepEqual(await ours(line), theirs(line), line);
      }
    });

    test("of a map that is made from layouts has bpftool print its fields by name, with -j and without", () => {
      using bpf = linux();
      const value = struct({ packets: u32, comm: cstring(16), load: array(u32, 2) }, { name: "traffic" });
      using map = bpf.createMap({ type: "hash", name: "flows", key: u32, value, maxEntries: 1 });
      map.set(7, { packets: 3, comm: "nginx", load: [1, 2] }).pin(`${bpffs}/flows`);
      const formatted = { key: 7, value: { packets: 3, comm: "nginx", load: [1, 2] } };
      const plain = spawnSync("bpftool", ["map", "dump", "pinned", `${bpffs}/flows`], { encoding: "utf8" });
      assert.deepEqual(JSON.parse(plain.stdout), [formatted]);
      assert.match(plain.stdout, /"packets": 3/);
      const [entry] = theirs(`map dump pinned ${bpffs}/flows`) as { formatted: unknown }[];
      assert.deepEqual(entry?.formatted, formatted);
      map.unpin();
    });

    test("takes values by their names, and so does what bpftool then reads", async () => {
      const words = [
        "map",
        "update",
        "pinned",
        path,
        "key",
        "{port: 7}",
        "value",
        "{hits: 18446744073709551615, delta: -5, small: -1, flag: true, byte: 0x10, verdict: DROP, name: web, " +
          "raw: [1, 2, -3, 4], pair: {low: 0x1f, high: 1000}, grid: [[1, 2], [3, -4]], next: 0}",
      ];
      const { exitCode, stderr } = await run(["--kernel", "linux", ...words]);
      assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
      const { formatted } = theirs(`map lookup pinned ${path} key 7 0 0 0`) as { formatted: { value: unknown } };
      const line = `map lookup pinned ${path} key 7 0 0 0`;
      assert.deepEqual(await ours(line), theirs(line));
      assert.deepEqual((formatted.value as { name: string }).name, "web");
      assert.deepEqual((formatted.value as { pair: unknown }).pair, { low: "0x1f", high: "0x3e8" });
      assert.deepEqual((formatted.value as { grid: unknown }).grid, [
        [1, 2],
        [3, -4],
      ]);
    });

    test("says which field does not fit", async () => {
      for (const [text, why] of [
        ["{port: 4294967296}", /field port: unsigned int: 4294967296 is out of range/],
        ["{prot: 1}", /field port is missing/],
        ["[1]", /expected \{ port \}/],
      ] as const) {
        const { exitCode, stderr } = await run(["--kernel", "linux", "map", "lookup", "pinned", path, "key", text]);
        assert.equal(exitCode, 255);
        assert.match(stderr, why);
      }
    });
  });
});
