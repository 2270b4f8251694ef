/** bpftool and mapiary read each other's maps: value by value the same. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { array, bool, bytes, cstring, enumOf, i32, openEnum, struct, u8, u16, u32, u64, union } from "mapiary";
import { onLinux } from "../kernels.ts";
import { withClang } from "../program/clang.ts";

const OBJECT = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
enum state { IDLE, BUSY, DONE };
struct point { int x; int y; };
struct key { __u16 port; char host[6]; };
struct value { __u64 hits; struct point at[2]; enum state state; _Bool ok; char comm[8]; union { __u32 n; __u8 b[4]; } u; unsigned low:3; unsigned high:5; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, struct key); __type(value, struct value); } table SEC(".maps");
SEC("xdp") int pass(struct xdp_md *ctx) {
  struct key key = {};
  return bpf_map_lookup_elem(&table, &key) ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "GPL";
`;

/** What bpftool prints as JSON. */
function bpftool(...args: string[]): unknown {
  const { status, stdout, stderr, error } = spawnSync("bpftool", ["-j", ...args], { encoding: "utf8" });
  assert.equal(status, 0, error?.message ?? `${stdout}${stderr}`);
  return stdout.trim() === "" ? undefined : JSON.parse(stdout);
}

interface Entry {
  readonly formatted?: { readonly key: unknown; readonly value: unknown };
}

function dump(path: string): { key: unknown; value: unknown }[] {
  const entries = bpftool("map", "dump", "pinned", path) as Entry[];
  return entries.map(({ formatted }) => {
    assert.ok(formatted !== undefined, "bpftool prints fields");
    return formatted as { key: unknown; value: unknown };
  });
}

/** A value of a layout as bpftool prints it: bigints as numbers, bytes as an array, booleans as such. */
function printed(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(printed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, printed(held)]));
}

/** bpftool prints numbers of one byte in hexadecimal. */
function numbers(value: unknown): unknown {
  if (typeof value === "string" && /^0x[0-9a-f]+$/.test(value)) return Number(value);
  if (Array.isArray(value)) return value.map(numbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, numbers(held)]));
}

onLinux(({ open, bpffs }) => {
  const hasBpftool = spawnSync("bpftool", ["version"]).status === 0;
  const skip = hasBpftool || process.env["CI"] === "true" ? false : "there is no bpftool: apt-get install bpftool";

  describe("bpftool", { skip }, () => {
    test("prints the fields of a map of mapiary's", () => {
      using bpf = open();
      const point = struct({ x: i32, y: i32 }, { name: "point" });
      const value = struct(
        {
          hits: u64,
          at: array(point, 2),
          state: enumOf({ IDLE: 0, BUSY: 1 }),
          ok: bool,
          comm: cstring(8),
          digest: bytes(3),
          small: u16,
          action: openEnum({ XDP_DROP: 1, XDP_PASS: 2 }),
          peer: union({ v4: u32, half: struct({ low: u16, high: u16 }) }, { name: "peer" }),
          label: cstring(4, { terminated: false }),
        },
        { name: "value" },
      );
      using map = bpf.createMap({
        type: "hash",
        name: "printed",
        key: struct({ port: u16, slot: u8 }),
        value,
        maxEntries: 8,
      });
      for (let i = 0; i < 4; i++) {
        const at = [
          { x: i, y: -i },
          { x: 2 * i, y: -3 * i },
        ];
        const state = i % 2 === 0 ? "IDLE" : "BUSY";
        const digest = Uint8Array.of(i, 200, 255);
        const action = i === 3 ? 77 : i % 2 === 0 ? "XDP_DROP" : "XDP_PASS";
        const peer = { v4: i * 0x10001 };
        const rest = { digest, small: i, action, peer, label: "eth0".slice(0, i) } as const;
        map.set(
          { port: 80 + i, slot: i },
          { hits: BigInt(i) * 1000n, at, state, ok: i > 1, comm: `worker${i}`, ...rest },
        );
      }
      const path = join(bpffs, "printed");
      map.pin(path);
      const entries = [...map].map(([key, value]) => ({ key: printed(key), value: printed(value) }));
      assert.deepEqual(numbers(dump(path)), entries);
    });

    withClang((compile) => {
      test("and libbpf make maps that mapiary reads by their BTF", () => {
        const folder = mkdtempSync(join(tmpdir(), "mapiary-bpftool-"));
        after(() => rmSync(folder, { recursive: true, force: true }));
        const object = join(folder, "table.bpf.o");
        writeFileSync(object, compile(OBJECT));
        const maps = join(bpffs, "made");
        mkdirSync(maps);
        bpftool("prog", "load", object, join(bpffs, "pass"), "pinmaps", maps);
        const path = join(maps, "table");
        const hex = (list: readonly number[]): string[] => list.map((byte) => byte.toString(16));
        for (let i = 0; i < 5; i++) {
          const key = [80 + i, 0, 104, 111, 115, 116, 48 + i, 0];
          const value = Array.from({ length: 48 }, (_, at) => (at === 28 ? i % 2 : (at * 7 + i) % 120));
          value[24] = i % 4;
          value.fill(0, 25, 28);
          for (let at = 29; at < 36; at++) value[at] = at < 32 ? 97 + i : 0;
          bpftool("map", "update", "pinned", path, "key", "hex", ...hex(key), "value", "hex", ...hex(value));
        }
        using bpf = open();
        using map = bpf.openMap(path);
        assert.equal(map.value.name, "struct value");
        const entries = [...map].map(([key, value]) => ({ key: printed(key), value: printed(value) }));
        assert.equal(entries.length, 5);
        assert.deepEqual(numbers(dump(path)), entries);
      });
    });
  });
});
