import { BPF_OBJ_NAME_LEN, PROG_LOAD, PROG_TEST_RUN } from "../abi/attr.ts";
import { BPF_PROG_GET_FD_BY_ID, BPF_PROG_GET_NEXT_ID, BPF_PROG_LOAD, BPF_PROG_TEST_RUN } from "../abi/commands.ts";
import { PROG_INFO } from "../abi/info.ts";
import { type ProgTypeName, progTypeNumber } from "../abi/prog-types.ts";
import { encode, INSTRUCTION_SIZE, type Instruction } from "../isa/instruction.ts";
import type { Address } from "../memory/address-space.ts";
import { BatchCommands } from "./batch-commands.ts";
import { type ProgInfo, type ProgInfoBuffers, readProgInfo } from "./prog-info.ts";

/** What `sys.progLoad` takes: the fields of `union bpf_attr` for BPF_PROG_LOAD; what is not given is 0. */
export interface ProgLoadOptions {
  /** bpftool's name of the type, or its number. */
  readonly type: ProgTypeName | number;
  /** At most 15 bytes are kept, as libbpf does. */
  readonly name?: string | undefined;
  readonly insns: Uint8Array | readonly Instruction[];
  /** `"GPL"` and the like open helpers that are for free programs alone. */
  readonly license: string;
  readonly expectedAttachType?: number | undefined;
  /** Bits of `BPF_F_…`. */
  readonly flags?: number | undefined;
  readonly kernVersion?: number | undefined;
  readonly ifindex?: number | undefined;
  readonly progBtfFd?: number | undefined;
  /** The records of `.BTF.ext`, and the bytes of each. */
  readonly funcInfo?: Uint8Array | undefined;
  readonly funcInfoRecSize?: number | undefined;
  readonly lineInfo?: Uint8Array | undefined;
  readonly lineInfoRecSize?: number | undefined;
  readonly attachBtfId?: number | undefined;
  /** The program to extend or to watch, or, in the same place, the BTF that `attachBtfId` counts in. */
  readonly attachProgFd?: number | undefined;
  /** Maps and BTF that instructions refer to by index. */
  readonly fdArray?: readonly number[] | undefined;
  /** 0 for no log; 1 for what is wrong, 2 for everything; 4 adds statistics. */
  readonly logLevel?: number | undefined;
  /** Filled with the verifier's log, NUL-terminated. */
  readonly logBuf?: Uint8Array | undefined;
  /** `logTrueSize[0]` becomes the bytes that the whole log takes. */
  readonly logTrueSize?: Uint32Array | undefined;
  readonly tokenFd?: number | undefined;
}

/** What `sys.progTestRun` takes, and what it fills in, as `struct bpf_test_run_opts` of libbpf. */
export interface ProgTestRunOptions {
  /** The packet. */
  readonly dataIn?: Uint8Array | undefined;
  /** Filled with the packet as the program left it. */
  readonly dataOut?: Uint8Array | undefined;
  /** The context, and where it goes afterwards. That of a syscall program goes where it came from, and `ctxOut` is `−EINVAL`. */
  readonly ctxIn?: Uint8Array | undefined;
  readonly ctxOut?: Uint8Array | undefined;
  /** How often it is run, 1 when it is not given. */
  readonly repeat?: number | undefined;
  readonly flags?: number | undefined;
  readonly cpu?: number | undefined;
  readonly batchSize?: number | undefined;
  /** What the program returned. */
  retval?: number;
  /** Nanoseconds of one run, on average. */
  duration?: number;
  /** The bytes of the packet and of the context afterwards, also where they are more than was room for (`−ENOSPC`). */
  dataSizeOut?: number;
  ctxSizeOut?: number;
}

