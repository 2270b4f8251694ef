import { EINVAL, ENOENT } from "../../../abi/errno.ts";
import { BPF_ANY } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { KernelObject } from "../kernel-object.ts";
import { SEGMENT } from "../segment.ts";
import { FD_SIZE, FdArray } from "./fd-arrays.ts";
import { checkObjectArray, objectMapType } from "./object-map.ts";

/** What programs must have in common to take each other's place: `bpf_prog_map_compatible`. */
interface TailCallable extends KernelObject {
  readonly tailCallKind: string;
}

/**
 * The segment: the header, and 8 bytes for each index, which begin with the id of the program there, or are 0. The first
 * program that is put in, or that is loaded with the map, decides which kind all others must be of.
 */
export class ProgArrayMap extends FdArray {
  protected readonly wrongFd = EINVAL;
  #kind: string | undefined;

  /** Whether a program may use the map: the first one always may, and says so for those that come. */
  accepts(program: { readonly tailCallKind: string }): boolean {
    this.#kind ??= program.tailCallKind;
    return this.#kind === program.tailCallKind;
  }

  /** In user space a value is the fd of a program when it is written, and the program's id when it is read. */
  override copyValue(key: Address, value: Address): number {
    const id = this.has(key) ? this.#idAt(key) : 0;
    if (id === 0) return -ENOENT;
    this.memory.view.setUint32(value, id, true);
    return 0;
  }

  /** `bpf_fd_array_map_update_elem`. */
  override update(key: Address, value: Address, flags: number): number {
    const { files } = this.host;
    const fd = this.memory.view.getInt32(value, true);
    const program = files.file(fd)?.object;
    if (flags !== BPF_ANY || !this.has(key) || program?.kind !== "program") return super.update(key, value, flags);
    if (!this.accepts(program as TailCallable)) return -EINVAL;
    program.references++;
    this.#replace(key, program.id);
    return 0;
  }

  override delete(key: Address): number {
    if (!this.has(key) || this.#idAt(key) === 0) return super.delete(key);
    this.#replace(key, 0);
    return 0;
  }

  /** Lets all programs go: `bpf_fd_array_map_clear`. */
  clear(): void {
    for (let index = 0; index < this.maxEntries; index++) {
      const at = this.#slot(index);
      const id = this.memory.u32[at >>> 2] as number;
      this.memory.u32[at >>> 2] = 0;
      this.#put(id);
    }
  }

  /**
   * With the last fd or pin the programs go, even while programs that are loaded use the map: it could be among them that
   * keep each other alive. `prog_array_map_free`, and `bpf_map_put_uref` before it.
   */
  protected override usersGone(): void {
    this.clear();
  }

  override free(): void {
    this.clear();
    super.free();
  }

  #idAt(key: Address): number {
    return this.memory.u32[this.#slot(this.memory.u32[key >>> 2] as number) >>> 2] as number;
  }

  #replace(key: Address, id: number): void {
    const at = this.#slot(this.memory.u32[key >>> 2] as number);
    const previous = this.memory.u32[at >>> 2] as number;
    this.memory.u32[at >>> 2] = id;
    this.#put(previous);
  }

  #put(id: number): void {
    const program = id === 0 ? undefined : this.host.programs.get(id);
    if (program !== undefined) this.host.programs.put(program);
  }

  #slot(index: number): Address {
    return this.base + SEGMENT.HEADER_SIZE + 8 * index;
  }
}

/** `"prog_array"`: `kernel/bpf/arraymap.c`, 6.18. */
export const PROG_ARRAY = objectMapType({
  check: (attr) => checkObjectArray(attr, FD_SIZE),
  map: ProgArrayMap,
  isPrivate: true,
});
