import { CliError } from "../cli-error.ts";
import { openMap } from "../map-reference.ts";
import type { Session } from "../session.ts";
import type { Words } from "../words.ts";

/** `map event_pipe MAP [cpu N index M]`: what bpftool has for perf event arrays, and mapiary has not. */
export async function eventPipe(words: Words, session: Session): Promise<number> {
  using map = await openMap(words, session, "write");
  if (map.info.type !== "perf_event_array") throw new CliError("map is not a perf event array");
  throw new CliError("event_pipe is not there", { hint: "Use bpftool map event_pipe." });
}
