import { EACCES, EEXIST } from "../../abi/errno.ts";
import { HeldNames } from "./held-names.ts";
import { makeDirectories } from "./make-directories.ts";
import {
  attempt,
  DirectoryUnavailableError,
  errnoOf,
  errorOf,
  type FileStatus,
  isSameFile,
  type System,
} from "./system.ts";

/*
 * The part of a directory of maps that is not for people, in a folder whose name no pin can have:
 *
 *   .mapiary/control     what all agents agree on: see `CONTROL`
 *   .mapiary/agents/N    an agent, which holds an exclusive flock(2) on it for as long as it lives
 *   .mapiary/maps/ID     a map that lives: whoever uses it holds a shared flock(2) on it
 *   .mapiary/held/ID/…   what the map of maps of an id holds: see `HeldNames`
 *   .mapiary/new/…       what is about to become one of these, its maker holding a lock on it
 *
 * Pins, and what maps of maps hold, are further hard links to the files of maps. Nobody has to tidy up before it dies: a map
 * with no other link and no lock on it is gone, and whoever comes by removes the name, and then what the map held.
 */
const FOLDER = ".mapiary";

/** The file that all agents map: offsets in bytes. */
export const CONTROL = {
  MAGIC: 0,
  VERSION: 8,
  POSSIBLE_CPUS: 12,
  /** How many agents there have been: the number of the last one. */
  LAST_AGENT: 16,
  /** The id of the last map. */
  LAST_MAP: 20,
  /** The id of the last BTF. */
  LAST_BTF: 24,
  SIZE: 4096,
} as const;

const MAGIC = "mapiaryd";
const VERSION = 1;

const MOST_TRIES = 1000;

/** How many bytes the maps take that a directory keeps; 0 when it keeps none. */
export function bytesOfMaps({ fs }: Pick<System, "fs">, root: string): number {
  const folder = `${root}/${FOLDER}/maps`;
  try {
    return fs.readdirSync(folder).reduce((sum, name) => sum + fs.lstatSync(`${folder}/${name}`).size, 0);
  } catch {
    // It is not there yet, or a map has gone meanwhile.
    return 0;
  }
}

/** A directory in which no maps can be kept. */
export function unusable(root: string, why: string, cause?: unknown): DirectoryUnavailableError {
  return new DirectoryUnavailableError(`embedded({ bpffs }) cannot keep maps in ${root}: ${why}`, why, { cause });
}

/** The names of a directory of maps that is open. */
export class Registry {
  readonly root: string;
  readonly held: HeldNames;
  readonly #system: System;
  readonly #folder: string;
  #lastName = 0;

