import { SK_BUFF } from "../../../abi/contexts.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import type { KernelState } from "../kernel-state.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import { Scratch } from "../scratch.ts";
import { SEGMENT } from "../segment.ts";
import { Clock } from "./clock.ts";
import type { CompileTarget } from "./compiler/program-compiler.ts";
import { FRAME_SIZE } from "./compiler/registers.ts";
import { EmbeddedProgram } from "./embedded-program.ts";
import { currentIdentity, type Identity } from "./identity.ts";
import { KeyCopy } from "./key-copy.ts";
import type { LinkedProgram } from "./linked-program.ts";
import { Packets } from "./packet.ts";
import { Timers } from "./timers.ts";

/** `MAX_TAIL_CALL_CNT`, and how deep functions may call each other: `MAX_CALL_FRAMES`. */
const MOST_TAIL_CALLS = 33;
const MOST_FRAMES = 8;
/**
 * A program that takes the place of another begins with its frame, but may call functions as deep again: so far down the
 * stack can reach.
 */
const STACK_SIZE = (MOST_TAIL_CALLS + 1) * MOST_FRAMES * FRAME_SIZE;

/** Where the context lies, behind the words. */
const CONTEXT = 64;

/** What all programs of one kernel have in common while they run: stack, table, and a few words that helpers work on. */
export class ProgramHost {
  readonly state: KernelState;
  readonly memory: AddressSpace;
  readonly clock = new Clock();
  readonly identity: Identity = currentIdentity();
  readonly packets: Packets;
  readonly timers: Timers;
  readonly trace: (line: string) => void;
  /** Where the context of a program that is run lies: enough for every type but those whose caller says how long it is. */
  readonly context: Address;
  /** Where helpers leave answers of 64 bits. */
  readonly answer: Address;
  /** The word that counts the tail calls since a program was run. */
  readonly tailCalls: Address;
  /** The word that says on which CPU programs run. */
  readonly cpuWord: Address;
  /** The frame of a program that is run. Those of what it calls lie below. */
  readonly frame: Address;
  /** All of the stack. */
  readonly stack: { readonly start: Address; readonly end: Address };
  /**
   * The programs that can be called by a tail call, by the index that each has here.
   * @internal
   */
  readonly table: WebAssembly.Table;
  /** The keys that programs hand over. */
  readonly keys: KeyCopy;
  /** Room for a value as the map keeps it. */
  readonly values: Scratch;
  readonly #freeIndexes: number[] = [];
  /** The maps that programs have found in others while they run, by where they lie. */
  readonly #handedOut = new Map<Address, EmbeddedMap>();
  #runs = 0;

  /** `trace` is told each line that a program prints. */
  constructor(state: KernelState, trace: (line: string) => void) {
    const { memory } = state;
    const words = memory.allocate(CONTEXT + SK_BUFF.SIZE, "the programs of the embedded kernel");
    this.state = state;
    this.trace = trace;
    this.memory = memory;
    this.keys = new KeyCopy(memory);
    this.values = new Scratch(memory);
    this.answer = words;
    this.tailCalls = words + 8;
    this.cpuWord = words + 12;
    this.cpu = this.state.cpu;
    this.context = words + CONTEXT;
    this.packets = new Packets(memory);
    this.timers = new Timers(this);
    const start = memory.allocate(STACK_SIZE, "the stack of programs");
    this.stack = { start, end: start + STACK_SIZE };
    this.frame = this.stack.end - FRAME_SIZE;
    this.table = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
  }

  /** What programs are compiled for. */
  get compileTarget(): Omit<CompileTarget, "checks" | "mayGotoRounds"> {
    const { answer, tailCalls, cpuWord } = this;
    const { isShared, isThreaded } = this.memory;
    return { answer, tailCalls, cpuWord, isShared, isThreaded };
  }

  /** The CPU on which programs run. */
  get cpu(): number {
    return this.memory.u32[this.cpuWord >>> 2] as number;
  }

  set cpu(cpu: number) {
    this.memory.u32[this.cpuWord >>> 2] = cpu;
  }

  /** Calls a function on another CPU. */
  onCpu<T>(cpu: number, run: () => T): T {
    const before = this.cpu;
    this.cpu = cpu;
    try {
      return run();
    } finally {
      this.cpu = before;
    }
  }

  /** Calls a function of a program that no program has called: with a map, and the key and the value of an element. */
  callBack(
    { program, address }: { readonly program: LinkedProgram; readonly address: number },
    map: EmbeddedMap,
    value: Address,
  ): void {
    const key = map.keyOf(value, this.frame);
    this.run(() => program.callback(address)(map.base, key, value, 0, this.frame - FRAME_SIZE));
  }

  /** Hands a map to a program that found it in a map of maps: where its segment begins. */
  handOut(map: EmbeddedMap): Address {
    this.#handedOut.set(map.base, map);
    return map.base;
  }

  /** The map whose segment a register of a program points to: one of its own, or one that it was handed. */
  mapAt(handle: Address, { maps }: LinkedProgram): EmbeddedMap {
    const map = maps.find(({ base }) => base === handle) ?? this.#handedOut.get(handle);
    if (map === undefined) throw new Error(`a program handed over ${handle} as a map`);
    return map;
  }

  /** The maps that a program may have values of now: some of its own, and those that it found in them. */
  mapsInUse(maps: readonly EmbeddedMap[]): readonly EmbeddedMap[] {
    return this.#handedOut.size === 0 ? maps : [...maps, ...this.#handedOut.values()];
  }

  /** Runs programs. What they are handed stays where it is for so long. */
  run<T>(run: () => T): T {
    const { maps } = this.state;
    maps.rcuReadLock?.();
    this.#runs++;
    try {
      return run();
    } finally {
      this.#runs--;
      // Who is told what a program prints may run another one.
      if (this.#runs === 0) this.#handedOut.clear();
      maps.rcuReadUnlock?.();
    }
  }

  /** The program at an index of a prog_array; `undefined` when there is none. */
  programAt(array: EmbeddedMap, index: number): EmbeddedProgram | undefined {
    const program = this.state.programs.get(
      this.memory.u32[(array.base + SEGMENT.HEADER_SIZE + index * 8) >>> 2] as number,
    );
    return program instanceof EmbeddedProgram ? program : undefined;
  }

  /** Whether bytes are those of the stack, of the context, of the packet, or of one of some maps. */
  isVisible(at: Address, bytes: number, maps: readonly EmbeddedMap[]): boolean {
    const isWithin = (start: Address, end: Address): boolean => at >= start && at + bytes <= end;
    const { head, end, fragments } = this.packets.current;
    return (
      isWithin(this.stack.start, this.stack.end) ||
      isWithin(this.context, this.context + SK_BUFF.SIZE) ||
      isWithin(head, end) ||
      isWithin(fragments.start, fragments.start + fragments.bytes) ||
      this.mapsInUse(maps).some(({ base }) =>
        isWithin(base + SEGMENT.HEADER_SIZE, base + (this.memory.sizeOf(base) ?? 0)),
      )
    );
  }

  /** Gives a function a place in the table. */
  place(entry: CallableFunction): number {
    const index = this.#freeIndexes.pop() ?? this.table.grow(1);
    this.table.set(index, entry);
    return index;
  }

  /** Takes a function out of the table. */
  displace(index: number): void {
    this.table.set(index, null);
    this.#freeIndexes.push(index);
  }
}
