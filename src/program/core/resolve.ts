import type { Btf } from "../../btf/btf.ts";
import { BtfError } from "../../btf/btf-error.ts";
import type { CoreRelocation } from "../../btf/btf-ext.ts";
import { areTypesCompatible, doTypesMatch } from "./compatibility.ts";
import { AccessError, accessedType, type FieldAccess, localAccess, targetAccess } from "./field-access.ts";
import { candidates, essentialName } from "./names.ts";

/** `enum bpf_core_relo_kind`. */
const FIELD_BYTE_OFFSET = 0;
const FIELD_BYTE_SIZE = 1;
const FIELD_EXISTS = 2;
const FIELD_SIGNED = 3;
const FIELD_LSHIFT_U64 = 4;
const FIELD_RSHIFT_U64 = 5;
const TYPE_ID_LOCAL = 6;
const TYPE_ID_TARGET = 7;
const TYPE_EXISTS = 8;
const TYPE_SIZE = 9;
const ENUMVAL_EXISTS = 10;
const ENUMVAL_VALUE = 11;
const TYPE_MATCHES = 12;

/** What an instruction is to hold. */
export interface Adapted {
  readonly value: bigint;
  /** For a load or store: the bytes that it accesses here, when they are others than in the object. */
  readonly access?: MemoryAccess | undefined;
}

/** How a load or store of a field becomes one of a field of another size. */
export interface MemoryAccess {
  readonly from: number;
  readonly to: number;
  /** Whether that keeps the value: unsigned integers and pointers do. */
  readonly isSafe: boolean;
}

/**
 * What a relocation comes to against the types of a target; `undefined` when the target has not what it is about. Throws
 * an `AccessError` for a relocation that makes no sense, or one that two types of the target answer differently.
 *
 * Source: `tools/lib/bpf/relo_core.c: bpf_core_calc_relo_insn`, Linux 6.18.
 */
export function resolveRelocation(local: Btf, relocation: CoreRelocation, target: Btf): Adapted | undefined {
  const { kind, type } = relocation;
  if (kind === TYPE_ID_LOCAL) return { value: BigInt(type) };
  if (kind <= FIELD_RSHIFT_U64) return resolveField(local, relocation, target);
  if (kind === ENUMVAL_EXISTS || kind === ENUMVAL_VALUE) return resolveEnumValue(local, relocation, target);
  if (kind === TYPE_ID_TARGET || kind === TYPE_EXISTS || kind === TYPE_SIZE || kind === TYPE_MATCHES) {
    return resolveType(local, relocation, target);
  }
  throw new AccessError(`there is no relocation of kind ${kind}`);
}

function resolveField(local: Btf, { kind, type, access }: CoreRelocation, target: Btf): Adapted | undefined {
  const own = localAccess(local, type, access);
  const found = candidates(local, type, target)
    .map((candidate) => targetAccess(own, target, candidate))
    .filter((each) => each !== undefined);
  if (kind === FIELD_EXISTS) return { value: found.length > 0 ? 1n : 0n };
  return agreed(found.map((each) => fieldValue(kind, own, each)));
}

function resolveType(local: Btf, { kind, type }: CoreRelocation, target: Btf): Adapted | undefined {
  const isIt = kind === TYPE_MATCHES ? doTypesMatch : areTypesCompatible;
  const found = candidates(local, type, target).filter((candidate) => isIt({ local, target }, type, candidate));
  if (found.length === 0) return { value: 0n };
  if (kind === TYPE_EXISTS || kind === TYPE_MATCHES) return { value: 1n };
  if (kind === TYPE_ID_TARGET) return { value: BigInt(found[0] as number) };
  return agreed(found.map((id) => ({ value: BigInt(target.sizeOf(id) ?? 0) })));
}

function resolveEnumValue(local: Btf, { kind, type, access }: CoreRelocation, target: Btf): Adapted | undefined {
  const own = local.type(local.resolve(type));
  const named = own.kind === "enum" || own.kind === "enum64" ? own.values[Number(access)] : undefined;
  if (named === undefined) throw new AccessError(`"${access}" is no value of an enum`);
  const found = candidates(local, type, target).flatMap((candidate) => {
    const other = target.type(target.resolve(candidate));
    if (other.kind !== "enum" && other.kind !== "enum64") return [];
    const value = other.values.find(({ name }) => essentialName(name) === essentialName(named.name));
    return value === undefined ? [] : [{ value: BigInt(value.value) }];
  });
  if (kind === ENUMVAL_EXISTS) return { value: found.length > 0 ? 1n : 0n };
  return agreed(found);
}

/** What several types of the target say of one relocation must be the same. */
function agreed(all: readonly Adapted[]): Adapted | undefined {
  const [first] = all;
  if (all.some(({ value, access }) => value !== first?.value || access?.to !== first.access?.to)) {
    throw new AccessError(`${all.length} types of the kernel say different things of it`);
  }
  return first;
}

function fieldValue(kind: number, own: FieldAccess, found: FieldAccess): Adapted {
  const type = accessedType(found);
  const size = found.btf.sizeOf(type) ?? 0;
  const { bitfieldSize = 0 } = found.steps.at(-1)?.member ?? {};
  const isBitfield = bitfieldSize > 0;
  const unit = isBitfield ? bitfieldUnit(found.bitOffset, bitfieldSize, size) : { offset: found.bitOffset / 8, size };
  const bits = isBitfield ? bitfieldSize : size * 8;
  switch (kind) {
    case FIELD_BYTE_OFFSET:
      return { value: BigInt(unit.offset), access: isBitfield ? undefined : memoryAccess(own, found) };
    case FIELD_BYTE_SIZE:
      return { value: BigInt(unit.size) };
    case FIELD_SIGNED: {
      const accessed = found.btf.type(type);
      return { value: "isSigned" in accessed && accessed.isSigned ? 1n : 0n };
    }
    case FIELD_LSHIFT_U64:
      return { value: BigInt(64 - (found.bitOffset + bits - unit.offset * 8)) };
    default:
      return { value: BigInt(64 - bits) };
  }
}

/** The aligned memory that holds a whole bitfield, as narrow as its type allows. */
function bitfieldUnit(
  bitOffset: number,
  bits: number,
  typeSize: number,
): { readonly offset: number; readonly size: number } {
  for (let size = typeSize; size <= 8 && size > 0; size *= 2) {
    const offset = Math.floor(bitOffset / 8 / size) * size;
    if (bitOffset + bits <= (offset + size) * 8) return { offset, size };
  }
  throw new AccessError(`a bitfield of ${bits} bits at bit ${bitOffset} lies across 8 bytes`);
}

function memoryAccess(own: FieldAccess, found: FieldAccess): MemoryAccess {
  const ownType = accessedType(own);
  const foundType = accessedType(found);
  const one = own.btf.type(ownType);
  const other = found.btf.type(foundType);
  const arePointers = one.kind === "ptr" && other.kind === "ptr";
  const areUnsigned = one.kind === "int" && other.kind === "int" && !one.isSigned && !other.isSigned;
  const from = own.btf.sizeOf(ownType) ?? 0;
  const to = found.btf.sizeOf(foundType) ?? 0;
  return { from, to, isSafe: from === to || arePointers || areUnsigned };
}

/** Whether an error says that a relocation cannot be made, rather than that mapiary is wrong. */
export function isRelocationError(error: unknown): error is Error {
  return error instanceof AccessError || error instanceof BtfError || error instanceof RangeError;
}
