import type { HashGeometry } from "../../maps/hash-code.ts";
import { HashKey } from "../../maps/hash-key.ts";
import type { FunctionBody, Local } from "../wasm/function-body.ts";
import { I32, I32_ADD, I32_AND, I32_EQZ, I32_LOAD, I32_SHL, RETURN } from "../wasm/opcodes.ts";

/** In an element the key comes behind its link. */
const LINK_BYTES = 4;

/** The walk along the chain of the bucket that a key leads to, with the sizes and addresses of one table as constants. */
export class HashWalk {
  /** The address of the bucket's word, less where the buckets begin. */
  readonly bucket: Local;
  /** The first link of the chain, and that of the element which was found. */
  readonly first: Local;
  readonly link: Local;
  /** The address of the element that was found, and of the one before it, 0 for the first. */
  readonly element: Local;
  readonly previous: Local;
  readonly #body: FunctionBody;
  readonly #table: HashGeometry;
  readonly #key: HashKey;

  constructor(body: FunctionBody, table: HashGeometry, keySize: number) {
    const local = (): Local => body.local(I32);
    this.#body = body;
    this.#table = table;
    this.#key = new HashKey(body, keySize, table.seed, LINK_BYTES);
    this.bucket = local();
    this.first = local();
    this.link = local();
    this.element = local();
    this.previous = local();
  }

  /** Where the buckets begin. */
  get buckets(): number {
    return this.#table.buckets * 4;
  }

  /** Finds the element of the key at an address, or returns 0 from the function. */
  find(key: Local): void {
    const body = this.#body;
    const { bucketMask, origin } = this.#table;
    this.#key.read(key);
    this.#key.hash();
    body.get(this.#key.hashed).i32(bucketMask).op(I32_AND).i32(2).op(I32_SHL).tee(this.bucket);
    body.memory(I32_LOAD, this.buckets).tee(this.first).set(this.link).loop();
    body.get(this.link).op(I32_EQZ).if().i32(0).op(RETURN).end();
    body
      .get(this.link)
      .i32(2)
      .op(I32_SHL)
      .i32(origin * 4)
      .op(I32_ADD)
      .set(this.element);
    this.#key.compare(this.element);
    body.if().get(this.element).tee(this.previous).memory(I32_LOAD).set(this.link).br(1).end().end();
  }
}
