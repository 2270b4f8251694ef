import type { Instruction } from "../../../../isa/instruction.ts";
import {
  BPF_CALL,
  BPF_IMM,
  BPF_JMP,
  BPF_LD,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
  BPF_PSEUDO_MAP_VALUE,
} from "../../../../isa/opcodes.ts";
import type { Address } from "../../../../memory/address-space.ts";
import type { EmbeddedMap } from "../../map-ops.ts";
import type { HelperFunction } from "../bpf-helpers/helper-function.ts";
import { tailCallKind } from "../embedded-program.ts";
import type { VerifiedProgram } from "../verified-program.ts";
import type { FunctionType } from "../wasm/function-body.ts";
import { WasmModule } from "../wasm/module.ts";
import { F64, I32, I32_EQ, I32_LOAD, I64_EQZ } from "../wasm/opcodes.ts";
import { type CallPlan, planCall } from "./call-plan.ts";
import { ENTRY_TYPE, writeCallback, writeEntry, writeRun } from "./entry-points.ts";
import { FunctionCompiler } from "./function-compiler.ts";
import { importType, writeHelperCall } from "./helper-call.ts";
import { writeLoopFunction } from "./loop-call.ts";
import { writeLookupFunction } from "./map-lookup.ts";
import { writeUpdateFunction } from "./map-update.ts";
import type { AccessMode } from "./memory-access.ts";
import { writePacketLoad } from "./packet-load.ts";
import { FUNCTION_TYPE, type Registers } from "./registers.ts";
import { writeTailCall } from "./tail-call.ts";

/** What a program is compiled for. */
export interface CompileTarget {
  readonly isShared: boolean;
  /** See `AddressSpace`. */
  readonly isThreaded: boolean;
  /** Whether every access is told of before it is made, to the import `check`. */
  readonly checks: boolean;
  /** How often `may_goto` goes on in one call of a function; `BPF_MAX_LOOPS` times without. */
  readonly mayGotoRounds?: number | undefined;
  /** See `ProgramHost`. */
  readonly answer: Address;
  readonly tailCalls: Address;
  readonly cpuWord: Address;
}

/** A helper that a compiled program imports. */
export interface ImportedHelper {
  readonly name: string;
  readonly helper: HelperFunction;
  readonly map: EmbeddedMap | undefined;
}

/** A program as WebAssembly, and what it must be given. */
export interface CompiledProgram {
  readonly bytes: Uint8Array;
  readonly helpers: readonly ImportedHelper[];
  readonly type: number;
  /** See `tailCallKind`. */
  readonly tailCallKind: string;
  readonly maps: readonly EmbeddedMap[];
}

const CHECK: FunctionType = { params: [I32, I32, I32, I32], results: [] };
const TAIL_CALL: FunctionType = { params: [F64, F64], results: [I32] };
const LOAD_PACKET: FunctionType = { params: [F64, I32, I32], results: [F64] };

/** The name of the export that is a function of the program, by the number that stands for its address. */
export function callbackName(address: number): string {
  return `callback ${address}`;
}

/** Compiles a program that the verifier has accepted. */
export function compileProgram(verified: VerifiedProgram, target: CompileTarget): CompiledProgram {
  return new ProgramCompiler(verified, target).compile();
}

/** Makes one module of a program: its functions, what helpers are inlined to, and the ways in. */
export class ProgramCompiler {
  readonly verified: VerifiedProgram;
  readonly target: CompileTarget;
  readonly accessMode: AccessMode;
  readonly #module = new WasmModule();
  readonly #plans = new Map<number, CallPlan>();
  readonly #imports = new Map<string, ImportedHelper & { readonly index: number }>();
  readonly #functions = new Map<number, number>();
  /** Functions that are written when they are first needed: lookups by map, loops by callback. */
  readonly #lookups = new Map<EmbeddedMap, number>();
  readonly #updates = new Map<EmbeddedMap, number>();
  readonly #loops = new Map<number, number>();
  #tailCall = -1;
  #loadPacket = -1;

  constructor(verified: VerifiedProgram, target: CompileTarget) {
    this.verified = verified;
    this.target = target;
    const check = target.checks ? this.#module.importFunction("check", CHECK) : undefined;
    this.accessMode = { isShared: target.isShared, check };
  }

