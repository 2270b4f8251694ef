import { BPF_MAP_CREATE } from "../../abi/commands.ts";
import { MAP_TYPE_NAMES, type MapTypeName, mapTypeNumber } from "../../abi/map-types.ts";
import type { MapCreateOptions } from "../../sys/sys.ts";
import { CliError } from "../cli-error.ts";
import { kernelError, MapHandle, openMap } from "../map-reference.ts";
import { parseU32 } from "../numbers.ts";
import type { Session } from "../session.ts";
import { suggestion, type Words } from "../words.ts";
import { pinMap } from "./pin.ts";

const WORDS = ["type", "name", "key", "value", "entries", "flags", "dev", "inner_map"];
const NAME_BYTES = 15;

/** `map create FILE type TYPE key KEY_SIZE value VALUE_SIZE entries MAX_ENTRIES name NAME [flags FLAGS] [inner_map MAP]`. */
export async function create(words: Words, session: Session): Promise<number> {
  words.requireAtLeast(7, words.last, "create FILE type TYPE key SIZE value SIZE entries COUNT name NAME");
  const file = words.take("a path");
  const parser = new SpecParser(words, session);
  using spec = await parser.parse();
  const cli = await session.kernel();
  const { sys } = cli;
  const fd = sys.mapCreate(spec.options);
  if (fd < 0) {
    const error = kernelError(cli, "map create failed", { command: BPF_MAP_CREATE, errno: fd, create: spec.options });
    throw new CliError(error.message, { hint: error.hint });
  }
  const info = sys.objGetInfoByFd(fd);
  if (typeof info === "number") throw new CliError("can't get map info");
  using map = new MapHandle(cli, fd, info);
  pinMap(map, file);
  session.output.done();
  return 0;
}

/** A map as `create` is told of it. It holds the map that the maps in it are to be like, until it is disposed of. */
interface Spec extends Disposable {
  readonly options: MapCreateOptions;
}

class SpecParser {
  readonly #words: Words;
  readonly #session: Session;
  readonly #numbers: Record<string, number> = {};
  #type: MapTypeName | undefined;
  #name: string | undefined;
  #inner: MapHandle | undefined;

  constructor(words: Words, session: Session) {
    this.#words = words;
    this.#session = session;
  }

  async parse(): Promise<Spec> {
    const words = this.#words;
    while (words.left > 0) {
      words.requireAtLeast(2, words.last, `Nothing follows '${words.peek()}'.`);
      await this.#part();
    }
    if (this.#name === undefined) {
      throw new CliError("map name not specified", { hint: "Every map that create makes has one: name NAME." });
    }
    const { key, value, entries, flags } = this.#numbers;
    return {
      options: {
        type: this.#type ?? 0,
        name: this.#name,
        keySize: key,
        valueSize: value,
        maxEntries: entries,
        flags,
        innerMapFd: this.#inner?.fd,
      },
      [Symbol.dispose]: () => this.#inner?.close(),
    };
  }

  async #part(): Promise<void> {
    const words = this.#words;
    if (words.takeIf("type")) return this.#takeType();
    if (words.takeIf("name")) return this.#takeName();
    if (words.takeIf("key")) return this.#takeNumber("key", "key size");
    if (words.takeIf("value")) return this.#takeNumber("value", "value size");
    if (words.takeIf("entries")) return this.#takeNumber("entries", "max entries");
    if (words.takeIf("flags")) return this.#takeNumber("flags", "flags");
    if (words.takeIf("dev") || words.takeIf("offload_dev")) throw this.#deviceRefusal();
    if (words.takeIf("inner_map")) {
      this.#inner?.close();
      this.#inner = await openMap(words, this.#session, "write");
      return;
    }
    const word = words.take("a word");
    throw new CliError(`unknown arg ${word}`, { hint: suggestion(word, WORDS) });
  }

  #takeType(): void {
    const word = this.#words.take("a map type");
    if (this.#type !== undefined) throw new CliError("map type already specified", { hint: `It is ${this.#type}.` });
    if (mapTypeNumber(word) === undefined) {
      throw new CliError(`unrecognized map type: ${word}`, { hint: suggestion(word, MAP_TYPE_NAMES) });
    }
    this.#type = word as MapTypeName;
  }

  #takeName(): void {
    this.#name = this.#words.take("a name");
    if (new TextEncoder().encode(this.#name).length <= NAME_BYTES) return;
    this.#session.output.note(`Warning: map name is longer than ${NAME_BYTES} characters, it will be truncated.`);
  }

  #takeNumber(name: string, what: string): void {
    const word = this.#words.take(`a number: ${what}`);
    if ((this.#numbers[name] ?? 0) !== 0) {
      throw new CliError(`${what} already specified`, { hint: `It is ${this.#numbers[name]}.` });
    }
    this.#numbers[name] = parseU32(word, what);
  }

  #deviceRefusal(): CliError {
    const device = this.#words.take("a network device");
    const hint = "mapiary makes no maps on network devices; leave it out.";
    return new CliError(`unrecognized netdevice '${device}': No such device`, { hint });
  }
}
