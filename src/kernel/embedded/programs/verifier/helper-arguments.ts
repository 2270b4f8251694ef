import { EACCES, EINVAL } from "../../../../abi/errno.ts";
import { BPF_F_INNER_MAP } from "../../../../abi/flags.ts";
import { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_BLOOM_FILTER, BPF_MAP_TYPE_PERCPU_ARRAY } from "../../../../abi/map-types.ts";
import type { HelperArgument, HelperProto } from "../helper-protos.ts";
import { describe } from "./describe.ts";
import { checkDynptrArgument, dynptrAt, makeDynptr, releaseDynptr } from "./dynptr.ts";
import { checkHelperMemory, checkSizedMemory, type Filled, type MemoryUse } from "./helper-memory.ts";
import type { MapView } from "./map-view.ts";
import { checkRegion } from "./memory-access.ts";
import { mayPassPacket } from "./packet-access.ts";
import { markPrecise, type Register } from "./register.ts";
import { Rejection } from "./rejection.ts";
import { checkSpinLock } from "./spin-lock.ts";
import { SPILLED, ZEROED } from "./stack.ts";
import { byteInSlot, slotIndex } from "./state.ts";
import type { Verification } from "./verification.ts";

/** What the arguments of a call tell, for what follows it. */
export interface Arguments {
  map: MapView | undefined;
  mapUid: number;
  /** The constant that the key of an array is, when it is one. */
  constantKey: bigint | undefined;
  /** The reference that one of them carries. */
  ref: number;
  /** The register that the helper takes back. */
  released: number;
  /** The constant size of what the helper gives. */
  allocationSize: number;
  /** The largest that a size argument can be. */
  maxSize: bigint;
  callback: number;
  dynptr: Register | undefined;
  readonly filled: Filled[];
  readonly dynptrs: { readonly number: number; readonly type: "local" | "ringbuf" }[];
}

const MEMORY: readonly string[] = ["stack", "packet", "packet_meta", "map_key", "map_value", "mem"];

/** What a register must hold to be an argument. */
const KINDS: Readonly<Record<HelperArgument, readonly string[] | undefined>> = {
  anything: undefined,
  ctx: ["ctx"],
  ctx_or_null: ["ctx"],
  map: ["map"],
  map_key: MEMORY,
  map_key_or_null: MEMORY,
  uninit_map_key: MEMORY,
  map_value: MEMORY,
  uninit_map_value: MEMORY,
  memory: MEMORY,
  memory_or_null: MEMORY,
  writable_memory: MEMORY,
  writable_memory_or_null: MEMORY,
  uninit_memory: MEMORY,
  size: ["scalar"],
  size_or_zero: ["scalar"],
  allocation_size: ["scalar"],
  uninit_long: MEMORY,
  mtu: MEMORY,
  constant_string: ["map_value"],
  callback: ["func"],
  stack_or_null: ["stack"],
  spin_lock: ["map_value"],
  timer: ["map_value"],
  ringbuf_record: ["mem"],
  dynptr: ["stack", "dynptr"],
  uninit_local_dynptr: ["stack", "dynptr"],
  uninit_ringbuf_dynptr: ["stack", "dynptr"],
  released_ringbuf_dynptr: ["stack", "dynptr"],
};

/** Checks the arguments of a call one after another: `kernel/bpf/verifier.c: check_func_arg`, 6.18. */
export function checkArguments(v: Verification, proto: HelperProto): Arguments {
  const found: Arguments = {
    map: undefined,
    mapUid: 0,
    constantKey: undefined,
    ref: 0,
    released: 0,
    allocationSize: 0,
    maxSize: 0n,
    callback: -1,
    dynptr: undefined,
    filled: [],
    dynptrs: [],
  };
  (proto.parameters ?? []).forEach((parameter, index) => {
    checkArgument(v, proto, parameter, index + 1, found);
  });
  return found;
}

function checkArgument(
  v: Verification,
  proto: HelperProto,
  parameter: HelperArgument,
  number: number,
  found: Arguments,
): void {
  const register = v.read(number);
  if (parameter === "anything") return;
  const name = `R${number}`;
  if (register.isPacket && !mayPassPacket(v.source.type, proto.takesPacket)) {
    throw new Rejection(
      EACCES,
      `helper access to the packet is not allowed: ${name} is ${describe(register)}; copy what bpf_${proto.name} needs to the stack`,
    );
  }
  const isNullAllowed = parameter.endsWith("_or_null");
  if (!(isNullAllowed && register.isNull)) {
    checkKind(name, register, parameter, isNullAllowed, proto);
    checkOffset(name, register, parameter);
  }
  if (parameter === "ringbuf_record" || parameter === "released_ringbuf_dynptr") {
    checkReleased(name, register, parameter);
    found.released = number;
  }
  if (register.ref !== 0) {
    if (found.ref !== 0)
      throw new Rejection(EACCES, `more than one arg with ref_obj_id: ${name} is ${describe(register)}`);
    found.ref = register.ref;
  }
  checkUse(v, proto, parameter, number, register, found);
}

