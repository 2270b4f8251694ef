import type { Goal } from "./goals.ts";
import { growthChart, growthTables } from "./growth/growth-tables.ts";
import { typeDescriptions, typeTable } from "./map-types/type-tables.ts";
import { MEASURE_NAMES, MEASURES } from "./measures.ts";
import { absences, goalsTable, header, otherTables, placeTables, type Table } from "./report.ts";
import type { Result } from "./result.ts";

/** The result as the page `docs/performance.md`. */
export function markdownReport(result: Result, goals: readonly Goal[]): string {
  const measures = MEASURE_NAMES.map((name) => `- **${MEASURES[name].title}**: ${MEASURES[name].does}`);
  const parts = [
    "# Performance",
    "Written by `npm run bench -- --markdown`. Ratios are what counts: all peers are measured in one run and in turn, so what\nslows the machine slows all of them. Absolute times are this machine's.",
    header(result).join("\n\n"),
    ...placeTables(result).map(inMarkdown),
    "Below 1 is faster than the peer it is compared with. What each measure does:",
    measures.join("\n"),
    inMarkdown(typeTable(result.types)),
    TYPES,
    typeDescriptions().join("\n"),
    "## A get, drawn against size",
    ["```text", growthChart(result.growth), "```"].join("\n"),
    GROWTH,
    ...[
      ...growthTables(result.growth, result.pauses.entries, result.pauses.longest),
      ...otherTables(result),
      goalsTable(goals),
    ].map(inMarkdown),
    ...absences(result),
    HOW,
  ];
  return `${parts.join("\n\n")}\n`;
}

const TYPES = `Both are mapiary, with the same keys and values, and each type is a process of its own on each kernel, which used small
maps of all the other types first. An entry is a key of 4 bytes, 8 in an LPM trie, and a value of 8, for each possible CPU in
the per-CPU types; what it takes of memory is counted per entry that there is room for. The keys are in random order.

- The keys of an LPM trie are random prefixes of 8 to 32 bits, asked for by addresses. \`bytes(8)\` takes them as they lie in memory,
  \`struct\` as objects, \`cidr\` as texts to be parsed. Linux counts neither its intermediate nodes nor what its allocator rounds up.
- A pass over the map goes before each time, untimed and for 10 ms at most: dozens of processes take turns in the caches.
- Queue and stack are half full, and what is pushed is popped again, untimed, and the other way round.
- On Linux an update of a map of maps waits until all CPUs have let go of the old map, for milliseconds that are not CPU time
  and do not count here.

A lookup and an update are:`;

const GROWTH = `Each table is filled by a process of its own, in random order, and is full but where a load is given; a number is the
median of the processes. "Bare access" is what the memory alone costs: two reads in tables as large as those of a hash, of which
the second waits for the first; "in turn", when each such pair also waits for the one before it, as lookups partly do. A hash on the embedded kernel has the next power of two of buckets, so its load is between a
half and one. Values of more than 8 bytes are \`bytes(n)\` and come as a \`Uint8Array\` of their own, which \`Map\` need not make.
The pauses are the time that passes between two turns of the event loop, the least of the processes.`;

const HOW = `## To reproduce

\`\`\`sh
npm ci
npm ci --prefix bench       # the peers from npm; without them the bench runs and says so
sudo npm run bench          # a minute or two; --quick takes half a minute, --full about twenty
\`\`\`

Root, or CAP_BPF, is for the measures on Linux; a C compiler and libbpf's headers (\`libbpf-dev\`) for the peer in C.

- Every peer is a process of its own, so that none has its code compiled for another's types, and is filled with the same
  entries. It is asked over a pipe to run one measure for some milliseconds, then the next peer is; each round begins with
  another. Three rounds go before, in which the engine compiles what is hot.
- mapiary is measured as its package is compiled. "Other maps used before" is a process that used maps of six other
  layouts first, as programs do, so that the engine cannot have specialized mapiary's code for one.
- Times are CPU time of the peer's whole process, the engine's own threads included: what other processes do meanwhile does not
  count. On a machine that is idle otherwise it is the time that passes.
- A number is the median over the rounds, the range in parentheses holds the middle half. A ratio is the median of the
  ratios of one round each.
- What a lookup finds is kept, the number of hits is checked, and after the last round every value is verified.
- Garbage that a measure leaves is collected before the next; what is collected while it runs is part of its time.
- The values are small whole numbers. That is the kindest case for \`Map\`, which then needs no memory for them beyond its own table.
- npm \`bpf\` by \`RawMap\` is given the same buffers each time, and its caller reads and writes numbers in them; by \`ConvMap\` it
  converts, with its own \`u32type\` and the fastest conversion of a \`Buffer\` to a number for the values.
- better-sqlite3 is used by prepared statements on a table with an integer primary key, with WAL and \`synchronous = off\`; lmdb with
  \`uint32\` keys, \`noSync\` and \`putSync\`, a transaction each. \`setMany\` is one transaction. Their shared tables lie in
  /dev/shm, and another process has them open, which has read an entry of the first one.
- Helpers are called by a program that is assembled in TypeScript, loaded, and run by BPF_PROG_TEST_RUN: a thousand elements a run, in
  an order that no cache foresees.
- Calculating programs and those that are loaded are in bench/programs/: a loop of a thousand rounds whose operations wait for
  one another, and a program that counts fields of packets in a hash. Loading is verification and compilation; each process
  that loads is a new one, so its times hold the first use of every function of mapiary's. The CPU time is also that of the
  threads on which V8 optimizes meanwhile.
- The records of a ring buffer are numbered, so that none can be lost unseen: bench/rings/.
- The types of the kernel are read by processes from their start to their end; an empty script is what Node takes alone.
  bpftool's output goes to /dev/null. A struct is read into an object by \`layout.read\`, and by a function that makes the
  same object with a \`DataView\`; the memory of an array of Linux in a loop over 1,024 entries: bench/values/.
- The program in C is \`bench/peer.c\`, compiled with \`cc -O2\`. To iterate, it asks for the next key and then for its value;
  its batches are \`bpf_map_lookup_batch\`.`;

function inMarkdown({ title, rows }: Table): string {
  const [titles = [], ...body] = rows;
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  const rule = titles.map((_, column) => (column === 0 ? "---" : "--:"));
  return [`## ${title}`, "", line(titles), line(rule), ...body.map(line)].join("\n");
}
