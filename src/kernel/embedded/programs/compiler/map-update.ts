import type { Address } from "../../../../memory/address-space.ts";
import type { EmbeddedMap } from "../../map-ops.ts";
import type { HashTableGeometry, MapGeometry } from "../../maps/map-geometry.ts";
import type { FunctionBody, FunctionType, Local } from "../wasm/function-body.ts";
import type { WasmModule } from "../wasm/module.ts";
import {
  I32,
  I32_ADD,
  I32_LOAD,
  I32_STORE,
  I64_LOAD,
  I64_LOAD8_U,
  I64_LOAD16_U,
  I64_LOAD32_U,
  I64_STORE,
  I64_STORE8,
  I64_STORE16,
  I64_STORE32,
  MEMORY_COPY,
} from "../wasm/opcodes.ts";
import { HashWalk } from "./hash-walk.ts";
import { writeCpuOffset, writeElementAddress } from "./map-lookup.ts";

/** The addresses of a key and a value, to 1 when the value was overwritten, and 0 when that must be left to the helper. */
const UPDATE_TYPE: FunctionType = { params: [I32, I32], results: [I32] };
const KEY: Local = 0;
const VALUE: Local = 1;

/** Up to so many bytes a value is copied word by word. */
const SHORT_VALUE = 64;

/** Whether a program can overwrite values of a map by itself: those that are all data, and that nobody shares. */
export function canOverwrite(map: EmbeddedMap): boolean {
  const geometry = map.programGeometry;
  if (geometry === undefined || map.record !== undefined) return false;
  return geometry.kind === "array" || geometry.overwrite !== undefined;
}

/** Writes the update of what is there in one map, and answers the index of the function. */
export function writeUpdateFunction(module: WasmModule, map: EmbeddedMap, cpuWord: Address): number {
  const { index, body } = module.addFunction(UPDATE_TYPE);
  const geometry = map.programGeometry as MapGeometry;
  const to = body.local(I32);
  if (geometry.kind === "array") writeElementAddress(body, geometry, map.maxEntries);
  else writeFoundElement(body, geometry, map.keySize);
  writeCpuOffset(body, geometry, cpuWord);
  body.set(to);
  writeCopy(body, to, map.valueSize);
  body.i32(1);
  return index;
}

/** Pushes the address of the value of a key that is there, whose element comes to the front of its chain where Linux puts it. */
function writeFoundElement(body: FunctionBody, { table, overwrite }: HashTableGeometry, keySize: number): void {
  const walk = new HashWalk(body, table, keySize);
  walk.find(KEY);
  if (overwrite === "to the front") {
    body.get(walk.previous).if();
    body.get(walk.previous).get(walk.element).memory(I32_LOAD).memory(I32_STORE);
    body.get(walk.element).get(walk.first).memory(I32_STORE);
    body.get(walk.bucket).get(walk.link).memory(I32_STORE, walk.buckets);
    body.end();
  }
  body
    .get(walk.element)
    .i32(table.valueWord * 4)
    .op(I32_ADD);
}

function writeCopy(body: FunctionBody, to: Local, bytes: number): void {
  if (bytes > SHORT_VALUE) {
    body.get(to).get(VALUE).i32(bytes).opFc(MEMORY_COPY, 0, 0);
    return;
  }
  let at = 0;
  for (const [width, load, store] of [
    [8, I64_LOAD, I64_STORE],
    [4, I64_LOAD32_U, I64_STORE32],
    [2, I64_LOAD16_U, I64_STORE16],
    [1, I64_LOAD8_U, I64_STORE8],
  ] as const) {
    for (; bytes - at >= width; at += width) body.get(to).get(VALUE).memory(load, at).memory(store, at);
  }
}
