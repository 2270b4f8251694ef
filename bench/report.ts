import type { Goal } from "./goals.ts";
import { MEASURE_NAMES, MEASURES } from "./measures.ts";
import type { MemoryPerEntry } from "./memory.ts";
import type { LoadingTime } from "./programs/loading.ts";
import { PROGRAM_MEASURES } from "./programs/program-measures.ts";
import type { ProgramResult } from "./programs/program-result.ts";
import type { Cell, PeerResult, Result } from "./result.ts";
import type { RingResult } from "./rings/rings.ts";
import { PLACES, type Place } from "./roster.ts";
import type { Spread } from "./statistics.ts";
import type { ValueResult } from "./values/values.ts";

/** A table for people: the first row and the first column are titles. */
export interface Table {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

const PLACE_TITLES: Readonly<Record<Place, string>> = {
  process: "In the process",
  helper: "From inside a program, by the helpers",
  shared: "A table that two processes have open",
  linux: "On the Linux kernel, by bpf(2)",
};

const SCALED_MAPS = {
  shared: "each on keys of its own",
  roomy: "the same in a map that is an eighth full",
  own: "each on a map of its own",
} as const;

const KERNEL_TITLES = { embedded: "mapiary embedded, a directory of maps", linux: "mapiary linux" } as const;

/** What was measured on what, in lines. */
export function header({ machine, effort, clock }: Result): string[] {
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  const unsteady = ((clock.high - clock.low) / clock.median) * 100;
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.kernel}; Node ${machine.node}; ${packages.join(", ")}; ${machine.date}`,
    `A hash of ${effort.entries.toLocaleString("en")} entries of 4 + 8 bytes, keys in random order; ${effort.rounds} rounds, all peers in turn in each.`,
    ...(machine.load > machine.cores / 2 ? [loaded(machine)] : []),
    `The same arithmetic took ${microseconds(clock.median)} µs throughout, its middle half within ${unsteady.toFixed(0)} %.`,
  ];
}

function loaded({ load, cores }: Result["machine"]): string {
  return `The machine was not quiet: ${load.toFixed(0)} programs wanted its ${cores} cores when the run began. Their work is in every cache.`;
}

/** The peers of a place, a column for each measure: times the baseline's first, then nanoseconds. */
export function placeTables({ peers, baselines }: Result): Table[] {
  return PLACES.flatMap((place) => {
    const present = peers.filter((peer) => peer.place === place && peer.absent === undefined);
    if (present.length === 0) return [];
    const baseline = peers.find((peer) => peer.name === baselines[place]);
    return [
      timesTable(`${PLACE_TITLES[place]}: times as long as ${baseline?.title}`, present, ratio),
      timesTable(`${PLACE_TITLES[place]}: nanoseconds of CPU time, median and middle half`, present, nanoseconds),
    ];
  });
}

function timesTable(title: string, peers: readonly PeerResult[], show: (cell: Cell) => string): Table {
  const titles = MEASURE_NAMES.map((name) => MEASURES[name].title);
  const rows = peers.map((peer) => [
    peer.title,
    ...MEASURE_NAMES.map((name) => {
      const cell = peer.cells[name];
      return cell === undefined ? "–" : show(cell);
    }),
  ]);
  return { title, rows: [["", ...titles], ...rows] };
}

function ratio({ ratio }: Cell): string {
  return ratio === undefined ? "–" : ratio.median.toFixed(ratio.median < 10 ? 2 : 1);
}

function nanoseconds({ nanoseconds: { median, low, high } }: Cell): string {
  return `${figures(median)} (${figures(low)}–${figures(high)})`;
}

/** What else was measured. */
export function otherTables({ programs, rings, values, sharing, memory, importCost }: Result): Table[] {
  return [
    { title: "A round of a loop in a program, in nanoseconds of CPU time", rows: calculationRows(programs) },
    {
      title: `Loading a program of ${programs.loading.instructions.toLocaleString("en")} instructions on the embedded kernel, in milliseconds`,
      rows: [
        ["", "by the clock", "middle half", "CPU time", "middle half"],
        ["the first of a process", ...loadingTimes(programs.loading.first)],
        ["the tenth", ...loadingTimes(programs.loading.tenth)],
      ],
    },
    ...(rings.absent === undefined ? [ringTable(rings)] : []),
    ...(values.vmlinux.absent === undefined ? [vmlinuxTable(values.vmlinux)] : []),
    { title: "Reading values where they lie", rows: valueRows(values) },
    { title: "A map that threads share: how many times as much two get done as one", rows: scalingRows(sharing) },
    { title: "From `set` until the `get` of another process has it, in microseconds", rows: delayRows(sharing) },
    { title: "Bytes per entry of a full map", rows: memoryRows(memory) },
    {
      title: "Starting a process, in milliseconds",
      rows: [
        ["", "median", "middle half"],
        ["an empty script", ...milliseconds(importCost.emptyScript)],
        ["import mapiary adds", ...milliseconds(importCost.mapiary)],
        ["import mapiary/linux adds", ...milliseconds(importCost.mapiaryLinux)],
      ],
    },
  ];
}

function calculationRows({ calculations }: ProgramResult): string[][] {
  const rows = calculations.map(({ measure, embedded, linux, times }) => [
    PROGRAM_MEASURES[measure].title,
    nanoseconds({ nanoseconds: embedded }),
    linux === undefined ? "–" : nanoseconds({ nanoseconds: linux }),
    times === undefined ? "–" : times.median.toFixed(2),
  ]);
  return [["", "embedded", "Linux", "× Linux"], ...rows];
}

function ringTable({ records, consumers }: RingResult): Table {
  const rows = consumers.map(({ title, rate, times, cost }) => [
    title,
    rate.median.toFixed(2),
    times.median.toFixed(2),
    `${cost.median.toFixed(0)} ns`,
  ]);
  const title = `${records.toLocaleString("en")} records of 64 bytes in a ring buffer of Linux, from a program in another process`;
  return { title, rows: [["", "millions a second", "× libbpf", "CPU time of each"], ...rows] };
}

function vmlinuxTable({ bytes, readers }: ValueResult["vmlinux"]): Table {
  const rows = readers.map(({ title, time, memory }) => [title, ...milliseconds(time), memory.median.toFixed(0)]);
  const title = `Reading the ${(bytes / 1e6).toFixed(1)} MB of types of the running kernel, by processes from start to end`;
  return { title, rows: [["", "ms of CPU time", "middle half", "most MiB"], ...rows] };
}

function valueRows({ struct, liveMemory }: ValueResult): string[][] {
  const ways = Object.entries(liveMemory).map(([way, times]) => [
    `a \`u64\` of Linux by \`${way}\`, times as fast as \`get\``,
    ...spread(times, 0),
  ]);
  return [
    ["", "median", "middle half"],
    ["a struct of ten fields by its layout, times as long as code by hand", ...spread(struct, 2)],
    ...ways,
  ];
}

