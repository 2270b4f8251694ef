import {
  BTF_KIND_ARRAY,
  BTF_KIND_ENUM,
  BTF_KIND_ENUM64,
  BTF_KIND_FLOAT,
  BTF_KIND_INT,
  BTF_KIND_PTR,
  BTF_KIND_STRUCT,
  BTF_KIND_UNION,
} from "../../../abi/btf.ts";
import type { BtfCheck } from "./btf-check.ts";
import { intBits, intOffset } from "./raw-btf.ts";

const MOST_BITS = 128;
const U32_MAX = 0xffff_ffff;
const INT_BITS = 32;
const POINTER_SIZE = 8;

/** Checks that a member lies inside its struct, where and as wide as its type can be: the `check_member` of each kind. */
export function checkMember(check: BtfCheck, struct: number, index: number): void {
  const { btf } = check;
  const type = btf.extra(struct, 4, index, 12);
  const isBehindModifier = btf.isModifier(type);
  const resolved = isBehindModifier ? btf.sized(type)?.id : type;
  if (resolved === undefined) return check.refuseMember(struct, index, "Invalid member");
  const refuse = (reason: string): never => check.refuseMember(struct, index, reason, resolved);
  const offset = btf.extra(struct, 8, index, 12);
  const member: Member = { check, struct, type: resolved, offset, size: btf.size(struct), refuse };
  if (btf.hasKindFlag(struct)) checkWithKindFlag(member, offset >>> 24, offset & 0xff_ffff);
  else checkPlain(member);
}

interface Member {
  readonly check: BtfCheck;
  readonly struct: number;
  /** What its type is behind modifiers. */
  readonly type: number;
  /** In bits. */
  readonly offset: number;
  /** Of its struct, in bytes. */
  readonly size: number;
  readonly refuse: (reason: string) => never;
}

function checkWithKindFlag(member: Member, bits: number, offset: number): void {
  const kind = member.check.btf.kind(member.type);
  if (kind === BTF_KIND_INT) return checkIntBitfield(member, bits, offset);
  if (kind === BTF_KIND_ENUM || kind === BTF_KIND_ENUM64) return checkEnumBitfield(member, bits, offset);
  // For kinds that are never members the log says so, bitfield or not.
  if (bits !== 0 && canBeMember(kind)) member.refuse("Invalid member bitfield_size");
  checkPlain(member, "Unsupported check_kflag_member");
}

function checkPlain(member: Member, unsupported = "Unsupported check_member"): void {
  const { check, type, size, offset, refuse } = member;
  const { btf } = check;
  const kind = btf.kind(type);
  switch (kind) {
    case BTF_KIND_INT:
      return checkInt(member);
    case BTF_KIND_FLOAT:
      return checkFloat(member);
    case BTF_KIND_PTR:
    case BTF_KIND_ARRAY:
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64: {
      if (offset % 8 !== 0) refuse("Member is not byte aligned");
      const needed = btf.sized(type)?.size ?? POINTER_SIZE;
      if (size - Math.floor(offset / 8) < needed) refuse("Member exceeds struct_size");
      return;
    }
    default:
      return check.refuseUnread(member.struct, unsupported);
  }
}

function canBeMember(kind: number): boolean {
  return [BTF_KIND_PTR, BTF_KIND_ARRAY, BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_FLOAT].includes(kind);
}

/** An int may begin inside a byte, as bitfields did before members said how many bits they have. */
function checkInt(member: Member): void {
  const data = member.check.btf.extra(member.type, 0);
  if (U32_MAX - member.offset < intOffset(data)) member.refuse("bits_offset exceeds U32_MAX");
  requireInside(member, member.offset + intOffset(data), intBits(data));
}

function checkIntBitfield(member: Member, bits: number, offset: number): void {
  const { btf } = member.check;
  if (!btf.isRegularInt(member.type)) member.refuse("Invalid member base type");
  const intSize = intBits(btf.extra(member.type, 0));
  if (bits === 0 && offset % 8 !== 0) member.refuse("Invalid member offset");
  if (bits > intSize) member.refuse("Invalid member bitfield_size");
  requireInside(member, offset, bits === 0 ? intSize : bits);
}

function requireInside(member: Member, offset: number, bits: number): void {
  const copied = bits + (offset % 8);
  if (copied > MOST_BITS) member.refuse("nr_copy_bits exceeds 128");
  const start = Math.floor(offset / 8);
  if (member.size < start || member.size - start < Math.ceil(copied / 8)) member.refuse("Member exceeds struct_size");
}

function checkEnumBitfield(member: Member, bits: number, offset: number): void {
  if (bits === 0 && offset % 8 !== 0) member.refuse("Member is not byte aligned");
  if (bits > INT_BITS) member.refuse("Invalid member bitfield_size");
  if (member.size < Math.ceil((offset + (bits || INT_BITS)) / 8)) member.refuse("Member exceeds struct_size");
}

function checkFloat({ check, type, offset, size, refuse }: Member): void {
  const floatSize = check.btf.size(type);
  const align = Math.min(POINTER_SIZE, floatSize) * 8;
  if (offset % align !== 0) refuse("Member is not properly aligned");
  if (Math.floor(offset / 8) + floatSize > size) refuse("Member exceeds struct_size");
}
