import { BtfCommands } from "./btf-commands.ts";

export type { BatchOptions } from "./batch-commands.ts";
export type { BtfInfo, BtfLoadOptions } from "./btf-commands.ts";
export type { MapCreateOptions } from "./map-commands.ts";
export type { PathOptions } from "./object-commands.ts";
export type { ProgLoadOptions, ProgTestRunOptions } from "./prog-commands.ts";

/**
 * The commands of `bpf(2)` by libbpf's names, on any kernel. Each answers what libbpf answers: 0 or more, or `−errno`;
 * none throws for what a kernel may refuse.
 *
 * Keys, values and cursors are `Uint8Array`s, of which the kernel reads and writes as many bytes as the map has (for a
 * value of a per-CPU map: each CPU's rounded up to 8, times `possibleCpus`). An array that is too short is `−EFAULT`
 * where the kernel would use it: it can never reach beyond. The key of a map that has none, a queue for one, is `null`. In C the same mistake reads and writes a stranger's memory.
 *
 * @example
 * ```ts
 * import { embedded } from "mapiary";
 *
 * using bpf = embedded();
 * const { sys } = bpf;
 * const fd = sys.mapCreate({ type: "hash", name: "hits", keySize: 4, valueSize: 8, maxEntries: 16 });
 * const key = Uint8Array.of(5, 0, 0, 0);
 * sys.mapUpdateElem(fd, key, new Uint8Array(8), 0); // 0
 * sys.mapLookupElem(fd, Uint8Array.of(6, 0, 0, 0), new Uint8Array(8)); // -2, which is −ENOENT
 * sys.close(fd);
 * ```
 *
 * Source: `tools/lib/bpf/bpf.c`, bpf(2).
 */
export class Sys extends BtfCommands {}
