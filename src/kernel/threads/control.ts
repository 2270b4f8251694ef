import { checkedLimit } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import type { Agent } from "../embedded/shared/agent.ts";
import { Locks } from "../embedded/shared/locks.ts";

/** How many agents can share a memory at once: so many bits a segment has for them. */
export const MOST_AGENTS = 128;

/** What a memory that threads share begins with, behind the page of WebAssembly that nobody uses: offsets in bytes. */
const START = 65536;
export const CONTROL = {
  MAGIC: START,
  VERSION: START + 8,
  POSSIBLE_CPUS: START + 12,
  /** How many pages of 4 KiB the memory can have. */
  PAGES: START + 16,
  /** The lock for everything here but the agents: held by those who take and give back pages, maps and pins. */
  LOCK: START + 64,
  /** The end of what was ever handed out. */
  WRITTEN_END: START + 68,
  /** The first page of names in the BPF filesystem; 0 while there are no names. */
  PINS: START + 72,
  /** How many there have been, which is the number of the last one: of agents, handles, maps, BTF and names. */
  LAST_AGENT: START + 128,
  LAST_HANDLE: START + 132,
  LAST_MAP: START + 136,
  LAST_BTF: START + 140,
  LAST_NAME: START + 144,
  /** A word that is never written, to wait at. */
  NEVER: START + 192,
  /** Of each agent eight bytes: its number, and that of the handle that it was made from. */
  AGENTS: START + 1024,
  /** Of each agent four bytes: the number of its thread in Node, 0 for the main one and elsewhere. */
  THREADS: START + 2048,
  /** Of each page eight bytes: see `SharedPages`. */
  PAGE_MAP: START + PAGE_SIZE,
} as const;

const MAGIC = [0x6970616d, 0x74797261]; // "mapiaryt"
const VERSION = 1;
const WASM_PAGE = 65536;

/** How many pages are in use before anybody takes one, when there can be so many. */
export function controlPages(pages: number): number {
  return Math.ceil((CONTROL.PAGE_MAP + pages * 8) / PAGE_SIZE);
}

/** What all agree on who share a memory: counters, a lock, and the tables behind them. */
export class Control {
  readonly memory: WebAssembly.Memory;
  /** The memory as far as there was some when this was made: the control and the page map lie in it. */
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly i64: BigInt64Array;

  private constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.i32 = new Int32Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.i64 = new BigInt64Array(memory.buffer);
  }

  /** A memory of up to so many bytes. Throws a `RangeError` for a number out of range, and when the system has not even the addresses. */
  static create(bytes: number, possibleCpus: number): Control {
    const maximum = Math.min(checkedLimit(bytes) / WASM_PAGE, WASM_PAGE - 1);
    const pages = (maximum * WASM_PAGE) / PAGE_SIZE;
    const initial = Math.min(maximum, Math.ceil((controlPages(pages) * PAGE_SIZE) / WASM_PAGE) + 1);
    const control = new Control(new WebAssembly.Memory({ initial, maximum, shared: true }));
    const { u32 } = control;
    u32.set(MAGIC, CONTROL.MAGIC >>> 2);
    u32[CONTROL.VERSION >>> 2] = VERSION;
    u32[CONTROL.POSSIBLE_CPUS >>> 2] = possibleCpus;
    u32[CONTROL.PAGES >>> 2] = pages;
    return control;
  }

  /** Over a memory that another thread has made. Throws a `TypeError` for anything else. */
  static open(memory: unknown): Control {
    if (memory instanceof WebAssembly.Memory && memory.buffer.byteLength > CONTROL.PAGE_MAP) {
      const control = new Control(memory);
      if (MAGIC.every((word, at) => control.u32[(CONTROL.MAGIC >>> 2) + at] === word)) return control.#checkVersion();
    }
    throw new TypeError("share is no handle that Bpf.share() gave: post just that to the worker");
  }

  #checkVersion(): this {
    const version = this.#at(CONTROL.VERSION);
    if (version === VERSION) return this;
    throw new TypeError(`share is of version ${version}, and this version of mapiary knows version ${VERSION}`);
  }

  get possibleCpus(): number {
    return this.#at(CONTROL.POSSIBLE_CPUS);
  }

  get pages(): number {
    return this.#at(CONTROL.PAGES);
  }

  /** A number that nobody else gets. */
  next(counter: number): number {
    return Atomics.add(this.i32, counter >>> 2, 1) + 1;
  }

  #at(offset: number): number {
    return this.u32[offset >>> 2] as number;
  }
}

/**
 * The lock of the control, in the hands of one agent. Everything done under it leaves the tables in order after each store, so
 * that whoever takes it from an agent that has ended has nothing to put right.
 */
export class ControlLock {
  readonly #locks: Locks;

  constructor(control: Control, agent: Agent) {
    this.#locks = new Locks(control, agent);
  }

  /** Does something while nobody else changes the tables. Not to be called again by what it does. */
  hold<T>(work: () => T): T {
    const word = CONTROL.LOCK >>> 2;
    this.#locks.take(word);
    try {
      return work();
    } finally {
      this.#locks.release(word);
    }
  }
}
