import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Assembler, type Bpf, decode, disassemble, type Instruction, type ProgTestRunOptions, u32, u64 } from "mapiary";
import { EACCES, EBADF, EBADFD, EINVAL, ENOENT, ENOSPC, ENOTSUP, ENOTSUPP } from "../../src/abi/errno.ts";
import { onEveryKernel } from "../kernels.ts";

const XDP_PASS = 2;
const BPF_F_SLEEPABLE = 1 << 4;
const PACKET = Uint8Array.from({ length: 64 }, (_, at) => at);

const returns = (value: number): Instruction[] => new Assembler().mov("r0", value).exit().assemble();

function load(bpf: Bpf, insns: readonly Instruction[], type: "xdp" | "syscall" | "kprobe" = "xdp"): number {
  const logBuf = new Uint8Array(65536);
  const flags = type === "syscall" ? BPF_F_SLEEPABLE : 0;
  const fd = bpf.sys.progLoad({ type, name: "tested", license: "GPL", insns, flags, logLevel: 1, logBuf });
  assert.ok(fd >= 0, new TextDecoder().decode(logBuf.subarray(0, logBuf.indexOf(0))));
  return fd;
}

onEveryKernel(({ open, bpffs, refuses }) => {
  describe("the commands on programs", () => {
    test("a program that was loaded runs, and says what it returned", () => {
      using bpf = open();
      const fd = load(bpf, returns(XDP_PASS));
      const dataOut = new Uint8Array(128);
      const out: ProgTestRunOptions = { dataIn: PACKET, dataOut, repeat: 3 };
      assert.equal(bpf.sys.progTestRun(fd, out), 0);
      assert.equal(out.retval, XDP_PASS);
      assert.equal(out.dataSizeOut, PACKET.length);
      assert.deepEqual(dataOut.subarray(0, PACKET.length), PACKET);
    });

    test("a packet that does not fit the room for it is ENOSPC, and as much of it as does is there", () => {
      using bpf = open();
      const fd = load(bpf, returns(XDP_PASS));
      const dataOut = new Uint8Array(16);
      const out: ProgTestRunOptions = { dataIn: PACKET, dataOut };
      assert.equal(bpf.sys.progTestRun(fd, out), -ENOSPC);
      assert.equal(out.dataSizeOut, PACKET.length);
      assert.deepEqual(dataOut, PACKET.subarray(0, 16));
    });

    test("a syscall program reads and writes its context", () => {
      using bpf = open();
      const insns = new Assembler()
        .load("u32", "r2", "r1", 0)
        .add("r2", 1)
        .store("u32", "r1", 4, "r2")
        .mov("r0", 7)
        .exit()
        .assemble();
      const fd = load(bpf, insns, "syscall");
      const ctxIn = Uint8Array.of(41, 0, 0, 0, 0, 0, 0, 0);
      assert.equal(bpf.sys.progTestRun(fd, { ctxIn, ctxOut: new Uint8Array(8) }), -EINVAL);
      const out: ProgTestRunOptions = { ctxIn };
      assert.equal(bpf.sys.progTestRun(fd, out), 0);
      assert.equal(out.retval, 7);
      assert.deepEqual(ctxIn, Uint8Array.of(41, 0, 0, 0, 42, 0, 0, 0));
    });

    test("a syscall program must be sleepable, and a program on packets must not", () => {
      using bpf = open();
      const insns = returns(0);
      assert.equal(bpf.sys.progLoad({ type: "syscall", license: "GPL", insns }), -EINVAL);
      assert.equal(bpf.sys.progLoad({ type: "xdp", license: "GPL", insns, flags: BPF_F_SLEEPABLE }), -EINVAL);
      assert.ok(bpf.sys.progLoad({ type: "kprobe", license: "GPL", insns, flags: BPF_F_SLEEPABLE }) >= 0);
    });

    test("programs for new sockets and for reuseport need not say where they are to be attached", () => {
      using bpf = open();
      const attached = (type: "cgroup_sock" | "sk_reuseport", expectedAttachType: number): number =>
        Math.min(0, bpf.sys.progLoad({ type, expectedAttachType, license: "GPL", insns: returns(1) }));
      assert.deepEqual([attached("cgroup_sock", 0), attached("cgroup_sock", 1)], [0, -EINVAL]);
      assert.deepEqual([attached("sk_reuseport", 0), attached("sk_reuseport", 1)], [0, -EINVAL]);
    });

    test("a program shares its maps with user space", () => {
      using bpf = open();
      using hits = bpf.createMap({ type: "array", name: "hits", key: u32, value: u64, maxEntries: 1 });
      const insns = new Assembler()
        .store("u32", "r10", -4, 0)
        .mov("r2", "r10")
        .add("r2", -4)
        .loadMap("r1", hits)
        .call("bpf_map_lookup_elem")
        .jeq("r0", 0, "out")
        .mov("r1", 1)
        .atomicAdd("u64", "r0", 0, "r1")
        .label("out")
        .mov("r0", XDP_PASS)
        .exit()
        .assemble();
      const fd = load(bpf, insns);
      assert.equal(bpf.sys.progTestRun(fd, { dataIn: PACKET, repeat: 1000 }), 0);
      assert.equal(hits.get(0), 1000n);
      const mapIds = new Uint32Array(1);
      const info = bpf.sys.progGetInfoByFd(fd, { mapIds });
      assert.ok(typeof info !== "number");
      assert.equal(info.nrMapIds, 1);
      assert.equal(mapIds[0], hits.id);
    });

    test("what the verifier refuses is named in its log", () => {
      using bpf = open();
      const insns = new Assembler().load("u64", "r0", "r1", 4000).exit().assemble();
      const logBuf = new Uint8Array(4096);
      const logTrueSize = new Uint32Array(1);
      const options = { type: "xdp", license: "GPL", insns, logLevel: 1, logBuf, logTrueSize } as const;
      assert.equal(bpf.sys.progLoad(options), -EACCES);
      const end = logBuf.indexOf(0);
      const log = new TextDecoder().decode(logBuf.subarray(0, end));
      assert.match(log, /0: \(79\) r0 = \*\(u64 \*\)\(r1 \+4000\).*\ninvalid bpf_context access off=4000 size=8/);
      assert.equal(logTrueSize[0], end + 1);
      assert.equal(bpf.sys.progLoad({ ...options, logBuf: new Uint8Array(16) }), -ENOSPC);
    });

    test("infos say what a program is, and give its instructions", () => {
      using bpf = open();
      const insns = returns(XDP_PASS);
      const fd = load(bpf, insns);
      const xlatedInsns = new Uint8Array(16);
      const info = bpf.sys.progGetInfoByFd(fd, { xlatedInsns });
      assert.ok(typeof info !== "number");
      assert.deepEqual(
        [info.type, info.name, info.gplCompatible, info.xlatedProgLen, info.btfId, info.verifiedInsns],
        ["xdp", "tested", true, 16, 0, 2],
      );
      assert.match(info.tag, /^[0-9a-f]{16}$/);
      assert.equal(disassemble(decode(xlatedInsns)), disassemble(insns));
      assert.equal(bpf.sys.progGetInfoByFd(1_000_000), -EBADFD);
    });

    test("programs are found by id, and last while an fd or a pin does", () => {
      using bpf = open();
      const fd = load(bpf, returns(XDP_PASS));
      const info = bpf.sys.progGetInfoByFd(fd);
      assert.ok(typeof info !== "number");
      const next = new Uint32Array(1);
      assert.equal(bpf.sys.progGetNextId(info.id - 1, next), 0);
      assert.equal(next[0], info.id);
      const path = join(bpffs, "program");
      // Where a prog_array cannot be shared, pins cannot lead to programs either: they live in one process.
      const canPin = !refuses("prog_array");
      assert.equal(bpf.sys.objPin(fd, path), canPin ? 0 : -ENOTSUP);
      if (!canPin) return;
      assert.equal(bpf.sys.close(fd), 0);
      const again = bpf.sys.objGet(path);
      assert.ok(again >= 0);
      assert.equal(bpf.sys.progTestRun(again, { dataIn: PACKET }), 0);
      const other = bpf.sys.progGetFdById(info.id);
      assert.ok(other >= 0);
      bpf.bpffs.unlink(path);
    });

    test("what is no program, or cannot be run, is refused", () => {
      using bpf = open();
      assert.equal(bpf.sys.progTestRun(1_000_000), -EBADF);
      assert.equal(bpf.sys.progGetFdById(0x7fff_fff0), -ENOENT);
      const fd = load(bpf, returns(0), "kprobe");
      assert.equal(bpf.sys.progTestRun(fd, { dataIn: PACKET }), -ENOTSUPP);
      assert.throws(
        () => bpf.sys.progLoad({ type: "none" as "xdp", license: "GPL", insns: [] }),
        /no program type "none"/,
      );
    });
  });
});
