import { EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC } from "../../../abi/errno.ts";
import { BPF_EXIST, BPF_NOEXIST } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import { genericDeleteBatch, genericLookupBatch, genericUpdateBatch } from "../generic-batch.ts";
import { GUARD, guardsAt } from "../guards.ts";
import type { MapBatch } from "../map-batch.ts";
import { EmbeddedMap } from "../map-ops.ts";
import {
  bitAt,
  CHILDREN,
  DATA,
  dataAt,
  dataWords,
  firstValue,
  LPM_HEADER,
  nodeCount,
  nodeWords,
  PREFIX,
  VALUE,
  valueWords,
} from "../maps/lpm-segment.ts";
import { SEGMENT } from "../segment.ts";
import { copyBytes } from "../user-memory.ts";
import type { SharingHost } from "./agent.ts";
import { bumpVersion, Locks } from "./locks.ts";
import { Pieces } from "./pieces.ts";
import { TrieWalk } from "./trie-walk.ts";

/**
 * An LPM trie that threads and processes share. One lock for all who write; lookups and iteration take none, and begin
 * again when something has gone meanwhile. Each change is one store: of the link to nodes that were filled before, or of
 * the value that an entry no longer has. Who takes the lock from somebody who died finds the pieces that were lost.
 */
export class SharedLpmTrie extends EmbeddedMap {
  readonly #origin: number;
  readonly #dataWords: number;
  readonly #guard: number;
  readonly #nodes: Pieces;
  readonly #values: Pieces;
  readonly #walk: TrieWalk;
  readonly #locks: Locks;

