import { linux } from "mapiary/linux";
import { BUILT, buildC, isInstalled } from "./build.ts";
import type { Startable } from "./running-peer.ts";

/** Where a peer's maps live and how they are reached, which says whom it is compared with. */
export const PLACES = ["process", "helper", "shared", "linux"] as const;

export type Place = (typeof PLACES)[number];

/** One of those that are measured. */
export interface Contender extends Startable {
  readonly place: Place;
}

/** Whom the others are compared with, by preference: the first that is there. */
export const BASELINES: Readonly<Record<Place, readonly string[]>> = {
  process: ["map-number"],
  helper: ["helper-linux", "helper-embedded"],
  shared: ["shared-lmdb", "shared-sqlite"],
  linux: ["c-libbpf", "npm-bpf-raw", "linux-number"],
};

/** All peers, with the reason for those that cannot be measured here. */
export function roster(): Contender[] {
  const noLinux = linux.unavailableReason();
  const noNpm = noLinux ?? notInstalled("bpf");
  return [
    inNode("process", "map-number", "JavaScript Map, numbers"),
    inNode("process", "map-bigint", "JavaScript Map, bigints"),
    inNode("process", "embedded-number", "mapiary embedded, u64.number"),
    inNode("process", "embedded-mixed", "mapiary embedded, u64.number, other maps used before"),
    inNode("process", "embedded-bigint", "mapiary embedded, u64"),
    inNode("process", "sqlite-memory", "better-sqlite3, :memory:", notInstalled("better-sqlite3")),
    helper("linux", "Linux, bpf_map_lookup_elem and bpf_map_update_elem in a program", noLinux),
    helper("embedded", "mapiary embedded, the same program"),
    inNode("shared", "shared-lmdb", "lmdb", notInstalled("lmdb")),
    inNode("shared", "shared-embedded", "mapiary embedded, a directory of maps"),
    inNode("shared", "shared-sqlite", "better-sqlite3, a file", notInstalled("better-sqlite3")),
    c(noLinux),
    inNode("linux", "linux-number", "mapiary linux, u64.number", noLinux),
    inNode("linux", "linux-mixed", "mapiary linux, u64.number, other maps used before", noLinux),
    inNode("linux", "linux-bigint", "mapiary linux, u64", noLinux),
    inNode("linux", "npm-bpf-raw", "npm bpf, RawMap", noNpm),
    inNode("linux", "npm-bpf-conv", "npm bpf, ConvMap", noNpm),
  ];
}

function inNode(place: Place, name: string, title: string, absent?: string): Contender {
  if (absent !== undefined) return { name, title, place, command: undefined, absent };
  return { name, title, place, command: [process.execPath, "--expose-gc", BUILT.peerProcess, name] };
}

function helper(kernel: "linux" | "embedded", title: string, absent?: string): Contender {
  const peer = { name: `helper-${kernel}`, title, place: "helper" } as const;
  if (absent !== undefined) return { ...peer, command: undefined, absent };
  return { ...peer, command: [process.execPath, "--expose-gc", BUILT.helperProcess, kernel] };
}

function notInstalled(name: string): string | undefined {
  return isInstalled(name) ? undefined : "it is not installed: run `npm ci --prefix bench`";
}

function c(noLinux: string | undefined): Contender {
  const peer = { name: "c-libbpf", title: "C with libbpf", place: "linux" } as const;
  if (noLinux !== undefined) return { ...peer, command: undefined, absent: noLinux };
  const built = buildC("peer.c");
  return "absent" in built
    ? { ...peer, command: undefined, absent: built.absent }
    : { ...peer, command: [built.program] };
}