function checkKind(
  name: string,
  register: Register,
  parameter: HelperArgument,
  isNullAllowed: boolean,
  proto: HelperProto,
): void {
  const kinds = KINDS[parameter];
  const isRecord = parameter !== "ringbuf_record" || register.isRecord || register.ref !== 0;
  const isWritable = !register.isReadOnly || parameter.startsWith("memory") || parameter.startsWith("map_");
  if (kinds?.includes(register.kind) && (!register.isNullable || isNullAllowed) && isRecord && isWritable) return;
  const advice = register.isNullable
    ? "; compare it with 0 before"
    : kinds === MEMORY && register.isScalar
      ? "; put it on the stack, and give the address: r10 plus a negative number"
      : "";
  throw new Rejection(
    EACCES,
    `${name} type=${register.kind}${register.isNullable ? "_or_null" : ""} expected=${kinds?.join(", ")}: bpf_${proto.name} takes ${wanted(parameter)} there, and it is ${describe(register)}${advice}`,
  );
}

function wanted(parameter: HelperArgument): string {
  switch (parameter) {
    case "ctx":
    case "ctx_or_null":
      return "the context";
    case "map":
      return "a map";
    case "size":
    case "size_or_zero":
    case "allocation_size":
      return "a number of bytes";
    case "constant_string":
      return "a text in a frozen read-only map";
    case "callback":
      return "a function";
    case "stack_or_null":
      return "a pointer to the stack, or NULL";
    case "spin_lock":
      return "a bpf_spin_lock in a map value";
    case "timer":
      return "a bpf_timer in a map value";
    case "ringbuf_record":
      return "a record that bpf_ringbuf_reserve gave";
    case "dynptr":
    case "uninit_local_dynptr":
    case "uninit_ringbuf_dynptr":
    case "released_ringbuf_dynptr":
      return "a dynptr on the stack";
    default:
      return "a pointer to memory of the program";
  }
}

/** Memory may be given from any offset on, everything else as it was got: `check_func_arg_reg_off`, 6.18. */
function checkOffset(name: string, register: Register, parameter: HelperArgument): void {
  const { place } = register;
  if (parameter === "ringbuf_record" && place !== 0) {
    throw new Rejection(
      EINVAL,
      `${name} must have zero offset when passed to release func: it is ${describe(register)}`,
    );
  }
  if (register.isScalar || MEMORY.includes(register.kind) || place === 0) return;
  throw new Rejection(
    EACCES,
    `dereference of modified ${register.kind} ptr ${name} disallowed: it is ${describe(register)}`,
  );
}

function checkReleased(name: string, register: Register, parameter: HelperArgument): void {
  if (parameter === "released_ringbuf_dynptr") return;
  if (register.ref === 0 && !register.isNull) {
    throw new Rejection(
      EINVAL,
      `${name} must be referenced when passed to release function: it is ${describe(register)}`,
    );
  }
}

function checkUse(
  v: Verification,
  proto: HelperProto,
  parameter: HelperArgument,
  number: number,
  register: Register,
  found: Arguments,
): void {
  const name = `R${number}`;
  switch (parameter) {
    case "map":
      return noteMap(register, found);
    case "map_key":
      checkHelperMemory(v, name, register, found.map?.keySize ?? 0, "read", false);
      found.constantKey = constantKey(v, register, found.map);
      return;
    case "map_key_or_null":
      if (register.isNull) return;
      checkHelperMemory(v, name, register, found.map?.keySize ?? 0, "read", false);
      return;
    case "uninit_map_key":
      return note(found, checkHelperMemory(v, name, register, found.map?.keySize ?? 0, "fill", false));
    case "map_value":
    case "uninit_map_value":
      return note(
        found,
        checkHelperMemory(v, name, register, found.map?.valueSize ?? 0, valueUse(parameter, found), false),
      );
    case "size":
    case "size_or_zero":
      found.maxSize = register.range.umax;
      return note(
        found,
        checkSizedMemory(v, number, memoryUse(proto.parameters?.[number - 2]), parameter === "size_or_zero"),
      );
    case "allocation_size":
      if (!register.range.isConstant)
        throw new Rejection(EACCES, `${name} is not a known constant: it is ${describe(register)}`);
      found.allocationSize = Number(register.range.value & 0xffff_ffffn);
      return markPrecise(register);
    case "uninit_long":
      note(found, checkHelperMemory(v, name, register, 8, "fill", false));
      return checkAligned(name, register, 8);
    case "mtu":
      checkHelperMemory(v, name, register, 4, "write", false);
      return checkAligned(name, register, 4);
    case "constant_string":
      return checkConstantString(name, register);
    case "callback":
      found.callback = register.extent;
      return;
    case "spin_lock":
      return checkSpinLock(v, register, proto.name === "spin_lock");
    case "timer":
      return checkTimer(name, register, found);
    case "dynptr":
      checkDynptrArgument(name, register);
      found.dynptr = dynptrAt(v, name, register);
      return;
    case "uninit_local_dynptr":
    case "uninit_ringbuf_dynptr":
      found.dynptrs.push({ number, type: parameter === "uninit_local_dynptr" ? "local" : "ringbuf" });
      return;
    case "released_ringbuf_dynptr":
      return releaseDynptr(v, name, register);
    default:
  }
}

