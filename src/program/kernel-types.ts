import { Btf } from "../btf/btf.ts";
import type { MapContext } from "../maps/map-context.ts";
import type { Sys } from "../sys/sys.ts";
import { ObjectError, type ObjectPlace } from "./object-error.ts";
import type { AttachTarget } from "./section-names.ts";

/** The types of each kernel that was asked: reading those of Linux takes a while. */
const KNOWN = new WeakMap<object, Btf | null>();

/** The types that an object is adapted to: those that are given, those of the kernel, or where it has none the object's own. */
export class KernelTypes {
  readonly #context: MapContext;
  readonly #given: Btf | undefined;
  readonly #own: Btf | undefined;

  constructor(context: MapContext, given: Btf | Uint8Array | undefined, own: Btf | undefined) {
    this.#context = context;
    this.#given = given instanceof Uint8Array ? new Btf(given) : given;
    this.#own = own;
  }

  /** What relocations are made against; `undefined` when nobody has types. */
  get btf(): Btf | undefined {
    return this.#given ?? this.#running() ?? this.#own;
  }

  /** The id of something that a program is attached to. Throws an `ObjectError` when the kernel has no such thing. */
  find({ kind, name }: AttachTarget, place: ObjectPlace): number {
    const id = this.#running()?.find(name, kind);
    if (id !== undefined) return id;
    throw new ObjectError(`is to be attached to ${name}, which this kernel has not`, place);
  }

  /** The id of a variable or function of the kernel that runs; its own alone are of use to programs. */
  symbol(kind: "var" | "func", name: string): number | undefined {
    return this.#running()?.find(name, kind);
  }

  #running(): Btf | undefined {
    const { kernel, sys } = this.#context;
    let known = KNOWN.get(kernel);
    if (known === undefined) {
      known = readKernelBtf(sys) ?? null;
      KNOWN.set(kernel, known);
    }
    return known ?? undefined;
  }
}

/** The BTF that the kernel has of itself. */
function readKernelBtf(sys: Sys): Btf | undefined {
  const bytes = kernelBtfBytes(sys) ?? kernelBtfBytesOnceAwake(sys);
  return bytes && new Btf(bytes);
}

/** Linux reads its own BTF when the first program is loaded that could need it; until then nobody finds it. */
function kernelBtfBytesOnceAwake(sys: Sys): Uint8Array | undefined {
  const insns = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
  const fd = sys.progLoad({ type: "socket_filter", insns, license: "GPL" });
  if (fd >= 0) sys.close(fd);
  return kernelBtfBytes(sys);
}

function kernelBtfBytes(sys: Sys): Uint8Array | undefined {
  const id = new Uint32Array(1);
  while (sys.btfGetNextId(id[0] ?? 0, id) === 0) {
    const fd = sys.btfGetFdById(id[0] ?? 0);
    if (fd < 0) continue;
    const bytes = bytesOfKernelBtf(sys, fd);
    sys.close(fd);
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}

function bytesOfKernelBtf(sys: Sys, fd: number): Uint8Array | undefined {
  const info = sys.btfGetInfoByFd(fd);
  if (typeof info === "number" || !info.kernelBtf || info.name !== "vmlinux") return undefined;
  const bytes = new Uint8Array(info.btfSize);
  return typeof sys.btfGetInfoByFd(fd, bytes) === "number" ? undefined : bytes;
}
