import { ATTR_SIZE } from "../../abi/attr.ts";
import type { Backing, SharedObjects } from "../embedded/backing.ts";
import type { Directory } from "../embedded/bpffs-directory.ts";
import type { KernelObject } from "../embedded/kernel-object.ts";
import type { MapHost } from "../embedded/map-ops.ts";
import type { ObjectTable } from "../embedded/object-table.ts";
import type { Agent, SharingHost } from "../embedded/shared/agent.ts";
import type { KernelHandle, ThreadHandle } from "../kernel.ts";
import { Agents, type Member } from "./agents.ts";
import { CONTROL, Control, ControlLock } from "./control.ts";
import { PinDirectory } from "./pin-directory.ts";
import { PinTable } from "./pin-table.ts";
import { assertThreadsShareMemory, loadsInOrder, threadNumber, watchThreads } from "./platform.ts";
import { Segments } from "./segments.ts";
import { SharedPages } from "./shared-pages.ts";
import { ThreadHolds } from "./thread-holds.ts";
import { ThreadMaps } from "./thread-maps.ts";
import { ThreadMemory } from "./thread-memory.ts";

/** How large the memory is, and for how many CPUs. */
export interface ThreadOptions {
  readonly possibleCpus?: number | undefined;
  readonly maxMemory?: number | undefined;
}

const FOUR_GIB = 2 ** 32;
/** The least that is asked for when there is no room for more, and nobody has said how much it has to be. */
const LEAST = 2 ** 27;
/** More than a line of any cache, so that nobody else writes to that of a fence. */
const FENCE_BYTES = 128;

/** A memory of this process that threads share, with the maps of an embedded kernel. */
export class ThreadBacking implements Backing {
  readonly memory: ThreadMemory;
  readonly possibleCpus: number;
  readonly nextBtfId = (): number => this.#control.next(CONTROL.LAST_BTF);
  readonly #control: Control;
  readonly #lock: ControlLock;
  readonly #agents: Agents;
  readonly #member: Member;
  readonly #agent: Agent;
  readonly #pins: PinTable;
  readonly #segments: Segments;
  #maps: ThreadMaps | undefined;
  #isReleased = false;
  /** Whether typed arrays lie over maps of this kernel, though it is closed. */
  #hasLent = false;

  private constructor(control: Control, handle: number) {
    this.#control = control;
    this.possibleCpus = control.possibleCpus;
    const agents = new Agents(control);
    this.#agents = agents;
    const member = agents.join(handle, threadNumber());
    this.#member = member;
    const agent = {
      number: member.number,
      fence: 0,
      waitFor: (owner: number, attempt: number) => agents.waitFor(owner, attempt),
      isDead: (number: number) => agents.isDead(number),
    };
    const lock = new ControlLock(control, agent);
    this.#lock = lock;
    const pages = new SharedPages(control, lock, member.number);
    const memory = new ThreadMemory(control, pages, (segment) => this.#segments.letGo(segment));
    this.memory = memory;
    this.#agent = loadsInOrder()
      ? agent
      : { ...agent, fence: memory.allocate(FENCE_BYTES, "the embedded kernel") >>> 2 };
    this.#pins = new PinTable(control, pages, memory);
    this.#segments = new Segments({ control, lock, agents, pages, memory, pins: this.#pins, member });
    watchThreads(this);
  }

  /** Makes a memory. Throws an `Error` that says what to do where threads cannot share any, and a `RangeError` for options out of range. */
  static create({ possibleCpus = 1, maxMemory }: ThreadOptions): ThreadBacking {
    assertThreadsShareMemory();
    const control = maxMemory === undefined ? createLargest(possibleCpus) : Control.create(maxMemory, possibleCpus);
    SharedPages.initialize(control);
    return new ThreadBacking(control, 0);
  }

  /** Over the memory of another thread. Throws a `TypeError` for a handle that is none, or for options that are not those of its maker. */
  static open({ memory, thread }: ThreadHandle, { possibleCpus }: ThreadOptions): ThreadBacking {
    const control = Control.open(memory);
    if (possibleCpus !== undefined && possibleCpus !== control.possibleCpus) {
      throw new TypeError(
        `the maps of share are made for ${control.possibleCpus} possible CPUs, not for ${possibleCpus}: leave out possibleCpus`,
      );
    }
    return new ThreadBacking(control, thread);
  }

  open(host: Omit<MapHost, "maps">, btfs: ObjectTable<KernelObject>): SharedObjects {
    const { memory } = this;
    const sharing: SharingHost = {
      ...host,
      get maps() {
        return maps;
      },
      get innerMapHolds() {
        return holds;
      },
      agent: this.#agent,
      scratch: memory.allocate(8, "the embedded kernel"),
    };
    const [segments, lock, pins] = [this.#segments, this.#lock, this.#pins];
    const attr = memory.allocate(ATTR_SIZE, "the embedded kernel");
    const maps = new ThreadMaps({ memory, segments, btfs, host: sharing, attr });
    const parts = { lock, pins, segments, maps };
    const holds = new ThreadHolds(parts);
    this.#maps = maps;
    return {
      maps,
      createRefusal: () => 0,
      mount: (parent: Directory) => new PinDirectory(parent, parts),
    };
  }

  /** Each agent is a CPU, as far as there are some. */
  get cpu(): number {
    return this.#member.place % this.possibleCpus;
  }

  share(): KernelHandle {
    return { memory: this.#control.memory, thread: this.#control.next(CONTROL.LAST_HANDLE) };
  }

  reclaim(handle: KernelHandle): void {
    if (this.#isReleased || !("memory" in handle)) return;
    for (const member of this.#agents.endHandle(handle.thread)) this.#segments.endAgent(member);
  }

  threadEnded(thread: number): void {
    if (this.#isReleased) return;
    for (const member of this.#agents.endThread(thread)) this.#segments.endAgent(member);
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    const kept = this.#maps?.release() ?? [];
    this.#hasLent = kept.length > 0;
    this.#segments.endAgent(this.#member, kept);
  }

  end(): void {
    this.release();
    if (!this.#hasLent) return;
    // What has been left can be reached no more, so that somebody else has to end it.
    const successor = new ThreadBacking(this.#control, 0);
    successor.#segments.endAgent(this.#member);
    successor.release();
  }
}

/** As large a memory as there are addresses for: 4 GiB, or a half of that and so on. */
function createLargest(possibleCpus: number): Control {
  for (let bytes = FOUR_GIB; ; bytes /= 2) {
    try {
      return Control.create(bytes, possibleCpus);
    } catch (error) {
      if (bytes <= LEAST) throw error;
    }
  }
}
