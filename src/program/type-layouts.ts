import type { Btf } from "../btf/btf.ts";
import { array } from "../layout/array.ts";
import { bytes } from "../layout/bytes.ts";
import type { Layout } from "../layout/layout.ts";
import { bool, f32, f64, i8, i16, i32, u8, u16, u32 } from "../layout/scalar.ts";
import { i64, u64 } from "../layout/wide.ts";

/** How values of a type lie in memory; bytes for what has no layout of its own. */
export function layoutOfType(btf: Btf, id: number): Layout<unknown> {
  const type = btf.type(btf.resolve(id));
  const size = btf.sizeOf(id) ?? 0;
  switch (type.kind) {
    case "int":
      if (type.isBool) return bool as Layout<unknown>;
      return (type.isSigned ? { 1: i8, 2: i16, 4: i32, 8: i64 } : { 1: u8, 2: u16, 4: u32, 8: u64 })[
        size as 1 | 2 | 4 | 8
      ] as Layout<unknown>;
    case "enum":
      return (type.isSigned ? i32 : u32) as Layout<unknown>;
    case "ptr":
    case "enum64":
      return u64 as Layout<unknown>;
    case "float":
      return (size === 4 ? f32 : f64) as Layout<unknown>;
    case "array":
      return array(layoutOfType(btf, type.type), type.length) as Layout<unknown>;
    default:
      return bytes(size) as Layout<unknown>;
  }
}
