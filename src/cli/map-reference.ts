import { posix } from "node:path";
import { BPF_MAP_GET_FD_BY_ID, BPF_OBJ_GET, BPF_OBJ_GET_INFO_BY_FD } from "../abi/commands.ts";
import { EACCES, ENOENT } from "../abi/errno.ts";
import { BPF_F_RDONLY } from "../abi/flags.ts";
import type { Failure } from "../sys/diagnosis/failure.ts";
import { diagnose } from "../sys/diagnosis.ts";
import type { MapInfo } from "../sys/map-info.ts";
import { type MapShape, mapShape } from "../sys/map-shape.ts";
import { CliError, strerror } from "./cli-error.ts";
import type { CliKernel, KernelName } from "./cli-kernel.ts";
import { inCommandWords } from "./command-words.ts";
import { parseU32 } from "./numbers.ts";
import type { Session } from "./session.ts";
import { isPrefix, suggestion, type Words } from "./words.ts";

const NAME_BYTES = 15;

/** What a command is about to do with a map. */
export type Access = "read" | "write";

/** A map that a command line refers to. */
export class MapHandle implements Disposable {
  readonly cli: CliKernel;
  readonly fd: number;
  readonly info: MapInfo;
  readonly shape: MapShape;

  /** Takes over an fd. */
  constructor(cli: CliKernel, fd: number, info: MapInfo) {
    this.cli = cli;
    this.fd = fd;
    this.info = info;
    this.shape = mapShape(info, cli.kernel.possibleCpus);
  }

  /** How a person knows it: its name, or its id. */
  get label(): string {
    return this.info.name === "" ? `#${this.info.id}` : this.info.name;
  }

  /** What fdinfo says of it by a name; `undefined` when it does not. */
  fdinfo(name: string): string | undefined {
    return fdinfoField(this.cli, this.fd, name);
  }

  /** The refusal of a command on it, in bpftool's words and with what mapiary finds out about it. */
  failure(what: string, command: number, errno: number, details: Partial<Failure> = {}): CliError {
    return kernelError(this.cli, what, { command, errno, fd: this.fd, map: this.label, ...details });
  }

