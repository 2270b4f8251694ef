/**
 * Command lines for bpftool and mapiary alike. `$FS` is a directory of a BPF filesystem, `$N` what the names of the maps of
 * one run begin with, and `$ID(file)` the id of the map that is pinned as `$FS/file`.
 */

/** How mapiary answers deliberately otherwise. */
export interface Difference {
  /** Why; docs/cli.md says so too. */
  readonly why: string;
  /** What mapiary ends with; the same as bpftool when not given. */
  readonly exitCode?: number;
}

/** A command line, and what is known of the answers. */
export interface Line {
  readonly line: string;
  readonly difference?: Difference;
  /** Its output has ids of maps as values. */
  readonly hasIds?: true;
}

/** bpftool takes what is more than a byte for its low eight bits. */
const BYTE_RANGE = { why: "a number that is no byte is refused", exitCode: 255 };
/** bpftool wants all bytes one by one. */
const WHOLE_VALUE = { why: "one word stands for the whole key or value", exitCode: 0 };
/** bpftool names the directory of a path that cannot be opened. */
const WHOLE_PATH = { why: "the message names the path" };
/** bpftool names the first word of all when there is one too many. */
const WHICH_WORD = { why: "the message names the word that is too many" };
const NUMBER_RANGE = { why: "a number beyond 32 bits is refused", exitCode: 255 };

const HASH: readonly (string | Line)[] = [
  "map create $FS/hash type hash key 4 value 8 entries 4 name $Nhash flags 0x40",
  "map show pinned $FS/hash",
  "map list pinned $FS/hash",
  "map show id $ID(hash)",
  "map show name $Nhash",
  "map dump pinned $FS/hash",
  "map lookup pinned $FS/hash key 1 0 0 0",
  "map getnext pinned $FS/hash",
  "map getnext pinned $FS/hash key 1 0 0 0",
  "map delete pinned $FS/hash key 1 0 0 0",
  "map update pinned $FS/hash key 1 0 0 0 value 1 2 3 4 5 6 7 8",
  "map update pinned $FS/hash key 0x02 0 0 00 value 0xff 0x10 010 0377 0 0 0 0x0",
  "map update pinned $FS/hash key hex 03 0 0 0 value hex ff 10 0a b c 0x0d 0 0",
  "map update id $ID(hash) value 9 9 9 9 9 9 9 9 key 4 0 0 0",
  "map update name $Nhash key 5 0 0 0 value 1 1 1 1 1 1 1 1",
  "map update name $Nhash key 4 0 0 0 value 1 1 1 1 1 1 1 1 any",
  "map update name $Nhash any key 4 0 0 0 value 2 1 1 1 1 1 1 1",
  "map update name $Nhash key 4 0 0 0 exist value 3 1 1 1 1 1 1 1",
  "map update name $Nhash key 4 0 0 0 value 1 1 1 1 1 1 1 1 noexist",
  "map update name $Nhash key 7 0 0 0 value 1 1 1 1 1 1 1 1 exist",
  "map dump pinned $FS/hash",
  "map dump id $ID(hash)",
  "map dump name $Nhash",
  "map lookup pinned $FS/hash key 3 0 0 0",
  "map lookup pinned $FS/hash key hex 3 0 0 0",
  "map lookup name $Nhash key 0x3 0x0 0x0 0x0",
  "map getnext pinned $FS/hash",
  "map getnext pinned $FS/hash key 4 0 0 0",
  "map getnext pinned $FS/hash key 99 0 0 0",
  "map delete pinned $FS/hash key 4 0 0 0",
  "map delete pinned $FS/hash key 4 0 0 0",
  "map dump pinned $FS/hash",
  "map peek pinned $FS/hash key 1 0 0 0",
  "map pop pinned $FS/hash",
  "map push pinned $FS/hash key 6 0 0 0 value 1 2 3 4 5 6 7 8",
  "map pin pinned $FS/hash $FS/again",
  "map pin pinned $FS/hash $FS/again",
  "map pin id $ID(hash) $FS/third",
  "map pin id $ID(hash) $FS/missing/third",
  "map pin id $ID(hash) $FS/with.dot",
  "map pin id $ID(hash) /tmp/mapiary-no-bpffs",
  "map show pinned $FS/again",
];

