import { EACCES, EINVAL } from "../../../../abi/errno.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import { BPF_MEM, BPF_MEMSX } from "../../../../isa/opcodes.ts";
import { checkContextAccess } from "./context-access.ts";
import { describe, describeNumber } from "./describe.ts";
import { accessSize } from "./encoding.ts";
import { mayWritePacket } from "./packet-access.ts";
import { MAX_OFFSET } from "./pointer-arithmetic.ts";
import { constant, signExtend, truncate, unknownOfSize } from "./range.ts";
import { number, type Register, scalar, UNKNOWN_SCALAR } from "./register.ts";
import { Rejection } from "./rejection.ts";
import { readStack, type Stored, stackSpan, writeStack } from "./stack-access.ts";
import type { Verification } from "./verification.ts";

/** An access to memory by an instruction. */
export interface Access {
  /** The pointer's register, for messages: `R1`. */
  readonly name: string;
  readonly pointer: Register;
  readonly offset: number;
  readonly size: number;
  readonly isWrite: boolean;
  /** The sign of what is loaded goes on. */
  readonly isSigned: boolean;
  /** The place must be aligned whatever it is: that of an atomic. */
  readonly isStrict: boolean;
}

/** `dst = *(size *)(src + offset)`. */
export function checkLoad(v: Verification, { opcode, dst, src, offset }: Instruction): void {
  const mode = opcode & 0xe0;
  if (mode !== BPF_MEM && mode !== BPF_MEMSX) throw new Rejection(EINVAL, "the mode of a load is MEM or MEMSX");
  const pointer = v.read(src);
  v.checkWritable(dst);
  const size = accessSize(opcode);
  const isSigned = mode === BPF_MEMSX;
  const loaded = load(v, { name: `R${src}`, pointer, offset, size, isWrite: false, isSigned, isStrict: false });
  v.write(dst, loaded);
  v.notePointer(pointer.kind);
}

/** `*(size *)(dst + offset) = src`, or the immediate. */
export function checkStore(v: Verification, { opcode, dst, src, offset, imm }: Instruction, isRegister: boolean): void {
  if ((opcode & 0xe0) !== BPF_MEM) throw new Rejection(EINVAL, "the mode of a store is MEM or ATOMIC");
  if (isRegister ? imm !== 0 : src !== 0) {
    throw new Rejection(
      EINVAL,
      `${isRegister ? "BPF_STX" : "BPF_ST"} uses reserved fields: what the store does not take is 0`,
    );
  }
  const stored = isRegister
    ? { register: v.read(src), number: src }
    : { register: number(BigInt(imm)), number: undefined };
  const pointer = v.read(dst);
  if (!isRegister && pointer.kind === "ctx") {
    throw new Rejection(EACCES, `BPF_ST stores into R${dst} ctx is not allowed: store a register`);
  }
  const access = {
    name: `R${dst}`,
    pointer,
    offset,
    size: accessSize(opcode),
    isWrite: true,
    isSigned: false,
    isStrict: false,
  };
  store(v, access, stored);
  v.notePointer(pointer.kind);
}

/** Checks a load, and answers what it gives. */
export function load(v: Verification, access: Access): Register {
  const loaded = loadWhole(v, access);
  if (!loaded.isScalar || access.size === 8) return loaded;
  if (loaded === UNKNOWN_SCALAR && !access.isSigned) return scalar(unknownOfSize(access.size));
  const range = access.isSigned ? signExtend(loaded.range, access.size) : truncate(loaded.range, access.size);
  const cut = scalar(range, loaded);
  cut.id = loaded.id;
  cut.delta = loaded.delta;
  cut.shift = loaded.shift;
  return cut;
}