/** Makes the dynptrs that a helper makes, when all its arguments are known. */
export function makeDynptrs(v: Verification, found: Arguments): void {
  for (const { number, type } of found.dynptrs) makeDynptr(v, `R${number}`, v.registers[number] as Register, type);
}

function note(found: Arguments, filled: Filled | undefined): void {
  if (filled !== undefined) found.filled.push(filled);
}

function memoryUse(parameter: HelperArgument | undefined): MemoryUse {
  if (parameter === "uninit_memory") return "fill";
  return parameter === "writable_memory" || parameter === "writable_memory_or_null" ? "write" : "read";
}

/** A bloom filter is asked with the value for which a queue would make room. */
function valueUse(parameter: HelperArgument, { map }: Arguments): MemoryUse {
  return parameter === "map_value" || map?.type === BPF_MAP_TYPE_BLOOM_FILTER ? "read" : "fill";
}

function noteMap(register: Register, found: Arguments): void {
  if (found.map !== undefined && (found.map !== register.map || found.mapUid !== register.mapUid)) {
    throw new Rejection(
      EINVAL,
      `timer pointer in R1 map_uid=${found.mapUid} doesn't match map pointer in R2 map_uid=${register.mapUid}: the timer lies in another map`,
    );
  }
  found.map = register.map;
  found.mapUid = register.mapUid;
}

/** A key that is known lets a lookup in an array be known to find: `get_constant_map_key`, 6.18. */
function constantKey(v: Verification, key: Register, map: MapView | undefined): bigint | undefined {
  const isArray = map?.type === BPF_MAP_TYPE_ARRAY || map?.type === BPF_MAP_TYPE_PERCPU_ARRAY;
  if (map === undefined || !isArray || (map.flags & BPF_F_INNER_MAP) !== 0) return undefined;
  const offset = key.place;
  if (key.kind !== "stack" || offset === undefined) return undefined;
  const slot = v.frameOf(key).stack[slotIndex(offset)];
  if (slot === undefined) return undefined;
  const first = byteInSlot(offset);
  const isAll = (type: number): boolean =>
    [0, 1, 2, 3].every((byte) => first + byte < 8 && slot.typeAt(first + byte) === type);
  if (isAll(ZEROED)) return 0n;
  if (!isAll(SPILLED) || first !== 0 || slot.spillSize !== 4 || !slot.isScalarSpill || !slot.spilled.range.isConstant) {
    return undefined;
  }
  markPrecise(slot.spilled);
  return slot.spilled.range.value;
}

function checkAligned(name: string, register: Register, size: number): void {
  const { bits } = register.range;
  const low = bits.value + BigInt.asUintN(64, BigInt(register.offset));
  const place = register.isPacket ? low + 2n : low;
  if (((place | bits.mask) & BigInt(size - 1)) === 0n) return;
  throw new Rejection(
    EACCES,
    `misaligned access off ${register.place} size ${size}: ${name} is ${describe(register)}, and must lie at a multiple of ${size}`,
  );
}

/** A text that is there and ends, whatever happens: `check_reg_const_str`, 6.18. */
function checkConstantString(name: string, register: Register): void {
  const map = register.map;
  const start = register.place;
  if (!map?.isConstant)
    throw new Rejection(
      EACCES,
      `${name} does not point to a readonly map: it is ${describe(register)}; the text lies in a map that is BPF_F_RDONLY_PROG and frozen`,
    );
  if (start === undefined)
    throw new Rejection(EACCES, `${name} is not a constant address: it is ${describe(register)}`);
  if (map.directValue === 0)
    throw new Rejection(EACCES, `no direct value access support for this map type: ${map.label}`);
  checkRegion(name, register, 0, map.valueSize - start, map.valueSize, "map value");
  for (let at = start; at < map.valueSize; at++) if (map.readConstant(at, 1) === 0n) return;
  throw new Rejection(EINVAL, `string is not zero-terminated: ${name} is ${describe(register)}`);
}

function checkTimer(name: string, register: Register, found: Arguments): void {
  const { map, place } = register;
  if (place === undefined)
    throw new Rejection(EINVAL, `${name} doesn't have constant offset. bpf_timer has to be at the constant offset`);
  if (map?.timerOffset === undefined)
    throw new Rejection(
      EINVAL,
      `${map?.label} has no valid bpf_timer: its BTF must declare a value with a struct bpf_timer`,
    );
  if (place !== map.timerOffset) {
    throw new Rejection(EINVAL, `off ${place} doesn't point to 'struct bpf_timer' that is at ${map.timerOffset}`);
  }
  found.map = map;
  found.mapUid = register.mapUid;
}
