import type { KernelObject, ObjectKind } from "./kernel-object.ts";
import { EmbeddedMap } from "./map-ops.ts";
import { SEGMENT } from "./segment.ts";

/** Perf events have no ids. */
const ID_NAMES: Readonly<Record<ObjectKind, string | undefined>> = {
  map: "map_id",
  program: "prog_id",
  btf: "btf_id",
  perf_event: undefined,
};

/**
 * What `/proc/self/fdinfo` says of an object, without what is said of every file: `bpf_map_show_fdinfo` and its like in
 * `kernel/bpf/syscall.c`, 6.18. `memlock` is the bytes of the map's segment.
 */
export function fdinfoOf(object: KernelObject): string {
  const name = ID_NAMES[object.kind];
  if (name === undefined) return "";
  const id: readonly [string, number] = [name, object.id];
  const lines = object instanceof EmbeddedMap ? linesOf(object, id) : [id];
  return lines.map(([name, value]) => `${name}:\t${value}\n`).join("");
}

function linesOf(map: EmbeddedMap, id: readonly [string, number]): (readonly [string, number | string])[] {
  const mapExtra = map.header(SEGMENT.MAP_EXTRA) + map.header(SEGMENT.MAP_EXTRA + 4) * 2 ** 32;
  return [
    ["map_type", map.type],
    ["key_size", map.keySize],
    ["value_size", map.valueSize],
    ["max_entries", map.maxEntries],
    ["map_flags", `0x${map.header(SEGMENT.MAP_FLAGS).toString(16)}`],
    ["map_extra", `0x${mapExtra.toString(16)}`],
    ["memlock", map.memory.sizeOf(map.base) ?? 0],
    id,
    ["frozen", map.isFrozen ? 1 : 0],
  ];
}
