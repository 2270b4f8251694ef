import { E2BIG, EEXIST, EINVAL, ENOENT, ENOMEM } from "../../../abi/errno.ts";
import { BPF_EXIST, BPF_NOEXIST } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import { genericDeleteBatch, genericUpdateBatch } from "../generic-batch.ts";
import type { MapBatch } from "../map-batch.ts";
import { type ElementCode, EmbeddedMap } from "../map-ops.ts";
import { HASH_HEADER } from "../maps/hash-segment.ts";
import { slotSize } from "../maps/percpu-values.ts";
import { sharedHashPlan } from "../maps/shared-hash-plan.ts";
import { SEGMENT } from "../segment.ts";
import { copyBytes } from "../user-memory.ts";
import type { Agent, SharingHost } from "./agent.ts";
import type { SharedHashGeometry } from "./hash-chain.ts";
import { HashElements } from "./hash-elements.ts";
import { SharedHashBatches } from "./shared-hash-batches.ts";
import { compileSharedLookup, compileSharedUpdate } from "./shared-hash-code.ts";

/** How a shared table keeps its values. */
export interface SharedHashShape {
  /** The bytes of a value in the hands of user space. */
  readonly userValueSize: number;
  /** The bytes that an element keeps for it. */
  readonly storedSize: number;
  /** Whether there is a value for each CPU. */
  readonly isPercpu: boolean;
}

/** What an update needs before it can be tried again. */
const NEEDS_SPARE = 1;
const NEEDS_ROOM = 2;
/** How often an update of a full table that evicts looks for something that can go. */
const MOST_EVICTIONS = 1000;

/**
 * A hash table that threads and processes share. Lookups and iteration take no locks, and begin again when what they were
 * reading was taken away meanwhile; writers take the guard of the bucket. An entry that is overwritten keeps its place in
 * its chain, which Linux's puts at the head: so that nobody who goes through a chain meets it twice. A value of up to 8 bytes
 * is overwritten by one store, so that nothing else is written which another CPU has in its cache; a longer one comes in
 * another element that takes the place of the first. With BPF_F_LOCK a value of any length is overwritten where it is, as
 * programs that have it locked expect: readers find the new one in the spare element of the guard meanwhile.
 */
export class SharedHash extends EmbeddedMap {
  protected readonly table: HashElements;
  readonly #userValueSize: number;
  readonly #isPercpu: boolean;
  /** Whether one store writes a value: it is short, and there is one for all CPUs. */
  readonly #isOnePiece: boolean;
  /** Eight bytes for a value on its way. */
  readonly #scratch: Address;
  readonly #agent: Agent;
  readonly #batches: SharedHashBatches;

