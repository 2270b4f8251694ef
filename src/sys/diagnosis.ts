import {
  BPF_BTF_LOAD,
  BPF_MAP_CREATE,
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_FREEZE,
  BPF_MAP_GET_FD_BY_ID,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_UPDATE_ELEM,
  BPF_OBJ_GET,
  BPF_OBJ_GET_INFO_BY_FD,
  BPF_OBJ_PIN,
  BPF_PROG_LOAD,
  BPF_PROG_TEST_RUN,
} from "../abi/commands.ts";
import { errnoDescription } from "../abi/errno.ts";
import { DELETE_BATCH_RULES, LOOKUP_BATCH_RULES, TAKE_BATCH_RULES, UPDATE_BATCH_RULES } from "./diagnosis/batches.ts";
import { outline } from "./diagnosis/creation.ts";
import { DELETE_RULES, LOOKUP_RULES, NEXT_KEY_RULES, TAKE_RULES, UPDATE_RULES } from "./diagnosis/elements.ts";
import type { Failure, Rules } from "./diagnosis/failure.ts";
import { MAP_CREATE_RULES } from "./diagnosis/map-create.ts";
import { EPOLL_RULES, FD_BY_ID_RULES, FREEZE_RULES, INFO_RULES, MMAP_RULES, PERF_RULES } from "./diagnosis/map-fds.ts";
import { GET_RULES, MKDIR_RULES, PIN_RULES, READDIR_RULES, RMDIR_RULES, UNLINK_RULES } from "./diagnosis/paths.ts";
import { BTF_LOAD_RULES, PROG_LOAD_RULES, TEST_RUN_RULES } from "./diagnosis/programs.ts";

export type { Failure } from "./diagnosis/failure.ts";

/** What each error of each command may mean. */
const RULES: Readonly<Record<Failure["command"], Rules>> = {
  [BPF_MAP_CREATE]: MAP_CREATE_RULES,
  [BPF_MAP_LOOKUP_ELEM]: LOOKUP_RULES,
  [BPF_MAP_UPDATE_ELEM]: UPDATE_RULES,
  [BPF_MAP_DELETE_ELEM]: DELETE_RULES,
  [BPF_MAP_GET_NEXT_KEY]: NEXT_KEY_RULES,
  [BPF_MAP_LOOKUP_AND_DELETE_ELEM]: TAKE_RULES,
  [BPF_MAP_LOOKUP_BATCH]: LOOKUP_BATCH_RULES,
  [BPF_MAP_LOOKUP_AND_DELETE_BATCH]: TAKE_BATCH_RULES,
  [BPF_MAP_UPDATE_BATCH]: UPDATE_BATCH_RULES,
  [BPF_MAP_DELETE_BATCH]: DELETE_BATCH_RULES,
  [BPF_MAP_FREEZE]: FREEZE_RULES,
  [BPF_MAP_GET_FD_BY_ID]: FD_BY_ID_RULES,
  [BPF_OBJ_GET_INFO_BY_FD]: INFO_RULES,
  [BPF_OBJ_PIN]: PIN_RULES,
  [BPF_OBJ_GET]: GET_RULES,
  [BPF_PROG_LOAD]: PROG_LOAD_RULES,
  [BPF_PROG_TEST_RUN]: TEST_RUN_RULES,
  [BPF_BTF_LOAD]: BTF_LOAD_RULES,
  mkdir: MKDIR_RULES,
  rmdir: RMDIR_RULES,
  unlink: UNLINK_RULES,
  readdir: READDIR_RULES,
  mmap: MMAP_RULES,
  epoll_ctl: EPOLL_RULES,
  perf_event_open: PERF_RULES,
};

/**
 * What went wrong and what to do about it, in a sentence or two. The kernel is asked only now, and only what leaves
 * nothing behind. Never throws: what cannot be found out is said in the words of the error number.
 */
export function diagnose(failure: Failure): string {
  return found(failure) ?? `${errnoDescription(failure.errno)}, asked for ${asked(failure)}.`;
}

function found(failure: Failure): string | undefined {
  try {
    return RULES[failure.command]?.[Math.abs(failure.errno)]?.(failure);
  } catch {
    // There may be no memory left for a question. The error itself is worth more than the one about it.
    return undefined;
  }
}

/** What a command was told, as far as it is known. */
function asked(failure: Failure): string {
  const { create, map, program, key, path, id, flags, entries } = failure;
  if (create !== undefined) return outline(create);
  const parts = [
    map === undefined ? undefined : `map ${map}`,
    program === undefined ? undefined : `program ${program}`,
    key === undefined ? undefined : `key ${key}`,
    path === undefined ? undefined : `path ${path}`,
    id === undefined ? undefined : `id ${id}`,
    entries === undefined ? undefined : `${entries} entries`,
    flags === undefined || flags === 0 ? undefined : `flags 0x${flags.toString(16)}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? "nothing in particular" : parts.join(", ");
}
