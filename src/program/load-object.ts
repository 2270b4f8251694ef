import { BPF_MAP_FREEZE, BPF_MAP_UPDATE_ELEM } from "../abi/commands.ts";
import { BPF_MAP_TYPE_PROG_ARRAY } from "../abi/map-types.ts";
import type { Btf } from "../btf/btf.ts";
import type { BtfBuilder } from "../btf/btf-builder.ts";
import type { BtfExt } from "../btf/btf-ext.ts";
import { layoutOfType } from "../btf/type-layout.ts";
import { BPF_PSEUDO_MAP_VALUE } from "../isa/opcodes.ts";
import { nearest, quote } from "../layout/fault.ts";
import type { Layout } from "../layout/layout.ts";
import type { BpfMap } from "../maps/bpf-map.ts";
import type { MapContext } from "../maps/map-context.ts";
import { BpfError } from "../sys/bpf-error.ts";
import { BpfObject, type ObjectTypes } from "./bpf-object.ts";
import type { BpfProgram } from "./bpf-program.ts";
import { CoreAdaptation } from "./core/adaptation.ts";
import type { DataSection, VariableDefinition } from "./data-sections.ts";
import type { ElfSymbol } from "./elf.ts";
import { KCONFIG } from "./externs.ts";
import type { FunctionCode } from "./functions.ts";
import { type KconfigValue, kconfigSection } from "./kconfig.ts";
import { KernelSymbols } from "./kernel-symbols.ts";
import { KernelTypes } from "./kernel-types.ts";
import { FUNC_INFO_SIZE, LINE_INFO_SIZE, link, sourceInfo } from "./link.ts";
import type { MapDefinition } from "./map-definitions.ts";
import { loadedBtf } from "./object-btf.ts";
import { ObjectError } from "./object-error.ts";
import type { ObjectFile, ProgramDefinition } from "./object-file.ts";
import { makeMap, makeSection, sectionMapName } from "./object-maps.ts";
import { loadProgram } from "./prog-load.ts";
import { type KernelReference, type RelocatedFunction, relocate } from "./relocate.ts";
import { LiveSection, memoryOf } from "./variables.ts";

/** What is said of a map of an object besides. */
export interface ObjectMapOptions {
  /** How many entries it has. */
  readonly maxEntries?: number | undefined;
  /**
   * How its values lie, or its records: the map of a ring buffer does not say. A layout, or the name in C of a type that the
   * object has, `"struct event"`. clang leaves out a type that no global refers to: `struct event *unused __attribute__((unused));`
   * keeps it.
   */
  readonly value?: Layout<unknown> | string | undefined;
}

/** How an object is loaded. */
export interface LoadOptions {
  /** What the object is called: maps of its variables are named after it. The file's name when there is one. */
  readonly name?: string | undefined;
  /** What global variables are when the programs begin, constants among them: after that these never change. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  /** What is otherwise than the object says of its maps, or what it does not say. */
  readonly maps?: Readonly<Record<string, ObjectMapOptions>> | undefined;
  /** Which programs are loaded, true or false by name; the others as the object says, by `SEC("?…")`. */
  readonly programs?: Readonly<Record<string, boolean>> | undefined;
  /** The types of the kernel that CO-RE relocations are made against; those of the kernel that it is loaded into, when not given. */
  readonly btf?: Btf | Uint8Array | undefined;
  /** The values of `extern … __kconfig` variables. */
  readonly kconfig?: Readonly<Record<string, KconfigValue>> | undefined;
  /** The directory of maps that are pinned by name, `/sys/fs/bpf` when it is not given. */
  readonly pinPath?: string | undefined;
}

/** How a map that was made becomes a typed one. */
export type WrapMap = (fd: number, definition: MapDefinition) => BpfMap;

/** Loads an object into a kernel. Whatever fails, nothing is left behind but pins. */
export function loadObject(
  context: MapContext,
  object: ObjectFile,
  options: LoadOptions,
  wrap: WrapMap,
): BpfObject<ObjectTypes> {
  const loading = new Loading(context, object, options, wrap);
  try {
    return loading.load();
  } catch (error) {
    loading.abandon();
    throw error;
  }
}

class Loading {
  readonly #context: MapContext;
  readonly #object: ObjectFile;
  readonly #options: LoadOptions;
  readonly #wrap: WrapMap;
  /** fds that no object owns yet, and how maps are known that one does. */
  readonly #fds: number[] = [];
  readonly #maps: Record<string, BpfMap> = Object.create(null);
  readonly #programs: Record<string, BpfProgram> = Object.create(null);
  readonly #sectionFds = new Map<string, number>();
  readonly #live: LiveSection[] = [];
  readonly #relocated = new Map<FunctionCode, RelocatedFunction>();

  readonly #kernel: KernelTypes;
  readonly #core: CoreAdaptation;
  readonly #symbols: KernelSymbols;

