import type { EmbeddedMap } from "../embedded/map-ops.ts";
import type { Hold, InnerMapHolds } from "../embedded/shared/shared-inner-maps.ts";
import type { PinDirectoryParts } from "./pin-directory.ts";
import { addName } from "./pin-table.ts";

/** The maps that maps of maps hold in a memory that threads share: each hold is a name that the inner map has. */
export class ThreadHolds implements InnerMapHolds {
  readonly #parts: PinDirectoryParts;

  constructor(parts: PinDirectoryParts) {
    this.#parts = parts;
  }

  take(outer: EmbeddedMap, inner: EmbeddedMap, number: number): Hold | number {
    const { lock, pins } = this.#parts;
    const error = addName(lock, pins, -outer.id, { text: textOf(number), map: inner.id });
    return error === 0 ? { id: inner.id, number } : error;
  }

  drop(outer: EmbeddedMap, { id, number }: Hold): void {
    const { lock, pins, segments } = this.#parts;
    lock.hold(() => {
      const found = pins.find(-outer.id, textOf(number));
      if (found === undefined) return;
      pins.remove(found);
      segments.unpinned(id);
    });
  }

  of(outer: EmbeddedMap): Hold[] {
    const { lock, pins } = this.#parts;
    return lock.hold(() =>
      pins
        .namesIn(-outer.id)
        .map((name) => ({ id: name.map, number: new Uint32Array(pins.textOf(name).buffer)[0] ?? 0 })),
    );
  }

  borrow(id: number): EmbeddedMap | undefined {
    return this.#parts.maps.borrow(id);
  }
}

function textOf(number: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(number).buffer);
}
