import { mapFlagCNames } from "../../abi/flag-names.ts";
import { type MapTypeName, mapTypeName, mapTypeNumber } from "../../abi/map-types.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { MapCreateOptions, Sys } from "../sys.ts";
import type { Failure, Rule } from "./failure.ts";
import { type MapTypeFacts, mapTypeFacts } from "./map-type-facts.ts";

/** A BPF_MAP_CREATE that failed: what was given, whole, and what is known of the type. */
export interface Creation {
  readonly kernel: Kernel;
  readonly sys: Sys;
  readonly errno: number;
  readonly given: MapCreateOptions;
  readonly type: number;
  readonly typeName: MapTypeName | undefined;
  /** The type with its article: `a hash`, `an array`, `map type 99`. */
  readonly aMap: string;
  readonly facts: MapTypeFacts | undefined;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

/** A rule for BPF_MAP_CREATE. */
export type CreationRule = (creation: Creation) => string | undefined;

/** The first of some rules for BPF_MAP_CREATE that has something to say, as a rule for failures. */
export function creationRule(...rules: readonly CreationRule[]): Rule {
  return (failure) => {
    const creation = creationOf(failure);
    if (creation === undefined) return undefined;
    for (const rule of rules) {
      const sentence = rule(creation);
      if (sentence !== undefined) return sentence;
    }
    return undefined;
  };
}

function creationOf({ kernel, sys, errno, create }: Failure): Creation | undefined {
  if (create === undefined) return undefined;
  const type = typeNumber(create);
  const typeName = mapTypeName(type);
  return {
    kernel,
    sys,
    errno,
    given: create,
    type,
    typeName,
    aMap: aMapOf(type),
    facts: mapTypeFacts(type),
    keySize: create.keySize ?? 0,
    valueSize: create.valueSize ?? 0,
    maxEntries: create.maxEntries ?? 0,
    flags: (create.flags ?? 0) >>> 0,
  };
}

function typeNumber({ type }: MapCreateOptions): number {
  return typeof type === "number" ? type : (mapTypeNumber(type) ?? 0);
}

function aMapOf(type: number): string {
  const name = mapTypeName(type);
  return name === undefined ? `map type ${type}` : `${articleOf(name)} ${name}`;
}

/** All that a map was to be, in one breath: `a hash named hits with keys of 4 and values of 8 bytes, maxEntries 16`. */
export function outline(given: MapCreateOptions): string {
  const name = given.name === undefined || given.name === "" ? "" : ` named ${given.name}`;
  const flags =
    given.flags === undefined || given.flags === 0 ? "" : `, flags ${mapFlagCNames(given.flags).join(" | ")}`;
  const sizes = `keys of ${given.keySize ?? 0} and values of ${given.valueSize ?? 0} bytes, maxEntries ${given.maxEntries ?? 0}`;
  return `${aMapOf(typeNumber(given))}${name} with ${sizes}${flags}`;
}

/** Names that begin with a vowel in speech: an array, an lru_hash, an xskmap. */
function articleOf(typeName: string): string {
  return /^(a|i|lru|lpm|sk_|xsk)/.test(typeName) ? "an" : "a";
}

/** The smallest map that a type makes; of a type that needs an inner map, one that gets as far as to miss it. */
export function smallestOf(type: number, facts: MapTypeFacts): MapCreateOptions {
  return {
    type,
    keySize: facts.keySize[0],
    valueSize: facts.valueSize[0],
    maxEntries: facts.maxEntries[0],
    flags: facts.needs,
    innerMapFd: -1,
  };
}

/** What the kernel answers to another BPF_MAP_CREATE: 0 or `−errno`. A map that is made is closed at once. */
export function tryOut(sys: Sys, options: MapCreateOptions): number {
  const fd = sys.mapCreate(options);
  if (fd < 0) return fd;
  sys.close(fd);
  return 0;
}
