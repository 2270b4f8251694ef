import { ENOENT, ENOTEMPTY, ENOTSUP } from "../../abi/errno.ts";
import { Directory, type Pin } from "../embedded/bpffs-directory.ts";
import type { KernelObject } from "../embedded/kernel-object.ts";
import { EmbeddedMap } from "../embedded/map-ops.ts";
import type { ControlLock } from "./control.ts";
import { addName, type PinTable, ROOT } from "./pin-table.ts";
import type { Segments } from "./segments.ts";
import type { ThreadMaps } from "./thread-maps.ts";

/** What a directory in a memory that threads share is made of. */
export interface PinDirectoryParts {
  readonly lock: ControlLock;
  readonly pins: PinTable;
  readonly segments: Segments;
  readonly maps: ThreadMaps;
}

const encoder = new TextEncoder();

/** A directory of the BPF filesystem in a memory that threads share. */
export class PinDirectory extends Directory {
  readonly #parts: PinDirectoryParts;
  readonly #number: number;

  constructor(parent: Directory | undefined, parts: PinDirectoryParts, number: number = ROOT) {
    super(parent, true);
    this.#parts = parts;
    this.#number = number;
  }

  find(name: string): Directory | Pin | number {
    const { lock, pins, maps } = this.#parts;
    const found = lock.hold(() => pins.find(this.#number, encoder.encode(name)));
    if (found === undefined) return -ENOENT;
    if (found.map === 0) return new PinDirectory(this, this.#parts, found.number);
    return { open: () => maps.get(found.map) ?? -ENOENT };
  }

  names(): string[] {
    const { lock, pins } = this.#parts;
    const decoder = new TextDecoder();
    const texts = lock.hold(() => pins.namesIn(this.#number).map((name) => pins.textOf(name)));
    return texts.map((text) => decoder.decode(text));
  }

  /** Programs live in one thread. */
  pin(name: string, object: KernelObject): number {
    return object instanceof EmbeddedMap ? this.#add(name, object.id) : -ENOTSUP;
  }

  unpin(name: string): number {
    const { lock, pins, segments } = this.#parts;
    return lock.hold(() => {
      const found = pins.find(this.#number, encoder.encode(name));
      if (found === undefined || found.map === 0) return -ENOENT;
      pins.remove(found);
      segments.unpinned(found.map);
      return 0;
    });
  }

  makeDirectory(name: string): number {
    return this.#add(name, 0);
  }

  removeDirectory(name: string): number {
    const { lock, pins } = this.#parts;
    return lock.hold(() => {
      const found = pins.find(this.#number, encoder.encode(name));
      if (found === undefined || found.map !== 0) return -ENOENT;
      if (pins.namesIn(found.number).length > 0) return -ENOTEMPTY;
      pins.remove(found);
      return 0;
    });
  }

  #add(name: string, map: number): number {
    const { lock, pins } = this.#parts;
    return addName(lock, pins, this.#number, { text: encoder.encode(name), map });
  }
}
