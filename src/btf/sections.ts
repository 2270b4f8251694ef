import { BTF_HEADER, BTF_MAGIC, BTF_VERSION } from "../abi/btf.ts";
import { BtfError } from "./btf-error.ts";

/** Bytes in the byte order of whoever wrote them. */
export interface BtfBytes {
  readonly u8: Uint8Array;
  readonly view: DataView;
  readonly isLittleEndian: boolean;
}

/** Where the sections of a BTF lie in its bytes: `start` and the byte behind the last. */
interface Section {
  readonly start: number;
  readonly end: number;
}

/** Bytes as BTF or `.BTF.ext`: the magic number says in which byte order they were written. */
export function btfBytes(u8: Uint8Array, headerSize: number, what: string): BtfBytes {
  const view = new DataView(u8.buffer, u8.byteOffset, u8.byteLength);
  if (u8.length < headerSize) throw new BtfError(0, `${u8.length} bytes are too few for a header`, what);
  const isLittleEndian = view.getUint16(BTF_HEADER.MAGIC, true) === BTF_MAGIC;
  if (!isLittleEndian && view.getUint16(BTF_HEADER.MAGIC, false) !== BTF_MAGIC) {
    throw new BtfError(0, "there is no magic number 0xeb9f", what);
  }
  const version = u8[BTF_HEADER.VERSION];
  if (version !== BTF_VERSION) throw new BtfError(BTF_HEADER.VERSION, `version ${version} is not 1`, what);
  const flags = u8[BTF_HEADER.FLAGS];
  if (flags !== 0) throw new BtfError(BTF_HEADER.FLAGS, `flags ${flags} mean nothing`, what);
  return { u8, view, isLittleEndian };
}

/** The length of the header, of which a later version may have more than is known. */
export function headerLength({ u8, view, isLittleEndian }: BtfBytes, least: number, what: string): number {
  const length = view.getUint32(BTF_HEADER.HDR_LEN, isLittleEndian);
  if (length >= least && length <= u8.length) return length;
  throw new BtfError(BTF_HEADER.HDR_LEN, `a header of ${length} bytes in BTF of ${u8.length}`, what);
}

/** The section whose offset and length stand at two places of the header. */
export function section(bytes: BtfBytes, header: number, offsetAt: number, lengthAt: number, what = "BTF"): Section {
  const { u8, view, isLittleEndian } = bytes;
  const start = header + view.getUint32(offsetAt, isLittleEndian);
  const end = start + view.getUint32(lengthAt, isLittleEndian);
  if (end <= u8.length) return { start, end };
  throw new BtfError(offsetAt, `a section from ${start} to ${end} in ${u8.length} bytes`, what);
}
