import {
  BTF_KIND_ARRAY,
  BTF_KIND_CONST,
  BTF_KIND_DATASEC,
  BTF_KIND_DECL_TAG,
  BTF_KIND_ENUM,
  BTF_KIND_ENUM64,
  BTF_KIND_EXTENT,
  BTF_KIND_FUNC,
  BTF_KIND_FUNC_PROTO,
  BTF_KIND_NAMES,
  BTF_KIND_PTR,
  BTF_KIND_RESTRICT,
  BTF_KIND_STRUCT,
  BTF_KIND_TYPE_TAG,
  BTF_KIND_TYPEDEF,
  BTF_KIND_UNION,
  BTF_KIND_VAR,
  BTF_KIND_VOLATILE,
  BTF_TYPE,
} from "../abi/btf.ts";
import { BtfError } from "./btf-error.ts";
import type { BtfBytes } from "./sections.ts";

/** The kinds whose `type` is another type. */
const REFERENCES: ReadonlySet<number> = new Set([
  BTF_KIND_PTR,
  BTF_KIND_TYPEDEF,
  BTF_KIND_VOLATILE,
  BTF_KIND_CONST,
  BTF_KIND_RESTRICT,
  BTF_KIND_FUNC,
  BTF_KIND_FUNC_PROTO,
  BTF_KIND_VAR,
  BTF_KIND_DECL_TAG,
  BTF_KIND_TYPE_TAG,
]);

/** For each kind: the bytes of a part, and where in it stand a name and a type; −1 for none. */
const PARTS: readonly (readonly [stride: number, name: number, type: number])[] = parts();

/**
 * Where each type begins. One pass over the type section, which has no index of its own, makes no object: it checks
 * that kinds are known, that parts end inside the section, and that names and types exist which are referred to.
 */
export function indexTypes(
  bytes: BtfBytes,
  start: number,
  end: number,
  firstId: number,
  isName: (offset: number) => boolean,
): Uint32Array {
  const { view, isLittleEndian } = bytes;
  let offsets = new Uint32Array(Math.min((end - start) / BTF_TYPE.END, 1024));
  let count = 0;
  let greatest = 0;
  let greatestAt = 0;
  const word = (at: number): number => view.getUint32(at, isLittleEndian);
  const refuse = (at: number, reason: string): never => {
    throw new BtfError(at, `type ${firstId + count}: ${reason}`);
  };
  const checkName = (at: number): void => {
    if (!isName(word(at))) refuse(at, `there is no name at ${word(at)}`);
  };
  const checkType = (at: number): void => {
    const id = word(at);
    if (id <= greatest) return;
    greatest = id;
    greatestAt = at;
  };

  for (let at = start; at < end; count++) {
    if (end - at < BTF_TYPE.END) refuse(at, `${end - at} bytes are left where a type begins`);
    const info = word(at + BTF_TYPE.INFO);
    const kind = (info >>> 24) & 0x1f;
    const extent = BTF_KIND_EXTENT[kind];
    if (kind === 0 || extent === undefined) return refuse(at + BTF_TYPE.INFO, `there is no kind ${kind}`);
    const [own, each] = extent;
    const own_ = at + BTF_TYPE.END;
    const parts = own_ + own;
    const next = parts + each * (info & 0xffff);
    if (next > end) refuse(at, `${BTF_KIND_NAMES[kind]} reaches beyond the types, which end at ${end}`);
    checkName(at + BTF_TYPE.NAME);
    if (REFERENCES.has(kind)) checkType(at + BTF_TYPE.TYPE);
    if (kind === BTF_KIND_ARRAY) {
      checkType(own_);
      checkType(own_ + 4);
    }
    const [stride, name, type] = PARTS[kind] as (typeof PARTS)[number];
    for (let part = parts; part < next; part += stride) {
      if (name >= 0) checkName(part + name);
      if (type >= 0) checkType(part + type);
    }
    if (count === offsets.length) offsets = grown(offsets);
    offsets[count] = at;
    at = next;
  }
  if (greatest < firstId + count) return offsets.slice(0, count);
  throw new BtfError(greatestAt, `there is no type ${greatest}; the last is ${firstId + count - 1}`);
}

function grown(offsets: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(offsets.length * 2);
  larger.set(offsets);
  return larger;
}

function parts(): [number, number, number][] {
  const table = BTF_KIND_EXTENT.map(([, each]): [number, number, number] => [each, -1, -1]);
  table[BTF_KIND_STRUCT] = [12, 0, 4];
  table[BTF_KIND_UNION] = [12, 0, 4];
  table[BTF_KIND_ENUM] = [8, 0, -1];
  table[BTF_KIND_ENUM64] = [12, 0, -1];
  table[BTF_KIND_FUNC_PROTO] = [8, 0, 4];
  table[BTF_KIND_DATASEC] = [12, -1, 0];
  return table;
}
