import type { Bpf, MapCreateOptions, MapTypeName } from "mapiary";
import { errnoCode } from "../../src/abi/errno.ts";
import { BPF_EXIST, BPF_F_MMAPABLE, BPF_F_NO_PREALLOC, BPF_NOEXIST } from "../../src/abi/flags.ts";
import { PROT_READ, PROT_WRITE } from "../../src/abi/mman.ts";
import { Bpf as BpfOn } from "../../src/bpf.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";

/** In which state a command finds the map: with what it asks for, without it, and with it but frozen. */
const STATES = ["hit", "miss", "frozen"] as const;
type State = (typeof STATES)[number];

const PAGE = 4096;
const ROOM = 2 * PAGE;
/** Whole words of a key or value that is there, and of one that is not. */
const PRESENT = 0;
const ABSENT = 9;

type Sizes = Omit<MapCreateOptions, "type">;
const INDEXED: Sizes = { keySize: 4, valueSize: 4, maxEntries: 4 };
const KEYLESS: Sizes = { valueSize: 4, maxEntries: 4 };
const OF_CGROUP: Sizes = { keySize: 16, valueSize: 4 };
const OF_OBJECT: Sizes = { keySize: 4, valueSize: 4, flags: BPF_F_NO_PREALLOC };
/** A ring buffer that any page size takes. */
const RING: Sizes = { maxEntries: 65536 };

/** The simplest map of each type; 4 entries of 4 bytes for those that are not here. */
const SIMPLEST: Partial<Record<MapTypeName, Sizes>> = {
  lpm_trie: { keySize: 8, valueSize: 4, maxEntries: 4, flags: BPF_F_NO_PREALLOC },
  stack_trace: { keySize: 4, valueSize: 8, maxEntries: 4 },
  queue: KEYLESS,
  stack: KEYLESS,
  bloom_filter: KEYLESS,
  cgroup_storage: OF_CGROUP,
  percpu_cgroup_storage: OF_CGROUP,
  sk_storage: OF_OBJECT,
  inode_storage: OF_OBJECT,
  task_storage: OF_OBJECT,
  cgrp_storage: OF_OBJECT,
  struct_ops: { keySize: 4, valueSize: 4, maxEntries: 1 },
  ringbuf: RING,
  user_ringbuf: RING,
  arena: { maxEntries: 4, flags: BPF_F_MMAPABLE },
};

/** What the page says of each command, for each state. */
export type Answers = ReadonlyMap<string, string>;

/** What of a map the commands are asked with. */
interface Scene {
  readonly bpf: Bpf;
  readonly kernel: Kernel;
  readonly bpffs: string;
  readonly fd: number;
  /** `null` for a map without keys. */
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
}

const COMMANDS: Readonly<Record<string, (scene: Scene) => number>> = {
  lookup: ({ bpf, fd, key, value }) => bpf.sys.mapLookupElem(fd, key, value),
  update: ({ bpf, fd, key, value }) => bpf.sys.mapUpdateElem(fd, key, value),
  "update, noexist": ({ bpf, fd, key, value }) => bpf.sys.mapUpdateElem(fd, key, value, BPF_NOEXIST),
  "update, exist": ({ bpf, fd, key, value }) => bpf.sys.mapUpdateElem(fd, key, value, BPF_EXIST),
  delete: ({ bpf, fd, key }) => bpf.sys.mapDeleteElem(fd, key),
  "lookup and delete": ({ bpf, fd, key, value }) => bpf.sys.mapLookupAndDeleteElem(fd, key, value),
  "next key": ({ bpf, fd, key }) => bpf.sys.mapGetNextKey(fd, key, new Uint8Array(ROOM)),
  "lookup batch": (scene) => lookupBatch(scene, "mapLookupBatch"),
  "lookup and delete batch": (scene) => lookupBatch(scene, "mapLookupAndDeleteBatch"),
  "update batch": ({ bpf, fd, key, value }) =>
    bpf.sys.mapUpdateBatch(fd, key ?? new Uint8Array(ROOM), value, Uint32Array.of(1)),
  "delete batch": ({ bpf, fd, key }) => bpf.sys.mapDeleteBatch(fd, key ?? new Uint8Array(ROOM), Uint32Array.of(1)),
  freeze: ({ bpf, fd }) => bpf.sys.mapFreeze(fd),
  "mmap, to read": ({ kernel, fd }) => kernel.mmap(fd, PAGE, PROT_READ, 0),
  "mmap, to write": ({ kernel, fd }) => kernel.mmap(fd, PAGE, PROT_READ | PROT_WRITE, 0),
  pin: pinAndUnpin,
};

