import { Btf } from "../btf/btf.ts";
import { type Declared, declarations } from "../btf/declarations.ts";
import { ObjectFile } from "../program/object-file.ts";
import type { MapInfo } from "../sys/map-info.ts";
import type { Sys } from "../sys/sys.ts";

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

/**
 * TypeScript for what a file says of types: an object file that clang made – the keys and values of its maps and its
 * sections of global variables –, or BTF itself, of which every struct with a name is declared, or those in `names` alone.
 * Throws an `Error` for a file without types.
 */
export function typesOfFile(bytes: Uint8Array, names: readonly string[] = []): string {
  const isElf = ELF_MAGIC.every((byte, index) => bytes[index] === byte);
  return isElf ? typesOfObject(new ObjectFile(bytes), names) : typesOfBtf(new Btf(bytes), names);
}

/** TypeScript for the keys and values of a map that is there. Throws an `Error` when it has no BTF. */
export function typesOfMap(sys: Sys, info: MapInfo): string {
  if (info.btfId === 0) throw new Error(`map ${info.name || `#${info.id}`} has no BTF`);
  const btfFd = sys.btfGetFdById(info.btfId);
  const btfInfo = btfFd < 0 ? btfFd : sys.btfGetInfoByFd(btfFd);
  if (typeof btfInfo === "number") throw new Error(`BTF ${info.btfId} cannot be read: that takes CAP_SYS_ADMIN`);
  const bytes = new Uint8Array(btfInfo.btfSize);
  sys.btfGetInfoByFd(btfFd, bytes);
  sys.close(btfFd);
  const name = info.name === "" ? "map" : info.name;
  return declarations(new Btf(bytes), ofMap(name, info.btfKeyTypeId, info.btfValueTypeId));
}

function typesOfObject({ maps, btf }: ObjectFile, names: readonly string[]): string {
  if (btf === undefined) throw new Error("the object has no BTF: compile it with -g");
  const isWanted = (name: string): boolean => names.length === 0 || names.includes(name);
  const declared = maps
    .filter(({ name }) => isWanted(name))
    .flatMap(({ name, keyType, valueType }) => ofMap(name, keyType, valueType));
  const sections = [...btf.types()].flatMap(([id, type]) =>
    type.kind === "datasec" && /^\.(data|rodata|bss)/.test(type.name) && isWanted(type.name)
      ? [{ name: type.name.slice(1).replaceAll(".", "_"), id }]
      : [],
  );
  return declarations(btf, [...declared, ...sections]);
}

function typesOfBtf(btf: Btf, names: readonly string[]): string {
  const declared: Declared[] = [];
  const seen = new Set<string>();
  for (const [id, type] of btf.types()) {
    const isNamed = (type.kind === "struct" || type.kind === "union") && type.name !== "" && !seen.has(type.name);
    if (!isNamed || (names.length > 0 && !names.includes(type.name))) continue;
    seen.add(type.name);
    declared.push({ name: type.name, id });
  }
  return declarations(btf, declared);
}

function ofMap(name: string, keyType: number, valueType: number): Declared[] {
  const key = keyType === 0 ? [] : [{ name: `${name}_key`, id: keyType }];
  return valueType === 0 ? key : [...key, { name: `${name}_value`, id: valueType }];
}