function loadWhole(v: Verification, access: Access): Register {
  const { pointer, offset, size } = access;
  if (pointer.kind === "stack" && !pointer.isNullable) {
    checkAlignment(access);
    return readStack(v, pointer, stackSpan(v, access.name, pointer, offset, size), size);
  }
  const given = checkAccess(v, access);
  if (given !== undefined) return given;
  const { map, place } = pointer;
  if (pointer.kind === "map_value" && map?.isConstant && place !== undefined && map.directValue !== 0) {
    const value = map.readConstant(place + offset, size);
    return scalar(constant(access.isSigned ? BigInt.asIntN(size * 8, value) : value));
  }
  return UNKNOWN_SCALAR;
}

/** Checks a store; `undefined` stores something of which nothing is known. */
export function store(v: Verification, access: Access, stored: Stored | undefined): void {
  const { pointer, offset, size } = access;
  if (pointer.kind === "stack" && !pointer.isNullable) {
    checkAlignment(access);
    return writeStack(v, pointer, stackSpan(v, access.name, pointer, offset, size), size, stored);
  }
  checkAccess(v, access);
}

/**
 * Checks an access to anything but the stack. Answers what a load gives, when that is more than some number.
 * `kernel/bpf/verifier.c: check_mem_access`, 6.18.
 */
function checkAccess(v: Verification, access: Access): Register | undefined {
  const { name, pointer, offset, size, isWrite } = access;
  if (pointer.isNullable) {
    throw new Rejection(
      EACCES,
      `${name} invalid mem access: it is ${describe(pointer)}; compare it with 0 first, and use it on the way where it is not`,
    );
  }
  if (access.isStrict) checkAlignment(access);
  switch (pointer.kind) {
    case "map_value":
      checkMapValue(access);
      return undefined;
    case "map_key":
      if (isWrite)
        throw new Rejection(EACCES, `write to change key ${name} not allowed: ${describe(pointer)} belongs to the map`);
      checkRegion(name, pointer, offset, size, pointer.map?.keySize ?? 0, "map key");
      return undefined;
    case "mem":
      if (isWrite && pointer.isReadOnly)
        throw new Rejection(EACCES, `${name} cannot write into ${describe(pointer)}: it is read-only`);
      checkRegion(name, pointer, offset, size, pointer.extent, "memory");
      return undefined;
    case "packet":
    case "packet_meta":
      if (isWrite && !mayWritePacket(v.source.type)) {
        throw new Rejection(EACCES, "cannot write into packet: programs of this type may only read it");
      }
      checkPacket(name, pointer, offset, size);
      return undefined;
    case "ctx":
      return checkContextAccess(v, access);
    default:
      throw new Rejection(
        EACCES,
        `${name} invalid mem access '${pointer.kind}': it is ${describe(pointer)}, no pointer to memory${pointer.isScalar ? "; a pointer to what was given back, or into a packet that a helper may have moved, is none any more" : ""}`,
      );
  }
}

function checkMapValue({ name, pointer, offset, size, isWrite }: Access): void {
  const map = pointer.map;
  if (map === undefined) throw new Rejection(EACCES, `${name} invalid mem access`);
  checkMapAccess(name, pointer, isWrite);
  checkRegion(name, pointer, offset, size, map.valueSize, "map value");
  checkSpecialFields(name, pointer, offset, size);
}

/** A map may be made so that programs only read it, or only write it. */
export function checkMapAccess(name: string, pointer: Register, isWrite: boolean): void {
  const map = pointer.map;
  if (isWrite ? map?.isWritable === true : map?.isReadable === true) return;
  throw new Rejection(
    EACCES,
    `${isWrite ? "write into" : "read from"} map forbidden: ${name} is ${describe(pointer)}, which was made ${isWrite ? "BPF_F_RDONLY_PROG" : "BPF_F_WRONLY_PROG"}`,
  );
}

/** A lock, a timer or a pointer in a value is for its helpers alone. */
export function checkSpecialFields(name: string, pointer: Register, offset: number, size: number): void {
  const { map, range } = pointer;
  if (map === undefined || map.fields.length === 0) return;
  const first = Number(range.smin) + pointer.offset + offset;
  const end = Number(range.umax) + pointer.offset + offset + size;
  const touched = map.fields.find((field) => first < field.offset + field.size && field.offset < end);
  if (touched === undefined) return;
  throw new Rejection(
    EACCES,
    `${touched.type} cannot be accessed directly by load/store: it lies at ${touched.offset} in ${describe(pointer)}, and ${name} may touch it`,
  );
}

