import type { ElementCode } from "../map-ops.ts";
import type { FunctionBody, Local } from "../programs/wasm/function-body.ts";
import { IMPORT_MODULE, WasmModule } from "../programs/wasm/module.ts";
import { I32, I32_ADD, I32_LOAD, I32_STORE, I64_LOAD, I64_STORE, MEMORY_COPY } from "../programs/wasm/opcodes.ts";

/** What the code of a command answers when the plain command has to do it all. */
export const SLOW = 1;

/** How an atomic access to a word says that it is aligned. */
export const WORD_LOG2 = 2;

/** Up to so many bytes values are copied word by word. */
const SHORT_VALUE = 128;

/**
 * A command on one map that is shared, as a function of WebAssembly: it answers what the command does, or `SLOW`, having
 * changed nothing and holding nothing. WebAssembly, because there a compiler must leave atomic loads where they are and no call is made
 * for them, as V8 does for `Atomics.load`. `undefined` where the platform forbids it.
 */
export function compileCommand(
  { memory, file, slow }: ElementCode,
  write: (body: FunctionBody) => void,
): (() => number) | undefined {
  const module = new WasmModule();
  const { index, body } = module.addFunction({ params: [], results: [I32] });
  write(body);
  module.exportFunction("run", index);
  const bytes = module.encode(memory.isThreaded) as Uint8Array<ArrayBuffer>;
  let run: () => number;
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      [IMPORT_MODULE]: { memory: memory.wasm },
    });
    run = exports["run"] as () => number;
  } catch {
    return undefined;
  }
  return () => {
    if (!file.isOpen) return slow();
    const result = run();
    return result === SLOW ? slow() : result;
  };
}

/** A place in a function: an offset from the address in a local, or from 0. */
export interface Place {
  readonly base?: Local;
  readonly offset: number;
}

/** Writes the copying of so many bytes, which do not overlap, in order. */
export function writeCopy(body: FunctionBody, to: Place, from: Place, bytes: number): void {
  if (bytes > SHORT_VALUE || bytes % 4 !== 0) {
    for (const place of [to, from]) pushBase(body, place).i32(place.offset).op(I32_ADD);
    body.i32(bytes).opFc(MEMORY_COPY, 0, 0);
    return;
  }
  for (let at = 0; at < bytes; at += 8) {
    const [load, store] = bytes - at >= 8 ? [I64_LOAD, I64_STORE] : [I32_LOAD, I32_STORE];
    pushBase(body, to);
    pushBase(body, from)
      .memory(load, from.offset + at)
      .memory(store, to.offset + at);
  }
}

function pushBase(body: FunctionBody, { base }: Place): FunctionBody {
  return base === undefined ? body.i32(0) : body.get(base);
}
