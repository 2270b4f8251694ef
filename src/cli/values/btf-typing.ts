import { readFileSync } from "node:fs";
import { Btf } from "../../btf/btf.ts";
import type { Memory } from "../../memory/address-space.ts";
import type { MapHandle } from "../map-reference.ts";
import type { JsonValue } from "../output/json-writer.ts";
import { readBtf } from "./btf-read.ts";
import { writeBtf } from "./btf-write.ts";
import type { Form, Typing } from "./typing.ts";

/** A typing by a type of BTF. */
export class BtfTyping implements Typing {
  readonly size: number;
  readonly form: Form;
  readonly #btf: Btf;
  readonly #type: number;

  constructor(btf: Btf, type: number) {
    this.size = btf.sizeOf(type) ?? 0;
    this.form = formOf(btf, type);
    this.#btf = btf;
    this.#type = type;
  }

  read({ view }: Memory, at: number): JsonValue {
    return readBtf(this.#btf, this.#type, view, at * 8);
  }

  write({ u8, view }: Memory, at: number, json: JsonValue): void {
    u8.fill(0, at, at + this.size);
    writeBtf(this.#btf, this.#type, view, at * 8, json);
  }
}

function formOf(btf: Btf, id: number): Form {
  const type = btf.type(btf.resolve(id));
  if (type.kind === "struct") return { fields: type.members.map((member) => [member.name, formOf(btf, member.type)]) };
  return type.kind === "array" || type.kind === "union" || type.kind === "datasec" ? "list" : "one";
}

/** The BTF that says what the keys and values of a map are. */
export interface MapBtf {
  readonly btf: Btf;
  /** 0 when it does not say. */
  readonly keyType: number;
  readonly valueType: number;
}

/** The BTF of a map; `undefined` when it has none, or when it may not be read. */
export function btfOf(map: MapHandle): MapBtf | undefined {
  const { btfId, btfKeyTypeId, btfValueTypeId, btfVmlinuxValueTypeId } = map.info;
  if (btfVmlinuxValueTypeId !== 0) {
    const btf = vmlinux();
    return btf === undefined ? undefined : { btf, keyType: 0, valueType: btfVmlinuxValueTypeId };
  }
  if (btfValueTypeId === 0) return undefined;
  const bytes = bytesOf(map, btfId);
  return bytes === undefined ? undefined : { btf: new Btf(bytes), keyType: btfKeyTypeId, valueType: btfValueTypeId };
}

function bytesOf(map: MapHandle, id: number): Uint8Array | undefined {
  const { sys } = map.cli;
  const fd = sys.btfGetFdById(id);
  if (fd < 0) return undefined;
  try {
    const info = sys.btfGetInfoByFd(fd);
    if (typeof info === "number") return undefined;
    const bytes = new Uint8Array(info.btfSize);
    return typeof sys.btfGetInfoByFd(fd, bytes) === "number" ? undefined : bytes;
  } finally {
    sys.close(fd);
  }
}

/** The types of the running kernel, where it lets them be read. */
function vmlinux(): Btf | undefined {
  try {
    return new Btf(readFileSync("/sys/kernel/btf/vmlinux"));
  } catch {
    return undefined;
  }
}
