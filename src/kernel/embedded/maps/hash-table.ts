import { E2BIG, EEXIST, EINVAL, ENOENT } from "../../../abi/errno.ts";
import { BPF_EXIST, BPF_F_ZERO_SEED, BPF_NOEXIST } from "../../../abi/flags.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { genericDeleteBatch, genericUpdateBatch } from "../generic-batch.ts";
import { jhash, jhashTwoWords, jhashWord } from "../jhash.ts";
import type { MapBatch } from "../map-batch.ts";
import { type ElementCode, EmbeddedMap } from "../map-ops.ts";
import { SEGMENT } from "../segment.ts";
import { copyBytes } from "../user-memory.ts";
import { bucketCount } from "./bucket-count.ts";
import { ElementOrder } from "./element-order.ts";
import { HashBatches } from "./hash-batches.ts";
import { canGenerate, generateLookup, type HashGeometry, MOST_WORDS } from "./hash-code.ts";
import { elementWords, firstElementWord, HASH_HEADER, hashValueSize, valueWord } from "./hash-segment.ts";
import type { MapGeometry } from "./map-geometry.ts";

/**
 * What all hash tables have in common, those with a value for each CPU included. A type that keeps something else in its
 * elements than the value that user space sees says so in the constructor, and overrides `storeValue`: user space is given
 * the first bytes of what is kept.
 */
export class HashTable extends EmbeddedMap {
  /** The word of the memory at which the segment begins: links count from here. */
  readonly #origin: number;
  /** The word of the memory at which the buckets begin. */
  readonly #buckets: number;
  readonly #bucketMask: number;
  /** The link to the first element. */
  readonly #firstElement: number;
  readonly #elementWords: number;
  readonly #keyWords: number;
  readonly #valueWord: number;
  readonly #seed: number;
  readonly #userValueSize: number;
  readonly #updatesInPlace: boolean;
  /** Where everything lies, for code that is not this class's. */
  readonly #places: HashGeometry;
  /** The order in which the entries are read; `undefined` when that is Linux's, bucket after bucket. */
  readonly #order: ElementOrder | undefined;
  readonly #batches: HashBatches;

