import type { Command } from "./command.ts";
import { valueTypes } from "./value-types.ts";

/** Programs that once showed something else on the two kernels. */
export const PAST_FAILURES: readonly { readonly title: string; readonly program: readonly Command[] }[] = [
  {
    title: "a map that was opened read-only cannot be mapped, not even for reading",
    program: [
      { op: "create", slot: 0, type: 2, keySize: 4, valueSize: 1, maxEntries: 1, flags: 1024, name: "", odd: null },
      { op: "byId", from: 0, slot: 0, openFlags: 8 },
      { op: "mmap", slot: 0, pages: 1, protection: 1, offset: 0 },
    ],
  },
  {
    title: "info of an fd that is not open is EBADFD",
    program: [{ op: "info", slot: 0 }],
  },
  {
    title: "a batch that cannot write its values has written their first key",
    program: [
      { op: "create", slot: 1, type: 2, keySize: 4, valueSize: 1, maxEntries: 2, flags: 0, name: "", odd: null },
      { op: "raw", cmd: 24, slot: 1, key: 2, size: 40, junkAt: null, pointer: "low", which: 1, flags: 0, shift: 0 },
    ],
  },
  {
    title: "a token is looked for even when no fd is given",
    program: [
      { op: "create", slot: 1, type: 2, keySize: 4, valueSize: 1, maxEntries: 31, flags: 65536, name: "", odd: null },
    ],
  },
  {
    title: "the loopback device takes no maps",
    program: [
      {
        op: "create",
        slot: 0,
        type: 1,
        keySize: 1,
        valueSize: 1,
        maxEntries: 1,
        flags: 64,
        name: "",
        odd: { field: "ifindex", value: 1 },
      },
    ],
  },
  {
    title: "a token is looked for before a device",
    program: [
      {
        op: "create",
        slot: 0,
        type: 2,
        keySize: 4,
        valueSize: 1,
        maxEntries: 1,
        flags: 65536,
        name: "",
        odd: { field: "ifindex", value: 1 },
      },
    ],
  },
  {
    title: "a map stays mapped for writing when another mapping goes",
    program: [
      { op: "create", slot: 0, type: 2, keySize: 4, valueSize: 4, maxEntries: 31, flags: 1024, name: "", odd: null },
      { op: "mmap", slot: 0, pages: 1, protection: 3, offset: 0 },
      { op: "mmap", slot: 0, pages: 1, protection: 1, offset: 0 },
      { op: "munmap" },
      { op: "freeze", slot: 0 },
    ],
  },
  {
    title: "the working directory cannot be removed by its dot",
    program: [{ op: "rmdir", path: "." }],
  },
  {
    title: "an array with a value for each CPU can never be mapped",
    program: [
      { op: "create", slot: 0, type: 6, keySize: 4, valueSize: 255, maxEntries: 1, flags: 0, name: "", odd: null },
      { op: "mmap", slot: 0, pages: 1, protection: 3, offset: 0 },
    ],
  },
  {
    title: "a count of references in a value reads as 1",
    program: [
      { op: "btfLoad", btf: 0, source: 0, mutation: null, flags: 0, log: { level: 0, size: 0 } },
      typed({ slot: 0, type: 5, keySize: 4, valueSize: 8, flags: 64, value: "counted" }),
      { op: "update", slot: 0, key: 0, value: 0, flags: 0 },
    ],
  },
  {
    title: "BTF cannot be mapped, and not for writing before all",
    program: [
      { op: "btfLoad", btf: 0, source: 0, mutation: null, flags: 0, log: { level: 0, size: 0 } },
      { op: "btfForMap", btf: 0, slot: 2 },
      { op: "mmap", slot: 2, pages: 1, protection: 3, offset: 0 },
      { op: "mmap", slot: 2, pages: 1, protection: 1, offset: 0 },
    ],
  },
  {
    title: "memory that a value points to is asked for before the task whose value it is",
    program: [
      { op: "btfLoad", btf: 0, source: 0, mutation: null, flags: 0, log: { level: 0, size: 0 } },
      typed({ slot: 0, type: 29, keySize: 4, valueSize: 8, flags: 1, value: "uptr" }),
      { op: "update", slot: 0, key: 0, value: 0, flags: 0 },
    ],
  },
  {
    title: "the fd of a token may be given with the id of BTF",
    program: [
      { op: "btfLoad", btf: 0, source: 0, mutation: null, flags: 0, log: { level: 0, size: 0 } },
      { op: "raw", cmd: 19, slot: 0, key: 0, size: 168, junkAt: 0, pointer: "good", which: 0, flags: 3, shift: 0 },
      { op: "raw", cmd: 19, slot: 0, key: 0, size: 16, junkAt: null, pointer: "good", which: 2, flags: 3, shift: 0 },
    ],
  },
  {
    title: "a cgroup storage is asked for its entry with the flag of its lock too",
    program: [
      { op: "btfLoad", btf: 0, source: 0, mutation: null, flags: 0, log: { level: 0, size: 0 } },
      typed({ slot: 0, type: 19, keySize: 8, valueSize: 8, flags: 0, key: "long", value: "locked" }),
      { op: "update", slot: 0, key: 0, value: 0, flags: 6 },
    ],
  },
  {
    title: "a map of maps takes no map whose values have other special fields",
    program: [
      { op: "btfLoad", btf: 0, source: 0, mutation: null, flags: 0, log: { level: 0, size: 0 } },
      typed({ slot: 1, type: 1, keySize: 4, valueSize: 8, flags: 64, value: "struct of 8" }),
      typed({ slot: 2, type: 1, keySize: 4, valueSize: 8, flags: 64, value: "locked" }),
      {
        op: "create",
        slot: 0,
        type: 12,
        keySize: 4,
        valueSize: 4,
        maxEntries: 3,
        flags: 0,
        name: "",
        odd: null,
        inner: 1,
      },
      { op: "update", slot: 0, key: 0, value: 1, flags: 0 },
      { op: "update", slot: 0, key: 0, value: 2, flags: 0 },
    ],
  },
  {
    title: "no byte of the info of BTF is written to where nothing can be",
    program: [
      { op: "btfLoad", btf: 0, source: 0, mutation: null, flags: 0, log: { level: 0, size: 0 } },
      {
        op: "create",
        slot: 0,
        type: 2,
        keySize: 4,
        valueSize: 4,
        maxEntries: 1,
        flags: 0,
        name: "",
        odd: null,
        types: { btf: 0, key: 1, value: 1 },
      },
      { op: "btfForMap", btf: 0, slot: 0 },
      { op: "raw", cmd: 15, slot: 0, key: 3, size: 32, junkAt: null, pointer: "wide", which: 0, flags: 1, shift: 0 },
    ],
  },
];

interface TypedMap {
  readonly slot: number;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly flags: number;
  /** By their names in value-types.ts. */
  readonly key?: string;
  readonly value: string;
}

/** A map with BTF from the first slot. */
function typed({ key = "int", value, ...sizes }: TypedMap): Command {
  const idOf = (name: string): number => valueTypes().all.find((type) => type.name === name)?.id as number;
  const isStorage = sizes.type === 19 || sizes.type === 29;
  const types = { btf: 0, key: idOf(key), value: idOf(value) };
  return { op: "create", ...sizes, maxEntries: isStorage ? 0 : 3, name: "", odd: null, types };
}