function spread({ median, low, high }: Spread, places: number): string[] {
  return [median.toFixed(places), `${low.toFixed(places)}–${high.toFixed(places)}`];
}

function scalingRows({ scaling }: Result["sharing"]): string[][] {
  const rows = scaling.map(({ loop, map, worked, elapsed }) => [
    `${loop}, ${SCALED_MAPS[map]}`,
    `${worked.median.toFixed(2)} (${worked.low.toFixed(2)}–${worked.high.toFixed(2)})`,
    `${elapsed.median.toFixed(2)} (${elapsed.low.toFixed(2)}–${elapsed.high.toFixed(2)})`,
  ]);
  return [["", "by CPU time", "by the clock, without waiting for a CPU"], ...rows];
}

function delayRows({ delays }: Result["sharing"]): string[][] {
  const rows = delays.map(({ kernel, p50, p90, p99, most }) => [
    KERNEL_TITLES[kernel],
    ...[p50, p90, p99, most].map((delay) => (delay / 1000).toFixed(delay < 100_000 ? 2 : 0)),
  ]);
  return [["", "median", "90 %", "99 %", "most"], ...rows];
}

function memoryRows(memory: MemoryPerEntry): string[][] {
  const row = (title: string, bytes: number | undefined) =>
    bytes === undefined ? [] : [[title, bytes.toFixed(1), (bytes / memory.mapOfNumbers).toFixed(2)]];
  return [
    ["", "bytes", "× Map of numbers"],
    ...row("JavaScript Map, small numbers", memory.mapOfNumbers),
    ...row("JavaScript Map, bigints", memory.mapOfBigInts),
    ...row("mapiary embedded", memory.embedded),
    ...row("Linux (memlock)", memory.linux),
  ];
}

export function goalsTable(goals: readonly Goal[]): Table {
  const rows = goals.map((goal) => [
    goal.title,
    `${goal.kind} ${goal.limit} ${goal.unit}`,
    `${goal.found.toFixed(goal.found < 10 ? 2 : 1)} ${goal.unit}`,
    goal.isMet ? "yes" : "NO",
  ]);
  return { title: "Goals", rows: [["", "goal", "found", "met"], ...rows] };
}

/** The peers that could not be measured, and why: a line for each reason. */
export function absences({ peers, types, programs, rings, values }: Result): string[] {
  const titles = new Map<string, Set<string>>();
  const ofRings = { title: "ring buffers on Linux", absent: rings.absent };
  const ofValues = [
    { title: "the memory of arrays on Linux", absent: values.absent },
    { title: "the types of the running kernel", absent: values.vmlinux.absent },
  ];
  const ofTypes = types.flatMap((type) => type.absent);
  for (const { title, absent } of [...peers, ...ofTypes, ...programs.absent, ofRings, ...ofValues]) {
    if (absent !== undefined) titles.set(absent, (titles.get(absent) ?? new Set()).add(title));
  }
  return [...titles].map(([reason, of]) => `Not measured: ${[...of].join("; ")}. The reason: ${reason}.`);
}

function loadingTimes({ elapsed, worked }: LoadingTime<Spread>): string[] {
  return [...milliseconds(elapsed), ...milliseconds(worked)];
}

function milliseconds(time: Spread): string[] {
  return spread(time, 1);
}

function microseconds(nanoseconds: number): string {
  return (nanoseconds / 1000).toFixed(0);
}

/** A number of nanoseconds, to no more places than it has meaning. */
export function figures(value: number): string {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en");
}