const ABBREVIATIONS: readonly (string | Line)[] = [
  "m s pinned $FS/hash",
  "ma li p $FS/hash",
  "map d pinned $FS/hash",
  "map u pinned $FS/hash k 1 0 0 0 v 8 7 6 5 4 3 2 1 an",
  "map u pinned $FS/hash ke 1 0 0 0 val h 08 07 06 5 4 3 2 1 ex",
  "map lo i $ID(hash) k 1 0 0 0",
  "map g p $FS/hash",
  "map de p $FS/hash k 9 0 0 0",
  "map c $FS/short t array k 4 v 4 e 2 n $Nshort f 0",
  "map dump n $Nshort",
  "map pe pinned $FS/hash k 1 0 0 0",
];

const OTHER_TYPES: readonly (string | Line)[] = [
  "map create $FS/array type array key 4 value 4 entries 3 name $Narray",
  "map dump pinned $FS/array",
  "map update pinned $FS/array key 1 0 0 0 value 9 0 0 0",
  "map update pinned $FS/array key 3 0 0 0 value 9 0 0 0",
  "map update pinned $FS/array key 1 0 0 0 value 9 0 0 0 noexist",
  "map delete pinned $FS/array key 1 0 0 0",
  "map lookup pinned $FS/array key 3 0 0 0",
  "map getnext pinned $FS/array key 2 0 0 0",
  "map getnext pinned $FS/array key 7 0 0 0",
  "map dump pinned $FS/array",
  "map create $FS/wide type hash key 20 value 40 entries 2 name $Nwide",
  `map update pinned $FS/wide key ${"7 ".repeat(20)}value ${"0xab ".repeat(40)}`,
  "map dump pinned $FS/wide",
  "map create $FS/pcpu type percpu_array key 4 value 4 entries 2 name $Npcpu",
  "map update pinned $FS/pcpu key 0 0 0 0 value 1 2 3 4",
  "map lookup pinned $FS/pcpu key 0 0 0 0",
  "map dump pinned $FS/pcpu",
  "map create $FS/pchash type percpu_hash key 2 value 12 entries 2 name $Npchash",
  "map update pinned $FS/pchash key 1 2 value 1 2 3 4 5 6 7 8 9 10 11 12",
  "map dump pinned $FS/pchash",
  "map create $FS/lru type lru_hash key 4 value 4 entries 4 name $Nlru",
  "map update pinned $FS/lru key 1 0 0 0 value 1 0 0 0",
  "map lookup pinned $FS/lru key 1 0 0 0",
  "map create $FS/lpm type lpm_trie key 8 value 4 entries 4 name $Nlpm flags 1",
  "map update pinned $FS/lpm key 8 0 0 0 10 0 0 0 value 1 0 0 0",
  "map update pinned $FS/lpm key 16 0 0 0 10 1 0 0 value 2 0 0 0",
  "map lookup pinned $FS/lpm key 32 0 0 0 10 1 2 3",
  "map lookup pinned $FS/lpm key 32 0 0 0 11 1 2 3",
  "map update pinned $FS/lpm key 33 0 0 0 10 1 0 0 value 2 0 0 0",
  "map dump pinned $FS/lpm",
  "map delete pinned $FS/lpm key 24 0 0 0 10 1 0 0",
  "map delete pinned $FS/lpm key 16 0 0 0 10 1 0 0",
  "map create $FS/nolpm type lpm_trie key 8 value 4 entries 4 name $Nnolpm",
  "map create $FS/queue type queue key 0 value 4 entries 2 name $Nqueue",
  "map peek pinned $FS/queue",
  "map enqueue pinned $FS/queue value 1 0 0 0",
  "map enqueue pinned $FS/queue value 2 0 0 0",
  "map enqueue pinned $FS/queue value 3 0 0 0",
  "map enqueue pinned $FS/queue value 3 0 0 0 exist",
  "map push pinned $FS/queue key 1 0 0 0 value 3 0 0 0",
  "map peek pinned $FS/queue",
  "map dequeue pinned $FS/queue",
  "map dequeue pinned $FS/queue",
  "map dequeue pinned $FS/queue",
  "map dump pinned $FS/queue",
  "map getnext pinned $FS/queue",
  "map delete pinned $FS/queue",
  "map create $FS/stack type stack key 0 value 8 entries 2 name $Nstack",
  "map push pinned $FS/stack value 1 0 0 0 0 0 0 0",
  "map push pinned $FS/stack value 2 0 0 0 0 0 0 0",
  "map pop pinned $FS/stack",
  "map peek pinned $FS/stack",
  "map pop pinned $FS/stack",
  "map pop pinned $FS/stack",
  "map create $FS/bloom type bloom_filter key 0 value 4 entries 10 name $Nbloom",
  "map push pinned $FS/bloom value 1 0 0 0",
  "map show pinned $FS/bloom",
  "map dump pinned $FS/bloom",
  "map create $FS/ring type ringbuf key 0 value 0 entries 4096 name $Nring",
  "map create $FS/badring type ringbuf key 0 value 0 entries 4000 name $Nbadring",
  "map show pinned $FS/ring",
  "map dump pinned $FS/ring",
  "map lookup pinned $FS/ring",
  "map create $FS/progs type prog_array key 4 value 4 entries 2 name $Nprogs",
  "map show pinned $FS/progs",
  "map dump pinned $FS/progs",
  "map lookup pinned $FS/progs key 0 0 0 0",
  "map update pinned $FS/progs key 0 0 0 0 value 1 0 0 0",
  "map update pinned $FS/progs key 0 0 0 0 value pinned $FS/hash",
  "map update pinned $FS/progs key 0 0 0 0 value pinned",
  "map delete pinned $FS/progs key 0 0 0 0",
];

