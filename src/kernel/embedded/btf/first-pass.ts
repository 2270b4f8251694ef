import {
  BTF_INT_BOOL,
  BTF_INT_CHAR,
  BTF_INT_SIGNED,
  BTF_KIND_ARRAY,
  BTF_KIND_DATASEC,
  BTF_KIND_DECL_TAG,
  BTF_KIND_ENUM,
  BTF_KIND_ENUM64,
  BTF_KIND_EXTENT,
  BTF_KIND_FLOAT,
  BTF_KIND_FUNC,
  BTF_KIND_FUNC_PROTO,
  BTF_KIND_FWD,
  BTF_KIND_INT,
  BTF_KIND_STRUCT,
  BTF_KIND_TYPE_TAG,
  BTF_KIND_TYPEDEF,
  BTF_KIND_UNION,
  BTF_KIND_VAR,
  BTF_MAX_TYPE,
  BTF_TYPE,
} from "../../../abi/btf.ts";
import { E2BIG, ENOTSUPP } from "../../../abi/errno.ts";
import type { BtfCheck } from "./btf-check.ts";
import type { TypeSection } from "./header.ts";
import { isIdentifier, isSectionName } from "./names.ts";
import { intBits, intEncoding, intOffset } from "./raw-btf.ts";

const INFO_MASK = 0x9f00_ffff;
const INT_MASK = 0x0fff_ffff;
const MOST_BITS = 128;
const FLOAT_SIZES = [2, 4, 8, 12, 16];
/** `BTF_FUNC_GLOBAL`, and `BTF_VAR_GLOBAL_ALLOCATED`: what a linker has still to find cannot be loaded. */
const GLOBAL = 1;

/** Finds the types, and checks of each what can be said without the others: `btf_check_all_metas`. */
export function checkEachType(check: BtfCheck, { start, end }: TypeSection): void {
  const { btf } = check;
  for (let at = start; at < end; check.id++) {
    const left = end - at - BTF_TYPE.END;
    if (left < 0) check.refuse(`[${check.id}] meta_left:${end - at} meta_needed:${BTF_TYPE.END}`);
    btf.offsets.push(at);
    const id = check.id;
    const info = btf.word(id, BTF_TYPE.INFO);
    const kind = btf.kind(id);
    if ((info & ~INFO_MASK) !== 0) check.refuse(`[${id}] Invalid btf_info:${info.toString(16)}`);
    const extent = BTF_KIND_EXTENT[kind];
    if (kind === 0 || extent === undefined) return check.refuse(`[${id}] Invalid kind:${kind}`);
    const name = btf.nameOffset(id);
    if (!btf.isString(name)) check.refuse(`[${id}] Invalid name_offset:${name}`);
    const needed = extent[0] + extent[1] * (extent[1] === 0 ? 0 : btf.vlen(id));
    if (left < needed) check.refuseUnread(id, `meta_left:${left} meta_needed:${needed}`);
    checkType(check, id, kind);
    // Linux adds a type once it is found good.
    if (id >= BTF_MAX_TYPE) check.refuse("Exceeded max num of types", E2BIG);
    at += BTF_TYPE.END + needed;
  }
}

function checkType(check: BtfCheck, id: number, kind: number): void {
  switch (kind) {
    case BTF_KIND_INT:
      return checkInt(check, id);
    case BTF_KIND_ARRAY:
      return checkArray(check, id);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      return checkComposite(check, id);
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
      return checkEnum(check, id);
    case BTF_KIND_FWD:
      return checkForward(check, id);
    case BTF_KIND_FUNC:
      return checkFunction(check, id);
    case BTF_KIND_FUNC_PROTO:
      requireNoName(check, id);
      requireNoKindFlag(check, id);
      return check.logType(id);
    case BTF_KIND_VAR:
      return checkVariable(check, id);
    case BTF_KIND_DATASEC:
      return checkSection(check, id);
    case BTF_KIND_FLOAT:
      requireNoParts(check, id);
      requireNoKindFlag(check, id);
      if (!FLOAT_SIZES.includes(check.btf.size(id))) check.refuseType(id, "Invalid type_size");
      return check.logType(id);
    case BTF_KIND_DECL_TAG:
      return checkDeclTag(check, id);
    default:
      return checkReference(check, id);
  }
}

