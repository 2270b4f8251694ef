import { Assembler, type Bpf } from "mapiary";
import { valueTypes } from "../differential/value-types.ts";

const { bytes: TYPES, all } = valueTypes();
const LOCKED = all.find(({ name }) => name === "locked in the middle") as (typeof all)[number];

export const VALUE_BYTES = 24;
/** The word of a value that is its lock; the others are data, and all the same in a value that is whole. */
export const LOCK_WORD = 3;
const DATA = [0, 1, 2, 4, 5] as const;

export const KINDS = ["hash", "array"] as const;

/** The key of what user space writes, that of what programs count up, and that of what both write: for who reads without the lock too, the first alone is whole. */
export const WRITTEN = Uint8Array.of(0, 0, 0, 0);
export const COUNTED = Uint8Array.of(1, 0, 0, 0);
export const MIXED = Uint8Array.of(2, 0, 0, 0);
const KEYS = [WRITTEN, COUNTED, MIXED];

/** The types of keys of 4 bytes and of such values, for a map that is made; the fd is the caller's to close. */
export function loadLockedTypes(sys: Bpf["sys"]): { btfFd: number; btfKeyTypeId: number; btfValueTypeId: number } {
  return { btfFd: sys.btfLoad(TYPES), btfKeyTypeId: 1, btfValueTypeId: LOCKED.id };
}

/** Makes a map of three values with locks, pinned at its kind: the fd. */
export function makeLocked({ sys }: Bpf, kind: (typeof KINDS)[number]): number {
  const types = loadLockedTypes(sys);
  const fd = sys.mapCreate({ type: kind, keySize: 4, valueSize: VALUE_BYTES, maxEntries: KEYS.length, ...types });
  sys.close(types.btfFd);
  sys.objPin(fd, `/sys/fs/bpf/${kind}`);
  for (const key of KEYS) sys.mapUpdateElem(fd, key, filled(0));
  return fd;
}

export function filled(number: number): Uint8Array {
  const words = new Uint32Array(VALUE_BYTES / 4).fill(number);
  words[LOCK_WORD] = 0;
  return new Uint8Array(words.buffer);
}

export function isWhole(value: Uint8Array): boolean {
  const words = new Uint32Array(value.slice().buffer);
  return words[LOCK_WORD] === 0 && DATA.every((word) => words[word] === words[0]);
}

/** A program that counts each word of a value up by 1 between its locks. Answers what runs it for a key. */
export function loadCounter(bpf: Bpf, fd: number): (key: Uint8Array) => void {
  const code = new Assembler()
    .load("u32", "r2", "r1", 0)
    .load("u32", "r3", "r1", 4)
    .mov("r4", "r2")
    .add("r4", 4)
    .jgt("r4", "r3", "none")
    .load("u32", "r1", "r2", 0)
    .store("u32", "r10", -4, "r1")
    .loadMap("r1", fd)
    .mov("r2", "r10")
    .add("r2", -4)
    .call("bpf_map_lookup_elem")
    .jeq("r0", 0, "none")
    .mov("r6", "r0")
    .mov("r1", "r6")
    .add("r1", LOCK_WORD * 4)
    .call("bpf_spin_lock");
  for (const word of DATA)
    code
      .load("u32", "r1", "r6", word * 4)
      .add("r1", 1)
      .store("u32", "r6", word * 4, "r1");
  const instructions = code
    .mov("r1", "r6")
    .add("r1", LOCK_WORD * 4)
    .call("bpf_spin_unlock")
    .mov("r0", 1)
    .exit()
    .label("none")
    .mov("r0", 0)
    .exit()
    .assemble();
  const program = bpf.loadProgram({ type: "xdp", name: "count_up", instructions });
  return (key) => {
    const data = new Uint8Array(64);
    data.set(key);
    if (program.run({ data }).retval !== 1) throw new Error("the key of a program was not there");
  };
}
