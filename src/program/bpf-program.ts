import { BPF_OBJ_GET_INFO_BY_FD, BPF_OBJ_PIN, BPF_PROG_TEST_RUN } from "../abi/commands.ts";
import { EBADF } from "../abi/errno.ts";
import type { ProgTypeName } from "../abi/prog-types.ts";
import type { MapContext } from "../maps/map-context.ts";
import { BpfError } from "../sys/bpf-error.ts";
import type { Failure } from "../sys/diagnosis.ts";
import type { ProgInfo } from "../sys/prog-info.ts";
import type { ProgTestRunOptions } from "../sys/sys.ts";

/** What a program is run with. */
export interface RunOptions {
  /** The packet. Programs on packets need one, of 14 bytes and more. */
  readonly data?: Uint8Array | undefined;
  /** The context as bytes: `struct xdp_md`, `struct __sk_buff`, the argument of a syscall program. */
  readonly ctx?: Uint8Array | undefined;
  /** How often it is run, 1 when it is not given. */
  readonly repeat?: number | undefined;
  /** How many bytes a packet may have grown to; what it has, and a page, when it is not given. */
  readonly dataSizeOut?: number | undefined;
  /** Bits of `BPF_F_TEST_…`. */
  readonly flags?: number | undefined;
  /** The CPU to run on, with BPF_F_TEST_RUN_ON_CPU. */
  readonly cpu?: number | undefined;
}

/** What a run came to. */
export interface RunResult {
  /** What the program returned, as an unsigned number of 32 bits. */
  readonly retval: number;
  /** The packet as the program left it; `undefined` without one. */
  readonly data: Uint8Array | undefined;
  /** The context as the program left it; `undefined` without one. */
  readonly ctx: Uint8Array | undefined;
  /** Nanoseconds of one run, on average. */
  readonly duration: number;
}

const MOST_GROWTH = 4096;

/** The types whose context is given back where it came from, or not at all: `net/bpf/test_run.c`. */
const WITHOUT_CTX_OUT: ReadonlySet<ProgTypeName> = new Set(["syscall", "raw_tracepoint"]);

/**
 * A program that its kernel has verified and loaded. It is run here as often as one likes, on packets and contexts that
 * are given, without being attached to anything.
 *
 * @example
 * ```ts
 * import { Assembler } from "mapiary";
 * import { linux } from "mapiary/linux";
 *
 * using bpf = linux();
 * const instructions = new Assembler().mov("r0", 2).exit().assemble();
 * using pass = bpf.loadProgram({ type: "xdp", name: "pass", instructions });
 * pass.run({ data: new Uint8Array(64) }).retval; // 2: XDP_PASS
 * ```
 */
export class BpfProgram implements Disposable {
  /** bpftool's name of the program's type. */
  readonly type: ProgTypeName;
  /** The name of its function. Kernels keep 15 bytes of it. */
  readonly name: string;
  /** The kernel's number for the program. */
  readonly id: number;
  readonly #context: MapContext;
  #fd: number;
  #pinnedAt: string | undefined;

  /** @internal Takes over an fd. */
  constructor(context: MapContext, fd: number, name: string, info: ProgInfo) {
    this.#context = context;
    this.#fd = fd;
    this.type = info.type as ProgTypeName;
    this.name = name;
    this.id = info.id;
    context.own(this, { fd, memory: 0 });
  }

  /** The program's file descriptor, for `bpf.sys` and prog_arrays; −1 once it is closed. It stays this object's to close. */
  get fd(): number {
    return this.#fd;
  }

  /**
   * Runs the program: BPF_PROG_TEST_RUN. Throws a `BpfError`: `ENOTSUPP` for a type that cannot be run so, `EINVAL` for a
   * packet or context that is not right for its type, `ENOSPC` when the packet grew beyond `dataSizeOut`.
   */
  run(options: RunOptions = {}): RunResult {
    const { data, ctx } = options;
    const dataOut = data && new Uint8Array(options.dataSizeOut ?? data.length + MOST_GROWTH);
    // A syscall program's context is written back to where it came from, and that is not the caller's.
    const ctxIn = ctx?.slice();
    const ctxOut = ctx === undefined || WITHOUT_CTX_OUT.has(this.type) ? undefined : new Uint8Array(ctx.length);
    const { repeat, flags, cpu } = options;
    const call: ProgTestRunOptions = { dataIn: data, dataOut, ctxIn, ctxOut, repeat, flags, cpu };
    const result = this.#fd < 0 ? -EBADF : this.#context.sys.progTestRun(this.#fd, call);
    if (result < 0) throw this.#failure(BPF_PROG_TEST_RUN, result, { run: { ...call, type: this.type } });
    return {
      retval: call.retval ?? 0,
      data: dataOut?.subarray(0, call.dataSizeOut),
      ctx: ctxOut?.subarray(0, call.ctxSizeOut) ?? ctxIn,
      duration: call.duration ?? 0,
    };
  }

  /** What the kernel says of the program now. Throws a `BpfError` when it is closed. */
  info(): ProgInfo {
    const info = this.#fd < 0 ? -EBADF : this.#context.sys.progGetInfoByFd(this.#fd);
    if (typeof info === "number") throw this.#failure(BPF_OBJ_GET_INFO_BY_FD, info);
    return info;
  }

  /** Gives the program a name in a BPF filesystem, which keeps it alive. Throws a `BpfError`, as `pin` of a map does. */
  pin(path: string): void {
    const result = this.#fd < 0 ? -EBADF : this.#context.sys.objPin(this.#fd, path);
    if (result < 0) throw this.#failure(BPF_OBJ_PIN, result, { path });
    this.#pinnedAt = path;
  }

  /** Takes a pin away: the one at `path`, or the last one that `pin` made. Throws a `BpfError`, and a `TypeError` when no path is known. */
  unpin(path: string | undefined = this.#pinnedAt): void {
    if (path === undefined) throw new TypeError(`program ${this.name} was not pinned here: say which path to unpin`);
    const result = this.#context.kernel.unlink(path);
    if (result < 0) throw this.#failure("unlink", result, { path });
    if (path === this.#pinnedAt) this.#pinnedAt = undefined;
  }

  /** Closes the fd. A second time does nothing; every other method then throws a `BpfError` with the code `EBADF`. */
  close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    this.#context.disown(this);
    this.#context.release({ fd, memory: 0 });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #failure(command: Failure["command"], errno: number, details: Partial<Failure> = {}): BpfError {
    const { kernel, sys } = this.#context;
    return new BpfError({ kernel, sys, command, errno, program: this.name, ...details });
  }
}
