import { PROG_LOAD } from "../../../abi/attr.ts";
import { EFAULT, EINVAL, ENOSPC } from "../../../abi/errno.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { accessOk, pointerAt } from "../user-memory.ts";

/** `BPF_LOG_MASK`: two levels, statistics, and the beginning of the log rather than its end. */
const LEVELS = 15;
const KEEPS_BEGINNING = 8;
const MOST = (2 ** 32 - 1) >>> 2;

/** Where the caller of BPF_PROG_LOAD wants the verifier's log: `kernel/bpf/log.c`, 6.18. */
export class VerifierLog {
  readonly level: number;
  readonly #memory: AddressSpace;
  readonly #buffer: Address;
  readonly #size: number;
  readonly #trueSize: Address;

  constructor(memory: AddressSpace, attr: Address, uattr: Address) {
    this.#memory = memory;
    this.level = memory.view.getUint32(attr + PROG_LOAD.LOG_LEVEL, true);
    this.#size = memory.view.getUint32(attr + PROG_LOAD.LOG_SIZE, true);
    this.#buffer = pointerAt(memory, attr + PROG_LOAD.LOG_BUF);
    this.#trueSize = uattr + PROG_LOAD.LOG_TRUE_SIZE;
  }

  /** What is wrong with it, as `−errno`, or 0: `bpf_verifier_log_attr_valid`. */
  get refusal(): number {
    if ((this.#buffer === 0) !== (this.#size === 0)) return -EINVAL;
    if (this.#buffer !== 0 && this.level === 0) return -EINVAL;
    return (this.level & ~LEVELS) !== 0 || this.#size > MOST ? -EINVAL : 0;
  }

  /** Gives the log: the end of one that is too long. Answers `−ENOSPC` then, and else what the command would. */
  finish(log: string, result: number, attrSize: number): number {
    if (this.level === 0) return result;
    const bytes = new TextEncoder().encode(log);
    const needed = bytes.length + 1;
    const memory = this.#memory;
    if (attrSize >= PROG_LOAD.LOG_TRUE_SIZE + 4) {
      if (!accessOk(memory, this.#trueSize, 4)) return -EFAULT;
      memory.view.setUint32(this.#trueSize, needed, true);
    }
    if (this.#buffer === 0) return result;
    const room = Math.min(needed, this.#size) - 1;
    if (!accessOk(memory, this.#buffer, room + 1)) return -EFAULT;
    const keepsBeginning = (this.level & KEEPS_BEGINNING) !== 0;
    memory.u8.set(keepsBeginning ? bytes.subarray(0, room) : bytes.subarray(bytes.length - room), this.#buffer);
    memory.u8[this.#buffer + room] = 0;
    return needed > this.#size ? -ENOSPC : result;
  }
}
