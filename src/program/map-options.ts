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

export function readingOf({ type, keyType, valueType, inner }: MapDefinition, btf: Btf | undefined): MapReading {
  const layoutOf = (id: number): Layout<unknown> | undefined =>
    btf === undefined || id === 0 ? undefined : layoutOfType(btf, id);
  const key = layoutOf(keyType);
  if (type !== BPF_MAP_TYPE_ARRAY_OF_MAPS && type !== BPF_MAP_TYPE_HASH_OF_MAPS)
    return { key, value: layoutOf(valueType) };
  const innerType = inner && mapTypeName(inner.type);
  if (inner === undefined || innerType === undefined) return { key };
  return { key, inner: { type: innerType, ...readingOf(inner, btf) } };
}