  /** Makes the directory if need be. Throws an `Error` that says what is in the way. */
  constructor(system: System, root: string, possibleCpus: number | undefined) {
    this.#system = system;
    const { fs } = system;
    try {
      makeDirectories(system, root);
      this.root = fs.realpathSync(root);
      this.#folder = `${this.root}/${FOLDER}`;
      for (const folder of ["", "/agents", "/maps", "/held", "/new"]) makeDirectories(system, this.#folder + folder);
      this.held = new HeldNames(system, `${this.#folder}/held`);
      this.#makeControl(possibleCpus ?? 1);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw unusable(root, why, error);
    }
  }

  get control(): string {
    return `${this.#folder}/control`;
  }

  mapPath(id: number): string {
    return `${this.#folder}/maps/${id}`;
  }

  agentPath(number: number): string {
    return `${this.#folder}/agents/${number}`;
  }

  /**
   * A new file that nobody else sees yet: its path, and its fd with a shared lock on it, so that nobody takes it for one
   * that was left behind. Or −errno.
   */
  createFile(): { readonly path: string; readonly fd: number } | number {
    const { fs, pid } = this.#system;
    const { O_CREAT, O_EXCL, O_RDWR } = fs.constants as { O_CREAT: number; O_EXCL: number; O_RDWR: number };
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      this.#lastName++;
      const path = `${this.#folder}/new/${pid}-${this.#lastName}-${Math.floor(Math.random() * 2 ** 32)}`;
      const fd = attempt(() => fs.openSync(path, O_CREAT | O_EXCL | O_RDWR, 0o600));
      if (fd === -EEXIST) continue;
      if (fd < 0) return fd;
      if (this.#system.lockShared(fd) && fs.fstatSync(fd).nlink > 0) return { path, fd };
      fs.closeSync(fd);
    }
    return -EACCES;
  }

  /** Gives a file that `createFile` made the name of a map. 0, −EEXIST when the id is taken, or another −errno. */
  publish(path: string, id: number): number {
    const { fs } = this.#system;
    const error = errorOf(() => fs.linkSync(path, this.mapPath(id)));
    if (error === 0) attempt(() => fs.unlinkSync(path));
    return error;
  }

  /** The ids that have a name, from the lowest on. Whether their maps still live is not known. */
  ids(): number[] {
    const names = attempt(() => this.#system.fs.readdirSync(`${this.#folder}/maps`));
    if (typeof names === "number") return [];
    return names
      .map(Number)
      .filter(Number.isInteger)
      .sort((a, b) => a - b);
  }

  /** Whether a map lives: somebody uses it, or it is pinned, or held. The name of one that does not is removed, and what it held. */
  isAlive(id: number): boolean {
    if (!this.#reap(this.mapPath(id), 1)) return true;
    for (const inner of this.held.removeAll(id)) this.isAlive(inner);
    return false;
  }

  /** Lets what is held go with the maps of maps that do not live any more. */
  tidyHeld(): void {
    for (const outer of this.held.outers()) this.isAlive(outer);
  }

  /** Removes the name of the map of a file, if that is all that is left of it. */
  removeIfDead(status: FileStatus): void {
    for (const id of this.ids()) if (this.isMap(id, status)) this.isAlive(id);
  }

  /** Whether a file is that of the map of an id. */
  isMap(id: number, status: FileStatus): boolean {
    const named = attempt(() => this.#system.fs.lstatSync(this.mapPath(id)));
    return typeof named !== "number" && isSameFile(named, status);
  }

  /** Removes what those who died have left behind. */
  tidyUp(): void {
    for (const folder of ["agents", "new"]) {
      const names = attempt(() => this.#system.fs.readdirSync(`${this.#folder}/${folder}`));
      if (typeof names === "number") continue;
      // A map whose maker died when it had just got its id still has its first name as well.
      for (const name of names) this.#reap(`${this.#folder}/${folder}/${name}`, 2);
    }
    this.tidyHeld();
    for (const id of this.ids()) this.isAlive(id);
  }

  /** Removes a name whose file nobody holds a lock on and that has no more than so many names. True when there is nothing there. */
  #reap(path: string, mostNames: number): boolean {
    const { fs } = this.#system;
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants as Record<string, number>;
    const fd = attempt(() => fs.openSync(path, (O_RDONLY ?? 0) | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0)));
    if (fd < 0) return fd !== -EACCES;
    const isLeft = this.#system.tryLockExclusive(fd) && fs.fstatSync(fd).nlink <= mostNames;
    if (isLeft) attempt(() => fs.unlinkSync(path));
    fs.closeSync(fd);
    return isLeft;
  }

  /** Whether the agent of a number has died: it holds no lock on its file any more. */
  isAgentDead(number: number): boolean {
    const { fs } = this.#system;
    const fd = attempt(() => fs.openSync(this.agentPath(number), fs.constants["O_RDONLY"] ?? 0));
    if (fd < 0) return fd !== -EACCES;
    const isDead = this.#system.tryLockShared(fd);
    fs.closeSync(fd);
    return isDead;
  }

  /** Becomes the agent of a number: the fd that is to be held for as long as it lives, or −errno. */
  registerAgent(number: number): number {
    const { fs } = this.#system;
    const { O_CREAT, O_EXCL, O_RDWR } = fs.constants as { O_CREAT: number; O_EXCL: number; O_RDWR: number };
    const path = this.agentPath(number);
    const fd = attempt(() => fs.openSync(path, O_CREAT | O_EXCL | O_RDWR, 0o600));
    if (fd < 0) return fd;
    if (this.#system.tryLockExclusive(fd) && fs.fstatSync(fd).nlink === 1) return fd;
    fs.closeSync(fd);
    return -EEXIST;
  }

  /** The file that all agents map, once it is known to be one. Throws an `Error` when it is something else. */
  openControl(possibleCpus: number | undefined): number {
    const { fs } = this.#system;
    const fd = fs.openSync(this.control, (fs.constants["O_RDWR"] ?? 0) | (fs.constants["O_NOFOLLOW"] ?? 0));
    const bytes = new Uint8Array(CONTROL.SIZE);
    const view = new DataView(bytes.buffer);
    const status: FileStatus = fs.fstatSync(fd);
    const isWhole = status.isFile() && status.size === CONTROL.SIZE;
    const read = isWhole ? fs.readSync(fd, bytes, 0, bytes.length, 0) : 0;
    const isMagic = [...MAGIC].every((letter, at) => bytes[at] === letter.charCodeAt(0));
    const refuse = (why: string): DirectoryUnavailableError => {
      fs.closeSync(fd);
      return unusable(this.root, why);
    };
    if (read !== CONTROL.SIZE || !isMagic) throw refuse(`${this.control} is damaged: remove ${this.#folder}`);
    const version = view.getUint32(CONTROL.VERSION, true);
    if (version !== VERSION) {
      throw refuse(`its format is version ${version}, and this version of mapiary knows version ${VERSION}`);
    }
    const cpus = view.getUint32(CONTROL.POSSIBLE_CPUS, true);
    if (cpus < 1 || cpus > 8192) throw refuse(`${this.control} is damaged: remove ${this.#folder}`);
    if (possibleCpus !== undefined && possibleCpus !== cpus) {
      throw refuse(`its maps are made for ${cpus} possible CPUs, not for ${possibleCpus}: leave out possibleCpus`);
    }
    return fd;
  }

  #makeControl(possibleCpus: number): void {
    const { fs } = this.#system;
    if (attempt(() => fs.lstatSync(this.control)) !== errnoOf({ code: "ENOENT" })) return;
    const file = this.createFile();
    if (typeof file === "number") throw new Error(`no file can be made in it (errno ${-file})`);
    const bytes = new Uint8Array(CONTROL.SIZE);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < MAGIC.length; at++) bytes[at] = MAGIC.charCodeAt(at);
    view.setUint32(CONTROL.VERSION, VERSION, true);
    view.setUint32(CONTROL.POSSIBLE_CPUS, possibleCpus, true);
    fs.writeSync(file.fd, bytes, 0, bytes.length, 0);
    const error = errorOf(() => fs.linkSync(file.path, this.control));
    fs.unlinkSync(file.path);
    fs.closeSync(file.fd);
    if (error !== 0 && error !== -EEXIST) throw new Error(`${this.control} cannot be made (errno ${-error})`);
  }
}
