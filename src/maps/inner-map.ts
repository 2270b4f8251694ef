import { BPF_MAP_GET_FD_BY_ID } from "../abi/commands.ts";
import { ENOENT } from "../abi/errno.ts";
import type { MapTypeName } from "../abi/map-types.ts";
import type { Layout } from "../layout/layout.ts";
import type { Memory } from "../memory/address-space.ts";
import { BpfError } from "../sys/bpf-error.ts";
import { BpfMap } from "./bpf-map.ts";
import type { MapContext } from "./map-context.ts";

/** An fd, and an id. */
const SIZE = 4;

/**
 * A map as the value of a map of maps: a kernel takes its fd and gives its id. Reading opens the map, which is then the
 * reader's to close.
 */
export class InnerMapLayout<M extends BpfMap> implements Layout<M> {
  readonly name: string;
  readonly size = SIZE;
  readonly align = SIZE;
  readonly #context: MapContext;
  readonly #type: MapTypeName;
  readonly #wrap: (fd: number) => M;

  /** The layout of maps of a type, that `wrap` makes of their fds. */
  constructor(context: MapContext, type: MapTypeName, wrap: (fd: number) => M) {
    this.name = `map of type ${type}`;
    this.#context = context;
    this.#type = type;
    this.#wrap = wrap;
  }

  /** Opens a map by its id; `undefined` when it is gone. */
  open(id: number): M | undefined {
    const { kernel, sys } = this.#context;
    const fd = sys.mapGetFdById(id);
    if (fd >= 0) return this.#wrap(fd);
    if (fd === -ENOENT) return undefined;
    throw new BpfError({ kernel, sys, command: BPF_MAP_GET_FD_BY_ID, errno: fd, id });
  }

  /** Throws a `BpfError` with the code `ENOENT` when the map is gone. */
  read(memory: Memory, address: number): M {
    const id = memory.view.getUint32(address, true);
    const map = this.open(id);
    if (map !== undefined) return map;
    const { kernel, sys } = this.#context;
    throw new BpfError({ kernel, sys, command: BPF_MAP_GET_FD_BY_ID, errno: -ENOENT, id });
  }

  write(memory: Memory, address: number, map: M): void {
    this.check(map);
    memory.view.setInt32(address, map.fd, true);
  }

  check(map: M): void {
    if (!(map instanceof BpfMap))
      throw new TypeError(`expected a ${this.name}, got ${map === null ? null : typeof map}`);
    if (map.type !== this.#type) throw new TypeError(`expected a ${this.name}, got one of type ${map.type}`);
    if (!map.isOn(this.#context.kernel))
      throw new TypeError(`expected a ${this.name} on the same kernel, got one of another`);
  }

  encode(map: M): Uint8Array {
    const bytes = new Uint8Array(SIZE);
    this.write(memoryOf(bytes), 0, map);
    return bytes;
  }

  decode(bytes: Uint8Array): M {
    if (bytes.length !== SIZE)
      throw new RangeError(`${this.name}: expected ${SIZE} bytes to decode, got ${bytes.length}`);
    return this.read(memoryOf(bytes), 0);
  }
}

function memoryOf(u8: Uint8Array): Memory {
  return { u8, view: new DataView(u8.buffer, u8.byteOffset, u8.byteLength) };
}
