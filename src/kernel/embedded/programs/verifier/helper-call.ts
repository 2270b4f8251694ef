import { EACCES, EINVAL, ENOTSUPP } from "../../../../abi/errno.ts";
import { BPF_F_SLEEPABLE } from "../../../../abi/prog-flags.ts";
import {
  BPF_PROG_TYPE_KPROBE,
  BPF_PROG_TYPE_LWT_IN,
  BPF_PROG_TYPE_LWT_OUT,
  BPF_PROG_TYPE_LWT_SEG6LOCAL,
  BPF_PROG_TYPE_LWT_XMIT,
  BPF_PROG_TYPE_NETFILTER,
  BPF_PROG_TYPE_SCHED_ACT,
  BPF_PROG_TYPE_SCHED_CLS,
  progTypeName,
} from "../../../../abi/prog-types.ts";
import { format } from "../bpf-helpers/format.ts";
import { hasHelper } from "../compiler/call-plan.ts";
import { mayCall } from "../helper-availability.ts";
import { type HelperProto, helperProtos } from "../helper-protos.ts";
import { checkCallback } from "./callbacks.ts";
import { describe } from "./describe.ts";
import { dynptrMemory } from "./dynptr.ts";
import { returnFromFunction } from "./function-call.ts";
import { type Arguments, checkArguments, makeDynptrs } from "./helper-arguments.ts";
import { fill } from "./helper-memory.ts";
import { checkMapHelper } from "./map-helpers.ts";
import type { MapView } from "./map-view.ts";
import { Range, UNKNOWN } from "./range.ts";
import { acquire, checkNothingHeld, forgetPacket, release } from "./references.ts";
import { pointer, type Register, scalar, UNINIT, UNKNOWN_SCALAR } from "./register.ts";
import { Rejection } from "./rejection.ts";
import type { Verification } from "./verification.ts";

const MAX_ERRNO = 4095n;

/** The helpers that change a map, which one that is read-only for programs is not given to. */
const WRITERS: ReadonlySet<string> = new Set(["map_delete_elem", "map_update_elem", "map_push_elem", "map_pop_elem"]);
/** The helpers that answer at most the size they were given, or an error. */
const SIZED: ReadonlySet<string> = new Set([
  "get_stack",
  "get_task_stack",
  "probe_read_str",
  "probe_read_kernel_str",
  "probe_read_user_str",
]);
/** The helpers of which the compiler wants to know which map they are about. */
const ABOUT_MAPS: ReadonlySet<string> = new Set([
  "tail_call",
  "map_lookup_elem",
  "map_update_elem",
  "map_delete_elem",
  "map_push_elem",
  "map_pop_elem",
  "map_peek_elem",
  "for_each_map_elem",
  "redirect_map",
  "map_lookup_percpu_elem",
]);

/** A call of a helper: `kernel/bpf/verifier.c: check_helper_call`, 6.18. */
export function checkHelperCall(v: Verification, id: number): void {
  const proto = callable(v, id);
  if (v.state.lock !== undefined && proto.name !== "spin_unlock") {
    throw new Rejection(EINVAL, "function calls are not allowed while holding a lock: call bpf_spin_unlock before");
  }
  const found = checkArguments(v, proto);
  makeDynptrs(v, found);
  const { map } = found;
  if (map !== undefined && WRITERS.has(proto.name) && !map.isWritable) {
    throw new Rejection(EACCES, `write into map forbidden: ${map.label} was made BPF_F_RDONLY_PROG`);
  }
  noteCall(v, proto, found);
  for (const memory of found.filled) fill(v, memory);
  if (found.released !== 0 && found.ref !== 0 && proto.result === "void" && found.dynptr === undefined)
    releaseRecord(v, found);
  if (proto.name === "tail_call") checkNothingHeld(v, "tail_call", true);
  checkParticular(v, proto);
  if (found.callback >= 0) checkCallback(v, proto.name, found);
  v.forgetCallerSaved();
  v.registers[0] = result(v, proto, found);
  if (map !== undefined) checkMapHelper(map, proto.name, v.source.type);
  if (proto.name === "tail_call") return checkTailCall(v);
  if (proto.changesPacket) forgetPacket(v);
}

