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
import { deleteBatchRules, lookupBatchRules, takeBatchRules, updateBatchRules } from "./diagnosis/batches.ts";
import { outline } from "./diagnosis/creation.ts";
import { deleteRules, lookupRules, nextKeyRules, takeRules, updateRules } from "./diagnosis/elements.ts";
import type { Failure, Rules } from "./diagnosis/failure.ts";
import { mapCreateRules } from "./diagnosis/map-create.ts";
import { epollRules, fdByIdRules, freezeRules, infoRules, mmapRules, perfRules } from "./diagnosis/map-fds.ts";
import { getRules, mkdirRules, pinRules, readdirRules, rmdirRules, unlinkRules } from "./diagnosis/paths.ts";
import { btfLoadRules, progLoadRules, testRunRules } from "./diagnosis/programs.ts";

export type { Failure } from "./diagnosis/failure.ts";

/** What each error of each command may mean. */
const RULES: Readonly<Record<Failure["command"], () => Rules>> = {
  [BPF_MAP_CREATE]: mapCreateRules,
  [BPF_MAP_LOOKUP_ELEM]: lookupRules,
  [BPF_MAP_UPDATE_ELEM]: updateRules,
  [BPF_MAP_DELETE_ELEM]: deleteRules,
  [BPF_MAP_GET_NEXT_KEY]: nextKeyRules,
  [BPF_MAP_LOOKUP_AND_DELETE_ELEM]: takeRules,
  [BPF_MAP_LOOKUP_BATCH]: lookupBatchRules,
  [BPF_MAP_LOOKUP_AND_DELETE_BATCH]: takeBatchRules,
  [BPF_MAP_UPDATE_BATCH]: updateBatchRules,
  [BPF_MAP_DELETE_BATCH]: deleteBatchRules,
  [BPF_MAP_FREEZE]: freezeRules,
  [BPF_MAP_GET_FD_BY_ID]: fdByIdRules,
  [BPF_OBJ_GET_INFO_BY_FD]: infoRules,
  [BPF_OBJ_PIN]: pinRules,
  [BPF_OBJ_GET]: getRules,
  [BPF_PROG_LOAD]: progLoadRules,
  [BPF_PROG_TEST_RUN]: testRunRules,
  [BPF_BTF_LOAD]: btfLoadRules,
  mkdir: mkdirRules,
  rmdir: rmdirRules,
  unlink: unlinkRules,
  readdir: readdirRules,
  mmap: mmapRules,
  epoll_ctl: epollRules,
  perf_event_open: perfRules,
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
    return RULES[failure.command]?.()[Math.abs(failure.errno)]?.(failure);
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
