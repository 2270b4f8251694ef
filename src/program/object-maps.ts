import { BPF_MAP_CREATE, BPF_OBJ_GET, BPF_OBJ_PIN } from "../abi/commands.ts";
import { EINVAL, ENOENT } from "../abi/errno.ts";
import { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG } from "../abi/flags.ts";
import {
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_CGROUP_ARRAY,
  BPF_MAP_TYPE_CPUMAP,
  BPF_MAP_TYPE_DEVMAP,
  BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BPF_MAP_TYPE_RINGBUF,
  BPF_MAP_TYPE_SOCKHASH,
  BPF_MAP_TYPE_SOCKMAP,
  BPF_MAP_TYPE_STACK_TRACE,
  BPF_MAP_TYPE_USER_RINGBUF,
  BPF_MAP_TYPE_XSKMAP,
  mapTypeName,
} from "../abi/map-types.ts";
import type { MapContext } from "../maps/map-context.ts";
import { PAGE_SIZE } from "../memory/page-allocator.ts";
import { BpfError } from "../sys/bpf-error.ts";
import type { MapCreateOptions } from "../sys/sys.ts";
import type { DataSection } from "./data-sections.ts";
import type { MapDefinition } from "./map-definitions.ts";
import { ObjectError } from "./object-error.ts";

/** The types that take no BTF for their keys and values: what they hold is the kernel's own (`libbpf.c: bpf_object__create_map`). */
const WITHOUT_BTF: ReadonlySet<number> = new Set([
  BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BPF_MAP_TYPE_CGROUP_ARRAY,
  BPF_MAP_TYPE_STACK_TRACE,
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_DEVMAP,
  BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_CPUMAP,
  BPF_MAP_TYPE_XSKMAP,
  BPF_MAP_TYPE_SOCKMAP,
  BPF_MAP_TYPE_SOCKHASH,
]);

/** How the maps of an object are made. */
export interface MapMaking {
  readonly context: MapContext;
  /** The fd of the object's BTF on the kernel; `undefined` when it has none. */
  readonly btfFd: number | undefined;
  /** The directory of the maps that are pinned by name. */
  readonly pinPath: string;
}

/** Makes a map, or opens the one that is pinned under its name. Answers its fd; throws a `BpfError`. */
export function makeMap(making: MapMaking, definition: MapDefinition): number {
  if (!definition.isPinned) return create(making, definition);
  const { sys, kernel } = making.context;
  const path = `${making.pinPath}/${definition.name}`;
  const pinned = sys.objGet(path);
  if (pinned >= 0) return checked(making, definition, path, pinned);
  if (pinned !== -ENOENT) throw new BpfError({ kernel, sys, command: BPF_OBJ_GET, errno: pinned, path });
  const fd = create(making, definition);
  const result = sys.objPin(fd, path);
  if (result === 0) return fd;
  sys.close(fd);
  throw new BpfError({ kernel, sys, command: BPF_OBJ_PIN, errno: result, path, map: definition.name });
}

/** Makes the array of one element that a section of variables becomes. */
export function makeSection(making: MapMaking, section: DataSection, name: string): number {
  // `libbpf.c: map_is_mmapable`: what is static is for the program alone, and may hold what cannot be mapped, a lock.
  const isShared = section.variables.length === 0 || section.variables.some(({ isStatic }) => !isStatic);
  const flags = (isShared ? BPF_F_MMAPABLE : 0) | (section.isReadOnly ? BPF_F_RDONLY_PROG : 0);
  const sizes = { keySize: 4, valueSize: section.bytes.length, maxEntries: 1 };
  return createWithBtf(making, { type: BPF_MAP_TYPE_ARRAY, name, flags, ...sizes }, 0, section.type);
}