/** That `size` bytes at the pointer's offset lie within `bytes`: `check_mem_region_access`, 6.18. */
export function checkRegion(
  name: string,
  pointer: Register,
  offset: number,
  size: number,
  bytes: number,
  what: string,
  isZeroAllowed = false,
): void {
  const { range } = pointer;
  const fixed = BigInt(pointer.offset + offset);
  const first = range.smin + fixed;
  if (first < 0n && range.smin < 0n) {
    throw new Rejection(
      EACCES,
      `${name} min value is negative, invalid access to ${what}: ${name} is ${describe(pointer)}; use an unsigned index or check that it is not negative`,
    );
  }
  const outside = (at: bigint, advice: string): Rejection =>
    new Rejection(
      EACCES,
      `invalid access to ${what}, size=${bytes} off=${at} size=${size}: outside of the allowed memory range, for ${name} is ${describe(pointer)}${advice}`,
    );
  if (!lies(first, size, bytes, isZeroAllowed)) throw outside(first, "");
  if (range.umax >= MAX_OFFSET) {
    throw new Rejection(
      EACCES,
      `${name} unbounded memory access, invalid access to ${what}: ${name} is ${describe(pointer)}; compare the index with a constant, or mask it, before`,
    );
  }
  const last = range.umax + fixed;
  if (!lies(last, size, bytes, isZeroAllowed)) {
    const most = BigInt(bytes - size) - fixed;
    const advice = most < 0n ? "" : `; what was added may be ${most} at most: compare it with that, or mask it, before`;
    throw outside(last, advice);
  }
}

/** Whether `size` bytes from `first` on lie within `bytes`. */
function lies(first: bigint, size: number, bytes: number, isZeroAllowed: boolean): boolean {
  return (size > 0 || (size === 0 && isZeroAllowed)) && first >= 0n && first + BigInt(size) <= BigInt(bytes);
}

/** What was compared with the end of the packet is there, from where the unknown numbers that were added lead on. */
export function checkPacket(
  name: string,
  pointer: Register,
  offset: number,
  size: number,
  isZeroAllowed = false,
): void {
  if (pointer.range.smin < 0n) {
    throw new Rejection(
      EACCES,
      `${name} min value is negative: it is ${describe(pointer)}; use an unsigned index or check that it is not negative`,
    );
  }
  if (pointer.extent < 0) {
    throw new Rejection(EINVAL, `${name} offset is outside of the packet: it is ${describe(pointer)}`);
  }
  const first = pointer.offset + offset;
  if (lies(BigInt(first), size, pointer.extent, isZeroAllowed)) return;
  throw new Rejection(
    EACCES,
    `invalid access to packet, size=${pointer.extent} off=${first} size=${size}: ${name} offset is outside of the packet: it is ${describe(pointer)}; compare the pointer plus ${offset + size} with data_end before`,
  );
}

/** The stack is accessed aligned, and so are atomics wherever they are; the rest as it comes. */
function checkAlignment({ name, pointer, offset, size }: Access): void {
  if (size === 1) return;
  const { bits } = pointer.range;
  const low = bits.value + BigInt.asUintN(64, BigInt(pointer.offset + offset));
  const isPacket = pointer.isPacket;
  const place = isPacket ? low + 2n : low;
  if (((place | bits.mask) & BigInt(size - 1)) === 0n) return;
  throw new Rejection(
    EACCES,
    `misaligned ${pointer.kind} access off ${describeNumber(pointer.range)}+${offset} size ${size}: ${name} is ${describe(pointer)}, an access of ${size} bytes here lies at a multiple of ${size}`,
  );
}
