import { type Bpf, BpfError, type BpfObject, type BpfProgram, type RunOptions } from "mapiary";
import { PACKETS } from "./packets.ts";

/** What a run of a program came to: the same on every kernel. */
export interface Observed {
  readonly program: string;
  readonly retval: number | string;
  readonly data: string | undefined;
  readonly ctx: string | undefined;
}

/** What is left when all programs have run: maps and variables, in an order of their own. */
export interface State {
  readonly maps: Readonly<Record<string, readonly string[]>>;
  readonly variables: Readonly<Record<string, string>>;
}

const ON_PACKETS = new Set(["xdp", "sched_cls", "socket_filter", "cgroup_skb"]);
const CONTEXTS: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  [1, 0, 2, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
  [0xffffffff, 0xffffffff, 7, 0, 1000, 3, 77, 12, 5, 5, 1, 2, 3, 4, 5, 6],
  [0x80000000, 0x7fffffff, 0xdeadbeef, 0xcafebabe, 5, 4, 3, 2, 1, 0, 9, 8, 7, 6, 5, 4],
  [53, 5432, 21, 3, 9, 200, 100, 50, 25, 12, 6, 3, 1, 0, 0, 0],
];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");

/** Runs each program of an object on all that it can be run on, one after the other. */
export function observe(object: BpfObject): Observed[] {
  const inputs = (program: BpfProgram): RunOptions[] => {
    if (ON_PACKETS.has(program.type)) return PACKETS.map((data) => ({ data }));
    if (program.type === "syscall")
      return CONTEXTS.map((words) => ({ ctx: new Uint8Array(Uint32Array.from(words).buffer) }));
    return [{ ctx: new Uint8Array(BigUint64Array.of(5n, 42n).buffer) }];
  };
  return Object.values(object.programs).flatMap((program) =>
    inputs(program).map((input) => {
      const { retval, data, ctx } = attempt(() => program.run(input));
      return { program: program.name, retval, data: data && hex(data), ctx: ctx && hex(ctx) };
    }),
  );
}

function attempt(run: () => ReturnType<BpfProgram["run"]>): {
  readonly retval: number | string;
  readonly data?: Uint8Array | undefined;
  readonly ctx?: Uint8Array | undefined;
} {
  try {
    return run();
  } catch (error) {
    if (error instanceof BpfError) return { retval: error.code };
    throw error;
  }
}

/** What an object holds. Of values for each CPU the sum counts: a program runs on the CPU that it is given. */
export function stateOf(bpf: Bpf, object: BpfObject): State {
  const maps = Object.fromEntries(Object.entries(object.maps).map(([name, map]) => [name, entriesOf(bpf, map.fd)]));
  const variables = Object.fromEntries(
    Object.entries(object.variables).map(([name, value]) => [name, JSON.stringify(value, plain)]),
  );
  return { maps, variables };
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  return value instanceof Uint8Array ? hex(value) : value;
}

function entriesOf({ sys, possibleCpus }: Bpf, fd: number): string[] {
  const info = sys.objGetInfoByFd(fd);
  if (typeof info === "number" || HOLDS_OBJECTS.has(String(info.type))) return [];
  const isPerCpu = String(info.type).includes("percpu");
  const each = isPerCpu ? Math.ceil(info.valueSize / 8) * 8 : info.valueSize;
  const value = new Uint8Array(isPerCpu ? each * possibleCpus : each);
  if (info.keySize === 0) return drained(sys, fd, value);
  const entries: string[] = [];
  let key: Uint8Array | null = null;
  for (;;) {
    const next = new Uint8Array(info.keySize);
    if (sys.mapGetNextKey(fd, key, next) !== 0) return entries.sort();
    key = next;
    if (sys.mapLookupElem(fd, key, value) === 0)
      entries.push(`${hex(key)}=${isPerCpu ? summed(value, each) : hex(value)}`);
  }
}

const HOLDS_OBJECTS = new Set(["prog_array", "array_of_maps", "hash_of_maps", "ringbuf", "bloom_filter"]);

function drained(sys: Bpf["sys"], fd: number, value: Uint8Array): string[] {
  const values: string[] = [];
  while (sys.mapLookupAndDeleteElem(fd, null, value) === 0) values.push(hex(value));
  return values;
}

function summed(value: Uint8Array, each: number): string {
  const words = new BigUint64Array(value.slice().buffer);
  const sums = new BigUint64Array(each / 8);
  for (const [at, word] of words.entries()) sums[at % sums.length] = (sums[at % sums.length] as bigint) + word;
  return sums.join(",");
}
