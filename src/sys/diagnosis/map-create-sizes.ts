import { EINVAL } from "../../abi/errno.ts";
import { HASH_TABLE_TYPES } from "../../abi/map-types.ts";
import { type Creation, type CreationRule, tryOut } from "./creation.ts";
import { OBJECT_STORAGES, PERCPU_MOST, type Range } from "./map-type-facts.ts";

/** The bytes of an instruction pointer, of which a stack trace is made. */
const ADDRESS = 8;
const LEAST_PAGE = 4096;
const LARGEST_PAGE = 65536;

/** A value that is between the two sizes that its type takes: EINVAL. */
const neitherSize: CreationRule = ({ facts, aMap, valueSize }) => {
  if (!facts?.hasTwoSizes || facts.valueSize.includes(valueSize)) return undefined;
  return `${aMap}'s value is ${facts.valueSize.join(" or ")} bytes, not ${valueSize}.`;
};

/** A key or value that is not as long as its type wants it: EINVAL. */
function wrongSize(role: "key" | "value"): CreationRule {
  return (creation) => {
    const size = role === "key" ? creation.keySize : creation.valueSize;
    const range = role === "key" ? creation.facts?.keySize : creation.facts?.valueSize;
    if (range === undefined || within(size, range)) return undefined;
    return `${sizeRule(creation, role, range)}, not ${size}: ${sizeAdvice(creation, role, range)}`;
  };
}

function sizeRule({ aMap }: Creation, role: string, [least, most]: Range): string {
  if (most === 0) return `${aMap} has no ${role}s, which makes ${role}Size 0`;
  if (least === most) return `${aMap}'s ${role} is ${bytes(least)}`;
  if (most > 2 ** 30) return `${aMap}'s ${role} is at least ${bytes(least)}`;
  return `${aMap}'s ${role} is ${least} to ${bytes(most)}`;
}

function sizeAdvice({ typeName }: Creation, role: "key" | "value", [least, most]: Range): string {
  if (most === 0) return `leave out ${role}.`;
  if (typeName === "lpm_trie" && role === "key")
    return "4 for the prefix length, and the bytes that it counts the bits of.";
  const length = least === most ? bytes(least) : `at least ${bytes(least)}`;
  const isIndex = role === "key" && least === most;
  return isIndex ? `leave out key, or use a layout of ${length}.` : `use a layout of ${length}.`;
}

function bytes(count: number): string {
  return count === 1 ? "1 byte" : `${count} bytes`;
}

function within(value: number, [least, most]: Range): boolean {
  return value >= least && value <= most;
}

const brokenStack: CreationRule = ({ typeName, valueSize }) =>
  typeName === "stack_trace" && valueSize % ADDRESS !== 0
    ? `a stack_trace's value is a number of addresses of ${ADDRESS} bytes, and ${valueSize} is no multiple of it.`
    : undefined;

/** How deep is a setting of the system, so the kernel is asked. */
const longStack: CreationRule = ({ sys, type, typeName, valueSize }) => {
  if (typeName !== "stack_trace" || tryOut(sys, { type, keySize: 4, valueSize, maxEntries: 1 }) !== -EINVAL)
    return undefined;
  return (
    `a stack_trace of ${valueSize / ADDRESS} addresses is deeper than kernel.perf_event_max_stack allows: ` +
    "use a shorter value, or raise it with sysctl."
  );
};

const wrongEntries: CreationRule = ({ typeName, aMap, maxEntries, facts }) => {
  const growsByItself = facts?.maxEntries[1] === 0 || OBJECT_STORAGES.has(typeName);
  if (growsByItself && maxEntries > 0) {
    return `${aMap} grows with the objects that it is beside, which makes maxEntries 0, not ${maxEntries}: leave it out.`;
  }
  return growsByItself || maxEntries > 0 ? undefined : `maxEntries is 0, and ${aMap} has room for one entry at least.`;
};

/** How long a page is depends on the machine, so the kernel is asked about what is a power of two. */
const brokenRing: CreationRule = ({ sys, type, typeName, aMap, maxEntries }) => {
  if (typeName !== "ringbuf" && typeName !== "user_ringbuf") return undefined;
  const isPowerOfTwo = maxEntries > 0 && Number.isInteger(Math.log2(maxEntries));
  if (isPowerOfTwo && (maxEntries > LARGEST_PAGE || tryOut(sys, { type, maxEntries }) !== -EINVAL)) return undefined;
  return `${aMap}'s maxEntries is its bytes, a power of two and whole pages (4096, 65536, 1048576 …), not ${maxEntries}.`;
};

const wrongExtra: CreationRule = ({ facts, given, typeName, aMap }) => {
  if (typeName === "arena" && Number(given.mapExtra ?? 0) % LEAST_PAGE !== 0) {
    return `mapExtra is ${given.mapExtra}, and for an arena it is the address of a page, or 0: leave it out.`;
  }
  if (facts === undefined || within(Number(given.mapExtra ?? 0), facts.mapExtra)) return undefined;
  return `mapExtra is ${given.mapExtra}, and for ${aMap} it is a number of hash functions from 0 to ${facts.mapExtra[1]}.`;
};

/** EINVAL for sizes that the type does not have: its `map_alloc_check`, 6.18. */
export const WRONG_SIZES: readonly CreationRule[] = [
  brokenRing,
  wrongEntries,
  wrongSize("key"),
  neitherSize,
  wrongSize("value"),
  brokenStack,
  longStack,
  wrongExtra,
];

const tooLargePerCpu: CreationRule = ({ facts, aMap, valueSize }) =>
  facts?.isPerCpu && Math.ceil(valueSize / 8) * 8 > PERCPU_MOST
    ? `${aMap}'s value is at most ${PERCPU_MOST} bytes for each CPU, not ${valueSize}.`
    : undefined;

const tooLarge: CreationRule = ({ facts, type, aMap, keySize, valueSize }) => {
  if (facts === undefined) return undefined;
  if (!HASH_TABLE_TYPES.has(type)) {
    if (valueSize <= facts.mostBytes) return undefined;
    return `${aMap}'s value is at most ${facts.mostBytes} bytes, not ${valueSize}: spread it over several entries.`;
  }
  if (keySize + valueSize <= facts.mostBytes) return undefined;
  return (
    `${aMap}'s key and value are at most ${facts.mostBytes} bytes together, ` +
    `not ${keySize} + ${valueSize} = ${keySize + valueSize}: spread the value over several entries.`
  );
};

const tooMany: CreationRule = ({ facts, aMap, maxEntries }) => {
  if (facts === undefined || maxEntries <= facts.maxEntries[1]) return undefined;
  return `${aMap} has at most ${facts.maxEntries[1]} entries, not ${maxEntries}: ask for fewer, or for several maps.`;
};

const tooLongKey: CreationRule = ({ facts, aMap, keySize }) => {
  if (facts === undefined || keySize <= facts.keySize[1]) return undefined;
  return `${aMap}'s key is at most ${facts.keySize[1]} bytes, not ${keySize}.`;
};

/** The pages of an arena share the upper half of their addresses: `kernel/bpf/arena.c: arena_map_alloc`, 6.18. */
export const ACROSS_4_GIB: CreationRule = ({ given, aMap, maxEntries }) =>
  `mapExtra is ${given.mapExtra}, and the ${maxEntries} pages of ${aMap} from there cross a boundary of 4 GiB: choose another.`;

/** E2BIG: what is larger than any map of the type. */
export const TOO_LARGE: readonly CreationRule[] = [tooLargePerCpu, tooLongKey, tooLarge, tooMany];