  /** Over a segment whose sizes were checked; `isNew` for one that is only now made shared. */
  constructor({ memory, agent, scratch }: SharingHost, base: Address, shape: SharedHashShape, isNew: boolean) {
    super(memory, base);
    const { keySize, maxEntries } = this;
    this.#userValueSize = shape.userValueSize;
    this.#isPercpu = shape.isPercpu;
    this.#isOnePiece = !shape.isPercpu && shape.userValueSize <= 8;
    this.#scratch = scratch;
    this.#agent = agent;
    const seed = this.header(HASH_HEADER.SEED) | 0;
    const plan = sharedHashPlan(keySize, shape.storedSize, maxEntries);
    this.table = new HashElements(memory, agent, { ...plan, base, keySize, maxEntries, seed }, (guard) =>
      this.#finishOverwriting(guard),
    );
    this.#batches = new SharedHashBatches({
      map: this,
      table: this.table,
      readValue: (guard, element, to) => this.#readValue(guard, element, to),
      readLocked: (element, to) => this.#readLocked(element, to),
      release: (element) => this.#release(element),
    });
    if (isNew) this.table.initialise();
  }

  override get userValueSize(): number {
    return this.#userValueSize;
  }

  /** Writes a value into an element that is in no chain; `replaced` is the element whose place it will take, 0 for a new key. */
  protected storeValue(element: number, value: Address, _replaced: number): void {
    const at = this.#valueAt(element);
    if (this.record === undefined) copyBytes(this.memory, at, value, this.#userValueSize);
    else this.record.storeNew(this.memory, at, value);
  }

  /** Whether a value that is there is overwritten where it is. */
  protected get overwritesInPlace(): boolean {
    return this.#isOnePiece && this.record === undefined;
  }

  /** Overwrites a value that is written in one piece, where it is. For who holds the guard or has a share of it. */
  protected overwrite(element: number, value: Address): void {
    const { i32, i64 } = this.memory;
    const at = this.#valueAt(element);
    copyBytes(this.memory, this.#scratch, value, this.#userValueSize);
    if (this.#userValueSize <= 4) {
      i32[at >>> 2] = i32[this.#scratch >>> 2] as number;
    } else {
      i64[at >>> 3] = i64[this.#scratch >>> 3] as bigint;
    }
  }

  /** Gives user space a value, which somebody may be overwriting: good if the version of the guard is then as it was. */
  #readValue(guard: number, element: number, to: Address): void {
    const { i32, i64 } = this.memory;
    const at = this.#valueAt(this.#wholeElement(guard, element));
    if (!this.#isOnePiece) {
      this.loadValue(at, to);
      return;
    }
    if (this.#userValueSize <= 4) {
      i32[this.#scratch >>> 2] = i32[at >>> 2] as number;
    } else {
      i64[this.#scratch >>> 3] = i64[at >>> 3] as bigint;
    }
    this.loadValue(this.#scratch, to);
  }

  /** Where the value of an element lies whole. */
  #wholeElement(guard: number, element: number): number {
    if (this.record?.hasSpinLock !== true) return element;
    return (this.table.overwrittenOf(guard) === element && this.table.spareOf(guard)) || element;
  }

  /** Gives user space a value while nobody has it locked. For who holds the guard. */
  #readLocked(element: number, to: Address): void {
    const { locks } = this.table;
    const lock = this.#lockOf(element);
    locks.take(lock);
    this.loadValue(this.#valueAt(element), to);
    locks.release(lock);
  }

  /** Overwrites a value where it is while nobody has it locked, with the spare element. For who holds the guard. */
  #overwriteLocked(guard: number, element: number, value: Address): number {
    const { table } = this;
    const spare = table.spareOf(guard);
    if (spare === 0) return NEEDS_SPARE;
    const lock = this.#lockOf(element);
    table.locks.take(lock);
    this.storeValue(spare, value, 0);
    table.setOverwritten(guard, element);
    this.#finishOverwriting(guard);
    table.locks.release(lock);
    return 0;
  }

  /** Brings to its place what lies whole in the spare element, if that is what somebody was doing. For who holds the guard. */
  #finishOverwriting(guard: number): void {
    const { table, record } = this;
    const element = table.overwrittenOf(guard);
    const spare = table.spareOf(guard);
    if (element === 0) return;
    if (spare !== 0 && record !== undefined) record.store(this.memory, this.#valueAt(element), this.#valueAt(spare));
    table.setOverwritten(guard, 0);
  }

  /** Before the lock of somebody who died is taken over, what that one was writing is finished. */
  override lockValue(lock: Address): void {
    const { table } = this;
    const word = lock >>> 2;
    for (;;) {
      const dead = table.locks.takeUnlessDead(word);
      if (dead === 0) return;
      const guard = table.guardOf(table.hashOf(table.at(table.around(word))));
      table.lock(guard);
      table.unlock(guard);
      if (table.locks.takeOver(word, dead)) return;
    }
  }

  /** The word of the lock in the value of an element. */
  #lockOf(element: number): number {
    return (this.#valueAt(element) + (this.record?.spinLockOffset ?? 0)) >>> 2;
  }

  override get cpuStride(): number {
    return this.#isPercpu ? slotSize(this.valueSize) : 0;
  }

  /** Is told that an element has left its chain for good, before anybody else can use it. */
  protected dropValue(_element: number): void {}

  /** Takes an element out of some chain to make room in a full table, for who holds a guard; 0 when there is none. */
  protected evict(_guard: number): number {
    return 0;
  }

  /** Whether a full table makes room by itself. */
  protected get evicts(): boolean {
    return false;
  }

  /** Calls a function with the place of every value that is there, when nobody else uses the map. */
  protected forEachValue(call: (at: Address) => void): void {
    const { buckets, bucketMask } = this.table;
    for (let bucket = buckets; bucket <= buckets + bucketMask; bucket++) {
      for (const element of this.table.chain(bucket)) call(this.#valueAt(element));
    }
  }

  /** For programs, which may find that the value is another one as soon as they have it, as on Linux. */
  override lookup(key: Address): Address {
    const { table } = this;
    const hash = table.hashOf(key >>> 2);
    const guard = table.guardOf(hash);
    for (;;) {
      const version = table.version(guard);
      const element = table.find(hash, key >>> 2);
      if (table.version(guard) === version) return element === 0 ? 0 : this.#valueAt(element);
    }
  }

  override copyValue(key: Address, value: Address, isLocked = false): number {
    const { table } = this;
    const hash = table.hashOf(key >>> 2);
    const guard = table.guardOf(hash);
    if (isLocked) {
      table.lock(guard);
      const element = table.find(hash, key >>> 2);
      if (element !== 0) this.#readLocked(element, value);
      table.unlock(guard);
      return element === 0 ? -ENOENT : 0;
    }
    for (;;) {
      const version = table.version(guard);
      const element = table.find(hash, key >>> 2);
      if (element !== 0) this.#readValue(guard, element, value);
      if (table.version(guard) === version) return element === 0 ? -ENOENT : 0;
    }
  }

  override update(key: Address, value: Address, flags: number): number {
    const mode = this.updateMode(flags);
    if (mode < 0) return -EINVAL;
    const { table } = this;
    const hash = table.hashOf(key >>> 2);
    const guard = table.guardOf(hash);
    if (mode !== BPF_NOEXIST && this.#overwriteShared(hash, guard, key, value)) return 0;
    for (let attempt = 0; ; attempt++) {
      table.lock(guard);
      const result = this.#updateLocked(hash, guard, key, value, mode, mode !== flags);
      table.unlock(guard);
      if (result <= 0) return result;
      const refusal = this.#makeRoom(result, attempt);
      if (refusal !== 0) return refusal;
    }
  }

  /** Overwrites a value where it is, if that can be done now: without the lock of the guard, so that others can do the same. */
  #overwriteShared(hash: number, guard: number, key: Address, value: Address): boolean {
    const { table } = this;
    if (!this.overwritesInPlace || !table.tryShare(guard)) return false;
    const element = table.find(hash, key >>> 2);
    if (element !== 0) this.overwrite(element, value);
    table.unshare(guard);
    return element !== 0;
  }

  #updateLocked(hash: number, guard: number, key: Address, value: Address, flags: number, isLocked: boolean): number {
    const { table } = this;
    const link = table.linkTo(hash, key >>> 2);
    if (link !== 0) {
      if (flags === BPF_NOEXIST) return -EEXIST;
      if (isLocked) return this.#overwriteLocked(guard, table.linked(link), value);
      if (this.overwritesInPlace) {
        this.overwrite(table.linked(link), value);
        return 0;
      }
      const spare = table.takeSpare(guard);
      if (spare === 0) return NEEDS_SPARE;
      const replaced = table.linked(link);
      this.#fill(spare, key, value, replaced);
      table.replace(guard, link, spare);
      this.dropValue(replaced);
      table.giveSpare(guard, replaced);
      return 0;
    }
    if (flags === BPF_EXIST) return -ENOENT;
    // What somebody who died has lost is found before something is thrown out.
    const element = table.take() || (table.isLeaky ? 0 : this.evict(guard));
    if (element === 0) return NEEDS_ROOM;
    this.#fill(element, key, value, 0);
    table.insert(hash, element);
    return 0;
  }

  #fill(element: number, key: Address, value: Address, replaced: number): void {
    const { i32 } = this.memory;
    const own = this.table.at(element);
    const given = key >>> 2;
    for (let word = 0; word < this.table.keyWords; word++) i32[own + word] = i32[given + word] as number;
    this.storeValue(element, value, replaced);
  }

  /** Finds what an update lacked, if there is any: 0 to try again, or why it fails. */
  #makeRoom(need: number, attempt: number): number {
    const { table } = this;
    if (attempt === 0) table.awaitHolders();
    if (table.isLeaky) table.sweep();
    else if (need === NEEDS_SPARE && attempt > 0) return -ENOMEM;
    else if (need === NEEDS_ROOM && !this.evicts) return -E2BIG;
    return attempt < MOST_EVICTIONS ? 0 : -ENOMEM;
  }

  override delete(key: Address): number {
    const { table } = this;
    const hash = table.hashOf(key >>> 2);
    const guard = table.guardOf(hash);
    table.lock(guard);
    const link = table.linkTo(hash, key >>> 2);
    if (link !== 0) this.#release(table.remove(guard, link));
    table.unlock(guard);
    return link === 0 ? -ENOENT : 0;
  }

  override lookupAndDelete(key: Address, value: Address, isLocked = false): number {
    const { table } = this;
    const hash = table.hashOf(key >>> 2);
    const guard = table.guardOf(hash);
    table.lock(guard);
    const link = table.linkTo(hash, key >>> 2);
    if (link !== 0) {
      const element = table.remove(guard, link);
      if (isLocked) this.#readLocked(element, value);
      else this.#readValue(guard, element, value);
      this.#release(element);
    }
    table.unlock(guard);
    return link === 0 ? -ENOENT : 0;
  }

  #release(element: number): void {
    this.dropValue(element);
    this.table.giveBack(element);
  }

  /** A key that is not there, or none, is followed by the first one: `htab_map_get_next_key`. */
  override getNextKey(key: Address, next: Address): number {
    const { table } = this;
    let bucket = 0;
    if (key !== 0) {
      const hash = table.hashOf(key >>> 2);
      const after = this.#keyAfter(hash, key >>> 2, next);
      if (after === 0) return 0;
      if (after === -ENOENT) bucket = (hash & table.bucketMask) + 1;
    }
    for (; bucket <= table.bucketMask; bucket++) {
      if (this.#firstKey(bucket, next)) return 0;
    }
    return -ENOENT;
  }

  /** Writes the key behind one in its chain: 0, −ENOENT when it is the last of the chain, 1 when it is not there. */
  #keyAfter(hash: number, keyAt: number, next: Address): number {
    const { table } = this;
    const guard = table.guardOf(hash);
    for (;;) {
      const version = table.version(guard);
      const element = table.find(hash, keyAt);
      const following = element === 0 ? 0 : table.after(element);
      if (following !== 0) copyBytes(this.memory, next, table.at(following) * 4, this.keySize);
      if (table.version(guard) !== version) continue;
      if (element === 0) return 1;
      return following === 0 ? -ENOENT : 0;
    }
  }

  #firstKey(bucket: number, next: Address): boolean {
    const { table } = this;
    const guard = table.guardOf(bucket);
    for (;;) {
      const version = table.version(guard);
      const element = table.linked(table.buckets + bucket);
      if (element !== 0) copyBytes(this.memory, next, table.at(element) * 4, this.keySize);
      if (table.version(guard) === version) return element !== 0;
    }
  }

  override lookupBatch(batch: MapBatch): number {
    return this.#batches.lookup(batch);
  }

  override lookupAndDeleteBatch(batch: MapBatch): number {
    return this.#batches.lookupAndDelete(batch);
  }

  override updateBatch(batch: MapBatch): number {
    return genericUpdateBatch(this, batch);
  }

  override deleteBatch(batch: MapBatch): number {
    return genericDeleteBatch(this, batch);
  }

  /** A lookup is the same in every table: what user space looks up, no type counts as use. */
  override generateLookup(code: ElementCode): (() => number) | undefined {
    return compileSharedLookup(this.#geometry, code);
  }

  override generateUpdate(code: ElementCode): (() => number) | undefined {
    return this.evicts ? undefined : compileSharedUpdate(this.#geometry, code);
  }

  get #geometry(): SharedHashGeometry {
    const { table, base } = this;
    return {
      buckets: table.buckets * 4,
      bucketMask: table.bucketMask,
      guards: table.guards * 4,
      guardMask: table.guardMask,
      shares: table.shares * 4,
      shareBytes: table.shareWords * 4,
      ownShare: (table.shares + table.ownShare) * 4,
      linkMask: table.linkMask,
      links: table.links * 4,
      elementZero: table.elementZero * 4,
      elements: table.elements,
      elementBytes: table.elementWords * 4,
      maxEntries: this.maxEntries,
      keySize: this.keySize,
      valueOffset: table.valueWord * 4,
      valueSize: this.#userValueSize,
      isOnePiece: this.#isOnePiece,
      seed: table.seed,
      free: base + HASH_HEADER.FREE,
      freeLock: base + HASH_HEADER.FREE_LOCK,
      used: base + HASH_HEADER.USED,
      frozen: base + SEGMENT.FROZEN,
      agent: this.#agent.number,
      fence: this.#agent.fence * 4,
    };
  }

  #valueAt(element: number): Address {
    return (this.table.at(element) + this.table.valueWord) * 4;
  }

  /** Where the value of an element lies. */
  protected placeOf(element: number): Address {
    return this.#valueAt(element);
  }
}
