import type { Address } from "../../../../memory/address-space.ts";
import type { EmbeddedMap } from "../../map-ops.ts";
import type { ArrayGeometry, HashTableGeometry, MapGeometry } from "../../maps/map-geometry.ts";
import type { FunctionBody, FunctionType, Local } from "../wasm/function-body.ts";
import type { WasmModule } from "../wasm/module.ts";
import { I32, I32_ADD, I32_GE_U, I32_LOAD, I32_MUL, I32_STORE, RETURN } from "../wasm/opcodes.ts";
import { HashWalk } from "./hash-walk.ts";

/** The address of a key, to that of its value, or 0. */
const LOOKUP_TYPE: FunctionType = { params: [I32], results: [I32] };
const KEY: Local = 0;

/** Writes the lookup of one map, with its sizes and addresses as constants, and answers the index of the function. */
export function writeLookupFunction(module: WasmModule, map: EmbeddedMap, cpuWord: Address): number {
  const { index, body } = module.addFunction(LOOKUP_TYPE);
  const geometry = map.programGeometry as MapGeometry;
  if (geometry.kind === "array") writeElementAddress(body, geometry, map.maxEntries);
  else writeHashLookup(body, geometry, map.keySize);
  writeCpuOffset(body, geometry, cpuWord);
  return index;
}

/** Pushes the address of an array's element, or returns 0 for an index past the end. */
export function writeElementAddress(body: FunctionBody, array: ArrayGeometry, maxEntries: number): void {
  const at = body.local(I32);
  body.get(KEY).memory(I32_LOAD).tee(at).i32(maxEntries).op(I32_GE_U).if().i32(0).op(RETURN).end();
  body.get(at).i32(array.elementSize).op(I32_MUL).i32(array.values).op(I32_ADD);
}

function writeHashLookup(body: FunctionBody, { table, usedOffset }: HashTableGeometry, keySize: number): void {
  const walk = new HashWalk(body, table, keySize);
  walk.find(KEY);
  if (usedOffset !== undefined)
    body
      .get(walk.element)
      .i32(1)
      .memory(I32_STORE, table.valueWord * 4 + usedOffset);
  body
    .get(walk.element)
    .i32(table.valueWord * 4)
    .op(I32_ADD);
}

/** Adds to the address on the stack where the value of the CPU lies. */
export function writeCpuOffset(body: FunctionBody, { cpuStride }: MapGeometry, cpuWord: Address): void {
  if (cpuStride !== 0) body.i32(0).memory(I32_LOAD, cpuWord).i32(cpuStride).op(I32_MUL, I32_ADD);
}