  constructor(context: MapContext, object: ObjectFile, options: LoadOptions, wrap: WrapMap) {
    this.#kernel = new KernelTypes(context, options.btf, object.btf);
    this.#core = new CoreAdaptation(object, this.#kernel);
    this.#symbols = new KernelSymbols(object, this.#kernel);
    this.#context = context;
    this.#object = object;
    this.#options = options;
    this.#wrap = wrap;
  }

  load(): BpfObject<ObjectTypes> {
    this.#checkNames();
    const initial = this.#object.sections.map((section) => this.#initialized(section));
    const kconfig = kconfigSection(this.#object, this.#options.kconfig ?? {});
    if (kconfig !== undefined) initial.push(kconfig);
    const wanted = this.#object.programs.filter(({ name, isLoaded }) => this.#options.programs?.[name] ?? isLoaded);
    const strings = this.#object.btf && loadedBtf(this.#object.btf, this.#object.btfExt);
    const btfFd = strings === undefined ? undefined : this.#loadBtf(strings);
    const making = { context: this.#context, btfFd, pinPath: this.#options.pinPath ?? "/sys/fs/bpf" };
    for (const definition of this.#object.maps) {
      const maxEntries = this.#options.maps?.[definition.name]?.maxEntries ?? definition.maxEntries;
      const fd = makeMap(making, { ...definition, maxEntries });
      this.#maps[definition.name] = this.#wrap(fd, definition);
    }
    for (const section of initial) {
      const name = sectionMapName(this.#object.name, section.name);
      const fd = this.#own(makeSection(making, section, name));
      this.#fill(section, fd);
      this.#sectionFds.set(section.name, fd);
      this.#live.push(new LiveSection(this.#context, section, fd));
    }
    this.#fillMapsOfMaps();
    for (const program of wanted) {
      this.#programs[program.name] = this.#loadProgram(program, btfFd, strings);
    }
    this.#fillProgArrays();
    return new BpfObject({
      maps: Object.freeze(this.#maps),
      programs: Object.freeze(this.#programs),
      variables: this.#variables(),
      sections: this.#live,
      release: () => this.#closeFds(),
    });
  }

  /** Closes all that was opened so far. */
  abandon(): void {
    for (const program of Object.values(this.#programs)) program.close();
    for (const section of this.#live) section.release();
    for (const map of Object.values(this.#maps)) map.close();
    this.#closeFds();
  }

  #loadProgram(program: ProgramDefinition, btfFd: number | undefined, strings: BtfBuilder | undefined): BpfProgram {
    const { meaning, name, code, section } = program;
    const place = { section: code.section, offset: code.start };
    if (meaning === undefined) {
      throw new ObjectError(`"${section}" says not of what type program ${name} is: SEC("xdp"), for one, does`, place);
    }
    if (meaning.type === "struct_ops") {
      throw new ObjectError(`program ${name} is one of a struct_ops, which mapiary does not load`, place);
    }
    const linked = link(code, (part) => this.#relocate(part));
    const source = strings && this.#object.btfExt && btfFd !== undefined;
    const info = source ? sourceInfo(linked, this.#object.btfExt as BtfExt, strings) : {};
    return loadProgram(
      this.#context,
      {
        type: meaning.type,
        name,
        license: this.#object.license,
        insns: linked.instructions,
        expectedAttachType: meaning.expectedAttachType,
        flags: meaning.flags,
        attachBtfId: meaning.target && this.#kernel.find(meaning.target, place),
        progBtfFd: info.funcInfo && btfFd,
        funcInfo: info.funcInfo,
        funcInfoRecSize: info.funcInfo && FUNC_INFO_SIZE,
        lineInfo: info.lineInfo,
        lineInfoRecSize: info.lineInfo && LINE_INFO_SIZE,
      },
      (log) => this.#core.explain(log),
    );
  }

  #relocate(code: FunctionCode): RelocatedFunction {
    const known = this.#relocated.get(code);
    if (known !== undefined) return known;
    const relocated = relocate(this.#object, code, this.#core.adapt(code), {
      mapFd: (name) => this.#maps[name]?.fd,
      sectionFd: (name) => this.#sectionFds.get(name),
      kernelSymbol: (name, place) => this.#configured(name) ?? this.#symbols.resolve(name, place),
    });
    this.#relocated.set(code, relocated);
    return relocated;
  }

  /** How an instruction refers to a value of the kernel's configuration. */
  #configured(name: string): KernelReference | undefined {
    const live = this.#live.find(({ section }) => section.name === KCONFIG);
    const variable = live?.section.variables.find((each) => each.name === name);
    const fd = this.#sectionFds.get(KCONFIG);
    return variable && fd !== undefined ? { src: BPF_PSEUDO_MAP_VALUE, imm: fd, next: variable.offset } : undefined;
  }

  /** The section as it is when the programs begin. */
  #initialized(section: DataSection): DataSection {
    const { btf } = this.#object;
    const given = this.#options.variables ?? {};
    for (const variable of section.variables) {
      if (btf === undefined || !Object.hasOwn(given, variable.name)) continue;
      const layout = layoutOfType(btf, variable.type);
      layout.write(memoryOf(section.bytes), variable.offset, given[variable.name]);
    }
    return section;
  }

  /** Gives an array its one value, and takes the right to change it from what is constant. */
  #fill(section: DataSection, fd: number): void {
    const { sys } = this.#context;
    this.#check(BPF_MAP_UPDATE_ELEM, sys.mapUpdateElem(fd, new Uint8Array(4), section.bytes), section.name);
    if (section.isReadOnly) this.#check(BPF_MAP_FREEZE, sys.mapFreeze(fd), section.name);
  }

  #loadBtf(strings: BtfBuilder): number | undefined {
    const fd = this.#context.sys.btfLoad(strings.encode());
    // A kernel that does not take the BTF may still take the programs: the types help people, and only some programs need them.
    return fd < 0 ? undefined : this.#own(fd);
  }

  /** Puts maps into maps of maps, and programs into prog_arrays, where the object has them there from the beginning. */
  #fillSlots(isFilled: (definition: MapDefinition) => boolean, fdOf: (symbol: ElfSymbol) => number | undefined): void {
    for (const definition of this.#object.maps.filter(isFilled)) {
      const map = this.#maps[definition.name] as BpfMap;
      for (const [index, symbol] of definition.slots) {
        const fd = fdOf(symbol);
        const place = { section: definition.section, offset: definition.offset };
        if (fd === undefined) throw new ObjectError(`map ${map.name} holds ${symbol.name}, which is not loaded`, place);
        const words = Uint32Array.of(index, fd);
        const key = new Uint8Array(words.buffer, 0, 4);
        const value = new Uint8Array(words.buffer, 4, 4);
        this.#check(BPF_MAP_UPDATE_ELEM, this.#context.sys.mapUpdateElem(map.fd, key, value), definition.name);
      }
    }
  }

  #fillMapsOfMaps(): void {
    this.#fillSlots(
      ({ type }) => type !== BPF_MAP_TYPE_PROG_ARRAY,
      (symbol) => this.#maps[this.#object.mapAt({ symbol })?.name ?? ""]?.fd,
    );
  }

  #fillProgArrays(): void {
    this.#fillSlots(
      ({ type }) => type === BPF_MAP_TYPE_PROG_ARRAY,
      ({ name }) => this.#programs[name]?.fd,
    );
  }

