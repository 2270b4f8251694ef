import { BPF_ANY, BPF_F_PRESERVE_ELEMS } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import { PerfEvent } from "../perf-event.ts";
import { SEGMENT } from "../segment.ts";
import { FD_SIZE, WriteOnlyFdArray } from "./fd-arrays.ts";
import { checkObjectArray, OBJECT_MAP_FLAGS, objectMapType } from "./object-map.ts";

/** An event that is in the map, and the open file of the map through which it came there. */
interface Entry {
  readonly event: PerfEvent;
  readonly file: object;
}

/** The events of programs by index. An event goes with the file through which it was put there, unless the map preserves it. */
export class PerfEventArrayMap extends WriteOnlyFdArray {
  readonly #entries = new Map<number, Entry>();

  /** The event at an index; `undefined` when there is none. */
  eventAt(index: number): PerfEvent | undefined {
    return this.#entries.get(index)?.event;
  }

  override updateThrough(file: object, key: Address, value: Address, flags: number): number {
    const event = this.host.files.file(this.memory.view.getInt32(value, true))?.object;
    if (flags !== BPF_ANY || !this.has(key) || !(event instanceof PerfEvent)) return super.update(key, value, flags);
    event.references++;
    const index = this.#index(key);
    this.#remove(index);
    this.#entries.set(index, { event, file });
    return 0;
  }

  override delete(key: Address): number {
    return this.has(key) && this.#remove(this.#index(key)) ? 0 : super.delete(key);
  }

  /** `perf_event_fd_array_release`. */
  override fileClosed(file: object): void {
    super.fileClosed(file);
    if ((this.header(SEGMENT.MAP_FLAGS) & BPF_F_PRESERVE_ELEMS) !== 0) return;
    for (const [index, entry] of this.#entries) if (entry.file === file) this.#remove(index);
  }

  override free(): void {
    for (const index of this.#entries.keys()) this.#remove(index);
    super.free();
  }

  #index(key: Address): number {
    return this.memory.u32[key >>> 2] as number;
  }

  #remove(index: number): boolean {
    const entry = this.#entries.get(index);
    if (entry === undefined) return false;
    this.#entries.delete(index);
    this.host.perfEvents.put(entry.event);
    return true;
  }
}

/** `"perf_event_array"`: `kernel/bpf/arraymap.c`, 6.18. */
export const PERF_EVENT_ARRAY = objectMapType({
  check: (attr) => checkObjectArray(attr, FD_SIZE, OBJECT_MAP_FLAGS | BPF_F_PRESERVE_ELEMS),
  map: PerfEventArrayMap,
  isPrivate: true,
});