  /** Over a segment whose sizes were checked; `isNew` for one that is only now made shared. */
  constructor({ memory, agent }: SharingHost, base: Address, isNew: boolean) {
    super(memory, base);
    const { keySize, valueSize, maxEntries } = this;
    const origin = base >>> 2;
    const values = firstValue(keySize, maxEntries);
    this.#origin = origin;
    this.#dataWords = dataWords(keySize);
    this.#guard = (base + guardsAt((values + valueWords(valueSize) * (maxEntries + 1)) * 4)) >>> 2;
    this.#nodes = new Pieces(memory, {
      origin,
      state: origin + LPM_HEADER.NODES / 4,
      first: SEGMENT.HEADER_SIZE / 4,
      words: nodeWords(keySize),
      capacity: nodeCount(maxEntries),
      count: nodeCount(maxEntries) + 1,
    });
    this.#values = new Pieces(memory, {
      origin,
      state: origin + LPM_HEADER.VALUES / 4,
      first: values,
      words: valueWords(valueSize),
      capacity: maxEntries,
      count: maxEntries + 1,
    });
    this.#walk = new TrieWalk(memory, base, keySize, this.#nodes, this.#values);
    this.#locks = new Locks(memory, agent);
    if (!isNew) return;
    memory.i32[this.#guard + GUARD.SPARE] = this.#nodes.at(nodeCount(maxEntries));
    memory.i32[this.#guard + GUARD.SECOND_SPARE] = this.#values.at(maxEntries);
  }

  override lookup(key: Address): Address {
    const bits = this.#bitsOf(key);
    if (bits < 0) return 0;
    for (;;) {
      const version = this.#locks.version(this.#guard);
      const value = this.#walk.longest(key, bits);
      if (this.#locks.version(this.#guard) === version) return value === 0 ? 0 : (this.#origin + value) * 4;
    }
  }

  override copyValue(key: Address, to: Address): number {
    const bits = this.#bitsOf(key);
    if (bits < 0) return -ENOENT;
    for (;;) {
      const version = this.#locks.version(this.#guard);
      const value = this.#walk.longest(key, bits);
      if (value !== 0) copyBytes(this.memory, to, (this.#origin + value) * 4, this.valueSize);
      if (this.#locks.version(this.#guard) === version) return value === 0 ? -ENOENT : 0;
    }
  }

  override update(key: Address, value: Address, flags: number): number {
    const mode = this.updateMode(flags);
    if (mode < 0) return -EINVAL;
    const bits = this.#bitsOf(key);
    if (bits < 0) return -EINVAL;
    this.#lock();
    const result = this.#updateLocked(key, bits, value, mode);
    this.#locks.release(this.#guard + GUARD.LOCK);
    return result;
  }

  override delete(key: Address): number {
    const bits = this.#bitsOf(key);
    if (bits < 0) return -EINVAL;
    this.#lock();
    const result = this.#deleteLocked(key, bits);
    this.#locks.release(this.#guard + GUARD.LOCK);
    return result;
  }

  override getNextKey(key: Address, next: Address): number {
    const bits = key === 0 ? -1 : this.#bitsOf(key);
    for (;;) {
      const version = this.#locks.version(this.#guard);
      const root = this.#nodes.linked(this.#walk.root);
      let node = 0;
      if (root !== 0) node = bits < 0 ? this.#walk.first(root) : this.#walk.after(key, bits);
      if (node !== 0) this.#walk.copyKey(node, next);
      if (this.#locks.version(this.#guard) === version) return node === 0 ? -ENOENT : 0;
    }
  }

  override lookupBatch(batch: MapBatch): number {
    return genericLookupBatch(this, batch);
  }

  override updateBatch(batch: MapBatch): number {
    return genericUpdateBatch(this, batch);
  }

  override deleteBatch(batch: MapBatch): number {
    return genericDeleteBatch(this, batch);
  }

  #updateLocked(key: Address, bits: number, value: Address, flags: number): number {
    const { i32 } = this.memory;
    const { link } = this.#walk.placeOf(key, bits);
    const node = this.#nodes.linked(link);
    const isThere = this.#walk.isNodeOf(node, key, bits);
    const old = isThere ? this.#walk.valueOf(node) : 0;
    if (old !== 0 && flags === BPF_NOEXIST) return -EEXIST;
    if (old === 0 && flags === BPF_EXIST) return -ENOENT;
    const place = old === 0 ? this.#values.take() : this.#takeSpare(GUARD.SECOND_SPARE);
    if (place === 0) return old === 0 ? -ENOSPC : -ENOMEM;
    copyBytes(this.memory, (this.#origin + place) * 4, value, this.valueSize);
    if (!isThere) {
      const added = this.#nodes.take();
      if (added === 0) return -ENOMEM;
      this.#fill(added, key, bits, place);
      const joined = node === 0 ? added : this.#join(node, added, key, bits);
      if (joined === 0) return -ENOMEM;
      Atomics.store(i32, link, joined);
      return 0;
    }
    const spare = this.#takeSpare(GUARD.SPARE);
    if (spare === 0) return -ENOMEM;
    this.#fill(spare, key, bits, place);
    for (const bit of [0, 1]) i32[this.#origin + spare + CHILDREN + bit] = this.#walk.child(node, bit);
    Atomics.store(i32, link, spare);
    bumpVersion(i32, this.#guard);
    Atomics.store(i32, this.#guard + GUARD.SPARE, node);
    if (old !== 0) Atomics.store(i32, this.#guard + GUARD.SECOND_SPARE, old);
    return 0;
  }

  /** A node between two branches stays, without a value; one that has lost its last but one gives its place to the other. */
  #deleteLocked(key: Address, bits: number): number {
    const { i32 } = this.memory;
    const walk = this.#walk;
    const { link, above } = walk.placeOf(key, bits);
    const node = this.#nodes.linked(link);
    const value = walk.isNodeOf(node, key, bits) ? walk.valueOf(node) : 0;
    if (value === 0) return -ENOENT;
    const left = walk.child(node, 0);
    const right = walk.child(node, 1);
    const parent = above === 0 ? 0 : this.#nodes.linked(above);
    const hasBoth = left !== 0 && right !== 0;
    const takesParent = left === 0 && right === 0 && parent !== 0 && walk.valueOf(parent) === 0;
    if (hasBoth) {
      Atomics.store(i32, this.#origin + node + VALUE, 0);
    } else if (takesParent) {
      const sibling = walk.child(parent, 0) === node ? walk.child(parent, 1) : walk.child(parent, 0);
      Atomics.store(i32, above, sibling);
    } else {
      Atomics.store(i32, link, left === 0 ? right : left);
    }
    bumpVersion(i32, this.#guard);
    this.#values.giveBack(value);
    if (!hasBoth) this.#nodes.giveBack(node);
    if (takesParent) this.#nodes.giveBack(parent);
    return 0;
  }

  /** Puts a new node and the one in whose place it came together: what belongs in that place, 0 when there is no node left. */
  #join(node: number, added: number, key: Address, bits: number): number {
    const { i32, view } = this.memory;
    const data = this.#origin + node + DATA;
    const agreeing = this.#walk.agreement(node, key, 0, Math.min(this.#walk.prefixOf(node), bits));
    if (agreeing === bits) {
      const bit = ((i32[data + (agreeing >>> 5)] as number) >>> (31 - (agreeing & 31))) & 1;
      i32[this.#origin + added + CHILDREN + bit] = node;
      return added;
    }
    const parting = this.#nodes.take();
    if (parting === 0) return 0;
    const at = this.#origin + parting;
    const bit = bitAt(view, key, agreeing);
    i32[at + CHILDREN + bit] = added;
    i32[at + CHILDREN + (1 - bit)] = node;
    i32[at + PREFIX] = agreeing;
    i32[at + VALUE] = 0;
    for (let word = 0; word < this.#dataWords; word++) i32[at + DATA + word] = i32[data + word] as number;
    return parting;
  }

  /** Writes a key and the place of its value into a node that nobody else sees, and that has no branches. */
  #fill(node: number, key: Address, bits: number, value: number): void {
    const { i32, view } = this.memory;
    const at = this.#origin + node;
    i32[at + CHILDREN] = 0;
    i32[at + CHILDREN + 1] = 0;
    i32[at + PREFIX] = bits;
    i32[at + VALUE] = value;
    for (let word = 0; word < this.#dataWords; word++) i32[at + DATA + word] = dataAt(view, key, word);
  }

  #takeSpare(which: typeof GUARD.SPARE | typeof GUARD.SECOND_SPARE): number {
    const pieces = which === GUARD.SPARE ? this.#nodes : this.#values;
    const spare = pieces.linked(this.#guard + which);
    Atomics.store(this.memory.i32, this.#guard + which, 0);
    return spare;
  }

  #lock(): void {
    if (this.#locks.take(this.#guard + GUARD.LOCK)) this.#collect();
  }

  /** Makes free what is not in the trie: what somebody who died had in hand. */
  #collect(): void {
    const { i32 } = this.memory;
    const nodes = this.#nodes.unmarked();
    const values = this.#values.unmarked();
    const left = [this.#nodes.linked(this.#walk.root)];
    for (let node = left.pop(); node !== undefined; node = left.pop()) {
      if (node === 0 || !this.#nodes.mark(nodes, node)) continue;
      const value = this.#walk.valueOf(node);
      if (value !== 0) this.#values.mark(values, value);
      left.push(this.#walk.child(node, 0), this.#walk.child(node, 1));
    }
    bumpVersion(i32, this.#guard);
    Atomics.store(i32, this.#guard + GUARD.SPARE, 0);
    Atomics.store(i32, this.#guard + GUARD.SECOND_SPARE, 0);
    Atomics.store(i32, this.#guard + GUARD.SPARE, this.#nodes.collect(nodes));
    Atomics.store(i32, this.#guard + GUARD.SECOND_SPARE, this.#values.collect(values));
  }

  /** The length of a key's prefix; −1 when it is longer than keys are. */
  #bitsOf(key: Address): number {
    const bits = this.memory.u32[key >>> 2] as number;
    return bits > this.#walk.mostBits ? -1 : bits;
  }
}
