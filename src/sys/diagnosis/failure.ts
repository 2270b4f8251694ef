import type { Kernel } from "../../kernel/kernel.ts";
import type { MapInfo } from "../map-info.ts";
import type { MapCreateOptions, ProgTestRunOptions, Sys } from "../sys.ts";

/** A command that failed, and what is known of it above `sys`: what a diagnosis starts from. */
export interface Failure {
  /** The kernel that refused. */
  readonly kernel: Kernel;
  /** The kernel's commands, for questions. */
  readonly sys: Sys;
  /** The number of a `bpf(2)` command, or the name of another system call. */
  readonly command: number | "unlink" | "mkdir" | "rmdir" | "readdir" | "mmap" | "epoll_ctl" | "perf_event_open";
  /** `−errno`. */
  readonly errno: number;
  /** The name of the map. */
  readonly map?: string | undefined;
  /** The name of the program; empty for one that has none. */
  readonly program?: string | undefined;
  /** What the verifier said, or what was wrong with BTF. */
  readonly log?: string | undefined;
  /** What BPF_PROG_TEST_RUN was given, and answered. */
  readonly run?: (ProgTestRunOptions & { readonly type: string | number }) | undefined;
  /** The fd that was used. */
  readonly fd?: number | undefined;
  /** What BPF_MAP_CREATE was given. */
  readonly create?: MapCreateOptions | undefined;
  /** Flags of the element command, of each element of a batch, or of opening. */
  readonly flags?: number | undefined;
  /** The key, for people. */
  readonly key?: string | undefined;
  /** The key, for the kernel. */
  readonly keyBytes?: Uint8Array | undefined;
  readonly path?: string | undefined;
  readonly id?: number | undefined;
  /** How many entries a batch had done. */
  readonly count?: number | undefined;
  /** How many entries a batch was given or asked for. */
  readonly entries?: number | undefined;
  /** What `mmap` was asked for. */
  readonly mapping?: { readonly length: number; readonly protection: number; readonly offset: number } | undefined;
}

/** What is wrong and what to do about it, in a sentence or two; `undefined` when it is none of what the rule knows. */
export type Rule = (failure: Failure) => string | undefined;

/**
 * The rules for one command by errno: what each error of it may mean. They are made when a failure asks for them: most
 * programs see none, and should not wait for them when they start.
 */
export type Rules = Readonly<Record<number, Rule>>;

/** The first of some rules that has something to say. */
export function firstOf(...rules: readonly Rule[]): Rule {
  return (failure) => {
    for (const rule of rules) {
      const sentence = rule(failure);
      if (sentence !== undefined) return sentence;
    }
    return undefined;
  };
}

/** The map or program of a failure, as a person knows it. */
export function mapOf({ map, program }: Failure): string {
  if (program !== undefined) return program === "" ? "the program" : `program ${program}`;
  return map === undefined || map === "" ? "the map" : `map ${map}`;
}

/** The key of a failure, as a person knows it. */
export function keyOf({ key }: Failure): string {
  return key === undefined ? "the key" : `key ${key}`;
}

/** What the kernel says of the map of a failure, when it still says anything. */
export function infoOf({ sys, fd }: Failure): MapInfo | undefined {
  const info = fd === undefined || fd < 0 ? -1 : sys.objGetInfoByFd(fd);
  return typeof info === "number" ? undefined : info;
}

/** What `info.type` is called among other words. */
export function typeOf(info: MapInfo | undefined): string {
  if (info === undefined) return "its type";
  return `type ${info.type}`;
}
