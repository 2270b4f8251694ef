import { BPF_MAP_LOOKUP_ELEM } from "../abi/commands.ts";
import type { Layout } from "../layout/layout.ts";
import type { MapInfo } from "../sys/map-info.ts";
import { BpfMap } from "./bpf-map.ts";
import type { MapContext } from "./map-context.ts";
import type { RingRefusal } from "./ring-parts.ts";

/** What a map of records is made of besides its fd. */
export interface RecordMapParts<V> {
  readonly context: MapContext;
  readonly info: MapInfo;
  /** How a record lies in bytes; when there is none, records are bytes. */
  readonly value: Layout<V> | undefined;
  readonly pinnedAt?: string | undefined;
}

/** A map of records, which come one after the other, in memory that is mapped: what all ring buffers have in common. */
export abstract class RecordMap<V> extends BpfMap {
  /** How a record lies in bytes; `undefined` when records are bytes. */
  readonly value: Layout<V> | undefined;
  #isClosed = false;

  /** @internal */
  constructor({ context, info, value, pinnedAt }: RecordMapParts<V>, fd: number) {
    super(context, fd, info, 0, pinnedAt);
    this.value = value;
  }

  /** @internal */
  protected override described(): Record<string, unknown> {
    return { ...super.described(), ...(this.value && { value: this.value.name }) };
  }

  /** @internal */
  protected override closed(): void {
    this.#isClosed = true;
  }

  /** @internal Whether the map, or its kernel, has been closed. */
  protected get isClosed(): boolean {
    return this.#isClosed || this.context.isClosed;
  }

  /** @internal */
  protected assertOpen(): void {
    if (this.isClosed) throw this.closedError(BPF_MAP_LOOKUP_ELEM);
  }

  /** @internal What could be mapped, or the error for what could not. */
  protected mappedOrThrow<T extends object>(mapped: T | RingRefusal): T {
    if (!("errno" in mapped)) return mapped;
    const { errno, mapping } = mapped as RingRefusal;
    throw this.failure("mmap", errno, { mapping });
  }

  /** @internal Calls back when there is news of the map, or it was closed. */
  protected whenReady(callback: () => void): () => void {
    const off = this.context.kernel.whenReady(this.fd, callback);
    if (typeof off === "function") return off;
    throw this.failure("epoll_ctl", off);
  }
}
