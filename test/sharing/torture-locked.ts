import type { Bpf } from "mapiary";
import { BPF_ANY, BPF_F_LOCK } from "../../src/abi/flags.ts";
import { VALUE_BYTES as LOCKED_BYTES, loadLockedTypes } from "./locked-values.ts";

/** Makes a map of values with locks. */
export function makeLockedMap({ sys }: Bpf, name: string, type: "hash" | "array", maxEntries: number): void {
  const types = loadLockedTypes(sys);
  const fd = sys.mapCreate({ type, name, keySize: 4, valueSize: LOCKED_BYTES, maxEntries, ...types });
  sys.close(types.btfFd);
  const error = fd < 0 ? fd : sys.objPin(fd, pinOf(name));
  if (error !== 0) throw new Error(`${name} cannot be made: ${error}`);
}

function pinOf(name: string): string {
  return `/sys/fs/bpf/${name}`;
}

/** A map of values with locks, by the commands themselves: typed maps know no BPF_F_LOCK. */
export class LockedMap {
  readonly #sys: Bpf["sys"];
  readonly #name: string;
  readonly #fd: number;
  readonly #key = new Uint8Array(4);
  readonly #keyView = new DataView(this.#key.buffer);
  readonly #value = new Uint8Array(LOCKED_BYTES);

  constructor({ sys }: Bpf, name: string) {
    this.#sys = sys;
    this.#name = name;
    this.#fd = sys.objGet(pinOf(name));
    if (this.#fd < 0) throw new Error(`${name} cannot be opened: ${this.#fd}`);
  }

  /** Writes a value, where it is unless `isPlain`. 0 or −errno. */
  set(key: number, value: Uint8Array, isPlain = false): number {
    return this.#sys.mapUpdateElem(this.#fd, this.#at(key), value, isPlain ? BPF_ANY : BPF_F_LOCK);
  }

  /** A value, read while nobody has it locked or in spite of who has. It is good until the next call. */
  get(key: number, isPlain = false): Uint8Array | undefined {
    const error = this.#sys.mapLookupElem(this.#fd, this.#at(key), this.#value, isPlain ? BPF_ANY : BPF_F_LOCK);
    return error === 0 ? this.#value : undefined;
  }

  delete(key: number): void {
    this.#sys.mapDeleteElem(this.#fd, this.#at(key));
  }

  /** The keys that are there. */
  keys(): number[] {
    const keys: number[] = [];
    const next = new Uint8Array(4);
    for (let key: Uint8Array | null = null; this.#sys.mapGetNextKey(this.#fd, key, next) === 0; ) {
      key = next.slice();
      keys.push(new DataView(next.buffer).getUint32(0, true));
    }
    return keys;
  }

  /** Throws an `Error` unless a command succeeded. */
  expect(result: number): void {
    if (result !== 0) throw new Error(`a command on ${this.#name} failed: ${result}`);
  }

  #at(key: number): Uint8Array {
    this.#keyView.setUint32(0, key, true);
    return this.#key;
  }
}
