import type { Address } from "../../../../memory/address-space.ts";
import type { EmbeddedMap } from "../../map-ops.ts";
import type { ArrayGeometry, MapGeometry } from "../../maps/map-geometry.ts";
import type { FunctionBody, FunctionType, Local } from "../wasm/function-body.ts";
import type { WasmModule } from "../wasm/module.ts";
import {
  I32,
  I32_ADD,
  I32_AND,
  I32_EQZ,
  I32_GE_U,
  I32_LOAD,
  I32_LOAD8_U,
  I32_LOAD16_U,
  I32_MUL,
  I32_NE,
  I32_OR,
  I32_ROTL,
  I32_SHL,
  I32_STORE,
  I32_SUB,
  I32_XOR,
  RETURN,
} from "../wasm/opcodes.ts";

/** The address of a key, to that of its value, or 0. */
const LOOKUP_TYPE: FunctionType = { params: [I32], results: [I32] };
const KEY: Local = 0;

/** Writes the lookup of one map, with its sizes and addresses as constants, and answers the index of the function. */
export function writeLookupFunction(module: WasmModule, map: EmbeddedMap, cpuWord: Address): number {
  const { index, body } = module.addFunction(LOOKUP_TYPE);
  const geometry = map.programGeometry as MapGeometry;
  if (geometry.kind === "array") writeArrayLookup(body, geometry, map.maxEntries);
  else new HashLookup(body, geometry, map.keySize).write();
  if (geometry.cpuStride !== 0) {
    body.i32(0).memory(I32_LOAD, cpuWord).i32(geometry.cpuStride).op(I32_MUL, I32_ADD);
  }
  return index;
}

function writeArrayLookup(body: FunctionBody, { values, elementSize }: ArrayGeometry, maxEntries: number): void {
  const at = body.local(I32);
  body.get(KEY).memory(I32_LOAD).tee(at).i32(maxEntries).op(I32_GE_U).if().i32(0).op(RETURN).end();
  body.get(at).i32(elementSize).op(I32_MUL).i32(values).op(I32_ADD);
}

/** `jhash` of the key's words, unrolled, and the walk along the chain of the bucket that it leads to. */
class HashLookup {
  readonly #body: FunctionBody;
  readonly #geometry: Extract<MapGeometry, { kind: "hash" }>;
  readonly #keySize: number;
  readonly #key: readonly Local[];
  readonly #hash: { readonly a: Local; readonly b: Local; readonly c: Local };

  constructor(body: FunctionBody, geometry: Extract<MapGeometry, { kind: "hash" }>, keySize: number) {
    const local = (): Local => body.local(I32);
    this.#body = body;
    this.#geometry = geometry;
    this.#keySize = keySize;
    this.#key = Array.from({ length: Math.ceil(keySize / 4) }, local);
    this.#hash = { a: local(), b: local(), c: local() };
  }

  write(): void {
    const body = this.#body;
    const { table } = this.#geometry;
    this.#readKey();
    this.#hashKey();
    const link = body.local(I32);
    const at = body.local(I32);
    body
      .get(this.#hash.c)
      .i32(table.bucketMask)
      .op(I32_AND)
      .i32(2)
      .op(I32_SHL)
      .memory(I32_LOAD, table.buckets * 4);
    body.set(link).loop();
    body.get(link).op(I32_EQZ).if().i32(0).op(RETURN).end();
    body
      .get(link)
      .i32(2)
      .op(I32_SHL)
      .i32(table.origin * 4)
      .op(I32_ADD)
      .set(at);
    this.#compareKey(at);
    body.if().get(at).memory(I32_LOAD).set(link).br(1).end().end();
    if (this.#geometry.usedOffset !== undefined) {
      body
        .get(at)
        .i32(1)
        .memory(I32_STORE, table.valueWord * 4 + this.#geometry.usedOffset);
    }
    body
      .get(at)
      .i32(table.valueWord * 4)
      .op(I32_ADD);
  }

  /** The last word is padded with zeros, and nothing behind the key is read. */
  #readKey(): void {
    const body = this.#body;
    this.#key.forEach((word, index) => {
      const at = index * 4;
      const rest = this.#keySize - at;
      body.get(KEY);
      if (rest >= 4) body.memory(I32_LOAD, at);
      else if (rest === 1) body.memory(I32_LOAD8_U, at);
      else body.memory(I32_LOAD16_U, at);
      if (rest === 3)
        body
          .get(KEY)
          .memory(I32_LOAD8_U, at + 2)
          .i32(16)
          .op(I32_SHL, I32_OR);
      body.set(word);
    });
  }

  /** Pushes whether the key of the element at an address is another. */
  #compareKey(at: Local): void {
    const body = this.#body;
    this.#key.forEach((word, index) => {
      body
        .get(at)
        .memory(I32_LOAD, 4 + index * 4)
        .get(word);
      if (this.#key.length === 1) body.op(I32_NE);
      else body.op(I32_XOR);
      if (index > 0) body.op(I32_OR);
    });
  }

  #hashKey(): void {
    const body = this.#body;
    const { a, b, c } = this.#hash;
    body
      .i32((0xdeadbeef + this.#keySize + this.#geometry.table.seed) | 0)
      .tee(a)
      .tee(b)
      .set(c);
    let word = 0;
    for (; this.#key.length - word > 3; word += 3) {
      this.#add(word);
      this.#mix(a, c, b, 4);
      this.#mix(b, a, c, 6);
      this.#mix(c, b, a, 8);
      this.#mix(a, c, b, 16);
      this.#mix(b, a, c, 19);
      this.#mix(c, b, a, 4);
    }
    this.#add(word);
    this.#final(c, b, 14);
    this.#final(a, c, 11);
    this.#final(b, a, 25);
    this.#final(c, b, 16);
    this.#final(a, c, 4);
    this.#final(b, a, 14);
    this.#final(c, b, 24);
  }

  #add(word: number): void {
    const { a, b, c } = this.#hash;
    [a, b, c].forEach((sum, index) => {
      const key = this.#key[word + index];
      if (key !== undefined) this.#body.get(sum).get(key).op(I32_ADD).set(sum);
    });
  }

  #mix(x: Local, y: Local, z: Local, bits: number): void {
    this.#body.get(x).get(y).op(I32_SUB).get(y).i32(bits).op(I32_ROTL, I32_XOR).set(x);
    this.#body.get(y).get(z).op(I32_ADD).set(y);
  }

  #final(x: Local, y: Local, bits: number): void {
    this.#body.get(x).get(y).op(I32_XOR).get(y).i32(bits).op(I32_ROTL, I32_SUB).set(x);
  }
}