/** Every command, in the order of the page. */
export const COMMAND_TITLES: readonly string[] = ["create", ...Object.keys(COMMANDS)];

function lookupBatch({ bpf, fd }: Scene, command: "mapLookupBatch" | "mapLookupAndDeleteBatch"): number {
  const room = (): Uint8Array => new Uint8Array(ROOM);
  return bpf.sys[command](fd, null, room(), room(), room(), Uint32Array.of(8));
}

function pinAndUnpin({ bpf, kernel, bpffs, fd }: Scene): number {
  const path = `${bpffs}/map_types`;
  const result = bpf.sys.objPin(fd, path);
  if (result === 0) kernel.unlink(path);
  return result;
}

/** What a kernel answers to every command for a map of a type, made anew for each: `−errno`, or 0 for any success. */
export function answersOf(kernel: Kernel, bpffs: string, type: MapTypeName): Answers {
  const bpf = new BpfOn(kernel);
  const create = attempt(bpf, type, (fd) => Math.min(fd, 0));
  const answers = new Map([["create", shown(create)]]);
  if (create < 0) return answers;
  for (const [title, command] of Object.entries(COMMANDS)) {
    const inEachState = STATES.map((state) =>
      attempt(bpf, type, (fd, inner) => {
        const scene = setUp({ bpf, kernel, bpffs, fd }, type, state, inner);
        return command(scene);
      }),
    );
    answers.set(title, inEachState.map(shown).join(" · "));
  }
  return answers;
}

/** Makes a map and closes it again. */
function attempt({ sys }: Bpf, type: MapTypeName, use: (fd: number, inner: number) => number): number {
  const inner = sys.mapCreate({ type: "array", ...INDEXED });
  const fd = sys.mapCreate({ type, innerMapFd: inner, ...(SIMPLEST[type] ?? INDEXED) });
  const result = use(fd, inner);
  for (const each of [fd, inner]) if (each >= 0) sys.close(each);
  return result;
}

function setUp(
  open: Pick<Scene, "bpf" | "kernel" | "bpffs" | "fd">,
  type: MapTypeName,
  state: State,
  inner: number,
): Scene {
  const { bpf, fd } = open;
  const hasKeys = (SIMPLEST[type] ?? INDEXED).keySize !== undefined;
  const keyOf = (word: number): Uint8Array | null => (hasKeys ? keyBytes(type, word) : null);
  const valueFor = (word: number): Uint8Array => words(givenValue(type, word, fd, inner));
  const isThere = state !== "miss" || hasKeys;
  if (isThere) bpf.sys.mapUpdateElem(fd, keyOf(PRESENT), valueFor(PRESENT));
  if (state === "frozen") bpf.sys.mapFreeze(fd);
  const asked = state === "miss" ? ABSENT : PRESENT;
  return { ...open, key: keyOf(asked), value: valueFor(asked) };
}

/** A number as a key; in a trie behind a prefix of all its bits. */
function keyBytes(type: MapTypeName, word: number): Uint8Array {
  return type === "lpm_trie" ? words(32, word) : words(word);
}

/** What can be kept: a map, the loopback device, a queue of one for a CPU; of other objects there is none, and the map's own fd is given. */
function givenValue(type: MapTypeName, word: number, fd: number, inner: number): number {
  if (type === "array_of_maps" || type === "hash_of_maps") return inner;
  if (type === "devmap" || type === "devmap_hash" || type === "cpumap") return 1;
  const takesFds = /_array$|sock|^xskmap$|_sockarray$/.test(type) && type !== "percpu_array";
  return takesFds ? fd : word;
}

function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(ROOM);
  bytes.set(new Uint8Array(Int32Array.from(values).buffer));
  return bytes;
}

function shown(result: number): string {
  return result < 0 ? errnoCode(result) : "0";
}