const MAPS_OF_MAPS: readonly (string | Line)[] = [
  "map create $FS/outer type hash_of_maps key 4 value 4 entries 2 name $Nouter inner_map pinned $FS/array",
  "map show pinned $FS/outer",
  "map update pinned $FS/outer key 1 0 0 0 value pinned $FS/array",
  "map update pinned $FS/outer key 2 0 0 0 value id $ID(hash)",
  "map update pinned $FS/outer key 2 0 0 0 value name $Nnosuch",
  { line: "map lookup pinned $FS/outer key 1 0 0 0", hasIds: true },
  { line: "map dump pinned $FS/outer", hasIds: true },
  "map update pinned $FS/outer key 2 0 0 0 value 1 0 0 0",
  "map update pinned $FS/outer key 2 0 0 0 value id",
  "map delete pinned $FS/outer key 1 0 0 0",
  "map create $FS/outers type array_of_maps key 4 value 4 entries 3 name $Nouters inner_map name $Narray",
  "map update pinned $FS/outers key 1 0 0 0 value id $ID(array)",
  { line: "map dump pinned $FS/outers", hasIds: true },
  "map create $FS/noinner type array_of_maps key 4 value 4 entries 3 name $Nnoinner",
  "map create $FS/noinner type array_of_maps key 4 value 4 entries 3 name $Nnoinner inner_map id 0",
];

