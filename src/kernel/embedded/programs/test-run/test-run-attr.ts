import { PROG_TEST_RUN } from "../../../../abi/attr.ts";
import { E2BIG, EFAULT, EINVAL, EMSGSIZE, ENOSPC } from "../../../../abi/errno.ts";
import type { Address, AddressSpace } from "../../../../memory/address-space.ts";
import { PAGE_SIZE } from "../../../../memory/page-allocator.ts";
import { accessOk, pointerAt } from "../../user-memory.ts";

/** The least that a packet can be: an Ethernet header. */
export const ETH_HLEN = 14;

/** The attr of BPF_PROG_TEST_RUN, and how its answers are given: `net/bpf/test_run.c`, 6.18. */
export class TestRunAttr {
  readonly memory: AddressSpace;
  readonly progFd: number;
  readonly dataSizeIn: number;
  readonly dataSizeOut: number;
  readonly dataIn: Address;
  readonly dataOut: Address;
  /** As it was given: 0 means once. */
  readonly repeat: number;
  readonly duration: number;
  readonly ctxSizeIn: number;
  readonly ctxSizeOut: number;
  readonly ctxIn: Address;
  readonly ctxOut: Address;
  readonly flags: number;
  readonly cpu: number;
  readonly batchSize: number;
  /** The caller's own attr, where answers go. */
  readonly #uattr: Address;

  constructor(memory: AddressSpace, attr: Address, uattr: Address) {
    const u32 = (offset: number): number => memory.view.getUint32(attr + offset, true);
    this.memory = memory;
    this.#uattr = uattr;
    this.progFd = u32(PROG_TEST_RUN.PROG_FD) | 0;
    this.dataSizeIn = u32(PROG_TEST_RUN.DATA_SIZE_IN);
    this.dataSizeOut = u32(PROG_TEST_RUN.DATA_SIZE_OUT);
    this.dataIn = pointerAt(memory, attr + PROG_TEST_RUN.DATA_IN);
    this.dataOut = pointerAt(memory, attr + PROG_TEST_RUN.DATA_OUT);
    this.repeat = u32(PROG_TEST_RUN.REPEAT);
    this.duration = u32(PROG_TEST_RUN.DURATION);
    this.ctxSizeIn = u32(PROG_TEST_RUN.CTX_SIZE_IN);
    this.ctxSizeOut = u32(PROG_TEST_RUN.CTX_SIZE_OUT);
    this.ctxIn = pointerAt(memory, attr + PROG_TEST_RUN.CTX_IN);
    this.ctxOut = pointerAt(memory, attr + PROG_TEST_RUN.CTX_OUT);
    this.flags = u32(PROG_TEST_RUN.FLAGS);
    this.cpu = u32(PROG_TEST_RUN.CPU);
    this.batchSize = u32(PROG_TEST_RUN.BATCH_SIZE);
  }

  get times(): number {
    return Math.max(1, this.repeat);
  }

  /** Copies `given` bytes of the packet in; `−errno` when it cannot be of `size` bytes: `bpf_test_init`. */
  takeData(to: Address, given: number, size: number, overhead: number): number {
    if (given < ETH_HLEN || size > PAGE_SIZE - overhead) return -EINVAL;
    if (given > size) return -EMSGSIZE;
    if (!accessOk(this.memory, this.dataIn, given)) return -EFAULT;
    this.memory.u8.copyWithin(to, this.dataIn, this.dataIn + given);
    return 0;
  }

  /** Copies the context in, zeros behind it: `bpf_ctx_init`. `undefined` when there is none, in or out. */
  takeContext(size: number): DataView | number | undefined {
    const { memory, ctxIn, ctxSizeIn } = this;
    if (ctxIn === 0 && this.ctxOut === 0) return undefined;
    const bytes = new Uint8Array(size);
    if (ctxIn !== 0) {
      if (ctxSizeIn > PAGE_SIZE) return -E2BIG;
      if (ctxSizeIn > size) {
        if (!accessOk(memory, ctxIn + size, ctxSizeIn - size)) return -EFAULT;
        if (memory.u8.subarray(ctxIn + size, ctxIn + ctxSizeIn).some((byte) => byte !== 0)) return -E2BIG;
      }
      const length = Math.min(size, ctxSizeIn);
      if (!accessOk(memory, ctxIn, length)) return -EFAULT;
      bytes.set(memory.u8.subarray(ctxIn, ctxIn + length));
    }
    return new DataView(bytes.buffer);
  }

  /** Gives the packet back, in its pieces, and what came of the run: `bpf_test_finish`. */
  finish(pieces: readonly Piece[], result: RunResult): number {
    const { memory, dataOut } = this;
    const size = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
    const isTooLong = this.dataSizeOut !== 0 && size > this.dataSizeOut;
    const most = isTooLong ? this.dataSizeOut : size;
    let isWhole = !isTooLong;
    if (dataOut !== 0) {
      const inFragments = size - (pieces[0]?.bytes ?? 0);
      const first = most - inFragments;
      if (first < 0) return -ENOSPC;
      let at = 0;
      for (const [index, { start, bytes }] of pieces.entries()) {
        if (index > 0 && at >= most) isWhole = false;
        const length = index === 0 ? first : Math.min(most - at, bytes);
        if (length <= 0) continue;
        if (!accessOk(memory, dataOut + at, length)) return -EFAULT;
        memory.u8.copyWithin(dataOut + at, start, start + length);
        at += length;
      }
    }
    if (!this.#answer(PROG_TEST_RUN.DATA_SIZE_OUT, size)) return -EFAULT;
    if (!this.answerRetval(result.retval)) return -EFAULT;
    if (!this.#answer(PROG_TEST_RUN.DURATION, result.duration)) return -EFAULT;
    return isWhole ? 0 : -ENOSPC;
  }

  /** Gives the context back, if it was asked for: `bpf_ctx_finish`. */
  finishContext(context: DataView | undefined): number {
    const { memory, ctxOut } = this;
    if (context === undefined || ctxOut === 0) return 0;
    const size = context.byteLength;
    const length = Math.min(size, this.ctxSizeOut);
    if (!accessOk(memory, ctxOut, length)) return -EFAULT;
    memory.u8.set(new Uint8Array(context.buffer, 0, length), ctxOut);
    if (!this.#answer(PROG_TEST_RUN.CTX_SIZE_OUT, size)) return -EFAULT;
    return length < size ? -ENOSPC : 0;
  }

  /** False when the caller's attr cannot be written. */
  answerRetval(retval: number): boolean {
    return this.#answer(PROG_TEST_RUN.RETVAL, retval);
  }

  #answer(field: number, value: number): boolean {
    if (!accessOk(this.memory, this.#uattr + field, 4)) return false;
    this.memory.view.setUint32(this.#uattr + field, value, true);
    return true;
  }
}

/** Bytes of a packet that lie together. */
export interface Piece {
  readonly start: Address;
  readonly bytes: number;
}

/** What came of a run. */
export interface RunResult {
  readonly retval: number;
  /** Nanoseconds of one run, on average. */
  readonly duration: number;
}