/** The commands on programs. */
export abstract class ProgCommands extends BatchCommands {
  /** BPF_PROG_LOAD: verifies a program and loads it. Answers its first fd, or `−errno`: `−EACCES` or `−EINVAL` when the verifier refuses it. */
  progLoad(options: ProgLoadOptions): number {
    const type = typeof options.type === "number" ? options.type : progTypeNumber(options.type);
    if (type === undefined) throw new TypeError(`Linux 6.18 has no program type ${JSON.stringify(options.type)}`);
    const insns = options.insns instanceof Uint8Array ? options.insns : encode(options.insns);
    const license = new TextEncoder().encode(`${options.license}\0`);
    const { funcInfo, lineInfo, fdArray, logBuf } = options;
    const fds = fdArray === undefined ? undefined : new Uint8Array(Int32Array.from(fdArray).buffer);
    const pieces = [insns, license, funcInfo, lineInfo, fds, logBuf].map((piece) => piece?.length ?? 0);
    const attr = this.frame.begin(...pieces);
    this.u32(attr + PROG_LOAD.PROG_TYPE, type);
    this.u32(attr + PROG_LOAD.INSN_CNT, Math.floor(insns.length / INSTRUCTION_SIZE));
    this.#piece(attr + PROG_LOAD.INSNS, insns);
    this.#piece(attr + PROG_LOAD.LICENSE, license);
    this.u32(attr + PROG_LOAD.LOG_LEVEL, options.logLevel);
    this.u32(attr + PROG_LOAD.LOG_SIZE, logBuf?.length);
    const log = this.#piece(attr + PROG_LOAD.LOG_BUF, logBuf);
    this.u32(attr + PROG_LOAD.KERN_VERSION, options.kernVersion);
    this.u32(attr + PROG_LOAD.PROG_FLAGS, options.flags);
    const name = new TextEncoder().encode(options.name ?? "").subarray(0, BPF_OBJ_NAME_LEN - 1);
    this.kernel.memory.u8.set(name, attr + PROG_LOAD.PROG_NAME);
    this.u32(attr + PROG_LOAD.PROG_IFINDEX, options.ifindex);
    this.u32(attr + PROG_LOAD.EXPECTED_ATTACH_TYPE, options.expectedAttachType);
    this.u32(attr + PROG_LOAD.PROG_BTF_FD, options.progBtfFd);
    this.u32(attr + PROG_LOAD.FUNC_INFO_REC_SIZE, options.funcInfoRecSize);
    this.#piece(attr + PROG_LOAD.FUNC_INFO, funcInfo);
    this.u32(attr + PROG_LOAD.FUNC_INFO_CNT, records(funcInfo, options.funcInfoRecSize));
    this.u32(attr + PROG_LOAD.LINE_INFO_REC_SIZE, options.lineInfoRecSize);
    this.#piece(attr + PROG_LOAD.LINE_INFO, lineInfo);
    this.u32(attr + PROG_LOAD.LINE_INFO_CNT, records(lineInfo, options.lineInfoRecSize));
    this.u32(attr + PROG_LOAD.ATTACH_BTF_ID, options.attachBtfId);
    this.u32(attr + PROG_LOAD.ATTACH_PROG_FD, options.attachProgFd);
    this.#piece(attr + PROG_LOAD.FD_ARRAY, fds);
    this.u32(attr + PROG_LOAD.PROG_TOKEN_FD, options.tokenFd);
    const result = this.opened(this.kernel.bpf(BPF_PROG_LOAD, attr, PROG_LOAD.FD_ARRAY_CNT));
    if (logBuf !== undefined) this.frame.take(log, logBuf, logBuf.length);
    if (options.logTrueSize !== undefined) {
      options.logTrueSize[0] = this.kernel.memory.view.getUint32(attr + PROG_LOAD.LOG_TRUE_SIZE, true);
    }
    return result;
  }

