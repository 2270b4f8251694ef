import { PROG_LOAD } from "../../../abi/attr.ts";
import { E2BIG, EFAULT, EINVAL } from "../../../abi/errno.ts";
import {
  BPF_F_ANY_ALIGNMENT,
  BPF_F_SLEEPABLE,
  BPF_F_STRICT_ALIGNMENT,
  BPF_F_TEST_REG_INVARIANTS,
  BPF_F_TEST_RND_HI32,
  BPF_F_TEST_STATE_FREQ,
  BPF_F_XDP_HAS_FRAGS,
} from "../../../abi/prog-flags.ts";
import { progTypeName } from "../../../abi/prog-types.ts";
import { decode, INSTRUCTION_SIZE } from "../../../isa/instruction.ts";
import type { Address } from "../../../memory/address-space.ts";
import { ProgArrayMap } from "../maps/prog-array.ts";
import { objectName } from "../object-name.ts";
import { accessOk, pointerAt, stringAt } from "../user-memory.ts";
import { attachTypeOf, attachTypeRefusal } from "./attach-types.ts";
import { type CompiledProgram, compileProgram } from "./compiler/program-compiler.ts";
import { readDebugInfo } from "./debug-info.ts";
import { EmbeddedProgram, tailCallKind } from "./embedded-program.ts";
import type { LinkedProgram } from "./linked-program.ts";
import type { ProgramHost } from "./program-host.ts";
import { linkProgram } from "./program-linker.ts";
import { findMaps } from "./program-maps.ts";
import type { ProgramSource, Verdict } from "./verified-program.ts";
import { VerifierLog } from "./verifier-log.ts";

/** Devices that programs could be bound to are none here, and tokens neither. */
const FLAGS =
  BPF_F_STRICT_ALIGNMENT |
  BPF_F_ANY_ALIGNMENT |
  BPF_F_TEST_RND_HI32 |
  BPF_F_TEST_STATE_FREQ |
  BPF_F_SLEEPABLE |
  BPF_F_XDP_HAS_FRAGS |
  BPF_F_TEST_REG_INVARIANTS;

/** `BPF_COMPLEXITY_LIMIT_INSNS`. */
const MOST_INSTRUCTIONS = 1_000_000;
/** `kV8MaxWasmFunctionSize`, which other engines share: beyond it a module is none. */
const LARGEST_FUNCTION = 7_654_321;
/** The room that Linux has for the name of a licence, its NUL included. */
const LICENSE_SIZE = 128;
/** `include/linux/license.h`. */
const GPL_COMPATIBLE: ReadonlySet<string> = new Set([
  "GPL",
  "GPL v2",
  "GPL and additional rights",
  "Dual BSD/GPL",
  "Dual MIT/GPL",
  "Dual MPL/GPL",
]);

/** Decides whether a program may run. */
export type Verify = (source: ProgramSource, logLevel: number) => Verdict;

/** What becomes of programs that are to be loaded. */
export interface LoadPolicy {
  readonly verify: Verify;
  /** Whether every access of theirs is checked again as they run: see `accessCheck`. */
  readonly checks: boolean;
  /** How often `may_goto` goes on in one call of a function, when that is not as often as on Linux. */
  readonly mayGotoRounds?: number | undefined;
}