function checkInt(check: BtfCheck, id: number): void {
  const { btf } = check;
  requireNoParts(check, id);
  requireNoKindFlag(check, id);
  const data = btf.extra(id, 0);
  if ((data & ~INT_MASK) !== 0) check.refuseUnread(id, `Invalid int_data:${data.toString(16)}`);
  const bits = intBits(data) + intOffset(data);
  if (bits > MOST_BITS) check.refuseType(id, `nr_bits exceeds ${MOST_BITS}`);
  if (Math.ceil(bits / 8) > btf.size(id)) check.refuseType(id, "nr_bits exceeds type_size");
  const known = [0, BTF_INT_SIGNED, BTF_INT_CHAR, BTF_INT_BOOL];
  if (!known.includes(intEncoding(data))) check.refuseType(id, "Unsupported encoding", ENOTSUPP);
  check.logType(id);
}

/** Pointers, typedefs, qualifiers and type tags: `btf_ref_type_check_meta`. */
function checkReference(check: BtfCheck, id: number): void {
  const { btf } = check;
  requireNoParts(check, id);
  if (!btf.isKind(id, BTF_KIND_TYPE_TAG)) requireNoKindFlag(check, id);
  if (btf.type(id) > BTF_MAX_TYPE) check.refuseType(id, "Invalid type_id");
  if (btf.isKind(id, BTF_KIND_TYPEDEF)) requireName(check, id);
  else if (btf.isKind(id, BTF_KIND_TYPE_TAG)) requireText(check, id, "Invalid name");
  else requireNoName(check, id);
  check.logType(id);
}

function checkForward(check: BtfCheck, id: number): void {
  requireNoParts(check, id);
  if (check.btf.type(id) !== 0) check.refuseType(id, "type != 0");
  requireName(check, id);
  check.logType(id);
}

function checkArray(check: BtfCheck, id: number): void {
  const { btf } = check;
  requireNoName(check, id);
  requireNoParts(check, id);
  requireNoKindFlag(check, id);
  if (btf.size(id) !== 0) check.refuseType(id, "size != 0");
  if (!isTypeId(btf.extra(id, 0))) check.refuseType(id, "Invalid elem");
  if (!isTypeId(btf.extra(id, 4))) check.refuseType(id, "Invalid index");
  check.logType(id);
}

function checkComposite(check: BtfCheck, id: number): void {
  const { btf } = check;
  requireNameOrNone(check, id);
  check.logType(id);
  const isUnion = btf.isKind(id, BTF_KIND_UNION);
  const offsetMask = btf.hasKindFlag(id) ? 0xff_ffff : 0xffff_ffff;
  let last = 0;
  for (let i = 0; i < btf.vlen(id); i++) {
    const name = btf.extra(id, 0, i, 12);
    if (!btf.isString(name)) check.refuseMember(id, i, `Invalid member name_offset:${name}`);
    if (name !== 0 && !isIdentifier(btf, name)) check.refuseMember(id, i, "Invalid name");
    if (!isTypeId(btf.extra(id, 4, i, 12))) check.refuseMember(id, i, "Invalid type_id");
    const offset = (btf.extra(id, 8, i, 12) & offsetMask) >>> 0;
    if ((isUnion && offset !== 0) || last > offset) check.refuseMember(id, i, "Invalid member bits_offset");
    if (Math.ceil(offset / 8) > btf.size(id)) check.refuseMember(id, i, "Member bits_offset exceeds its struct size");
    check.logMember(id, i);
    last = offset;
  }
}

function checkEnum(check: BtfCheck, id: number): void {
  const { btf, log } = check;
  const size = btf.size(id);
  const stride = btf.isKind(id, BTF_KIND_ENUM) ? 8 : 12;
  if (![1, 2, 4, 8].includes(size)) check.refuseType(id, "Unexpected size");
  requireNameOrNone(check, id);
  check.logType(id);
  for (let i = 0; i < btf.vlen(id); i++) {
    const name = btf.extra(id, 0, i, stride);
    if (!btf.isString(name)) check.refuse(`\tInvalid name_offset:${name}`);
    if (name === 0 || !isIdentifier(btf, name)) check.refuseType(id, "Invalid name");
    if (log.isNeeded) log.add(`\t${btf.name(name)} val=${enumValue(check, id, i, stride)}\n`);
  }
}

