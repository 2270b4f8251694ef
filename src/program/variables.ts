import { BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM } from "../abi/commands.ts";
import { PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import type { Layout } from "../layout/layout.ts";
import type { MapContext } from "../maps/map-context.ts";
import type { Memory } from "../memory/address-space.ts";
import { PAGE_SIZE } from "../memory/page-allocator.ts";
import { BpfError } from "../sys/bpf-error.ts";
import type { DataSection } from "./data-sections.ts";

const KEY = new Uint8Array(4);

/** A section of variables as a kernel has it: mapped into memory where that is possible, else read and written whole. */
export class LiveSection {
  readonly section: DataSection;
  readonly #context: MapContext;
  readonly #fd: number;
  readonly #length: number;
  /** Where it is mapped; `−errno` where it could not be. */
  #address: number;

  constructor(context: MapContext, section: DataSection, fd: number) {
    this.section = section;
    this.#context = context;
    this.#fd = fd;
    this.#length = Math.ceil(section.bytes.length / PAGE_SIZE) * PAGE_SIZE;
    const protection = section.isReadOnly ? PROT_READ : PROT_READ | PROT_WRITE;
    this.#address = context.kernel.mmap(fd, this.#length, protection, 0);
  }

  read<T>(layout: Layout<T>, offset: number): T {
    if (this.#address > 0) return layout.read(this.#context.kernel.memory, this.#address + offset);
    return layout.read(memoryOf(this.#whole()), offset);
  }

  write<T>(layout: Layout<T>, offset: number, value: T): void {
    if (this.#address > 0) return layout.write(this.#context.kernel.memory, this.#address + offset, value);
    const whole = this.#whole();
    layout.write(memoryOf(whole), offset, value);
    const result = this.#context.sys.mapUpdateElem(this.#fd, KEY, whole);
    if (result < 0) throw this.#failure(BPF_MAP_UPDATE_ELEM, result);
  }

  /** Takes it out of the memory. */
  release(): void {
    if (this.#address > 0) this.#context.kernel.munmap(this.#address, this.#length);
    this.#address = 0;
  }

  #whole(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.section.bytes.length);
    const result = this.#context.sys.mapLookupElem(this.#fd, KEY, whole);
    if (result < 0) throw this.#failure(BPF_MAP_LOOKUP_ELEM, result);
    return whole;
  }

  #failure(command: number, errno: number): BpfError {
    const { kernel, sys } = this.#context;
    return new BpfError({ kernel, sys, command, errno, fd: this.#fd, map: this.section.name });
  }
}

/** Bytes of our own as what a layout reads and writes. */
export function memoryOf(bytes: Uint8Array<ArrayBuffer>): Memory {
  return { u8: bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}