/** The name of a section's array: `counter.bss`, of which the kernel keeps 15 bytes; what has two dots is known by itself. */
export function sectionMapName(object: string, section: string): string {
  if (section.indexOf(".", 1) >= 0) return section.slice(1);
  const room = 15 - section.length;
  return (object.slice(0, Math.min(8, room)) + section).replaceAll(/[^A-Za-z0-9_.]/g, "_");
}

function create(making: MapMaking, definition: MapDefinition): number {
  const { inner, name, flags, mapExtra, keySize, valueSize } = definition;
  const isOfMaps = definition.type === BPF_MAP_TYPE_ARRAY_OF_MAPS || definition.type === BPF_MAP_TYPE_HASH_OF_MAPS;
  if (isOfMaps && inner === undefined) {
    const place = { section: definition.section, offset: definition.offset };
    throw new ObjectError(`map ${name} does not say what its maps are: __array(values, struct …)`, place);
  }
  const innerFd = isOfMaps && inner !== undefined ? create(making, { ...inner, name: `${inner.name}` }) : undefined;
  const options: MapCreateOptions = {
    type: definition.type,
    name,
    keySize: keySize || (isOfMaps ? 4 : 0),
    valueSize,
    maxEntries: entriesOf(making, definition),
    flags,
    mapExtra,
    numaNode: definition.numaNode,
    innerMapFd: innerFd,
  };
  try {
    return createWithBtf(making, options, definition.keyType, definition.valueType);
  } finally {
    if (innerFd !== undefined) making.context.sys.close(innerFd);
  }
}

/** With BTF if the kernel takes it: some types take none. */
function createWithBtf(making: MapMaking, options: MapCreateOptions, keyType: number, valueType: number): number {
  const { context, btfFd } = making;
  const { sys, kernel } = context;
  const isDescribed = btfFd !== undefined && valueType !== 0 && !WITHOUT_BTF.has(options.type as number);
  if (isDescribed) {
    const fd = sys.mapCreate({ ...options, btfFd, btfKeyTypeId: keyType, btfValueTypeId: valueType });
    if (fd >= 0) return fd;
  }
  const fd = sys.mapCreate(options);
  if (fd >= 0) return fd;
  throw new BpfError({ kernel, sys, command: BPF_MAP_CREATE, errno: fd, create: options, map: options.name });
}

/** What libbpf makes of `max_entries`: all CPUs where none are said, and for a ring buffer whole pages, a power of two. */
function entriesOf({ context }: MapMaking, { type, maxEntries }: MapDefinition): number {
  if (type === BPF_MAP_TYPE_PERF_EVENT_ARRAY && maxEntries === 0) return context.kernel.possibleCpus;
  if (type !== BPF_MAP_TYPE_RINGBUF && type !== BPF_MAP_TYPE_USER_RINGBUF) return maxEntries;
  return maxEntries === 0 ? 0 : Math.max(PAGE_SIZE, 2 ** Math.ceil(Math.log2(maxEntries)));
}

/** A pinned map that is taken for one of an object must be as that one would be made. */
function checked(making: MapMaking, definition: MapDefinition, path: string, fd: number): number {
  const { sys, kernel } = making.context;
  const info = sys.objGetInfoByFd(fd);
  const type = mapTypeName(definition.type);
  const wanted = {
    type,
    keySize: definition.keySize,
    valueSize: definition.valueSize,
    maxEntries: entriesOf(making, definition),
    mapFlags: definition.flags,
  };
  for (const [field, value] of Object.entries(wanted)) {
    const found = typeof info === "number" ? undefined : info[field as keyof typeof wanted];
    if (found === value) continue;
    sys.close(fd);
    if (typeof info === "number") throw new BpfError({ kernel, sys, command: BPF_OBJ_GET, errno: -EINVAL, path });
    const place = { section: definition.section, offset: definition.offset };
    const reason = `map ${definition.name} has ${field} ${value}, but the one that is pinned at ${path} has ${found}`;
    throw new ObjectError(`${reason}: remove that pin, or change the object`, place);
  }
  return fd;
}
