import type { BpfMap } from "../maps/bpf-map.ts";
import type { BpfProgram } from "./bpf-program.ts";
import type { LiveSection } from "./variables.ts";

/** What the maps, variables and programs of an object are, for the compiler. `mapiary types` writes it for a file. */
export interface ObjectTypes {
  readonly maps: Readonly<Record<string, BpfMap>>;
  readonly variables: Record<string, unknown>;
  readonly programs: Readonly<Record<string, BpfProgram>>;
}

/** @internal What an object is made of. */
export interface ObjectParts {
  readonly maps: Readonly<Record<string, BpfMap>>;
  readonly variables: Record<string, unknown>;
  readonly programs: Readonly<Record<string, BpfProgram>>;
  readonly sections: readonly LiveSection[];
  /** What else is to be released with it. */
  readonly release: () => void;
}

/**
 * An object file that was loaded: its maps, its global variables and its programs, each by its name in C. They are
 * closed with it.
 */
export class BpfObject<T extends ObjectTypes = ObjectTypes> implements Disposable {
  /** The maps, typed by the object's BTF. */
  readonly maps: T["maps"];
  /** The global variables. To read one reads what the programs see now, and to assign one writes it; constants can only be read. */
  readonly variables: T["variables"];
  /** The programs. */
  readonly programs: T["programs"];
  readonly #parts: ObjectParts;

  /** @internal */
  constructor(parts: ObjectParts) {
    this.#parts = parts;
    this.maps = parts.maps;
    this.variables = parts.variables;
    this.programs = parts.programs;
  }

  /** Closes the programs and the maps. What is pinned, or used by somebody else, lives on. */
  close(): void {
    const { programs, maps, sections, release } = this.#parts;
    for (const program of Object.values(programs)) program.close();
    for (const section of sections) section.release();
    for (const map of Object.values(maps)) map.close();
    release();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