/** The programs on packets for which `bpf_get_cgroup_classid` is a helper on the packet; for the rest it takes nothing. */
const CLASSID_OF_PACKET: ReadonlySet<number> = new Set([
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_SCHED_ACT,
  BPF_PROG_TYPE_LWT_IN,
  BPF_PROG_TYPE_LWT_OUT,
  BPF_PROG_TYPE_LWT_XMIT,
  BPF_PROG_TYPE_LWT_SEG6LOCAL,
]);

function protoOf(id: number, programType: number): HelperProto | undefined {
  const proto = helperProtos()[id];
  if (proto?.name !== "get_cgroup_classid" || !CLASSID_OF_PACKET.has(programType)) return proto;
  return { ...proto, parameters: ["ctx"] };
}

function callable(v: Verification, id: number): HelperProto {
  const { type, expectedAttachType, isGplCompatible, flags } = v.source;
  const proto = protoOf(id, type);
  if (proto === undefined)
    throw new Rejection(EINVAL, `invalid func unknown#${id}: the helpers are 1 to ${helperProtos().length - 1}`);
  const name = (): string => `bpf_${proto.name}#${id}`;
  if (!mayCall(type, expectedAttachType, id)) {
    throw new Rejection(
      EINVAL,
      `program of this type cannot use helper ${name()}: it is ${progTypeName(type)}, and the types that can are ${typesThatMayCall(id).join(", ") || "none"}`,
    );
  }
  if (proto.gplOnly && !isGplCompatible) {
    throw new Rejection(
      EINVAL,
      `cannot call GPL-restricted function ${name()} from non-GPL compatible program: give the program a licence such as "GPL" or "Dual MIT/GPL"`,
    );
  }
  if (proto.mightSleep && (flags & BPF_F_SLEEPABLE) === 0) {
    throw new Rejection(
      EINVAL,
      `helper call ${name()} might sleep in a non-sleepable prog: load the program with BPF_F_SLEEPABLE`,
    );
  }
  if (proto.name === "get_func_ip" && type !== BPF_PROG_TYPE_KPROBE) {
    throw new Rejection(ENOTSUPP, `func ${name} not supported for program type ${type}: kprobes alone have an address`);
  }
  if (proto.parameters === undefined || !hasHelper(id))
    throw new Rejection(ENOTSUPP, `the embedded kernel has no helper ${name()}`);
  return proto;
}

function typesThatMayCall(id: number): string[] {
  const types = Array.from({ length: BPF_PROG_TYPE_NETFILTER + 1 }, (_, type) => type);
  return types.filter((type) => mayCall(type, 0, id)).map((type) => progTypeName(type) as string);
}

function releaseRecord(v: Verification, found: Arguments): void {
  release(v, found.ref);
}

/** The compiler is told which map a call is about while that is one and the same on every path. */
function noteCall(v: Verification, proto: HelperProto, found: Arguments): void {
  const before = v.calls.get(v.slot);
  const map = ABOUT_MAPS.has(proto.name) || found.map !== undefined ? found.map?.map : undefined;
  const callback = found.callback >= 0 ? v.functions[found.callback]?.start : undefined;
  const isSame = before === undefined || (before.map === map && before.callback === callback);
  v.calls.set(
    v.slot,
    isSame ? { map, callback } : { map: undefined, callback: before.callback === callback ? callback : undefined },
  );
}