  /**
   * BPF_PROG_TEST_RUN: runs a program once or often, without attaching it to anything. Fills `retval`, `duration`,
   * `dataSizeOut` and `ctxSizeOut` of the options, `dataOut` and `ctxOut`. `−ENOSPC` when one of them is too short, and
   * then it is filled as far as it reaches; `−ENOTSUPP` for a type that cannot be run so.
   */
  progTestRun(fd: number, options: ProgTestRunOptions = {}): number {
    const { dataIn, dataOut, ctxIn, ctxOut } = options;
    const attr = this.frame.begin(...[dataIn, dataOut, ctxIn, ctxOut].map((piece) => piece?.length ?? 0));
    this.u32(attr + PROG_TEST_RUN.PROG_FD, fd);
    this.u32(attr + PROG_TEST_RUN.DATA_SIZE_IN, dataIn?.length);
    this.u32(attr + PROG_TEST_RUN.DATA_SIZE_OUT, dataOut?.length);
    this.#piece(attr + PROG_TEST_RUN.DATA_IN, dataIn);
    const data = this.#piece(attr + PROG_TEST_RUN.DATA_OUT, dataOut);
    this.u32(attr + PROG_TEST_RUN.REPEAT, options.repeat);
    this.u32(attr + PROG_TEST_RUN.CTX_SIZE_IN, ctxIn?.length);
    this.u32(attr + PROG_TEST_RUN.CTX_SIZE_OUT, ctxOut?.length);
    const given = this.#piece(attr + PROG_TEST_RUN.CTX_IN, ctxIn);
    const ctx = this.#piece(attr + PROG_TEST_RUN.CTX_OUT, ctxOut);
    this.u32(attr + PROG_TEST_RUN.FLAGS, options.flags);
    this.u32(attr + PROG_TEST_RUN.CPU, options.cpu);
    this.u32(attr + PROG_TEST_RUN.BATCH_SIZE, options.batchSize);
    const result = this.kernel.bpf(BPF_PROG_TEST_RUN, attr, PROG_TEST_RUN.END);
    const { view } = this.kernel.memory;
    options.retval = view.getUint32(attr + PROG_TEST_RUN.RETVAL, true);
    options.duration = view.getUint32(attr + PROG_TEST_RUN.DURATION, true);
    options.dataSizeOut = view.getUint32(attr + PROG_TEST_RUN.DATA_SIZE_OUT, true);
    options.ctxSizeOut = view.getUint32(attr + PROG_TEST_RUN.CTX_SIZE_OUT, true);
    if (dataOut !== undefined) this.frame.take(data, dataOut, dataOut.length);
    if (ctxIn !== undefined) this.frame.take(given, ctxIn, ctxIn.length);
    if (ctxOut !== undefined) this.frame.take(ctx, ctxOut, ctxOut.length);
    return result;
  }

  /** BPF_PROG_GET_NEXT_ID: sets `nextId[0]` to the lowest program id above `startId`. `−ENOENT` when there is none. */
  progGetNextId(startId: number, nextId: Uint32Array): number {
    return this.nextId(BPF_PROG_GET_NEXT_ID, startId, nextId);
  }

  /** BPF_PROG_GET_FD_BY_ID: opens a program by its id. `−ENOENT` when no program has it. */
  progGetFdById(id: number): number {
    return this.fdById(BPF_PROG_GET_FD_BY_ID, id, undefined);
  }

  /** BPF_OBJ_GET_INFO_BY_FD: what the kernel knows of the program of an fd, or `−errno`. Fills the buffers that are given. */
  progGetInfoByFd(fd: number, buffers: ProgInfoBuffers = {}): ProgInfo | number {
    const { mapIds, xlatedInsns, jitedInsns } = buffers;
    const ids = mapIds === undefined ? undefined : new Uint8Array(mapIds.buffer, mapIds.byteOffset, mapIds.byteLength);
    const wanted = [
      { bytes: ids, count: PROG_INFO.NR_MAP_IDS, unit: 4, pointer: PROG_INFO.MAP_IDS, at: 0 },
      { bytes: xlatedInsns, count: PROG_INFO.XLATED_PROG_LEN, unit: 1, pointer: PROG_INFO.XLATED_PROG_INSNS, at: 0 },
      { bytes: jitedInsns, count: PROG_INFO.JITED_PROG_LEN, unit: 1, pointer: PROG_INFO.JITED_PROG_INSNS, at: 0 },
    ];
    const pieces = wanted.map(({ bytes }) => bytes?.length ?? 0);
    const info = this.info(fd, PROG_INFO.SIZE, pieces, (at) => {
      for (const piece of wanted) {
        if (piece.bytes === undefined) continue;
        this.u32(at + piece.count, Math.floor(piece.bytes.length / piece.unit));
        piece.at = this.#piece(at + piece.pointer, piece.bytes);
      }
    });
    if (info < 0) return info;
    for (const { bytes, at } of wanted) if (bytes !== undefined) this.frame.take(at, bytes, bytes.length);
    return readProgInfo(this.kernel.memory, info);
  }

  /** Copies a buffer into the frame and points to it; what is not given is NULL. */
  #piece(pointer: Address, bytes: Uint8Array | undefined): Address {
    if (bytes === undefined) return 0;
    const address = this.frame.put(bytes, bytes.length);
    this.u64(pointer, address);
    return address;
  }
}

function records(info: Uint8Array | undefined, size: number | undefined): number {
  return info === undefined || !size ? 0 : Math.floor(info.length / size);
}
