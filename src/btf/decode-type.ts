import { BTF_INT_BOOL, BTF_INT_CHAR, BTF_INT_SIGNED, BTF_KIND_NAMES, BTF_TYPE } from "../abi/btf.ts";
import { type BtfType, LINKAGES } from "./btf-type.ts";
import type { BtfBytes } from "./sections.ts";

/** Reads the type that begins at `at`, of which `indexTypes` found that it lies inside the section. */
export function decodeType(
  { view, isLittleEndian }: BtfBytes,
  at: number,
  string: (offset: number) => string,
): BtfType {
  const word = (offset: number): number => view.getUint32(offset, isLittleEndian);
  const signed = (offset: number): number => view.getInt32(offset, isLittleEndian);
  const info = word(at + BTF_TYPE.INFO);
  const kind = BTF_KIND_NAMES[(info >>> 24) & 0x1f] ?? "void";
  const vlen = info & 0xffff;
  const hasKindFlag = info >>> 31 === 1;
  const name = string(word(at + BTF_TYPE.NAME));
  const type = word(at + BTF_TYPE.TYPE);
  const size = type;
  const behind = at + BTF_TYPE.END;

  const parts = <T>(stride: number, decode: (part: number) => T): T[] =>
    Array.from({ length: vlen }, (_, index) => decode(behind + index * stride));

  switch (kind) {
    case "void":
      return { kind };
    case "int": {
      const int = word(behind);
      const encoding = (int >>> 24) & 0xf;
      return {
        kind,
        name,
        size,
        bits: int & 0xff,
        bitOffset: (int >>> 16) & 0xff,
        isSigned: (encoding & BTF_INT_SIGNED) !== 0,
        isChar: (encoding & BTF_INT_CHAR) !== 0,
        isBool: (encoding & BTF_INT_BOOL) !== 0,
      };
    }
    case "ptr":
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
      return { kind, name, type };
    case "type_tag":
      return { kind, name, type, isAttribute: hasKindFlag };
    case "array":
      return { kind, type: word(behind), indexType: word(behind + 4), length: word(behind + 8) };
    case "struct":
    case "union": {
      const members = parts(12, (part) => {
        const offset = word(part + 8);
        return {
          name: string(word(part)),
          type: word(part + 4),
          bitOffset: hasKindFlag ? offset & 0xff_ffff : offset,
          bitfieldSize: hasKindFlag ? offset >>> 24 : 0,
        };
      });
      return { kind, name, size, members };
    }
    case "enum": {
      const value = hasKindFlag ? signed : word;
      const values = parts(8, (part) => ({ name: string(word(part)), value: value(part + 4) }));
      return { kind, name, size, isSigned: hasKindFlag, values };
    }
    case "enum64": {
      const high = hasKindFlag ? signed : word;
      const values = parts(12, (part) => ({
        name: string(word(part)),
        value: (BigInt(high(part + 8)) << 32n) | BigInt(word(part + 4)),
      }));
      return { kind, name, size, isSigned: hasKindFlag, values };
    }
    case "fwd":
      return { kind, name, isUnion: hasKindFlag };
    case "func":
      return { kind, name, type, linkage: LINKAGES[vlen] ?? "static" };
    case "func_proto":
      return { kind, type, params: parts(8, (part) => ({ name: string(word(part)), type: word(part + 4) })) };
    case "var":
      return { kind, name, type, linkage: LINKAGES[word(behind)] ?? "static" };
    case "datasec": {
      const variables = parts(12, (part) => ({ type: word(part), offset: word(part + 4), size: word(part + 8) }));
      return { kind, name, size, variables };
    }
    case "float":
      return { kind, name, size };
    case "decl_tag":
      return { kind, name, type, componentIndex: signed(behind), isAttribute: hasKindFlag };
  }
}
