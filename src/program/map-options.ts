import { BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS, mapTypeName } from "../abi/map-types.ts";
import type { Btf } from "../btf/btf.ts";
import { layoutOfType } from "../btf/type-layout.ts";
import type { Layout } from "../layout/layout.ts";
import type { InnerLayouts, OpenOptions } from "../maps/map-spec.ts";
import type { MapDefinition } from "./map-definitions.ts";

/** How the map that an object defines is read: by the types of its BTF, and as bytes where it says none. */
export interface MapReading extends Pick<OpenOptions<unknown, unknown>, "key" | "value"> {
  readonly inner?: InnerLayouts | undefined;
}

export function readingOf(definition: MapDefinition, btf: Btf | undefined): MapReading {
  const { type, inner } = definition;
  const key = layoutOf(btf, definition.keyType, definition.keySize);
  if (type !== BPF_MAP_TYPE_ARRAY_OF_MAPS && type !== BPF_MAP_TYPE_HASH_OF_MAPS) {
    return { key, value: layoutOf(btf, definition.valueType, definition.valueSize) };
  }
  const innerType = inner && mapTypeName(inner.type);
  if (inner === undefined || innerType === undefined) return { key };
  return { key, inner: { type: innerType, ...readingOf(inner, btf) } };
}

/** The layout of a type, which is as large as the map has it; none for a type that has none, and bytes do. */
function layoutOf(btf: Btf | undefined, id: number, size: number): Layout<unknown> | undefined {
  if (btf === undefined || id === 0) return undefined;
  try {
    const layout = layoutOfType(btf, id);
    return layout.size === size ? layout : undefined;
  } catch {
    return undefined;
  }
}