const MISTAKES: readonly (string | Line)[] = [
  "map create $FS/hash type hash key 4 value 8 entries 4 name $Nother",
  "map create $FS/x type hash key 4 value 8 entries 0 name $Nx",
  "map create $FS/x type hash key 0 value 8 entries 4 name $Nx",
  "map create $FS/x type hash key 4 value 8 entries 4 name $Nx flags 0x80000000",
  "map create $FS/x type hsh key 4 value 8 entries 4 name $Nx",
  "map create $FS/x type hash type array key 4 value 8 entries 4 name $Nx",
  "map create $FS/x type hash key 4 key 8 value 8 entries 4 name $Nx",
  "map create $FS/x type hash key four value 8 entries 4 name $Nx",
  "map create $FS/x type hash key 4 value 8 entries 4 flags 1",
  "map create $FS/x type hash key 4 value 8 entries 4 name",
  "map create $FS/x type hash key 4 value 8 entries 4 nmae $Nx",
  "map create $FS/x type hash key 4 value 8 entries 4 name bad/name",
  "map create $FS/x key 4 value 8 entries 4 name $Nx",
  "map create $FS/x type hash",
  "map create",
  "map create $FS/x type hash key 4 value 8 entries 4 name $Nx dev nosuchdev0",
  "map create /tmp/mapiary-no-bpffs type hash key 4 value 8 entries 4 name $Nx",
  { line: "map create $FS/x type hash key 4294967300 value 8 entries 4 name $Nx", difference: NUMBER_RANGE },
  { line: "map update pinned $FS/hash key 1 value 5", difference: WHOLE_VALUE },
  "map update pinned $FS/hash key 1 0 0 value 1 2 3 4 5 6 7 8",
  "map update pinned $FS/hash key 1 0 0 0 0 value 1 2 3 4 5 6 7 8",
  "map update pinned $FS/hash key 1 0 0 x value 1 2 3 4 5 6 7 8",
  "map update pinned $FS/hash key 1 0 0 08 value 1 2 3 4 5 6 7 8",
  "map update pinned $FS/hash key 1 0 0 0x value 1 2 3 4 5 6 7 8",
  "map update pinned $FS/hash key hex 1 0 0 zz value 1 2 3 4 5 6 7 8",
  "map update pinned $FS/hash key 1 0 0 0",
  "map update pinned $FS/hash value 1 2 3 4 5 6 7 8",
  "map update pinned $FS/hash key 1 0 0 0 key 1 0 0 0 value 1 2 3 4 5 6 7 8",
  "map update pinned $FS/hash key 1 0 0 0 value 1 2 3 4 5 6 7 8 value 1 2 3 4 5 6 7 8",
  "map update pinned $FS/hash key 1 0 0 0 value 1 2 3 4 5 6 7 8 any any",
  "map update pinned $FS/hash key 1 0 0 0 value 1 2 3 4 5 6 7 8 sometimes",
  "map update pinned $FS/hash",
  { line: "map update pinned $FS/hash key 1 0 0 300 value 1 2 3 4 5 6 7 8", difference: BYTE_RANGE },
  "map lookup pinned $FS/hash",
  "map lookup pinned $FS/hash key 1 0 0 0 any",
  "map lookup pinned $FS/hash key 1 0 0 0 value 1 2 3 4 5 6 7 8",
  "map lookup pinned $FS/hash kex 1 0 0 0",
  "map lookup pinned $FS/nosuch key 1 0 0 0",
  "map lookup pinned /tmp/nosuch key 1 0 0 0",
  { line: "map lookup pinned /dev/null key 1 0 0 0", difference: WHOLE_PATH },
  { line: "map lookup pinned $FS key 1 0 0 0", difference: WHOLE_PATH },
  "map lookup id 4294967295 key 1 0 0 0",
  "map lookup id twelve key 1 0 0 0",
  "map lookup name $Nnosuch key 1 0 0 0",
  "map lookup name averylongnamethatnomapcanhave key 1 0 0 0",
  "map lookup nme $Nhash key 1 0 0 0",
  "map lookup pinned",
  "map lookup",
  "map getnext pinned $FS/hash value 1",
  "map delete pinned $FS/hash",
  "map delete pinned $FS/hash key 1 0 0 0 any",
  "map delete pinned $FS/hash value 1 2 3 4 5 6 7 8",
  "map pin pinned $FS/hash",
  "map pin pinned $FS/hash $FS/fourth extra",
  { line: "map show pinned $FS/hash extra", difference: WHICH_WORD },
  "map show bogus",
  "map show name $Nnosuch",
  "map dump",
  "map dump pinned $FS/hash extra",
  "map dump pinned $FS/nosuch",
  "map freeze",
  "map freeze pinned $FS/hash extra",
  "map nosuch pinned $FS/hash",
  "map help",
  "nosuch",
  "help",
  "map event_pipe pinned $FS/hash",
  "map update pinned $FS/hash key '1' \"0\" 0 0 value 1 2 3 4 5 6 7 8",
];

const SAME_NAMES: readonly (string | Line)[] = [
  "map create $FS/twin1 type array key 4 value 1 entries 1 name $Ntwin",
  "map create $FS/twin2 type array key 4 value 1 entries 2 name $Ntwin",
  "map show name $Ntwin",
  "map dump name $Ntwin",
  "map lookup name $Ntwin key 0 0 0 0",
  "map update name $Ntwin key 0 0 0 0 value 1",
];

const FREEZE: readonly (string | Line)[] = [
  "map freeze pinned $FS/hash",
  "map freeze pinned $FS/hash",
  "map show pinned $FS/hash",
  "map update pinned $FS/hash key 1 0 0 0 value 1 1 1 1 1 1 1 1",
  "map delete pinned $FS/hash key 1 0 0 0",
  "map lookup pinned $FS/hash key 1 0 0 0",
  "map dump pinned $FS/hash",
];

/** The whole script, in its order. */
export const SCRIPT: readonly Line[] = [
  ...HASH,
  ...ABBREVIATIONS,
  ...OTHER_TYPES,
  ...MAPS_OF_MAPS,
  ...MISTAKES,
  ...SAME_NAMES,
  ...FREEZE,
].map((line) => (typeof line === "string" ? { line } : line));

/** The maps that the script makes: those that can be dumped, and those that cannot. */
const DUMPED = "hash again third fourth short array wide pcpu pchash lru lpm progs outer outers twin1 twin2".split(" ");
const SHOWN = [...DUMPED, ..."queue stack bloom ring".split(" ")];

/** What reads all of them, in one batch file: the effect of the script. */
export const EFFECT: readonly Line[] = [
  ...SHOWN.map((pin) => ({ line: `map show pinned $FS/${pin}` })),
  ...DUMPED.map((pin) => ({
    line: `map dump pinned $FS/${pin}`,
    ...(pin.startsWith("outer") ? { hasIds: true as const } : {}),
  })),
];
