/** Ring buffers that user space writes, and programs that read them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type Bpf, struct, type UserRingBuf, u32, u64 } from "mapiary";
import { onEveryKernel } from "../kernels.ts";
import { withClang } from "../program/clang.ts";

const SOURCE = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char _license[] SEC("license") = "GPL";
struct { __uint(type, BPF_MAP_TYPE_USER_RINGBUF); __uint(max_entries, 4096); } commands SEC(".maps");
struct command { __u32 id; __u64 limit; };
__u64 sum, last, most = 1000000;
static long on_command(struct bpf_dynptr *dynptr, void *ctx) {
  struct command *command = bpf_dynptr_data(dynptr, 0, sizeof *command);
  if (!command) return 1;
  sum += command->limit;
  last = command->id;
  return --most == 0;
}
SEC("xdp") int drain(struct xdp_md *ctx) {
  return bpf_user_ringbuf_drain(&commands, on_command, 0, 0);
}
`;
const command = struct({ id: u32, limit: u64 });
/** A record takes 24 bytes of the ring, which can be full. */
const FIT = Math.floor(4096 / 24);

withClang((compile) =>
  onEveryKernel((kernel) => {
    const open = (bpf: Bpf) => {
      const { maps, programs, variables } = bpf.load(compile(SOURCE));
      const ring = bpf.mapById((maps["commands"] as UserRingBuf<Uint8Array>).id, {
        type: "user_ringbuf",
        value: command,
      });
      const drain = (): number | undefined => programs["drain"]?.run({ data: new Uint8Array(64) }).retval;
      return { ring, drain, variables };
    };

    describe("a user_ringbuf", () => {
      test("gives programs what was pushed, in its order", () => {
        using bpf = kernel.open();
        const { ring, drain, variables } = open(bpf);
        assert.equal(drain(), 0);
        for (let id = 1; id <= 3; id++) assert.equal(ring.push({ id, limit: 10n ** BigInt(id) }), true);
        assert.equal(drain(), 3);
        assert.deepEqual([variables["sum"], variables["last"]], [1110n, 3n]);
        assert.equal(drain(), 0);
      });

      test("has no room when it is full, and has again when a program has read", () => {
        using bpf = kernel.open();
        const { ring, drain, variables } = open(bpf);
        for (let round = 0; round < 5; round++) {
          for (let id = 0; id < FIT; id++) assert.equal(ring.push({ id, limit: 1n }), true);
          assert.equal(ring.push({ id: 0, limit: 1000n }), false);
          assert.equal(drain(), FIT);
        }
        assert.equal(variables["sum"], BigInt(5 * FIT));
      });

      test("tells whoever waits that a program has read", async () => {
        using bpf = kernel.open();
        const { ring, drain, variables } = open(bpf);
        variables["most"] = 1n;
        await ring.drained();
        while (ring.push({ id: 0, limit: 1n }));
        let isTold = false;
        const drained = ring.drained().then(() => {
          isTold = true;
        });
        for (let i = 0; i < 5; i++) await turn();
        assert.equal(isTold, false);
        assert.equal(drain(), 1);
        await drained;
        assert.equal(ring.push({ id: 0, limit: 1n }), true);
      });

      test("stops telling when a signal aborts, and when it is closed", async () => {
        using bpf = kernel.open();
        const { ring } = open(bpf);
        await ring.drained();
        const abort = new AbortController();
        const waiting = ring.drained({ signal: abort.signal });
        abort.abort(new Error("enough"));
        await assert.rejects(waiting, /enough/);
        await assert.rejects(ring.drained({ signal: abort.signal }), /enough/);
        const closing = ring.drained();
        ring.close();
        await closing;
        assert.throws(() => ring.push({ id: 0, limit: 0n }), { code: "EBADF" });
      });

      test("refuses what does not fit, and writes nothing", () => {
        using bpf = kernel.open();
        const { ring, drain } = open(bpf);
        assert.throws(() => ring.push({ id: -1, limit: 0n }), RangeError);
        const bytes = bpf.mapById(ring.id, { type: "user_ringbuf" });
        assert.throws(() => bytes.push(new Uint8Array(4096)), /at most 4088 bytes, not 4096/);
        assert.throws(() => bytes.push("text" as never), TypeError);
        assert.equal(drain(), 0);
        assert.equal(bytes.push(command.encode({ id: 7, limit: 5n })), true);
        assert.equal(drain(), 1);
      });
    });
  }),
);
