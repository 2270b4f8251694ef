import type { Command } from "./command.ts";

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
];
