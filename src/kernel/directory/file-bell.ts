import type { Address } from "../../memory/address-space.ts";
import { SEGMENT } from "../embedded/segment.ts";
import type { Bell, Ear } from "../embedded/shared/agent.ts";
import type { Registry } from "./registry.ts";
import type { SegmentMemory } from "./segment-memory.ts";
import { attempt, errorOf, type System } from "./system.ts";

const STROKE = new Uint8Array(1);

/**
 * A bell that the file of a map is: it rings when somebody writes to it by `write(2)`, of which the system tells those who watch
 * it, by inotify or kqueue. Stores into mapped memory it does not tell.
 */
export class FileBell implements Bell {
  readonly #system: System;
  readonly #registry: Registry;
  readonly #memory: SegmentMemory;

  constructor(system: System, registry: Registry, memory: SegmentMemory) {
    this.#system = system;
    this.#registry = registry;
    this.#memory = memory;
  }

  ring(base: Address): void {
    const file = this.#memory.fileAt(base);
    if (file !== undefined) errorOf(() => void this.#system.fs.writeSync(file.fd, STROKE, 0, 1, SEGMENT.BELL));
  }

  /** `undefined` when the system watches no more files for this user, or none in this filesystem. */
  listen(base: Address, callback: () => void): Ear | undefined {
    const { fs } = this.#system;
    const id = this.#memory.u32[(base + SEGMENT.ID) >>> 2] as number;
    const watcher = attempt(() => fs.watch(this.#registry.mapPath(id), callback));
    if (typeof watcher === "number") return undefined;
    // Without it, those who wait look by themselves.
    watcher.on("error", () => watcher.close());
    return {
      keepAlive: (isAwaited) => void (isAwaited ? watcher.ref() : watcher.unref()),
      close: () => watcher.close(),
    };
  }
}
