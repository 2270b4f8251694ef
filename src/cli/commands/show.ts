import type { CliKernel } from "../cli-kernel.ts";
import { allMaps, type MapHandle, openMaps } from "../map-reference.ts";
import type { JsonValue } from "../output/json-writer.ts";
import { type Pins, pinsOf } from "../pins.ts";
import type { Session } from "../session.ts";
import type { Words } from "../words.ts";

/** `map { show | list } [MAP]`: what the kernel says of some maps or of all. */
export async function show(words: Words, session: Session): Promise<number> {
  const { output } = session;
  if (words.left === 0) return await showAll(session);
  if (words.left < 2) words.requireEnd();
  const maps = await openMaps(words, session, "read");
  words.requireEnd();
  const pins = pinsFor(session, maps[0]?.cli);
  if (output.isJson && maps.length > 1) output.json.beginArray();
  for (const map of maps) showMap(map, pins, session);
  if (output.isJson && maps.length > 1) output.json.end();
  return 0;
}

async function showAll(session: Session): Promise<number> {
  const { output } = session;
  const cli = await session.kernel();
  const pins = pinsFor(session, cli);
  let count = 0;
  if (output.isJson) output.json.beginArray();
  for (const map of allMaps(cli)) {
    showMap(map, pins, session);
    count++;
  }
  if (output.isJson) output.json.end();
  if (count === 0) output.note(`There are no maps on ${cli.description}.`);
  return 0;
}

function pinsFor({ options }: Session, cli: CliKernel | undefined): Pins | undefined {
  if (!options.pins || cli === undefined) return undefined;
  const pins = pinsOf(cli);
  // bpftool says nothing of pins when no map at all is pinned.
  return pins.size === 0 ? undefined : pins;
}

/** Writes what is known of a map, and closes it. */
function showMap(map: MapHandle, pins: Pins | undefined, { output }: Session): void {
  const paths = pins === undefined ? undefined : (pins.get(map.info.id) ?? []);
  if (output.isJson) output.json.value(mapJson(map, paths));
  else output.text(mapText(map, paths));
  map.close();
}

/** What a map's JSON begins with, in `show` and in a dump of several. */
export function headerJson({ info }: MapHandle): { readonly [name: string]: JsonValue | undefined } {
  return { id: info.id, type: info.type, name: info.name === "" ? undefined : info.name, flags: info.mapFlags };
}

/** The line that a map's plain text begins with. */
export function headerText({ info }: MapHandle): string {
  const type = typeof info.type === "number" ? `type ${info.type}` : info.type;
  const name = info.name === "" ? "" : `name ${info.name}  `;
  return `${info.id}: ${type}  ${name}flags 0x${info.mapFlags.toString(16)}`;
}

function mapJson(map: MapHandle, pinned: readonly string[] | undefined): JsonValue {
  const { info } = map;
  const memlock = map.fdinfo("memlock");
  const isJited = map.fdinfo("owner_jited");
  return {
    ...headerJson(map),
    dev: info.ifindex === 0 ? undefined : { ifindex: info.ifindex },
    bytes_key: info.keySize,
    bytes_value: info.valueSize,
    max_entries: info.maxEntries,
    bytes_memlock: memlock === undefined ? undefined : BigInt(memlock),
    owner_prog_type: ownerType(map),
    owner_jited: isJited === undefined ? undefined : isJited !== "0",
    frozen: Number(map.fdinfo("frozen") ?? 0),
    btf_id: info.btfId === 0 ? undefined : info.btfId,
    pinned,
  };
}

function mapText(map: MapHandle, pinned: readonly string[] = []): string {
  const { info } = map;
  const memlock = map.fdinfo("memlock");
  const lines = [
    `${headerText(map)}${info.ifindex === 0 ? "" : `  offloaded_to ifindex ${info.ifindex}`}`,
    `\tkey ${info.keySize}B  value ${info.valueSize}B  max_entries ${info.maxEntries}` +
      (memlock === undefined ? "" : `  memlock ${memlock}B`),
  ];
  const owner = ownerType(map);
  const isJited = map.fdinfo("owner_jited");
  if (owner !== undefined || isJited !== undefined) {
    lines.push(
      `\t${owner === undefined ? "" : `owner_prog_type ${owner}  `}owner${isJited === "0" ? " not" : ""} jited`,
    );
  }
  lines.push(...pinned.map((path) => `\tpinned ${path}`));
  const extras = [info.btfId === 0 ? "" : `btf_id ${info.btfId}`, map.fdinfo("frozen") === "1" ? "frozen" : ""];
  const extra = extras.filter((text) => text !== "").join("  ");
  if (extra !== "") lines.push(`\t${extra}`);
  return `${lines.join("\n")}\n`;
}

/** libbpf's names of the types of programs, in the order of their numbers. */
const PROGRAM_TYPES = (
  "unspec socket_filter kprobe sched_cls sched_act tracepoint xdp perf_event cgroup_skb cgroup_sock lwt_in lwt_out " +
  "lwt_xmit sock_ops sk_skb cgroup_device sk_msg raw_tracepoint cgroup_sock_addr lwt_seg6local lirc_mode2 sk_reuseport " +
  "flow_dissector cgroup_sysctl raw_tracepoint_writable cgroup_sockopt tracing struct_ops ext lsm sk_lookup syscall netfilter"
).split(" ");

function ownerType(map: MapHandle): string | number | undefined {
  const type = map.fdinfo("owner_prog_type");
  return type === undefined ? undefined : (PROGRAM_TYPES[Number(type)] ?? Number(type));
}
