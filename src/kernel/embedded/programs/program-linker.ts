import { BPF_MAP_TYPE_PROG_ARRAY } from "../../../abi/map-types.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import { accessCheck } from "./access-check.ts";
import type { Helper, HelperFunction } from "./bpf-helpers/helper-function.ts";
import { loadPacket } from "./bpf-helpers/packet-load.ts";
import { ENTRY, RUN } from "./compiler/entry-points.ts";
import { type CompiledProgram, callbackName } from "./compiler/program-compiler.ts";
import type { Callback, LinkedProgram } from "./linked-program.ts";
import type { ProgramHost } from "./program-host.ts";
import { IMPORT_MODULE } from "./wasm/module.ts";

/**
 * Makes a compiled program ready to run on a kernel. The module is compiled here and now, which every engine does for code
 * of this size; on the main thread of a page Chrome limits it to 8 MB.
 */
export function linkProgram(host: ProgramHost, compiled: CompiledProgram): LinkedProgram {
  const check = accessCheck(host, compiled);
  const imports: Record<string, unknown> = {
    memory: host.memory.wasm,
    table: host.table,
    check: (address: number, bytes: number, access: number, slot: number) => check(address >>> 0, bytes, access, slot),
    tail_call: (map: Address, index: number) =>
      findProgram(host, compiled.tailCallKind, host.mapAt(map, program), index),
    load_packet: loadPacket(host),
  };
  let exports: WebAssembly.Exports = {};
  const program: LinkedProgram = {
    run: (ctx, frame, times) => (exports[RUN] as LinkedProgram["run"])(ctx, frame, times),
    get entry() {
      return exports[ENTRY] as CallableFunction;
    },
    object: undefined,
    maps: compiled.maps,
    type: compiled.type,
    canSee: (at, bytes) => host.isVisible(at, bytes, compiled.maps),
    callback: (address) => exports[callbackName(address)] as Callback,
  };
  for (const { name, helper, map } of compiled.helpers) {
    imports[name] = map === undefined ? forAnyMap(host, program, helper) : helper.make(host, program, map);
  }
  const module = new WebAssembly.Module(compiled.bytes as Uint8Array<ArrayBuffer>);
  ({ exports } = new WebAssembly.Instance(module, { [IMPORT_MODULE]: imports as WebAssembly.ModuleImports }));
  return program;
}

/** Never looked at: the helper takes no map. */
const NO_MAP = undefined as unknown as EmbeddedMap;

/** A helper whose map is known only when it is called; one that takes none is made at once. */
function forAnyMap(host: ProgramHost, program: LinkedProgram, helper: HelperFunction): Helper {
  const at = helper.takes.filter((handOver) => handOver !== "ignored").indexOf("map");
  if (at < 0) return helper.make(host, program, NO_MAP);
  let last: { readonly map: unknown; readonly call: Helper } | undefined;
  return (...registers) => {
    const map = host.mapAt(registers[at] as number, program);
    if (last?.map !== map) last = { map, call: helper.make(host, program, map) };
    return last.call(...registers.toSpliced(at, 1));
  };
}

/** The index in the table of the program at an index of a prog_array; −1 when there is none. */
function findProgram(host: ProgramHost, kind: string, array: EmbeddedMap, index: number): number {
  if (array.type !== BPF_MAP_TYPE_PROG_ARRAY || index >= array.maxEntries) return -1;
  const program = host.programAt(array, index);
  // A map that others share may hold ids that are not of this kernel's programs.
  return program?.tailCallKind === kind ? program.tableIndex : -1;
}
