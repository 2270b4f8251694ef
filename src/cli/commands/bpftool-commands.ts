/** bpftool's commands on maps, by their names: together, because a file each costs more to load than it saves. */
export { create } from "./create.ts";
export { deleteKey as delete } from "./delete.ts";
export { dump } from "./dump.ts";
export { eventPipe as event_pipe } from "./event-pipe.ts";
export { freeze } from "./freeze.ts";
export { getnext } from "./getnext.ts";
export { lookup, lookup as peek } from "./lookup.ts";
export { pin, unpin } from "./pin.ts";
export { pop, pop as dequeue } from "./pop.ts";
export { show, show as list } from "./show.ts";
export { update, update as push, update as enqueue } from "./update.ts";
