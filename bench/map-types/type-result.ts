import type { Measured } from "../rounds.ts";
import { ratioOf, type Spread, spreadOf } from "../statistics.ts";
import { MEASURED_TYPES, type MeasuredType } from "./measured-types.ts";
import { TYPE_MEASURES, type TypeMeasure } from "./type-measures.ts";
import { type TypeMemory, typeMemory } from "./type-memory.ts";
import { peerName, type TypeContender } from "./type-roster.ts";

/** One measure of one map type, in nanoseconds per operation. */
export interface TypeCell {
  readonly embedded?: Spread;
  readonly linux?: Spread;
  /** How many times as long Linux's system call takes; absent when one of the two is. */
  readonly times?: Spread;
}

/** A map type with what it was measured at. */
export interface TypeResult {
  readonly name: string;
  readonly title: string;
  readonly cells: Readonly<Partial<Record<TypeMeasure, TypeCell>>>;
  readonly bytesPerEntry: TypeMemory;
  /** The kernels that it could not be measured on, and why. */
  readonly absent: readonly { readonly title: string; readonly absent: string }[];
}

/** The map types that take part, each with its times on both kernels, and the memory that it takes. */
export function typeResults(
  contenders: readonly TypeContender[],
  { samples }: Measured<TypeMeasure>,
  entries: number,
): TypeResult[] {
  const measured = new Set(contenders.map((one) => one.type));
  return [...measured].map((name) => {
    const type = MEASURED_TYPES[name] as MeasuredType;
    const cells: Partial<Record<TypeMeasure, TypeCell>> = {};
    for (const measure of TYPE_MEASURES) {
      const cell = cellOf(samples[measure][peerName(name, "embedded")], samples[measure][peerName(name, "linux")]);
      if (cell !== undefined) cells[measure] = cell;
    }
    const absent = contenders.flatMap((one) =>
      one.type === name && one.absent !== undefined ? [{ title: one.title, absent: one.absent }] : [],
    );
    return { name, title: type.title, cells, bytesPerEntry: typeMemory(type, entries), absent };
  });
}

function cellOf(embedded: readonly number[] | undefined, linux: readonly number[] | undefined): TypeCell | undefined {
  if (embedded === undefined && linux === undefined) return undefined;
  return {
    ...(embedded === undefined ? {} : { embedded: spreadOf(embedded) }),
    ...(linux === undefined ? {} : { linux: spreadOf(linux) }),
    ...(embedded === undefined || linux === undefined ? {} : { times: ratioOf(linux, embedded) }),
  };
}
