import { BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS } from "../abi/map-types.ts";
import type { Btf } from "../btf/btf.ts";
import type { BtfMember } from "../btf/btf-type.ts";
import { type ElfFile, type ElfSection, type ElfSymbol, STT_SECTION } from "./elf.ts";
import { ObjectError } from "./object-error.ts";

/** The section of maps that BTF describes. */
export const MAPS = ".maps";
/** That of maps that a `struct bpf_map_def` describes, as they were before libbpf 1.0. */
export const LEGACY_MAPS = "maps";

/** A map as an object defines it. What is not said is 0. */
export interface MapDefinition {
  readonly name: string;
  /** `BPF_MAP_TYPE_…` */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: number;
  readonly numaNode: number;
  /** Whether the map is pinned under its name, and found there. */
  readonly isPinned: boolean;
  /** The ids of the types of keys and values in the object's BTF, 0 for none. */
  readonly keyType: number;
  readonly valueType: number;
  /** What the maps in a map of maps are like. */
  readonly inner?: MapDefinition | undefined;
  /** What is in the map from the beginning, by index: maps, or programs. */
  readonly slots: ReadonlyMap<number, ElfSymbol>;
  /** Where it is defined. */
  readonly section: string;
  readonly offset: number;
}

/** The maps that an object defines, in either way. */
export function mapDefinitions(elf: ElfFile, btf: Btf | undefined): MapDefinition[] {
  const legacy = elf.section(LEGACY_MAPS);
  const section = elf.section(MAPS);
  const old = legacy === undefined || legacy.size === 0 ? [] : legacyMaps(elf, legacy);
  if (section === undefined || section.size === 0) return old;
  if (btf === undefined) {
    throw new ObjectError("its maps are described by BTF, of which the object has none: compile with -g", {
      section: MAPS,
    });
  }
  return [...old, ...new MapReader(elf, btf, section).maps()];
}

/** Reads `.maps`: each variable is a struct whose members say by their types what the map is. */
class MapReader {
  readonly #elf: ElfFile;
  readonly #btf: Btf;
  readonly #section: ElfSection;

  constructor(elf: ElfFile, btf: Btf, section: ElfSection) {
    this.#elf = elf;
    this.#btf = btf;
    this.#section = section;
  }

  maps(): MapDefinition[] {
    const id = this.#btf.find(MAPS, "datasec");
    const section = id === undefined ? undefined : this.#btf.type(id);
    if (section?.kind !== "datasec") throw new ObjectError("the BTF says nothing of it", { section: MAPS });
    const slots = this.#slots();
    return section.variables.map(({ type, offset, size }) => {
      const variable = this.#btf.type(type);
      if (variable.kind !== "var") throw this.#error(offset, `the BTF has a ${variable.kind} here`);
      const own = [...slots.entries()].filter(([at]) => at >= offset && at < offset + size);
      return this.#map(variable.name, variable.type, offset, new Map(own));
    });
  }

  /** What the compiler left to be filled in, by its place in the section. */
  #slots(): ReadonlyMap<number, ElfSymbol> {
    return new Map(this.#elf.relocationsOf(this.#section).map(({ offset, symbol }) => [offset, symbol]));
  }

  #map(name: string, type: number, offset: number, slots: ReadonlyMap<number, ElfSymbol>): MapDefinition {
    const definition = this.#btf.type(this.#btf.resolve(type));
    if (definition.kind !== "struct") throw this.#error(offset, `map ${name} is a ${definition.kind}, not a struct`);
    const numbers = new Map<string, number>();
    const found = { keyType: 0, valueType: 0, keySize: 0, valueSize: 0 };
    let inner: MapDefinition | undefined;
    let own = new Map<number, ElfSymbol>();
    for (const member of definition.members) {
      switch (member.name) {
        case "type":
        case "max_entries":
        case "map_flags":
        case "map_extra":
        case "numa_node":
        case "pinning":
        case "key_size":
        case "value_size":
          numbers.set(member.name, this.#number(name, offset, member));
          break;
        case "key":
          found.keyType = this.#pointee(name, offset, member);
          found.keySize = this.#sizeOf(name, offset, member, found.keyType);
          break;
        case "value":
          found.valueType = this.#pointee(name, offset, member);
          found.valueSize = this.#sizeOf(name, offset, member, found.valueType);
          break;
        case "values":
          inner = this.#inner(name, offset, member);
          own = slotsOf(slots, offset + member.bitOffset / 8);
          break;
        default:
          throw this.#error(offset, `map ${name} has ${member.name}, which says nothing of a map`);
      }
    }
    const type_ = numbers.get("type");
    if (type_ === undefined || type_ === 0) throw this.#error(offset, `map ${name} has no type`);
    const holdsFds = definition.members.some((member) => member.name === "values");
    return {
      name,
      type: type_,
      keySize: this.#agreed(name, offset, "key", found.keySize, numbers.get("key_size")),
      valueSize: this.#agreed(name, offset, "value", found.valueSize, numbers.get("value_size")) || (holdsFds ? 4 : 0),
      maxEntries: numbers.get("max_entries") ?? 0,
      flags: numbers.get("map_flags") ?? 0,
      mapExtra: numbers.get("map_extra") ?? 0,
      numaNode: numbers.get("numa_node") ?? 0,
      isPinned: this.#pinning(name, offset, numbers.get("pinning") ?? 0),
      keyType: found.keyType,
      valueType: found.valueType,
      inner,
      slots: own,
      section: MAPS,
      offset,
    };
  }