  /** `storedSize` is the bytes that an element keeps for its value. */
  constructor(memory: AddressSpace, base: Address, storedSize?: number) {
    super(memory, base);
    const buckets = bucketCount(this.maxEntries);
    this.#userValueSize = hashValueSize(memory, base);
    const isLinuxOrder = (this.header(SEGMENT.MAP_FLAGS) & BPF_F_ZERO_SEED) !== 0;
    this.#updatesInPlace = !isLinuxOrder || this.header(HASH_HEADER.POSSIBLE_CPUS) !== 0;
    this.#origin = base >>> 2;
    this.#buckets = this.#origin + SEGMENT.HEADER_SIZE / 4;
    this.#bucketMask = buckets - 1;
    this.#firstElement = firstElementWord(buckets);
    this.#elementWords = elementWords(this.keySize, storedSize ?? this.#userValueSize);
    this.#keyWords = Math.ceil(this.keySize / 4);
    this.#valueWord = valueWord(this.keySize);
    this.#seed = this.header(HASH_HEADER.SEED) | 0;
    this.#places = {
      origin: this.#origin,
      buckets: this.#buckets,
      bucketMask: this.#bucketMask,
      firstElement: this.#firstElement,
      elementWords: this.#elementWords,
      keyWords: this.#keyWords,
      valueWord: this.#valueWord,
      valueWords: this.#userValueSize / 4,
      maxEntries: this.maxEntries,
      seed: this.#seed,
      updatesInPlace: this.#updatesInPlace,
      free: this.#origin + HASH_HEADER.FREE / 4,
      used: this.#origin + HASH_HEADER.USED / 4,
      frozen: this.#origin + SEGMENT.FROZEN / 4,
    };
    this.#order = isLinuxOrder ? undefined : new ElementOrder(memory, this.#places);
    this.#batches = new HashBatches({
      map: this,
      geometry: this.#places,
      order: this.#order,
      isWholeWords: () => this.geometry !== undefined,
      loadValue: (from, to) => this.loadValue(from, to),
      remove: (element) => this.#unlink(element + 1),
    });
  }

  override get userValueSize(): number {
    return this.#userValueSize;
  }

  /** Keeps a value that user space gave, at its place in an element that is new or holds an older one. */
  protected storeValue(at: Address, value: Address, _isNew: boolean): void {
    if (this.record === undefined) copyBytes(this.memory, at, value, this.#userValueSize);
    else this.record.storeNew(this.memory, at, value);
  }

  /** Makes room for a new key in a table that is full. False when there is nothing that can go. */
  protected evict(): boolean {
    return false;
  }

  /** Where the value of the element number `index` lies. */
  protected valueAt(index: number): Address {
    return (this.#origin + this.#firstElement + index * this.#elementWords + this.#valueWord) * 4;
  }

  /** Deletes the element number `index`, which is in use. */
  protected deleteAt(index: number): void {
    this.#unlink(this.#origin + this.#firstElement + index * this.#elementWords + 1);
  }

  /** Is told that the value at a place in an element is about to go. */
  protected dropValue(at: Address): void {
    this.record?.held?.drop(at);
  }

  override keyOf(value: Address): Address {
    return value - (this.#valueWord - 1) * 4;
  }

  /** Calls a function with the place of every value that is there. */
  protected forEachValue(call: (at: Address) => void): void {
    if (this.header(HASH_HEADER.USED) === 0) return;
    const { i32 } = this.memory;
    const origin = this.#origin;
    for (let bucket = this.#buckets; bucket <= this.#buckets + this.#bucketMask; bucket++) {
      for (let at = i32[bucket] as number; at !== 0; at = i32[origin + at] as number) {
        call((origin + at + this.#valueWord) * 4);
      }
    }
  }

  override copyValue(key: Address, value: Address): number {
    const found = this.lookup(key);
    if (found === 0) return -ENOENT;
    this.loadValue(found, value);
    return 0;
  }

  override lookup(key: Address): Address {
    const keyAt = key >>> 2;
    const element = this.#find(this.#bucketOf(keyAt), keyAt);
    return element === 0 ? 0 : (this.#origin + element + this.#valueWord) * 4;
  }

  /**
   * Where the order of the buckets shows, an update puts its element at the head of the chain even when the key was there, as
   * Linux does by linking a new element before it unlinks the old one: `htab_map_update_elem`. The values of all CPUs are
   * overwritten where they are: `__htab_percpu_map_update_elem`.
   */
  override update(key: Address, value: Address, flags: number): number {
    const mode = this.updateMode(flags);
    if (mode < 0) return -EINVAL;
    const { i32 } = this.memory;
    const origin = this.#origin;
    const keyAt = key >>> 2;
    const bucket = this.#bucketOf(keyAt);
    let previous = 0;
    let element = i32[bucket] as number;
    while (element !== 0 && !this.#hasKey(i32, origin + element, keyAt)) {
      previous = element;
      element = i32[origin + element] as number;
    }
    const isNew = element === 0;
    if (isNew) {
      if (mode === BPF_EXIST) return -ENOENT;
      element = this.#takeElement(i32);
      if (element === 0 && this.evict()) element = this.#takeElement(i32);
      if (element === 0) return -E2BIG;
      const at = origin + element;
      for (let word = 0; word < this.#keyWords; word++) i32[at + 1 + word] = i32[keyAt + word] as number;
      i32[at] = i32[bucket] as number;
      i32[bucket] = element;
    } else {
      if (mode === BPF_NOEXIST) return -EEXIST;
      if (mode !== flags) return this.#storeLocked(element, value);
      if (previous !== 0 && !this.#updatesInPlace) {
        i32[origin + previous] = i32[origin + element] as number;
        i32[origin + element] = i32[bucket] as number;
        i32[bucket] = element;
      }
    }
    this.storeValue((origin + element + this.#valueWord) * 4, value, isNew);
    return 0;
  }

  /** With BPF_F_LOCK a value is overwritten where it is, but for its lock, which programs may hold. */
  #storeLocked(element: number, value: Address): number {
    this.record?.store(this.memory, (this.#origin + element + this.#valueWord) * 4, value);
    return 0;
  }

  override delete(key: Address): number {
    return this.#unlink(key >>> 2) === 0 ? -ENOENT : 0;
  }

  override lookupAndDelete(key: Address, value: Address): number {
    const element = this.#unlink(key >>> 2);
    if (element === 0) return -ENOENT;
    this.loadValue((this.#origin + element + this.#valueWord) * 4, value);
    return 0;
  }

  /** A key that is not there, or none, is followed by the first one: `htab_map_get_next_key`. */
  override getNextKey(key: Address, next: Address): number {
    const keyAt = key >>> 2;
    const bucket = key === 0 ? 0 : this.#bucketOf(keyAt);
    const element = key === 0 ? 0 : this.#find(bucket, keyAt);
    const following = this.#order === undefined ? this.#nextInBuckets(bucket, element) : this.#order.after(element);
    if (following === 0) return -ENOENT;
    copyBytes(this.memory, next, (this.#origin + following + 1) * 4, this.keySize);
    return 0;
  }

  /** The link to the element behind one of a bucket, to the first of all behind none; 0 behind the last. */
  #nextInBuckets(own: number, element: number): number {
    const { i32 } = this.memory;
    const following = element === 0 ? 0 : (i32[this.#origin + element] as number);
    if (following !== 0) return following;
    const end = this.#buckets + this.#bucketMask;
    for (let bucket = element === 0 ? this.#buckets : own + 1; bucket <= end; bucket++) {
      const first = i32[bucket] as number;
      if (first !== 0) return first;
    }
    return 0;
  }

  override lookupBatch(batch: MapBatch): number {
    return this.#batches.run(batch, false);
  }

  override lookupAndDeleteBatch(batch: MapBatch): number {
    return this.#batches.run(batch, true);
  }

  override updateBatch(batch: MapBatch): number {
    return genericUpdateBatch(this, batch);
  }

  override deleteBatch(batch: MapBatch): number {
    return genericDeleteBatch(this, batch);
  }

  /** The word of the memory that holds the bucket of the key at `keyAt`. */
  #bucketOf(keyAt: number): number {
    const { i32 } = this.memory;
    const words = this.#keyWords;
    let hash: number;
    if (words === 1 && this.keySize === 4) hash = jhashWord(i32[keyAt] as number, this.#seed);
    else if (words === 2)
      hash = jhashTwoWords(i32[keyAt] as number, i32[keyAt + 1] as number, this.keySize, this.#seed);
    else hash = jhash(i32, keyAt, this.keySize, this.#seed);
    return this.#buckets + (hash & this.#bucketMask);
  }

  /** The link to the element of a key in a bucket; 0 when it is not there. */
  #find(bucket: number, keyAt: number): number {
    const { i32 } = this.memory;
    const origin = this.#origin;
    let element = i32[bucket] as number;
    while (element !== 0 && !this.#hasKey(i32, origin + element, keyAt)) element = i32[origin + element] as number;
    return element;
  }

  #hasKey(i32: Int32Array, element: number, keyAt: number): boolean {
    if (i32[element + 1] !== i32[keyAt]) return false;
    for (let word = 1; word < this.#keyWords; word++) {
      if (i32[element + 1 + word] !== i32[keyAt + word]) return false;
    }
    return true;
  }

  /** Takes the element of a key out of its chain and gives it back to the free ones, its bytes still in place; 0 when it is not there. */
  #unlink(keyAt: number): number {
    const { i32 } = this.memory;
    const origin = this.#origin;
    let link = this.#bucketOf(keyAt);
    for (;;) {
      const element = i32[link] as number;
      if (element === 0) return 0;
      if (this.#hasKey(i32, origin + element, keyAt)) {
        i32[link] = i32[origin + element] as number;
        this.#releaseElement(i32, element);
        return element;
      }
      link = origin + element;
    }
  }

  /** An element from the free list, or the next that was never used; 0 when the map is full. */
  #takeElement(i32: Int32Array): number {
    const origin = this.#origin;
    const free = origin + HASH_HEADER.FREE / 4;
    const used = origin + HASH_HEADER.USED / 4;
    const element = i32[free] as number;
    if (element !== 0) {
      i32[free] = ~(i32[origin + element] as number);
      return element;
    }
    const index = i32[used] as number;
    if (index >= this.maxEntries) return 0;
    i32[used] = index + 1;
    return this.#firstElement + index * this.#elementWords;
  }

  #releaseElement(i32: Int32Array, element: number): void {
    this.dropValue((this.#origin + element + this.#valueWord) * 4);
    const free = this.#origin + HASH_HEADER.FREE / 4;
    i32[this.#origin + element] = ~(i32[free] as number);
    i32[free] = element;
  }

  /** A lookup is the same in every table: what user space looks up, no type counts as use. */
  override generateLookup(code: ElementCode): (() => number) | undefined {
    const { geometry } = this;
    return geometry && canGenerate(geometry, code) ? generateLookup(geometry, code) : undefined;
  }

  /** Where everything lies, for code that is generated; `undefined` when keys or values are not whole words, or not only data. */
  protected get geometry(): HashGeometry | undefined {
    if (((this.keySize | this.#userValueSize) & 3) !== 0 || this.record !== undefined) return undefined;
    return this.#places;
  }

  override get programGeometry(): MapGeometry | undefined {
    if (this.#keyWords > MOST_WORDS) return undefined;
    const { cpuStride } = this;
    const overwrite = this.#updatesInPlace ? "in place" : "to the front";
    return { kind: "hash", table: this.#places, cpuStride, usedOffset: undefined, overwrite };
  }
}