function enumValue({ btf }: BtfCheck, id: number, index: number, stride: number): bigint {
  const low = BigInt(btf.extra(id, 4, index, stride));
  const isSigned = btf.hasKindFlag(id);
  if (stride === 8) return isSigned ? BigInt.asIntN(32, low) : low;
  const value = (BigInt(btf.extra(id, 8, index, stride)) << 32n) | low;
  return isSigned ? BigInt.asIntN(64, value) : value;
}

function checkFunction(check: BtfCheck, id: number): void {
  requireName(check, id);
  if (check.btf.vlen(id) > GLOBAL) check.refuseType(id, "Invalid func linkage");
  requireNoKindFlag(check, id);
  check.logType(id);
}

function checkVariable(check: BtfCheck, id: number): void {
  const { btf } = check;
  requireNoParts(check, id);
  requireNoKindFlag(check, id);
  requireName(check, id);
  if (!isTypeId(btf.type(id))) check.refuseType(id, "Invalid type_id");
  if (btf.extra(id, 0) > GLOBAL) check.refuseType(id, "Linkage not supported");
  check.logType(id);
}

function checkSection(check: BtfCheck, id: number): void {
  const { btf } = check;
  const size = btf.size(id);
  if (size === 0) check.refuseType(id, "size == 0");
  requireNoKindFlag(check, id);
  const name = btf.nameOffset(id);
  if (name === 0 || !isSectionName(btf, name)) check.refuseType(id, "Invalid name");
  check.logType(id);
  let end = 0;
  let sum = 0;
  for (let i = 0; i < btf.vlen(id); i++) {
    if (!isTypeId(btf.extra(id, 0, i, 12))) check.refuseVariable(id, i, "Invalid type_id");
    const offset = btf.extra(id, 4, i, 12);
    const length = btf.extra(id, 8, i, 12);
    if (offset < end || offset >= size) check.refuseVariable(id, i, "Invalid offset");
    if (length === 0 || length > size) check.refuseVariable(id, i, "Invalid size");
    end = (offset + length) % 2 ** 32;
    if (end > size) check.refuseVariable(id, i, "Invalid offset+size");
    check.logVariable(id, i);
    sum += length;
  }
  if (size < sum) check.refuseType(id, "Invalid btf_info size");
}

function checkDeclTag(check: BtfCheck, id: number): void {
  requireText(check, id, "Invalid value");
  requireNoParts(check, id);
  if ((check.btf.extra(id, 0) | 0) < -1) check.refuseType(id, "Invalid component_idx");
  check.logType(id);
}

function isTypeId(id: number): boolean {
  return id !== 0 && id <= BTF_MAX_TYPE;
}

function requireNoParts(check: BtfCheck, id: number): void {
  if (check.btf.vlen(id) !== 0) check.refuseType(id, "vlen != 0");
}

function requireNoKindFlag(check: BtfCheck, id: number): void {
  if (check.btf.hasKindFlag(id)) check.refuseType(id, "Invalid btf_info kind_flag");
}

function requireName(check: BtfCheck, id: number): void {
  const name = check.btf.nameOffset(id);
  if (name === 0 || !isIdentifier(check.btf, name)) check.refuseType(id, "Invalid name");
}

function requireNameOrNone(check: BtfCheck, id: number): void {
  if (check.btf.nameOffset(id) !== 0) requireName(check, id);
}

function requireNoName(check: BtfCheck, id: number): void {
  if (check.btf.nameOffset(id) !== 0) check.refuseType(id, "Invalid name");
}

/** A tag may say anything but nothing. */
function requireText(check: BtfCheck, id: number, reason: string): void {
  if (check.btf.string(check.btf.nameOffset(id)).length === 0) check.refuseType(id, reason);
}