/** BPF_PROG_LOAD: a program that was verified and compiled, or `−errno`. `kernel/bpf/syscall.c: bpf_prog_load`, 6.18. */
export function loadProgram(
  host: ProgramHost,
  { verify, checks, mayGotoRounds }: LoadPolicy,
  { attr, uattr, size }: { readonly attr: Address; readonly uattr: Address; readonly size: number },
): EmbeddedProgram | number {
  const { memory } = host;
  const u32 = (offset: number): number => memory.view.getUint32(attr + offset, true);
  const flags = u32(PROG_LOAD.PROG_FLAGS);
  if ((flags & ~FLAGS) !== 0) return -EINVAL;
  const count = u32(PROG_LOAD.INSN_CNT);
  if (count === 0 || count > MOST_INSTRUCTIONS) return -E2BIG;
  if (u32(PROG_LOAD.PROG_IFINDEX) !== 0) return -EINVAL;
  const type = u32(PROG_LOAD.PROG_TYPE);
  const expectedAttachType = attachTypeOf(type, u32(PROG_LOAD.EXPECTED_ATTACH_TYPE));
  // There is no BTF of a kernel for programs to be attached by, and no program to be extended.
  if (u32(PROG_LOAD.ATTACH_BTF_ID) !== 0 || u32(PROG_LOAD.ATTACH_PROG_FD) !== 0) return -EINVAL;
  const wrongAttachType = attachTypeRefusal(type, expectedAttachType);
  if (wrongAttachType !== 0) return wrongAttachType;
  const at = pointerAt(memory, attr + PROG_LOAD.INSNS);
  if (!accessOk(memory, at, count * INSTRUCTION_SIZE)) return -EFAULT;
  const bytes = memory.u8.slice(at, at + count * INSTRUCTION_SIZE);
  const license = licenseAt(host, pointerAt(memory, attr + PROG_LOAD.LICENSE));
  if (typeof license === "number") return license;
  if (progTypeName(type) === undefined) return -EINVAL;
  const name = objectName(memory, attr + PROG_LOAD.PROG_NAME);
  if (name === undefined) return -EINVAL;

  const log = new VerifierLog(memory, attr, uattr);
  if (log.refusal !== 0) return log.refusal;
  const instructions = decode(bytes);
  const maps = findMaps(host.state, instructions, pointerAt(memory, attr + PROG_LOAD.FD_ARRAY));
  if ("errno" in maps) return log.finish(maps.log, maps.errno, size);
  const debug = readDebugInfo(host.state, attr, type, instructions);
  if (debug !== undefined && "errno" in debug) return log.finish(debug.log, debug.errno, size);
  const source: ProgramSource = {
    type,
    expectedAttachType,
    flags,
    instructions,
    isGplCompatible: GPL_COMPATIBLE.has(license),
    maps,
    possibleCpus: host.state.possibleCpus,
    functions: debug?.functions,
    lineOf: debug?.lineOf,
  };
  const verdict = verify(source, log.level);
  const refused = log.finish(verdict.log, "errno" in verdict.result ? verdict.result.errno : 0, size);
  if (refused !== 0 || "errno" in verdict.result) return refused;
  const kind = { tailCallKind: tailCallKind(source) };
  for (const map of maps.values()) if (map instanceof ProgArrayMap && !map.accepts(kind)) return -EINVAL;
  const compiled = compileProgram(verdict.result, { ...host.compileTarget, checks, mayGotoRounds });
  const linked = tryLink(host, compiled);
  if (linked === undefined) return -E2BIG;
  return new EmbeddedProgram(
    host,
    {
      source,
      maps: [...new Set(maps.values())],
      name,
      instructions: bytes,
      module: compiled.bytes,
      debug,
      maxContextOffset: verdict.result.maxContextOffset ?? 0,
      verifiedInstructions: verdict.result.visited ?? count,
    },
    linked,
  );
}

/** `undefined` for a program that is too large for the engine: what a module may be is all that it can find wrong. */
function tryLink(host: ProgramHost, compiled: CompiledProgram): LinkedProgram | undefined {
  try {
    return linkProgram(host, compiled);
  } catch (error) {
    if (error instanceof WebAssembly.CompileError && compiled.bytes.length > LARGEST_FUNCTION) return undefined;
    throw error;
  }
}

function licenseAt({ memory }: ProgramHost, at: Address): string | number {
  const bytes = stringAt(memory, at, LICENSE_SIZE);
  // Making a decoder takes a tenth of the time of loading a program.
  if (typeof bytes !== "number") return String.fromCharCode(...bytes);
  return accessOk(memory, at, LICENSE_SIZE) ? "" : -EFAULT;
}
