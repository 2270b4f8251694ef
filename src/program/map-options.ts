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

/** `value` is what is said of its values, or records, that the object does not say: a layout, or the name of a type of the object. */
export function readingOf(
  definition: MapDefinition,
  btf: Btf | undefined,
  value?: Layout<unknown> | string,
): MapReading {
  const { type, inner } = definition;
  if (value !== undefined) return { ...readingOf(definition, btf), value: givenLayout(definition, btf, value) };
  const key = layoutOf(btf, definition.keyType, definition.keySize);
  if (type !== BPF_MAP_TYPE_ARRAY_OF_MAPS && type !== BPF_MAP_TYPE_HASH_OF_MAPS) {
    return { key, value: layoutOf(btf, definition.valueType, definition.valueSize) };
  }
  const innerType = inner && mapTypeName(inner.type);
  if (inner === undefined || innerType === undefined) return { key };
  return { key, inner: { type: innerType, ...readingOf(inner, btf) } };
}

function givenLayout({ name }: MapDefinition, btf: Btf | undefined, value: Layout<unknown> | string): Layout<unknown> {
  if (typeof value !== "string") return value;
  if (btf === undefined)
    throw new TypeError(`map ${name}: the object has no BTF to find ${value} in; compile it with -g`);
  try {
    return layoutOfType(btf, value);
  } catch (error) {
    const hint = `clang leaves out a type that no global refers to, as ${value} *unused __attribute__((unused)); does`;
    throw new TypeError(`map ${name}: ${(error as Error).message}; ${hint}`, { cause: error });
  }
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
