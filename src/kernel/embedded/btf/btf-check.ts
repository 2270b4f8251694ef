import {
  BTF_KIND_ARRAY,
  BTF_KIND_DATASEC,
  BTF_KIND_DECL_TAG,
  BTF_KIND_ENUM,
  BTF_KIND_ENUM64,
  BTF_KIND_FLOAT,
  BTF_KIND_FUNC_PROTO,
  BTF_KIND_FWD,
  BTF_KIND_INT,
  BTF_KIND_NAMES,
  BTF_KIND_STRUCT,
  BTF_KIND_UNION,
  BTF_KIND_VAR,
} from "../../../abi/btf.ts";
import { EINVAL } from "../../../abi/errno.ts";
import type { VerifierLog } from "../verifier-log.ts";
import { encodingName, intBits, intEncoding, intOffset, type RawBtf } from "./raw-btf.ts";

/** Why BTF is refused. What is wrong stands in the log. */
export class BtfRefusal extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`BTF is refused: errno ${errno}`);
    this.errno = errno;
  }
}

/**
 * One check of BTF: what is checked, and the log where it is said what was seen and what is wrong, in Linux's words
 * (`kernel/bpf/btf.c: btf_verifier_log_type` and its like, 6.18).
 */
export class BtfCheck {
  readonly btf: RawBtf;
  readonly log: VerifierLog;
  /** The id by which the log calls the type that is looked at. */
  id = 1;
  /** Whether the types were all seen and logged already. */
  isSecondPass = false;

  constructor(btf: RawBtf, log: VerifierLog) {
    this.btf = btf;
    this.log = log;
  }

  refuse(reason: string, errno: number = EINVAL): never {
    this.log.add(reason);
    throw new BtfRefusal(errno);
  }

  refuseType(id: number, reason: string, errno: number = EINVAL): never {
    this.logType(id, reason);
    throw new BtfRefusal(errno);
  }

  /** Refuses a type of which not even the details may be read. */
  refuseUnread(id: number, reason: string): never {
    this.logType(id, reason, false);
    throw new BtfRefusal(EINVAL);
  }

  /** `type` is what the member's type was found to be, when that is known. */
  refuseMember(id: number, index: number, reason: string, type?: number): never {
    this.logMember(id, index, reason, type);
    throw new BtfRefusal(EINVAL);
  }

  refuseVariable(id: number, index: number, reason: string): never {
    this.logVariable(id, index, reason);
    throw new BtfRefusal(EINVAL);
  }

  logType(id: number, reason?: string, hasDetails = true): void {
    if (!this.log.isNeeded) return;
    const { btf, log } = this;
    const kind = (BTF_KIND_NAMES[btf.kind(id)] as string).toUpperCase();
    log.add(`[${this.id}] ${kind} ${btf.name(btf.nameOffset(id))}${hasDetails ? " " : ""}`);
    if (hasDetails) this.#logDetails(id);
    this.#logReason(reason);
  }

  logMember(id: number, index: number, reason?: string, type = this.btf.extra(id, 4, index, 12)): void {
    if (!this.log.isNeeded) return;
    const { btf, log } = this;
    if (this.isSecondPass) this.logType(id);
    const name = btf.name(btf.extra(id, 0, index, 12));
    const offset = btf.extra(id, 8, index, 12);
    const bits = btf.hasKindFlag(id)
      ? `bitfield_size=${offset >>> 24} bits_offset=${offset & 0xff_ffff}`
      : `bits_offset=${offset}`;
    log.add(`\t${name} type_id=${type} ${bits}`);
    this.#logReason(reason);
  }

  logVariable(id: number, index: number, reason?: string): void {
    if (!this.log.isNeeded) return;
    const { btf, log } = this;
    if (this.isSecondPass) this.logType(id);
    const [type, offset, size] = [0, 4, 8].map((at) => btf.extra(id, at, index, 12));
    log.add(`\t type_id=${type} offset=${offset} size=${size}`);
    this.#logReason(reason);
  }

  #logReason(reason: string | undefined): void {
    if (reason !== undefined) this.log.add(` ${reason}`);
    this.log.add("\n");
  }

  #logDetails(id: number): void {
    const { btf, log } = this;
    switch (btf.kind(id)) {
      case BTF_KIND_INT: {
        const data = btf.extra(id, 0);
        const encoding = encodingName(intEncoding(data));
        return log.add(
          `size=${btf.size(id)} bits_offset=${intOffset(data)} nr_bits=${intBits(data)} encoding=${encoding}`,
        );
      }
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
      case BTF_KIND_ENUM:
      case BTF_KIND_ENUM64:
      case BTF_KIND_DATASEC:
        return log.add(`size=${btf.size(id)} vlen=${btf.vlen(id)}`);
      case BTF_KIND_ARRAY:
        return log.add(`type_id=${btf.extra(id, 0)} index_type_id=${btf.extra(id, 4)} nr_elems=${btf.extra(id, 8)}`);
      case BTF_KIND_FWD:
        return log.add(btf.hasKindFlag(id) ? "union" : "struct");
      case BTF_KIND_FUNC_PROTO:
        return this.#logPrototype(id);
      case BTF_KIND_VAR:
        return log.add(`type_id=${btf.type(id)} linkage=${btf.extra(id, 0)}`);
      case BTF_KIND_FLOAT:
        return log.add(`size=${btf.size(id)}`);
      case BTF_KIND_DECL_TAG:
        return log.add(`type=${btf.type(id)} component_idx=${btf.extra(id, 0) | 0}`);
      default:
        return log.add(`type_id=${btf.type(id)}`);
    }
  }

  #logPrototype(id: number): void {
    const { btf, log } = this;
    const count = btf.vlen(id);
    log.add(`return=${btf.type(id)} args=(`);
    if (count === 0) log.add("void");
    for (let i = 0; i < count; i++) {
      const type = btf.extra(id, 4, i, 8);
      const isRest = type === 0 && i === count - 1;
      log.add(`${i === 0 ? "" : ", "}${isRest ? "vararg" : `${type} ${btf.name(btf.extra(id, 0, i, 8))}`}`);
    }
    log.add(")");
  }
}