  /** The global variables as properties: what is read and assigned is what the programs see. */
  #variables(): Record<string, unknown> {
    const variables: Record<string, unknown> = Object.create(null);
    const { btf } = this.#object;
    if (btf === undefined) return variables;
    for (const live of this.#live) {
      for (const variable of live.section.variables) this.#property(variables, live, variable, btf);
    }
    return variables;
  }

  #property(variables: Record<string, unknown>, live: LiveSection, variable: VariableDefinition, btf: Btf): void {
    const { name, offset, type, isStatic } = variable;
    // What is global is the one that C means by its name.
    if (isStatic && Object.hasOwn(variables, name)) return;
    let layout: Layout<unknown> | undefined;
    const layoutOf = () => (layout ??= layoutOfType(btf, type));
    Object.defineProperty(variables, name, {
      enumerable: true,
      configurable: true,
      get: () => live.read(layoutOf(), offset),
      set: (value: unknown) => {
        if (live.section.isReadOnly) {
          throw new TypeError(
            `${name} is a constant: give it its value when it is loaded, with variables: { ${name} }`,
          );
        }
        live.write(layoutOf(), offset, value);
      },
    });
  }

  /** What is named in the options must be in the object. */
  #checkNames(): void {
    const { variables = {}, maps = {}, programs = {} } = this.#options;
    const known = this.#object.sections.flatMap((section) => section.variables.map(({ name }) => name));
    checkNames("variable", Object.keys(variables), known);
    const mapNames = this.#object.maps.map(({ name }) => name);
    checkNames("map", Object.keys(maps), mapNames);
    const programNames = this.#object.programs.map(({ name }) => name);
    checkNames("program", Object.keys(programs), programNames);
  }

  #check(command: number, result: number, map: string): void {
    const { kernel, sys } = this.#context;
    if (result < 0) throw new BpfError({ kernel, sys, command, errno: result, map });
  }

  #own(fd: number): number {
    this.#fds.push(fd);
    return fd;
  }

  #closeFds(): void {
    for (const fd of this.#fds.splice(0)) this.#context.sys.close(fd);
  }
}

function checkNames(what: string, names: readonly string[], known: readonly string[]): void {
  for (const name of names) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    const hint = meant === undefined ? `it has ${known.join(", ") || "none"}` : `there is ${quote(meant)}`;
    throw new TypeError(`the object has no ${what} ${quote(name)}: ${hint}`);
  }
}
