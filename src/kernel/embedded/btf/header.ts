import { BTF_HEADER, BTF_MAGIC, BTF_MAX_NAME_OFFSET, BTF_VERSION } from "../../../abi/btf.ts";
import { E2BIG, ENOTSUPP } from "../../../abi/errno.ts";
import type { BtfCheck } from "./btf-check.ts";

/** Where the types of a BTF lie. */
export interface TypeSection {
  readonly start: number;
  readonly end: number;
}

/** Checks the header and the strings: `btf_parse_hdr`, `btf_check_sec_info` and `btf_parse_str_sec`. */
export function checkHeader(check: BtfCheck): TypeSection {
  const { btf } = check;
  const size = btf.u8.length;
  if (size < BTF_HEADER.TYPE_OFF) check.refuse("hdr_len not found");
  const headerLength = btf.view.getUint32(BTF_HEADER.HDR_LEN, true);
  if (size < headerLength) check.refuse("btf_header not found");
  if (btf.u8.subarray(BTF_HEADER.SIZE, headerLength).some((byte) => byte !== 0)) {
    check.refuse("Unsupported btf_header", E2BIG);
  }
  const header = new DataView(new ArrayBuffer(BTF_HEADER.SIZE));
  new Uint8Array(header.buffer).set(btf.u8.subarray(0, Math.min(headerLength, BTF_HEADER.SIZE)));
  const word = (offset: number): number => header.getUint32(offset, true);
  const magic = header.getUint16(BTF_HEADER.MAGIC, true);
  const version = header.getUint8(BTF_HEADER.VERSION);
  const flags = header.getUint8(BTF_HEADER.FLAGS);
  const types = { offset: word(BTF_HEADER.TYPE_OFF), length: word(BTF_HEADER.TYPE_LEN) };
  const strings = { offset: word(BTF_HEADER.STR_OFF), length: word(BTF_HEADER.STR_LEN) };
  logHeader(check, [
    ["magic", `0x${magic.toString(16)}`],
    ["version", version],
    ["flags", `0x${flags.toString(16)}`],
    ["hdr_len", word(BTF_HEADER.HDR_LEN)],
    ["type_off", types.offset],
    ["type_len", types.length],
    ["str_off", strings.offset],
    ["str_len", strings.length],
    ["btf_total_size", size],
  ]);
  if (magic !== BTF_MAGIC) check.refuse("Invalid magic");
  if (version !== BTF_VERSION) check.refuse("Unsupported version", ENOTSUPP);
  if (flags !== 0) check.refuse("Unsupported flags", ENOTSUPP);
  if (size === headerLength) check.refuse("No data");
  checkSections(check, size - headerLength, [types, strings]);
  checkStrings(check, headerLength + strings.offset, strings.length);
  if (types.offset % 4 !== 0) check.refuse("Unaligned type_off");
  if (types.length === 0) check.refuse("No type found");
  return { start: headerLength + types.offset, end: headerLength + types.offset + types.length };
}

function logHeader(check: BtfCheck, fields: readonly (readonly [string, string | number])[]): void {
  for (const [name, value] of fields) check.log.add(`${name}: ${value}\n`);
}

interface Section {
  readonly offset: number;
  readonly length: number;
}

/** The sections lie one behind the other, and nothing else is there. */
function checkSections(check: BtfCheck, all: number, sections: readonly Section[]): void {
  // Linux compares offsets as their signed difference.
  const ordered = [...sections].sort((a, b) => (a.offset - b.offset) | 0 || (a.length - b.length) | 0);
  let end = 0;
  for (const { offset, length } of ordered) {
    if (all < offset) check.refuse("Invalid section offset");
    if (end < offset) check.refuse("Unsupported section found");
    if (end > offset) check.refuse("Section overlap found");
    if (all - end < length) check.refuse("Total section length too long");
    end += length;
  }
  if (end !== all) check.refuse("Unsupported section found");
}

function checkStrings(check: BtfCheck, start: number, length: number): void {
  const { btf } = check;
  const end = start + length;
  if (end !== btf.u8.length) check.refuse("String section is not at the end");
  const isTooLong = length - 1 > BTF_MAX_NAME_OFFSET;
  if (length === 0 || isTooLong || btf.u8[end - 1] !== 0 || btf.u8[start] !== 0) check.refuse("Invalid string section");
  btf.strings = start;
  btf.stringsLength = length;
}
