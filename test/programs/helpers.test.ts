/** The helpers, called with what is fit and what is not: the answer is that of Linux, and so is what they leave behind. */
import { describe, test } from "node:test";
import type { Assembler, HelperName, ProgTypeName } from "mapiary";
import { onLinux } from "../kernels.ts";
import { countingBytes, expectSame, type Trial } from "./both-kernels.ts";

/** A way to leave 8 bytes of the stack before the call, and what they are afterwards in what is returned. */
const BUFFER = -8;

function withBuffer(code: Assembler, register: "r2" | "r3" | "r4"): Assembler {
  return code.store("u64", "r10", BUFFER, 0x55).mov(register, "r10").add(register, BUFFER);
}

/** Returns the helper's answer and the lower half of the buffer, mixed. */
function answerAndBuffer(code: Assembler): Assembler {
  return code.load("u64", "r1", "r10", BUFFER).mul("r1", 31).add("r0", "r1").exit();
}

/** Returns the helper's answer and a field of the context, which r6 holds. */
function answerAndField(code: Assembler, ...offsets: number[]): Assembler {
  for (const offset of offsets) code.load("u32", "r1", "r6", offset).mul("r0", 31).add("r0", "r1");
  return code.exit();
}

function trials<T>(values: readonly T[], name: (value: T) => string, trial: (value: T) => Trial): Map<string, Trial> {
  return new Map(values.map((value) => [name(value), trial(value)]));
}

/** A text on the stack from −64 on, of whole words. */
function storeText(code: Assembler, text: string): Assembler {
  const bytes = new TextEncoder().encode(text.padEnd(Math.ceil((text.length + 1) / 8) * 8, "\0"));
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 8) {
    code.loadImmediate("r0", view.getBigUint64(at, true)).store("u64", "r10", -64 + at, "r0");
  }
  return code;
}

/** An Ethernet frame of 100 bytes, with the first bytes of a protocol in it. */
function frame(protocol: number, ...header: number[]): Uint8Array {
  const bytes = countingBytes(100);
  bytes.set([protocol >> 8, protocol & 0xff, ...header], 12);
  return bytes;
}

const IP_PACKETS = { IPv4: frame(0x0800, 0x45), IPv6: frame(0x86dd, 0x60), "neither IP": frame(0x0806) };
const LARGE_PACKET = countingBytes(5000);
const XDP_HAS_FRAGS = 32;