function checkParticular(v: Verification, proto: HelperProto): void {
  if (proto.name === "snprintf") checkFormat(v);
  if (proto.name === "dynptr_from_mem") {
    const memory = v.registers[1] as Register;
    if (memory.kind !== "map_value") {
      throw new Rejection(
        EACCES,
        `Unsupported reg type ${memory.kind} for bpf_dynptr_from_mem data: R1 is ${describe(memory)}, not a pointer into a map value`,
      );
    }
  }
}

/** A format that is there and its arguments, 8 bytes each: `check_bpf_snprintf_call`, 6.18. */
function checkFormat(v: Verification): void {
  const text = v.registers[3] as Register;
  const size = v.registers[5] as Register;
  if (size.range.value % 8n !== 0n) {
    throw new Rejection(EINVAL, `R5 is ${describe(size)}: the arguments of bpf_snprintf are an array of u64`);
  }
  const values = new Array<bigint>(Number(size.range.value / 8n)).fill(0n);
  const written = format(constantText(text), { values, text: () => "", bytes: () => undefined });
  if (typeof written === "string") return;
  throw new Rejection(
    EINVAL,
    `Invalid format string: R3 is ${describe(text)}, whose text takes something else than ${values.length} arguments, or is no format`,
  );
}

function constantText({ map, place }: Register): string {
  let text = "";
  for (let at = place ?? 0; map !== undefined && at < map.valueSize; at++) {
    const byte = Number(map.readConstant(at, 1));
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** What the call leaves in r0. */
function result(v: Verification, proto: HelperProto, found: Arguments): Register {
  switch (proto.result) {
    case "void":
      return UNINIT;
    case "map_value_or_null":
      return mapValue(v, proto, found);
    case "ringbuf_record_or_null": {
      const record = pointer("mem");
      record.extent = found.allocationSize;
      record.isRecord = true;
      record.isNullable = true;
      record.ref = acquire(v);
      record.id = record.ref;
      return record;
    }
    case "dynptr_memory_or_null":
      return dynptrMemory(v, found.dynptr as Register, found.allocationSize);
    default:
      return integer(v, proto, found);
  }
}

function mapValue(v: Verification, proto: HelperProto, found: Arguments): Register {
  const map = found.map as MapView;
  const value = pointer("map_value");
  value.map = map;
  value.mapUid = found.mapUid;
  const isFound =
    proto.name === "map_lookup_elem" &&
    found.constantKey !== undefined &&
    found.constantKey >= 0n &&
    found.constantKey < BigInt(map.maxEntries);
  value.isNullable = !isFound;
  if (value.isNullable || map.spinLockOffset !== undefined) value.id = v.newId();
  return value;
}

function integer(v: Verification, proto: HelperProto, found: Arguments): Register {
  if (SIZED.has(proto.name)) return scalar(between(-MAX_ERRNO, BigInt.asIntN(64, found.maxSize)));
  const cpus = v.source.possibleCpus;
  if (proto.name === "get_smp_processor_id" && cpus !== undefined) return scalar(between(0n, BigInt(cpus - 1)));
  return UNKNOWN_SCALAR;
}

/** A number between two signed bounds, of 32 bits. */
function between(min: bigint, max: bigint): Range {
  const range = new Range();
  range.smin = min;
  range.smax = max;
  range.s32min = Number(min);
  range.s32max = Number(BigInt.asIntN(32, max));
  if (min >= 0n) {
    range.umin = min;
    range.umax = max;
    range.u32min = Number(min);
    range.u32max = Number(max);
  }
  range.settle();
  return range.isContradictory ? UNKNOWN : range;
}

/** Another program may take over here, and its answer is then that of this function; or it does not, and all goes on. */
function checkTailCall(v: Verification): void {
  if (v.state.frames.length === 1) {
    v.registers[0] = UNINIT;
    return;
  }
  const goesOn = v.putOff(v.slot + 1);
  goesOn.frame.registers[0] = UNINIT;
  forgetPacket(v);
  v.registers[0] = UNKNOWN_SCALAR;
  returnFromFunction(v);
}