  close(): void {
    this.cli.sys.close(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The refusal of a command by a kernel: `what: strerror`, and the diagnosis as a hint. */
export function kernelError(cli: CliKernel, what: string, failure: Omit<Failure, "kernel" | "sys">): CliError {
  const hint = inCommandWords(diagnose({ ...failure, kernel: cli.kernel, sys: cli.sys }));
  return new CliError(`${what}: ${strerror(failure.errno)}`, { hint, errno: failure.errno });
}

/** Opens the one map that the next words refer to. */
export async function openMap(words: Words, session: Session, access: Access): Promise<MapHandle> {
  const maps = await openMaps(words, session, access);
  const [map] = maps;
  if (maps.length === 1 && map !== undefined) return map;
  for (const each of maps) each.close();
  const ids = maps.map(({ info }) => info.id).join(", ");
  throw new CliError("several maps match this handle", { hint: `Say which by its id: ${ids}.` });
}

/** Opens every map that the next words refer to: `id N`, `pinned FILE` or `name NAME`, and before it perhaps the kernel. */
export async function openMaps(words: Words, session: Session, access: Access): Promise<MapHandle[]> {
  const cli = await kernelOf(words, session);
  if (words.takeIf("id")) return [openById(cli, words.take("an id"), access)];
  if (words.takeIf("name")) return openByName(cli, words.take("a name"), access);
  if (words.takeIf("pinned")) return [openPinned(cli, words.take("a path"), access)];
  const word = words.take("a map: id N, pinned FILE or name NAME");
  throw new CliError(`expected 'id', 'name' or 'pinned', got: '${word}'?`, { hint: referenceHint(word) });
}

/** Whether the next words are a pin that is not there yet: then its kernel and the word for its path, which are taken. */
export async function isMissingPin(
  words: Words,
  session: Session,
): Promise<{ cli: CliKernel; word: string } | undefined> {
  const isNamed = words.peek() === "linux" || words.peek() === "embedded";
  const [kind, word] = [words.peek(isNamed ? 1 : 0), words.peek(isNamed ? 2 : 1)];
  if (kind === undefined || word === undefined || !isPinned(kind)) return undefined;
  const cli = await session.kernel(isNamed ? (words.peek() as KernelName) : undefined);
  const fd = cli.sys.objGet(cli.pathOf(word));
  if (fd >= 0) cli.sys.close(fd);
  if (fd !== -ENOENT) return undefined;
  for (let i = isNamed ? 3 : 2; i > 0; i--) words.take("a pin");
  return { cli, word };
}

/** Whether a word stands for `pinned`, in the order in which a reference is read. */
function isPinned(word: string): boolean {
  return !isPrefix(word, "id") && !isPrefix(word, "name") && isPrefix(word, "pinned");
}

/** The kernel that stands in front of a map's words, or else that of the command line. */
async function kernelOf(words: Words, session: Session): Promise<CliKernel> {
  const word = words.peek();
  if (word !== "linux" && word !== "embedded") return await session.kernel();
  words.take("a kernel");
  return await session.kernel(word);
}

function openById(cli: CliKernel, word: string, access: Access): MapHandle {
  const id = parseU32(word, "ID");
  const openFlags = flagsOf(access);
  const fd = cli.sys.mapGetFdById(id, { openFlags });
  if (fd >= 0) return handle(cli, fd);
  const what = `get map by id (${id})`;
  const error = kernelError(cli, what, { command: BPF_MAP_GET_FD_BY_ID, errno: fd, id, flags: openFlags });
  throw new CliError(error.message, { hint: `${error.hint} That was ${cli.description}.` });
}

function openPinned(cli: CliKernel, word: string, access: Access): MapHandle {
  return handle(cli, openPin(cli, word, "map", flagsOf(access)));
}

/** Opens what is pinned at the path that a word names, which must be of a kind. Answers its fd. */
export function openPin(cli: CliKernel, word: string, kind: "map" | "prog", flags = 0): number {
  const path = cli.pathOf(word);
  const fd = cli.sys.objGet(path, { fileFlags: flags });
  if (fd === -EACCES && !isInBpffs(cli, path)) {
    const hint = `${cli.description} has its BPF filesystem at ${cli.mounts().join(", ")}.`;
    throw new CliError(`bpf obj get (${word}): directory not in bpf file system (bpffs)`, { hint });
  }
  if (fd < 0) {
    const error = kernelError(cli, `bpf obj get (${word})`, { command: BPF_OBJ_GET, errno: fd, path, flags });
    throw new CliError(error.message, { hint: `${error.hint} That was ${cli.description}.` });
  }
  const found = ["map", "prog", "link", "btf"].find((name) => fdinfoField(cli, fd, `${name}_id`) !== undefined);
  if (found === kind || found === undefined) return fd;
  cli.sys.close(fd);
  throw new CliError(`incorrect object type: ${found}`, { hint: `${word} is no ${kind}.` });
}

/** Whether the directory of a path is one of a BPF filesystem, as far as may be known. */
export function isInBpffs(cli: CliKernel, path: string): boolean {
  const names = cli.kernel.readdir(posix.dirname(path));
  return typeof names !== "number" || names === -EACCES;
}

/** Every map that lives on a kernel, by id; one that goes away meanwhile is left out. */
export function* allMaps(cli: CliKernel, openFlags = BPF_F_RDONLY): Generator<MapHandle> {
  const { sys } = cli;
  const id = new Uint32Array(1);
  while (sys.mapGetNextId(id[0] as number, id) === 0) {
    const fd = sys.mapGetFdById(id[0] as number, { openFlags });
    if (fd === -ENOENT) continue;
    if (fd < 0) {
      const what = `can't get map by id (${id[0]})`;
      throw kernelError(cli, what, { command: BPF_MAP_GET_FD_BY_ID, errno: fd, id: id[0] });
    }
    const info = sys.objGetInfoByFd(fd);
    if (typeof info === "number") {
      throw kernelError(cli, "can't get map info", { command: BPF_OBJ_GET_INFO_BY_FD, errno: info, fd });
    }
    yield new MapHandle(cli, fd, info);
  }
}

function openByName(cli: CliKernel, name: string, access: Access): MapHandle[] {
  if (new TextEncoder().encode(name).length > NAME_BYTES) {
    throw new CliError("can't parse name", {
      hint: `A map's name has at most ${NAME_BYTES} bytes, '${name}' has more.`,
    });
  }
  const found: MapHandle[] = [];
  const names: string[] = [];
  for (const map of allMaps(cli, flagsOf(access))) {
    if (map.info.name !== "") names.push(map.info.name);
    if (map.info.name === name) found.push(map);
    else map.close();
  }
  if (found.length === 0) {
    const hint =
      names.length === 0 ? `There are no maps on ${cli.description}.` : suggestion(name, [...new Set(names)]);
    throw new CliError(`no map is named '${name}'`, { hint });
  }
  return found;
}

function handle(cli: CliKernel, fd: number): MapHandle {
  const { sys } = cli;
  const info = sys.objGetInfoByFd(fd);
  if (typeof info !== "number") return new MapHandle(cli, fd, info);
  const error = kernelError(cli, "can't get map info", { command: BPF_OBJ_GET_INFO_BY_FD, errno: info, fd });
  sys.close(fd);
  throw new CliError(error.message, { hint: error.hint });
}

function fdinfoField(cli: CliKernel, fd: number, name: string): string | undefined {
  const text = cli.kernel.fdinfo(fd);
  if (typeof text === "number") return undefined;
  const start = `${name}:\t`;
  return text
    .split("\n")
    .find((line) => line.startsWith(start))
    ?.slice(start.length);
}

function flagsOf(access: Access): number {
  return access === "read" ? BPF_F_RDONLY : 0;
}

function referenceHint(word: string): string {
  if (word.includes("/")) return `Is it pinned ${word}?`;
  if (/^\d+$/.test(word)) return `Is it id ${word}?`;
  const near = suggestion(word, ["id", "name", "pinned"]);
  return near.startsWith("Did") ? near : `Is it name ${word}, or pinned ${word}?`;
}