onLinux(() => {
  describe("as on Linux, a program", () => {
    test("moves the ends of an XDP packet, as far as there is room", () => {
      const call = (helper: HelperName, deltas: readonly number[]): Map<string, Trial> =>
        trials(
          deltas,
          (delta) => `${helper} ${delta}`,
          (delta) => ({ type: "xdp", code: (code) => code.mov("r2", delta).call(helper).exit() }),
        );
      expectSame(
        new Map([
          ...call("bpf_xdp_adjust_head", [-200, -216, -217, 0, 10, 50, 51]),
          ...call("bpf_xdp_adjust_meta", [-4, -3, -216, -252, -256, 4]),
          ...call("bpf_xdp_adjust_tail", [-50, -51, 1, 3456, 3457]),
        ]),
      );
    });

    test("moves the end of an XDP packet of several buffers", () => {
      const deltas = [-1, -1000, -1480, -1481, -2000, -4000, -4900, -5000, 0, 1, 100, 2000, 5000];
      expectSame(
        trials(
          deltas,
          (delta) => `by ${delta}`,
          (delta) => ({
            type: "xdp",
            flags: XDP_HAS_FRAGS,
            data: LARGE_PACKET,
            code: (code) =>
              code
                .mov("r6", "r1")
                .mov("r2", delta)
                .call("bpf_xdp_adjust_tail")
                .mov("r7", "r0")
                .mov("r1", "r6")
                .call("bpf_xdp_get_buff_len")
                .mul("r7", 100_000)
                .add("r0", "r7")
                .exit(),
          }),
        ),
      );
    });

    test("reads and writes XDP packets of several buffers", () => {
      const call = (helper: HelperName, offsets: readonly number[]): Map<string, Trial> =>
        trials(
          offsets,
          (offset) => `${helper} at ${offset}`,
          (offset) => ({
            type: "xdp",
            flags: XDP_HAS_FRAGS,
            data: LARGE_PACKET,
            code: (code) => answerAndBuffer(withBuffer(code, "r3").mov("r2", offset).mov("r4", 8).call(helper)),
          }),
        );
      const length: Trial = {
        type: "xdp",
        flags: XDP_HAS_FRAGS,
        data: LARGE_PACKET,
        code: (code) => code.call("bpf_xdp_get_buff_len").exit(),
      };
      const offsets = [0, 56, 3512, 3516, 3520, 4992, 4993, 70_000];
      expectSame(
        new Map([...call("bpf_xdp_load_bytes", offsets), ...call("bpf_xdp_store_bytes", offsets), ["length", length]]),
      );
    });

    test("reads packets of the network stack from their beginning and from their headers", () => {
      const places = (["socket_filter", "sched_cls"] as const).flatMap((type) =>
        [0, 42, 43, 56, 60, 100_000].map((offset) => ({ type, offset })),
      );
      const headers = [
        [0, 0],
        [0, 1],
        [50, 0],
        [43, 1],
        [57, 0],
        [0, 2],
        [70_000, 0],
      ] as const;
      expectSame(
        new Map([
          ...trials(
            places,
            ({ type, offset }) => `${type} at ${offset}`,
            ({ type, offset }) => ({
              type,
              code: (code) =>
                answerAndBuffer(withBuffer(code, "r3").mov("r2", offset).mov("r4", 8).call("bpf_skb_load_bytes")),
            }),
          ),
          ...trials(
            headers,
            ([offset, header]) => `at ${offset} from header ${header}`,
            ([offset, header]) => ({
              code: (code) => {
                withBuffer(code, "r3").mov("r2", offset).mov("r4", 8).mov("r5", header);
                return answerAndBuffer(code.call("bpf_skb_load_bytes_relative"));
              },
            }),
          ),
        ]),
      );
    });

    test("reads packets as classic BPF does, and ends where there is nothing", () => {
      const offsets = [0, 42, 46, 47, 50, 4000, -1, -0x1000, -0x100000 + 4, -0x100000 + 60, -0x200000 + 12, -0x300000];
      expectSame(
        new Map([
          ...trials(
            offsets,
            (offset) => `absolute ${offset}`,
            (offset) => ({ code: (code) => code.mov("r6", "r1").loadAbsolute("u32", offset).exit() }),
          ),
          ...trials(
            offsets,
            (offset) => `indirect ${offset}`,
            (offset) => ({
              code: (code) => code.mov("r6", "r1").mov("r7", 2).loadIndirect("u16", "r7", offset).add("r0", 1).exit(),
            }),
          ),
        ]),
      );
    });

    test("writes into packets of the network stack", () => {
      const places = [
        [0, 0],
        [5, 0],
        [57, 0],
        [56, 0],
        [0, 1],
        [0, 4],
        [14, 2],
      ] as const;
      expectSame(
        trials(
          places,
          ([offset, flags]) => `at ${offset} with flags ${flags}`,
          ([offset, flags]) => ({
            type: "sched_cls",
            code: (code) =>
              withBuffer(code, "r3").mov("r2", offset).mov("r4", 8).mov("r5", flags).call("bpf_skb_store_bytes").exit(),
          }),
        ),
      );
    });

    test("changes the length of packets of the network stack, and what they are", () => {
      const call = (helper: HelperName, pairs: readonly (readonly [number, number])[], field: number) =>
        trials(
          pairs,
          ([first, second]) => `${helper} ${first} ${second}`,
          ([first, second]) => ({
            type: "sched_cls" as ProgTypeName,
            code: (code: Assembler) =>
              answerAndField(code.mov("r6", "r1").mov("r2", first).mov("r3", second).call(helper), field),
          }),
        );
      expectSame(
        new Map([
          ...call(
            "bpf_skb_change_tail",
            [
              [14, 0],
              [13, 0],
              [0, 0],
              [64, 0],
              [100, 0],
              [3000, 0],
              [70_000, 0],
              [20, 1],
            ],
            0,
          ),
          ...call(
            "bpf_skb_change_head",
            [
              [4, 0],
              [0, 0],
              [64, 0],
              [1000, 0],
              [70_000, 0],
              [20, 1],
            ],
            0,
          ),
          ...call(
            "bpf_skb_pull_data",
            [0, 10, 64, 65, 1000].map((length) => [length, 0] as const),
            0,
          ),
          ...call(
            "bpf_skb_change_type",
            [0, 1, 3, 4].map((type) => [type, 0] as const),
            4,
          ),
          ...call("bpf_skb_vlan_pop", [[0, 0]], 16),
          ...call("bpf_skb_vlan_push", [[0x0081, 77]], 24),
        ]),
      );
    });

    describe("of IP packets", () => {
      const adjust = (code: Assembler, room: number, mode: number, flags: bigint): Assembler =>
        code.mov("r1", "r6").mov("r2", room).mov("r3", mode).loadImmediate("r4", flags).call("bpf_skb_adjust_room");
      const ofPackets = <T>(
        values: readonly T[],
        name: (value: T) => string,
        code: (code: Assembler, value: T) => Assembler,
      ) =>
        new Map(
          values.flatMap((value) =>
            Object.entries(IP_PACKETS).map(([version, data]): [string, Trial] => [
              `${version}, ${name(value)}`,
              { type: "sched_cls", data, code: (assembler) => code(assembler.mov("r6", "r1"), value) },
            ]),
          ),
        );

      test("makes room behind headers, and takes it away", () => {
        const rooms = [-60, -44, -24, -20, -4, 0, 4, 20, 100, 5000];
        const cases: (readonly [room: number, mode: number, flags: bigint])[] = [];
        for (const room of rooms) for (const mode of [0, 1, 2]) cases.push([room, mode, 0n]);
        const flags = [
          1n,
          2n,
          4n,
          6n,
          10n,
          26n,
          32n,
          66n,
          (14n << 56n) | 66n,
          (90n << 56n) | 2n,
          128n,
          256n,
          384n,
          512n,
        ];
        for (const flag of flags) for (const room of [-20, 28]) cases.push([room, 1, flag]);
        cases.push([28, 1, 1n << 40n]);
        expectSame(
          ofPackets(
            cases,
            ([room, mode, flag]) => `room ${room}, mode ${mode}, flags ${flag}`,
            (code, [room, mode, flag]) => answerAndField(adjust(code, room, mode, flag), 0, 16),
          ),
        );
      });

      test("puts them into others once", () => {
        expectSame(
          ofPackets(
            [2n, 4n],
            (flags) => `flags ${flags}`,
            (code, flags) => {
              adjust(code, 28, 1, flags).mov("r7", "r0");
              return answerAndField(adjust(code, 28, 1, flags).mul("r7", 31).add("r0", "r7"), 0, 16);
            },
          ),
        );
      });

      test("makes IPv4 of IPv6, and the other way round", () => {
        const cases = [0x0008, 0xdd86, 0x0608].flatMap((protocol) => [0, 1].map((flags) => [protocol, flags] as const));
        expectSame(
          ofPackets(
            cases,
            ([protocol, flags]) => `to ${protocol}, flags ${flags}`,
            (code, [protocol, flags]) =>
              answerAndField(code.mov("r2", protocol).mov("r3", flags).call("bpf_skb_change_proto"), 0, 16),
          ),
        );
      });

      test("counts the checksums that are right", () => {
        const sequences = [[0], [1], [1, 1, 0], [1, 1, 1, 1, 1, 0], [1, 2, 0], [2, 0], [1, 3, 0], [1, 1, 2, 0], [4]];
        expectSame(
          ofPackets(
            sequences,
            (levels) => levels.join(" "),
            (code, levels) => {
              code.mov("r7", 0);
              for (const level of levels) {
                code.mov("r1", "r6").mov("r2", level).call("bpf_csum_level").mul("r7", 31).add("r7", "r0");
              }
              return code.mov("r0", "r7").exit();
            },
          ),
        );
      });

      test("says that there is congestion to those who want to hear it", () => {
        const bytes = [0x00, 0x01, 0x02, 0x03, 0x10, 0x20, 0x30];
        expectSame(
          ofPackets(
            bytes,
            (byte) => `${byte}`,
            (code, byte) =>
              code
                .store("u8", "r10", -1, byte)
                .mov("r2", 15)
                .mov("r3", "r10")
                .add("r3", -1)
                .mov("r4", 1)
                .mov("r5", 0)
                .call("bpf_skb_store_bytes")
                .mov("r1", "r6")
                .call("bpf_skb_ecn_set_ce")
                .exit(),
          ),
        );
      });
    });

    test("pushes and pops two VLAN tags", () => {
      const fields = [0, 16, 20, 24, 28];
      const push = (code: Assembler, protocol: number, tag: number): Assembler =>
        code.mov("r1", "r6").mov("r2", protocol).mov("r3", tag).call("bpf_skb_vlan_push").add("r7", "r0");
      const mix = (code: Assembler): void => {
        for (const field of fields) code.load("u32", "r1", "r6", field).mul("r7", 31).add("r7", "r1");
      };
      const code = (assembler: Assembler, pops: number): Assembler => {
        assembler.mov("r6", "r1").mov("r7", 0);
        push(push(assembler, 0x0081, 77), 0xa888, 99);
        mix(assembler);
        for (let pop = 0; pop < pops; pop++) {
          assembler.mov("r1", "r6").call("bpf_skb_vlan_pop").add("r7", "r0");
          mix(assembler);
        }
        return assembler.mov("r0", "r7").exit();
      };
      expectSame(
        trials(
          [0, 1, 2, 3],
          (pops) => `${pops} pops`,
          (pops) => ({ type: "sched_cls", code: (assembler) => code(assembler, pops) }),
        ),
      );
    });

    test("computes checksums", () => {
      const diffs = [
        [8, 8, 0],
        [0, 8, 5],
        [8, 0, 7],
        [4, 12, 0xffff0000],
        [12, 4, 1],
        [0, 0, 77],
        [5, 0, 0],
        [0, 8, 0xffffffff],
        [16, 16, 0x1234],
      ] as const;
      const data = (code: Assembler): Assembler => {
        const words = [0x1122334455667788n, 0xfedcba9876543210n, 0x123456789abcdef0n, 77n];
        words.forEach((word, index) => {
          code.loadImmediate("r0", word).store("u64", "r10", -8 * (index + 1), "r0");
        });
        return code;
      };
      const fields = [
        [24, 0x1234, 0x5678, 2],
        [24, 0x12345678, 0x9abcdef0, 4],
        [24, 0, 0x1234, 0],
        [25, 1, 2, 2],
        [63, 1, 2, 2],
        [62, 1, 2, 2],
        [24, 5, 6, 0],
        [24, 1, 2, 3],
        [24, 0xffff, 0, 2],
        [24, 0, 0xffff, 2],
        [24, 1, 2, 16],
        [24, 1, 2, 34],
        [24, 1, 2, 0x1000],
      ] as const;
      const replace = (helper: HelperName): Map<string, Trial> =>
        trials(
          fields,
          (field) => `${helper} ${field.join(" ")}`,
          ([offset, from, to, flags]) => ({
            type: "sched_cls",
            code: (code) => {
              code.mov("r2", offset).loadImmediate("r3", BigInt(from)).loadImmediate("r4", BigInt(to));
              return code.mov("r5", flags).call(helper).exit();
            },
          }),
        );
      expectSame(
        new Map([
          ...trials(
            diffs,
            (diff) => `csum_diff ${diff.join(" ")}`,
            ([from, to, seed]) => ({
              type: "sched_cls",
              code: (code) => {
                data(code).mov("r1", "r10").add("r1", -16).mov("r2", from).mov("r3", "r10").add("r3", -32);
                return code.mov("r4", to).loadImmediate("r5", BigInt(seed)).call("bpf_csum_diff").exit();
              },
            }),
          ),
          ...replace("bpf_l3_csum_replace"),
          ...replace("bpf_l4_csum_replace"),
        ]),
      );
    });

    test("reads numbers from text", () => {
      const texts = [
        ..."123 -123 0x1f 0x 077 +5 abc 08 0 - 0xg 18446744073709551615 9223372036854775807".split(" "),
        ..."9223372036854775808 -9223372036854775808 99999999999999999999 0xffffffffffffffff".split(" "),
        ...["", "  ", " 42x", "\t7", "0x1ffffffffffffffff", "-0x10", "- 5"],
      ];
      const calls = texts.flatMap((text) =>
        [0, 8, 10, 16, 7, 32].flatMap((base) =>
          (["bpf_strtol", "bpf_strtoul"] as const).map((helper) => ({ text, base, helper })),
        ),
      );
      expectSame(
        trials(
          calls.filter((_, index) => index % 2 === 0 || index % 3 === 0),
          ({ text, base, helper }) => `${helper} "${text}" ${base}`,
          ({ text, base, helper }) => ({
            code: (code) => {
              withBuffer(storeText(code, text), "r4")
                .mov("r1", "r10")
                .add("r1", -64)
                .mov("r2", text.length || 1);
              code.mov("r3", base).call(helper).load("u64", "r1", "r10", BUFFER).mul("r1", 31).add("r0", "r1");
              return code.mov("r1", "r0").rsh("r1", 32).xor("r0", "r1").exit();
            },
          }),
        ),
      );
    });

    test("redirects packets nowhere", () => {
      const redirects = (["xdp", "sched_cls"] as const).flatMap((type) =>
        [0, 1, 3, 8, 16, 32].map((flags) => ({ type, flags })),
      );
      const maps = (["devmap", "cpumap"] as const).flatMap((type) =>
        [0, 1, 2, 3, 4, 8, 12, 16, 24].map((flags) => ({ type, flags })),
      );
      expectSame(
        new Map([
          ...trials(
            redirects,
            ({ type, flags }) => `${type} ${flags}`,
            ({ type, flags }) => ({
              type,
              code: (code) => code.mov("r1", 1).mov("r2", flags).call("bpf_redirect").exit(),
            }),
          ),
          ...trials(
            maps,
            ({ type, flags }) => `${type} ${flags}`,
            ({ type, flags }) => ({
              type: "xdp",
              maps: [{ type, keySize: 4, valueSize: 4, maxEntries: 4 }],
              code: (code, [map = 0]) =>
                code.loadMap("r1", map).mov("r2", 1).mov("r3", flags).call("bpf_redirect_map").exit(),
            }),
          ),
        ]),
      );
    });

    test("finds no perf events", () => {
      const indexes = [0n, 1n, 0x100000000n];
      expectSame(
        trials(
          indexes,
          (index) => `index ${index}`,
          (index) => ({
            type: "xdp",
            maps: [{ type: "perf_event_array", keySize: 4, valueSize: 4, maxEntries: 1 }],
            code: (code, [map = 0]) => {
              withBuffer(code, "r4").loadMap("r2", map).loadImmediate("r3", index).mov("r5", 8);
              return code.call("bpf_perf_event_output").exit();
            },
          }),
        ),
      );
    });

    test("sees the context of its packet", () => {
      const fields = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 64, 68, 72, 160, 164, 176];
      const given = new Uint8Array(192);
      const view = new DataView(given.buffer);
      for (const [offset, value] of [
        [8, 0x11],
        [32, 0x22],
        [36, 1],
        [40, 1],
        [48, 0x33],
        [64, 0x44],
        [152, 0x55],
        [160, 100],
        [164, 3],
        [176, 7],
        [184, 9],
      ] as const) {
        view.setUint32(offset, value, true);
      }
      const sources = [undefined, given].flatMap((ctx) => fields.map((field) => ({ ctx, field })));
      expectSame(
        trials(
          sources,
          ({ ctx, field }) => `byte ${field} of a context that is ${ctx === undefined ? "not " : ""}given`,
          ({ ctx, field }) => ({
            type: "sched_cls",
            ...(ctx && { ctx }),
            code: (code) => code.load("u32", "r0", "r1", field).exit(),
          }),
        ),
      );
    });
  });
});