  /** `__uint(name, 5)` is a pointer to an array of 5, `__ulong(name, 5)` an enum of which the one value is 5. */
  #number(map: string, offset: number, member: BtfMember): number {
    const type = this.#btf.type(this.#btf.resolve(member.type));
    if (type.kind === "ptr") {
      const array = this.#btf.type(this.#btf.resolve(type.type));
      if (array.kind === "array") return array.length;
    }
    if ((type.kind === "enum" || type.kind === "enum64") && type.values[0] !== undefined) {
      return Number(type.values[0].value);
    }
    throw this.#error(offset, `map ${map} does not say ${member.name} by __uint`);
  }

  #pointee(map: string, offset: number, member: BtfMember): number {
    const type = this.#btf.type(this.#btf.resolve(member.type));
    if (type.kind === "ptr") return type.type;
    throw this.#error(offset, `map ${map} does not say ${member.name} by __type`);
  }

  #sizeOf(map: string, offset: number, member: BtfMember, type: number): number {
    const size = this.#btf.sizeOf(type);
    if (size === undefined) throw this.#error(offset, `map ${map} has a ${member.name} whose size is not known`);
    return size;
  }

  #inner(map: string, offset: number, member: BtfMember): MapDefinition | undefined {
    const array = this.#btf.type(this.#btf.resolve(member.type));
    const element = array.kind === "array" ? this.#btf.type(this.#btf.resolve(array.type)) : undefined;
    if (element?.kind !== "ptr") throw this.#error(offset, `map ${map} does not say values by __array`);
    const pointee = this.#btf.resolve(element.type);
    if (this.#btf.kindOf(pointee) === "func_proto") return undefined;
    return this.#map(`${map}.inner`, pointee, offset, new Map());
  }

  #agreed(map: string, offset: number, what: string, byType: number, bySize: number | undefined): number {
    if (byType === 0 || bySize === undefined || byType === bySize) return byType || (bySize ?? 0);
    throw this.#error(offset, `map ${map} has a ${what} of ${byType} bytes, but ${what}_size is ${bySize}`);
  }

  #pinning(map: string, offset: number, pinning: number): boolean {
    if (pinning > 1) throw this.#error(offset, `map ${map} has pinning ${pinning}; LIBBPF_PIN_BY_NAME is 1`);
    return pinning === 1;
  }

  #error(offset: number, reason: string): ObjectError {
    return new ObjectError(reason, { section: MAPS, offset });
  }
}

/** What fills the elements of `values`, which begins at `start`, by index. */
function slotsOf(slots: ReadonlyMap<number, ElfSymbol>, start: number): Map<number, ElfSymbol> {
  return new Map([...slots.entries()].map(([at, symbol]) => [(at - start) / 8, symbol]));
}

/** `struct bpf_map_def`: five numbers, and behind them only zeros. */
function legacyMaps(elf: ElfFile, section: ElfSection): MapDefinition[] {
  const symbols = elf.symbols
    .filter((symbol) => symbol.section === section.index && symbol.type !== STT_SECTION && symbol.name !== "")
    .sort((one, other) => one.value - other.value);
  const each = section.size / symbols.length;
  const view = new DataView(section.data.buffer, section.data.byteOffset, section.data.byteLength);
  if (!Number.isInteger(each) || each < 20) {
    throw new ObjectError(`${section.size} bytes are no ${symbols.length} maps`, { section: section.name });
  }
  return symbols.map(({ name, value: offset }) => {
    const place = { section: section.name, offset };
    if (offset + each > section.data.length) throw new ObjectError(`map ${name} reaches beyond its section`, place);
    const word = (index: number): number => view.getUint32(offset + index * 4, true);
    if (section.data.subarray(offset + 20, offset + each).some((byte) => byte !== 0)) {
      throw new ObjectError(`map ${name} has more than five fields: describe it with BTF, in SEC(".maps")`, place);
    }
    if (word(0) === BPF_MAP_TYPE_ARRAY_OF_MAPS || word(0) === BPF_MAP_TYPE_HASH_OF_MAPS) {
      throw new ObjectError(`map ${name} does not say what its maps are: describe it in SEC(".maps")`, place);
    }
    return {
      name,
      type: word(0),
      keySize: word(1),
      valueSize: word(2),
      maxEntries: word(3),
      flags: word(4),
      mapExtra: 0,
      numaNode: 0,
      isPinned: false,
      keyType: 0,
      valueType: 0,
      slots: new Map(),
      section: section.name,
      offset,
    };
  });
}
