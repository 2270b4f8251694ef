import { BPF_OBJ_NAME_LEN } from "../../../../abi/attr.ts";
import { BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG } from "../../../../abi/flags.ts";
import { mapTypeName } from "../../../../abi/map-types.ts";
import type { SpecialField } from "../../btf/special-fields.ts";
import type { EmbeddedMap } from "../../map-ops.ts";
import { type InnerShape, isMapOfMaps } from "../../maps/inner-meta.ts";
import { SEGMENT } from "../../segment.ts";

/** A map as the verifier sees it: one that is, or what is known of all that may lie in a map of maps. */
export class MapView {
  /** The map itself; `undefined` for those in a map of maps. */
  readonly map: EmbeddedMap | undefined;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly name: string;
  /** What its values are, when they are maps. */
  readonly inner: MapView | undefined;
  /** Where in the value a `struct bpf_spin_lock` or `struct bpf_timer` lies. */
  readonly spinLockOffset: number | undefined;
  readonly timerOffset: number | undefined;
  /** What of the value is no data: locks, timers, pointers of programs. */
  readonly fields: readonly SpecialField[];

  private constructor(
    facts: InnerShape,
    fields: readonly SpecialField[],
    name: string,
    map: EmbeddedMap | undefined,
    inner: MapView | undefined,
  ) {
    this.map = map;
    this.type = facts.type;
    this.keySize = facts.keySize;
    this.valueSize = facts.valueSize;
    this.maxEntries = facts.maxEntries;
    this.flags = facts.flags;
    this.name = name;
    this.inner = inner;
    this.fields = fields;
    this.spinLockOffset = this.fields.find(({ type }) => type === "bpf_spin_lock")?.offset;
    this.timerOffset = this.fields.find(({ type }) => type === "bpf_timer")?.offset;
  }

  static of(map: EmbeddedMap): MapView {
    const { type, keySize, valueSize, maxEntries } = map;
    const meta = isMapOfMaps(map) ? map.innerMeta : undefined;
    const inner = meta && new MapView(meta, meta.fields, "", undefined, undefined);
    const flags = map.header(SEGMENT.MAP_FLAGS);
    const fields = map.record?.fields ?? [];
    return new MapView({ type, keySize, valueSize, maxEntries, flags }, fields, nameOf(map), map, inner);
  }

  /** Programs may read its values, or write them. */
  get isReadable(): boolean {
    return (this.flags & BPF_F_WRONLY_PROG) === 0;
  }

  get isWritable(): boolean {
    return (this.flags & BPF_F_RDONLY_PROG) === 0;
  }

  /** Nobody will change its values any more: `bpf_map_is_rdonly`. */
  get isConstant(): boolean {
    return !this.isWritable && this.map?.isFrozen === true && this.map.writableMappings === 0;
  }

  /** Where the values of an array lie, which a program may have as constants; 0 in any other map. */
  get directValue(): number {
    return this.map?.directValue ?? 0;
  }

  /** The bytes of a value that will not change, little-endian. */
  readConstant(offset: number, size: number): bigint {
    const { u8 } = (this.map as EmbeddedMap).memory;
    let value = 0n;
    for (let byte = size - 1; byte >= 0; byte--)
      value = (value << 8n) | BigInt(u8[this.directValue + offset + byte] as number);
    return value;
  }

  /** How a message calls it. */
  get label(): string {
    const type = mapTypeName(this.type) ?? `type ${this.type}`;
    return this.name === "" ? `a map of type ${type}` : `map "${this.name}" (${type})`;
  }
}

function nameOf(map: EmbeddedMap): string {
  const start = map.base + SEGMENT.NAME;
  const bytes = map.memory.u8.subarray(start, start + BPF_OBJ_NAME_LEN);
  return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
}
