/** A command on maps. */
export interface MapUsage {
  readonly name: string;
  /** What follows the name. */
  readonly synopsis: string;
  /** What it does, in a line. */
  readonly does: string;
}

const MAP = "MAP";
const KEY = "[key DATA]";

/**
 * The commands on maps: bpftool's in bpftool's order, in which abbreviations are looked up, then mapiary's own, so that
 * none of them takes an abbreviation away.
 */
export const MAP_USAGE: readonly MapUsage[] = [
  {
    name: "show",
    synopsis: "[MAP]",
    does: "what the kernel says of maps",
  },
  {
    name: "list",
    synopsis: "[MAP]",
    does: "the same as show",
  },
  {
    name: "help",
    synopsis: "",
    does: "this page",
  },
  {
    name: "dump",
    synopsis: MAP,
    does: "every entry",
  },
  {
    name: "update",
    synopsis: `${MAP} ${KEY} [value VALUE] [UPDATE_FLAGS]`,
    does: "give a key a value",
  },
  {
    name: "lookup",
    synopsis: `${MAP} ${KEY}`,
    does: "the value of a key",
  },
  {
    name: "getnext",
    synopsis: `${MAP} ${KEY}`,
    does: "the key after a key, or the first one",
  },
  {
    name: "delete",
    synopsis: `${MAP} key DATA`,
    does: "delete a key",
  },
  {
    name: "pin",
    synopsis: `${MAP} FILE`,
    does: "give a map a name that keeps it alive",
  },
  {
    name: "event_pipe",
    synopsis: `${MAP} [cpu N index M]`,
    does: "not here: use bpftool",
  },
  {
    name: "create",
    synopsis: "FILE type TYPE key SIZE value SIZE entries COUNT name NAME [flags FLAGS] [inner_map MAP]",
    does: "make a map and pin it",
  },
  {
    name: "peek",
    synopsis: MAP,
    does: "the next value of a queue or stack",
  },
  {
    name: "push",
    synopsis: `${MAP} value VALUE`,
    does: "put a value onto a stack",
  },
  {
    name: "enqueue",
    synopsis: `${MAP} value VALUE`,
    does: "put a value into a queue",
  },
  {
    name: "pop",
    synopsis: MAP,
    does: "take the next value of a stack",
  },
  {
    name: "dequeue",
    synopsis: MAP,
    does: "take the next value of a queue",
  },
  {
    name: "freeze",
    synopsis: MAP,
    does: "make a map read-only for user space",
  },
  {
    name: "export",
    synopsis: `${MAP} [file FILE]`,
    does: "every entry as JSON lines or CSV",
  },
  {
    name: "import",
    synopsis: `${MAP} [file FILE] [UPDATE_FLAGS]`,
    does: "entries from JSON lines or CSV",
  },
  {
    name: "copy",
    synopsis: `${MAP} [to] MAP [UPDATE_FLAGS]`,
    does: "every entry to another map, of another kernel too",
  },
  {
    name: "diff",
    synopsis: `${MAP} [and] MAP`,
    does: "what differs between two maps",
  },
  {
    name: "watch",
    synopsis: `${MAP}`,
    does: "a dump that refreshes, with what changed",
  },
  {
    name: "top",
    synopsis: `${MAP} [by FIELD]`,
    does: "the entries that grow fastest",
  },
  {
    name: "unpin",
    synopsis: "FILE",
    does: "take a pin away",
  },
];
