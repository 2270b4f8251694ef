import type { FunctionBody, FunctionType, Local } from "../wasm/function-body.ts";
import { I32, I32_ADD, I32_WRAP_I64, I64, I64_EXTEND_I32_S, I64_EXTEND_I32_U } from "../wasm/opcodes.ts";

/** Bytes of stack of one function of a program: `MAX_BPF_STACK`. */
export const FRAME_SIZE = 512;

/** A function of a program: r1 to r5 and the address of its frame, which gives r0. */
export const FUNCTION_TYPE: FunctionType = { params: [I64, I64, I64, I64, I64, I32], results: [I64] };

const FRAME: Local = 5;
const FRAME_POINTER = 10;

/**
 * The registers of one function of a program, as locals of 64 bits. Addresses are those of the linear memory, with zeros
 * above. What r10 points to begins at the frame, so that accesses to the stack need no arithmetic.
 */
export class Registers {
  readonly body: FunctionBody;
  readonly #locals: readonly Local[];

  constructor(body: FunctionBody) {
    const own = (): Local => body.local(I64);
    this.body = body;
    this.#locals = [own(), 0, 1, 2, 3, 4, own(), own(), own(), own()];
  }

  /** The local that holds a register, which is not r10. */
  local(register: number): Local {
    return this.#locals[register] as Local;
  }

  /** Pushes a register. */
  get(register: number): FunctionBody {
    if (register !== FRAME_POINTER) return this.body.get(this.local(register));
    return this.get32(register).op(I64_EXTEND_I32_U);
  }

  /** Pushes the lower half of a register: an address, or what arithmetic of 32 bits works on. */
  get32(register: number): FunctionBody {
    if (register !== FRAME_POINTER) return this.body.get(this.local(register)).op(I32_WRAP_I64);
    return this.body.get(FRAME).i32(FRAME_SIZE).op(I32_ADD);
  }

  /** Pops 64 bits into a register. */
  set(register: number): void {
    this.body.set(this.local(register));
  }

  /** Pops 32 bits into a register, whose upper half becomes 0. */
  set32(register: number): void {
    this.body.op(I64_EXTEND_I32_U).set(this.local(register));
  }

  /** Pops 32 bits into a register, whose upper half becomes their sign: what helpers answer that can fail. */
  setSigned32(register: number): void {
    this.body.op(I64_EXTEND_I32_S).set(this.local(register));
  }

  /** Pushes an address of 32 bits to which the offset that is answered must be added: see `FunctionBody.memory`. */
  address(register: number, offset: number): number {
    if (register === FRAME_POINTER) {
      this.body.get(FRAME);
      return FRAME_SIZE + offset;
    }
    this.get32(register);
    if (offset >= 0) return offset;
    this.body.i32(offset).op(I32_ADD);
    return 0;
  }

  /** Pushes the frame of a function that this one calls. */
  calleeFrame(): FunctionBody {
    return this.body.get(FRAME).i32(-FRAME_SIZE).op(I32_ADD);
  }

  /** Pushes the frame of this function, which one that takes its place begins with. */
  frame(): FunctionBody {
    return this.body.get(FRAME);
  }
}