  compile(): CompiledProgram {
    const module = this.#module;
    const { source, reachable, subprograms } = this.verified;
    this.#importHelpers(source.instructions, reachable);
    const used = subprograms.filter(({ start }) => reachable[start] === 1);
    const bodies = used.map(({ start }) => {
      const { index, body } = module.addFunction(FUNCTION_TYPE);
      this.#functions.set(start, index);
      return body;
    });
    used.forEach((subprogram, index) => {
      new FunctionCompiler(this, bodies[index] as (typeof bodies)[0]).compile(subprogram);
    });
    const entry = writeEntry(module, this.functionAt(0));
    writeRun(module, entry, this.target.tailCalls);
    for (const { start, isCallback } of used) {
      if (isCallback) writeCallback(module, callbackName(start), this.functionAt(start));
    }
    return {
      bytes: module.encode(this.target.isThreaded),
      helpers: [...this.#imports.values()],
      type: source.type,
      tailCallKind: tailCallKind(source),
      maps: [...new Set(source.maps.values())],
    };
  }

  /** The index of the function that begins at a slot. */
  functionAt(start: number): number {
    const index = this.#functions.get(start);
    if (index === undefined) throw new Error(`no function begins at slot ${start}`);
    return index;
  }

  /** The value of the 64-bit immediate at a slot. */
  immediate(slot: number): bigint | number {
    const { instructions, maps } = this.verified.source;
    const { src, imm } = instructions[slot] as Instruction;
    const upper = (instructions[slot + 1] as Instruction).imm;
    switch (src) {
      case 0:
        return (BigInt(upper) << 32n) | BigInt(imm >>> 0);
      case BPF_PSEUDO_MAP_FD:
      case BPF_PSEUDO_MAP_IDX:
        return (maps.get(slot) as EmbeddedMap).base;
      case BPF_PSEUDO_MAP_VALUE:
      case BPF_PSEUDO_MAP_IDX_VALUE:
        return (maps.get(slot) as EmbeddedMap).directValue + (upper >>> 0);
      case BPF_PSEUDO_FUNC:
        return slot + 1 + imm;
      default:
        throw new Error(`slot ${slot} loads the address of something that the embedded kernel does not have`);
    }
  }

  writePacketLoad(registers: Registers, instruction: Instruction): void {
    writePacketLoad(registers, instruction, this.#loadPacket);
  }

  writeHelperCall(registers: Registers, slot: number, id: number): void {
    const plan = this.#plans.get(slot) as CallPlan;
    const { body } = registers;
    switch (plan.kind) {
      case "import": {
        const index = this.#imports.get(importName(id, plan.map))?.index as number;
        const knowsMap = plan.map !== undefined;
        const call = (): void =>
          writeHelperCall(registers, plan.helper, { index, knowsMap, stored: this.target.answer });
        return plan.overwrites ? this.#writeUpdate(registers, plan.map as EmbeddedMap, call) : call();
      }
      case "lookup":
        registers.get32(2).call(this.#mapFunction(this.#lookups, plan.map, writeLookupFunction));
        return registers.set32(0);
      case "tail_call":
        return writeTailCall(registers, {
          find: this.#tailCall,
          type: this.#module.typeIndex(ENTRY_TYPE),
          count: this.target.tailCalls,
        });
      case "loop":
        for (const register of [1, 3, 4]) registers.get(register);
        registers.calleeFrame().call(this.#loop(plan.callback));
        return registers.set(0);
      case "cpu":
        body.i32(0).memory(I32_LOAD, this.target.cpuWord);
        return registers.set32(0);
    }
  }

  /** Imports come first in a module: plans every call, and imports what the plans need. */
  #importHelpers(instructions: readonly Instruction[], reachable: Uint8Array): void {
    instructions.forEach(({ opcode, src, imm }, slot) => {
      if (reachable[slot] !== 1) return;
      const isPacketLoad = (opcode & 0x07) === BPF_LD && (opcode & 0xe0) !== BPF_IMM;
      if (isPacketLoad && this.#loadPacket < 0)
        this.#loadPacket = this.#module.importFunction("load_packet", LOAD_PACKET);
      if (opcode !== (BPF_JMP | BPF_CALL) || src !== 0) return;
      const plan = planCall(this.verified, slot, imm);
      this.#plans.set(slot, plan);
      if (plan.kind === "import") this.#import(importName(imm, plan.map), plan.helper, plan.map);
      if (plan.kind === "tail_call" && this.#tailCall < 0) {
        this.#tailCall = this.#module.importFunction("tail_call", TAIL_CALL);
        this.#module.importTable();
      }
    });
  }

  #import(name: string, helper: HelperFunction, map: EmbeddedMap | undefined): void {
    if (this.#imports.has(name)) return;
    const index = this.#module.importFunction(name, importType(helper, map !== undefined));
    this.#imports.set(name, { name, helper, map, index });
  }

  /** BPF_ANY overwrites what is there; a key that is not there, and any other flag, is for the helper. */
  #writeUpdate(registers: Registers, map: EmbeddedMap, call: () => void): void {
    const { body } = registers;
    body.i32(0);
    registers.get(4).op(I64_EQZ).if(I32);
    registers.get32(2);
    registers.get32(3).call(this.#mapFunction(this.#updates, map, writeUpdateFunction));
    body.else().i32(0).end().op(I32_EQ).if();
    call();
    body.else().i64(0);
    registers.set(0);
    body.end();
  }

  #mapFunction(known: Map<EmbeddedMap, number>, map: EmbeddedMap, write: typeof writeLookupFunction): number {
    let index = known.get(map);
    if (index === undefined) {
      index = write(this.#module, map, this.target.cpuWord);
      known.set(map, index);
    }
    return index;
  }

  #loop(callback: number): number {
    let index = this.#loops.get(callback);
    if (index === undefined) {
      index = writeLoopFunction(this.#module, this.functionAt(callback));
      this.#loops.set(callback, index);
    }
    return index;
  }
}

function importName(id: number, map: EmbeddedMap | undefined): string {
  return map === undefined ? `${id}` : `${id} ${map.id}`;
}
