import { ATTR_SIZE } from "../../abi/attr.ts";
import { EEXIST } from "../../abi/errno.ts";
import type { Backing, SharedObjects } from "../embedded/backing.ts";
import type { Directory } from "../embedded/bpffs-directory.ts";
import type { KernelObject } from "../embedded/kernel-object.ts";
import type { MapHost } from "../embedded/map-ops.ts";
import type { ObjectTable } from "../embedded/object-table.ts";
import type { Agent, SharingHost } from "../embedded/shared/agent.ts";
import type { KernelHandle } from "../kernel.ts";
import { DirectoryMaps } from "./directory-maps.ts";
import { FileBell } from "./file-bell.ts";
import { FileDirectory } from "./file-directory.ts";
import { CONTROL, Registry, unusable } from "./registry.ts";
import { type NewFile, SegmentMemory } from "./segment-memory.ts";
import { errorOf, loadSystem, type System } from "./system.ts";

/** Where maps are kept, and for how many CPUs. */
export interface DirectoryOptions {
  readonly bpffs: string;
  readonly possibleCpus?: number | undefined;
  readonly maxMemory?: number | undefined;
}

/** How often a lock is tried in a row before its owner is given time, and after how many naps it is asked whether it lives. */
const SPINS = 100;
const NAPS = 4;
const SHORTEST_NAP = 0.05;
const LONGEST_NAP = 1;
/** More than a line of any cache, so that nobody else writes to that of a fence. */
const FENCE_BYTES = 128;

/** A directory of the system that keeps the maps of an embedded kernel, and shares them with whoever opens it too. */
export class DirectoryBacking implements Backing {
  readonly memory: SegmentMemory;
  readonly possibleCpus: number;
  readonly nextBtfId = (): number => this.#next(CONTROL.LAST_BTF);
  readonly #system: System;
  readonly #registry: Registry;
  readonly #agent: Agent;
  readonly #agentFd: number;
  readonly #control: number;
  #maps: DirectoryMaps | undefined;
  #isReleased = false;

  /** Opens a directory, and makes it if need be. Throws a `DirectoryUnavailableError` that says what is missing. */
  constructor({ bpffs, possibleCpus, maxMemory }: DirectoryOptions) {
    const system = loadSystem();
    this.#system = system;
    this.#registry = new Registry(system, bpffs, possibleCpus);
    this.memory = new SegmentMemory(system, maxMemory, (bytes) => this.#createSegment(bytes));
    const fd = this.#registry.openControl(possibleCpus);
    this.#control = this.memory.mapFile(fd, CONTROL.SIZE);
    if (this.#control < 0) throw unusable(this.#registry.root, `${this.#registry.control} cannot be mapped`);
    this.possibleCpus = this.memory.view.getUint32(this.#control + CONTROL.POSSIBLE_CPUS, true);
    const [number, agentFd] = this.#register();
    this.#agentFd = agentFd;
    const registry = this.#registry;
    this.#agent = {
      number,
      fence: system.arch === "x64" ? 0 : this.memory.allocate(FENCE_BYTES, "the embedded kernel") >>> 2,
      waitFor: (owner, attempt) => waitFor(system, registry, owner, attempt),
      isDead: (agent) => registry.isAgentDead(agent),
    };
    this.#registry.tidyUp();
  }

  open(host: Omit<MapHost, "maps">, btfs: ObjectTable<KernelObject>): SharedObjects {
    const { memory } = this;
    const sharing: SharingHost = {
      ...host,
      get maps() {
        return maps;
      },
      get innerMapHolds() {
        return maps;
      },
      agent: this.#agent,
      bell: new FileBell(this.#system, this.#registry, memory),
      scratch: memory.allocate(8, "the embedded kernel"),
    };
    const maps = new DirectoryMaps({
      system: this.#system,
      registry: this.#registry,
      memory,
      btfs,
      host: sharing,
      control: this.#control,
      attr: memory.allocate(ATTR_SIZE, "the embedded kernel"),
    });
    this.#maps = maps;
    return {
      maps,
      createRefusal: () => 0,
      mount: (parent: Directory) => new FileDirectory(parent, this.#system, maps, this.#registry.root),
    };
  }

  /** Each agent is a CPU, as far as there are some. */
  get cpu(): number {
    return (this.#agent.number - 1) % this.possibleCpus;
  }

  share(): KernelHandle {
    return { bpffs: this.#registry.root };
  }

  /** The system has taken back everything. */
  reclaim(): void {}

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#maps?.release();
    this.memory.releaseSegment(this.#control);
    errorOf(() => this.#system.fs.unlinkSync(this.#registry.agentPath(this.#agent.number)));
    this.#system.fs.closeSync(this.#agentFd);
  }

  #createSegment(bytes: number): NewFile | number {
    const file = this.#registry.createFile();
    if (typeof file === "number") return file;
    const error = this.#system.allocate(file.fd, bytes);
    if (error === 0) return file;
    errorOf(() => this.#system.fs.unlinkSync(file.path));
    this.#system.fs.closeSync(file.fd);
    return error;
  }

  /** A number that nobody else gets. */
  #next(counter: number): number {
    return Atomics.add(this.memory.i32, (this.#control + counter) >>> 2, 1) + 1;
  }

  #register(): [number: number, fd: number] {
    for (;;) {
      const number = this.#next(CONTROL.LAST_AGENT);
      const fd = this.#registry.registerAgent(number);
      if (fd >= 0) return [number, fd];
      if (fd !== -EEXIST) throw unusable(this.#registry.root, `no file can be made in it (errno ${-fd})`);
    }
  }
}

function waitFor(system: System, registry: Registry, owner: number, attempt: number): boolean {
  if (attempt < SPINS) return false;
  const naps = attempt - SPINS;
  if (naps % NAPS === NAPS - 1 && registry.isAgentDead(owner)) return true;
  system.sleep(Math.min(SHORTEST_NAP * 2 ** naps, LONGEST_NAP));
  return false;
}
