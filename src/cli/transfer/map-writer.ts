import { BPF_MAP_UPDATE_ELEM } from "../../abi/commands.ts";
import { EEXIST, EINVAL, ENOTSUPP } from "../../abi/errno.ts";
import { BPF_ANY } from "../../abi/flags.ts";
import type { CliError } from "../cli-error.ts";
import type { MapHandle } from "../map-reference.ts";
import { hexOf } from "../values/convert.ts";
import type { RawEntries } from "./map-reader.ts";

/** What became of some entries. */
export interface Written {
  /** How many were written before the first that was refused. */
  readonly count: number;
  readonly refusal?: CliError;
}

/** Writes entries into a map, many in one command where the kernel can. */
export class MapWriter {
  readonly #map: MapHandle;
  readonly #flags: number;
  #hasBatches: boolean;

  /** `flags` are those of an update: with any but BPF_ANY the entries go one by one. */
  constructor(map: MapHandle, flags: number) {
    this.#map = map;
    this.#flags = flags;
    this.#hasBatches = flags === BPF_ANY && map.info.keySize > 0;
  }

  /**
   * Writes entries. After a run that was ended, some of the first ones may be there already: with `mayBeThere` a key
   * that has its very value is written, whatever the flags.
   */
  write(entries: RawEntries, mayBeThere: boolean): Written {
    let done = 0;
    if (this.#hasBatches) {
      const result = this.#writeBatch(entries);
      if (typeof result !== "number") return result;
      // Some types have no batches, and then nothing was written; a batch that fails otherwise says how far it came.
      done = result;
    }
    return this.#writeOneByOne(entries, done, mayBeThere);
  }

  /** Answers the number that were written when the rest must go one by one. */
  #writeBatch({ count: total, keys, values }: RawEntries): Written | number {
    const { cli, fd } = this.#map;
    const count = Uint32Array.of(total);
    const result = cli.sys.mapUpdateBatch(fd, keys, values, count);
    if (result === 0) return { count: total };
    if (result === -ENOTSUPP || result === -EINVAL) this.#hasBatches = false;
    // What was refused before it began leaves the count as it was (kernel/bpf/syscall.c: bpf_map_do_batch, 6.18).
    const done = count[0] ?? 0;
    return done < total ? done : 0;
  }

  #writeOneByOne({ count, keys, values }: RawEntries, from: number, mayBeThere: boolean): Written {
    const { cli, fd, shape } = this.#map;
    const { keySize, valueSize } = shape;
    for (let i = from; i < count; i++) {
      const key = keySize === 0 ? null : keys.subarray(i * keySize, (i + 1) * keySize);
      const value = values.subarray(i * valueSize, (i + 1) * valueSize);
      const result = cli.sys.mapUpdateElem(fd, key, value, this.#flags);
      if (result === 0) continue;
      if (result === -EEXIST && mayBeThere && key !== null && this.#has(key, value)) continue;
      const known = key === null ? {} : { keyBytes: key, key: hexOf(key) };
      const details = { flags: this.#flags, ...known };
      return { count: i, refusal: this.#map.failure("update failed", BPF_MAP_UPDATE_ELEM, result, details) };
    }
    return { count };
  }

  #has(key: Uint8Array, value: Uint8Array): boolean {
    const found = new Uint8Array(value.length);
    const { cli, fd } = this.#map;
    return cli.sys.mapLookupElem(fd, key, found) === 0 && Buffer.compare(found, value) === 0;
  }
}
