import { EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC } from "../../../abi/errno.ts";
import { BPF_EXIST, BPF_F_NO_PREALLOC, BPF_F_NUMA_NODE, BPF_NOEXIST } from "../../../abi/flags.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { genericDeleteBatch, genericLookupBatch, genericUpdateBatch } from "../generic-batch.ts";
import { guardsEnd } from "../guards.ts";
import type { MapBatch } from "../map-batch.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { ACCESS_FLAGS, EmbeddedMap, type MapHost, type MapType } from "../map-ops.ts";
import { allocateSegment, SEGMENT } from "../segment.ts";
import { copyBytes } from "../user-memory.ts";
import {
  bitAt,
  CHILDREN,
  DATA,
  dataAt,
  dataWords,
  firstValue,
  KEY_HEADER,
  LPM_HEADER,
  nodeCount,
  nodeWords,
  PREFIX,
  VALUE,
  valueWords,
} from "./lpm-segment.ts";
import { LpmShortcuts, NO_NODE } from "./lpm-shortcuts.ts";
import { Pool } from "./pool.ts";

const CREATE_FLAGS = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | ACCESS_FLAGS;
const MOST_DATA = 256;
// Sizes of Linux that its limit is made of: KMALLOC_MAX_SIZE, struct lpm_trie_node.
const MOST_VALUE = (1 << 22) - MOST_DATA - 24;

/** `"lpm_trie"`: `kernel/bpf/lpm_trie.c`, 6.18. All checks are those of `trie_alloc`; there is no `map_alloc_check`. */
export const LPM_TRIE: MapType = {
  allocCheck: () => 0,

  alloc({ memory }: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
    if (attr.maxEntries === 0 || (attr.flags & BPF_F_NO_PREALLOC) === 0) return -EINVAL;
    if (!attr.hasOnlyFlags(CREATE_FLAGS)) return -EINVAL;
    if (attr.keySize <= KEY_HEADER || attr.keySize > KEY_HEADER + MOST_DATA) return -EINVAL;
    if (attr.valueSize === 0 || attr.valueSize > MOST_VALUE) return -EINVAL;
    const words = firstValue(attr.keySize, attr.maxEntries) + valueWords(attr.valueSize) * (attr.maxEntries + 1);
    const base = allocateSegment(memory, attr, guardsEnd(words * 4, 1));
    return base === 0 ? -ENOMEM : new LpmTrie(memory, base);
  },
};

class LpmTrie extends EmbeddedMap {
  /** The word of the memory at which the segment begins: links count from here. */
  readonly #origin: number;
  /** The word of the memory that links to the root. */
  readonly #root: number;
  readonly #mostBits: number;
  readonly #dataWords: number;
  readonly #nodes: Pool;
  readonly #values: Pool;
  readonly #shortcuts: LpmShortcuts;
  /** The word that links to the node above the place that the last walk found; 0 when that place is the root's. */
  #linkAbove = 0;

  constructor(memory: AddressSpace, base: Address) {
    super(memory, base);
    const { keySize, valueSize, maxEntries } = this;
    const origin = base >>> 2;
    this.#origin = origin;
    this.#root = origin + LPM_HEADER.ROOT / 4;
    this.#mostBits = (keySize - KEY_HEADER) * 8;
    this.#dataWords = dataWords(keySize);
    this.#shortcuts = new LpmShortcuts(maxEntries, this.#mostBits);
    this.#nodes = new Pool(memory, {
      state: origin + LPM_HEADER.NODES / 4,
      origin,
      first: SEGMENT.HEADER_SIZE / 4,
      words: nodeWords(keySize),
      capacity: nodeCount(maxEntries),
    });
    this.#values = new Pool(memory, {
      state: origin + LPM_HEADER.VALUES / 4,
      origin,
      first: firstValue(keySize, maxEntries),
      words: valueWords(valueSize),
      capacity: maxEntries,
    });
  }

  /**
   * The value of the longest prefix that the key begins with: `trie_lookup_elem`. On the way down prefixes only grow, and
   * agree in what lies before: the key is read once, word by word.
   */
  override lookup(key: Address): Address {
    const { i32, u32, view } = this.memory;
    const origin = this.#origin;
    const bits = u32[key >>> 2] as number;
    if (bits > this.#mostBits) return 0;
    let word = 0;
    let data = dataAt(view, key, 0);
    const shortcuts = this.#shortcuts;
    let found = 0;
    let node: number;
    if (bits >= shortcuts.bits) {
      const { table } = shortcuts;
      const shortcut = shortcuts.of(data);
      if (table[shortcut] === 0) this.#takeShortcut(table, shortcut, data);
      node = table[shortcut] as number;
      found = table[shortcut + 1] as number;
    } else {
      node = i32[this.#root] as number;
    }
    while (node > 0) {
      const at = origin + node;
      const prefix = i32[at + PREFIX] as number;
      if (prefix > bits) break;
      while (word < prefix >>> 5 && i32[at + DATA + word] === data) {
        word++;
        data = word < this.#dataWords ? dataAt(view, key, word) : 0;
      }
      const rest = prefix - word * 32;
      if (rest > 31 || Math.clz32((i32[at + DATA + word] as number) ^ data) < rest) break;
      const value = i32[at + VALUE] as number;
      if (value !== 0) found = value;
      if (prefix === bits) break;
      node = i32[at + CHILDREN + ((data >>> (31 - rest)) & 1)] as number;
    }
    return found === 0 ? 0 : (origin + found) * 4;
  }

  /** Takes down what a walk finds that has come past the bits of a shortcut. */
  #takeShortcut(table: Int32Array, shortcut: number, data: number): void {
    const { i32 } = this.memory;
    const { bits } = this.#shortcuts;
    let found = 0;
    let node = i32[this.#root] as number;
    while (node !== 0) {
      const at = this.#origin + node;
      const prefix = i32[at + PREFIX] as number;
      const agreeing = Math.clz32((i32[at + DATA] as number) ^ data);
      if (agreeing < Math.min(prefix, bits)) node = 0;
      if (node === 0 || prefix >= bits) break;
      found = (i32[at + VALUE] as number) || found;
      node = i32[at + CHILDREN + ((data >>> (31 - prefix)) & 1)] as number;
    }
    table[shortcut] = node === 0 ? NO_NODE : node;
    table[shortcut + 1] = found;
  }

  /** The node of a key itself, by its shortcut; 0 when it is not there, or when no shortcut leads to it. */
  #nodeOf(key: Address, bits: number): number {
    const { i32, view } = this.memory;
    const shortcuts = this.#shortcuts;
    if (bits < shortcuts.bits) return 0;
    const { table } = shortcuts;
    const data = dataAt(view, key, 0);
    const shortcut = shortcuts.of(data);
    if (table[shortcut] === 0) this.#takeShortcut(table, shortcut, data);
    let node = table[shortcut] as number;
    let agreeing = 0;
    while (node > 0) {
      const at = this.#origin + node;
      const prefix = i32[at + PREFIX] as number;
      if (prefix > bits || this.#agreement(i32, view, at, key, agreeing, prefix) < prefix) return 0;
      if (prefix === bits) return node;
      agreeing = prefix;
      node = i32[at + CHILDREN + bitAt(view, key, prefix)] as number;
    }
    return 0;
  }

  /** `trie_update_elem`. The bits behind the prefix are kept as they are given, and replaced with the value. */
  override update(key: Address, value: Address, flags: number): number {
    if (flags > BPF_EXIST) return -EINVAL;
    const { i32, u32 } = this.memory;
    const bits = u32[key >>> 2] as number;
    if (bits > this.#mostBits) return -EINVAL;
    const known = this.#nodeOf(key, bits);
    if (known !== 0 && i32[this.#origin + known + VALUE] !== 0) {
      if (flags === BPF_NOEXIST) return -EEXIST;
      this.#fill(known, key, value);
      return 0;
    }
    const link = this.#walk(key, bits);
    const node = i32[link] as number;
    const at = this.#origin + node;
    const hasNode = this.#isNodeOf(node, key, bits);
    if (hasNode && i32[at + VALUE] !== 0) {
      if (flags === BPF_NOEXIST) return -EEXIST;
      this.#fill(node, key, value);
      return 0;
    }
    if (flags === BPF_EXIST) return -ENOENT;
    const place = this.#values.take();
    if (place === 0) return -ENOSPC;
    this.#shortcuts.forget(dataAt(this.memory.view, key, 0), bits);
    if (hasNode) {
      i32[at + VALUE] = place;
      this.#fill(node, key, value);
      return 0;
    }
    const added = this.#newNode(bits, place);
    this.#fill(added, key, value);
    i32[link] = node === 0 ? added : this.#join(node, added, key, bits);
    return 0;
  }

  /** `trie_delete_elem`. */
  override delete(key: Address): number {
    const { i32, u32 } = this.memory;
    const bits = u32[key >>> 2] as number;
    if (bits > this.#mostBits) return -EINVAL;
    const link = this.#walk(key, bits);
    const linkAbove = this.#linkAbove;
    const node = i32[link] as number;
    const at = this.#origin + node;
    const value = this.#isNodeOf(node, key, bits) ? (i32[at + VALUE] as number) : 0;
    if (value === 0) return -ENOENT;
    this.#shortcuts.forget(dataAt(this.memory.view, key, 0), bits);
    this.#values.giveBack(value);
    i32[at + VALUE] = 0;
    const left = i32[at + CHILDREN] as number;
    const right = i32[at + CHILDREN + 1] as number;
    // Two branches need a node that parts them.
    if (left !== 0 && right !== 0) return 0;
    const child = left === 0 ? right : left;
    i32[link] = child;
    this.#nodes.giveBack(node);
    if (child === 0 && linkAbove !== 0) this.#removeIfNeedless(linkAbove);
    return 0;
  }

  /** `trie_get_next_key`. */
  override getNextKey(key: Address, next: Address): number {
    const { i32, u32 } = this.memory;
    const root = i32[this.#root] as number;
    if (root === 0) return -ENOENT;
    const bits = key === 0 ? this.#mostBits + 1 : (u32[key >>> 2] as number);
    const node = bits > this.#mostBits ? this.#first(root) : this.#after(key, bits);
    return node === 0 ? -ENOENT : this.#copyKey(node, next);
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

  /**
   * Walks towards a key as far as nodes are prefixes of it and shorter: the link to the first that is not, which may be
   * the key's own node, one that has to go below it or beside it, or none.
   */
  #walk(key: Address, bits: number): number {
    const { i32, view } = this.memory;
    let link = this.#root;
    let agreeing = 0;
    this.#linkAbove = 0;
    for (;;) {
      const node = i32[link] as number;
      if (node === 0) return link;
      const at = this.#origin + node;
      const prefix = i32[at + PREFIX] as number;
      if (prefix >= bits || this.#agreement(i32, view, at, key, agreeing, prefix) < prefix) return link;
      this.#linkAbove = link;
      agreeing = prefix;
      link = at + CHILDREN + bitAt(view, key, prefix);
    }
  }

  /** Whether a node that a walk found is that of the key itself. */
  #isNodeOf(node: number, key: Address, bits: number): boolean {
    const { i32, view } = this.memory;
    const at = this.#origin + node;
    return node !== 0 && i32[at + PREFIX] === bits && this.#agreement(i32, view, at, key, 0, bits) === bits;
  }

  /**
   * The entry after a key, 0 after the last: both branches come before the node that they are below. A key that is not
   * there is followed by the first entry.
   */
  #after(key: Address, bits: number): number {
    const { i32, view } = this.memory;
    const root = i32[this.#root] as number;
    // On the way down, what would come next: the first entry of a branch, or a node.
    let branch = 0;
    let follower = 0;
    let agreeing = 0;
    let node = root;
    while (node !== 0) {
      const at = this.#origin + node;
      const prefix = i32[at + PREFIX] as number;
      const isOnTheWay = prefix <= bits && this.#agreement(i32, view, at, key, agreeing, prefix) === prefix;
      if (!isOnTheWay) break;
      if (prefix === bits) {
        if (i32[at + VALUE] === 0) break;
        return branch === 0 ? follower : this.#first(branch);
      }
      const bit = bitAt(view, key, prefix);
      const other = bit === 0 ? (i32[at + CHILDREN + 1] as number) : 0;
      if (other !== 0) {
        branch = other;
      } else if (i32[at + VALUE] !== 0) {
        branch = 0;
        follower = node;
      }
      agreeing = prefix;
      node = i32[at + CHILDREN + bit] as number;
    }
    return this.#first(root);
  }

  /**
   * How many of their first `limit` bits the node at a word of the memory and a key have in common, when it is known that
   * the first `known` are.
   */
  #agreement(i32: Int32Array, view: DataView, at: number, key: Address, known: number, limit: number): number {
    for (let word = known >>> 5; word * 32 < limit; word++) {
      const difference = (i32[at + DATA + word] as number) ^ dataAt(view, key, word);
      if (difference !== 0) return Math.min(word * 32 + Math.clz32(difference), limit);
    }
    return limit;
  }

  /** Puts a new node and the one in whose place it came together: what now belongs in that place. */
  #join(node: number, added: number, key: Address, bits: number): number {
    const { i32, view } = this.memory;
    const at = this.#origin + node;
    const addedAt = this.#origin + added;
    const agreeing = this.#agreement(i32, view, at, key, 0, Math.min(i32[at + PREFIX] as number, bits));
    if (agreeing === bits) {
      const bit = ((i32[at + DATA + (agreeing >>> 5)] as number) >>> (31 - (agreeing & 31))) & 1;
      i32[addedAt + CHILDREN + bit] = node;
      return added;
    }
    const parting = this.#newNode(agreeing, 0);
    const partingAt = this.#origin + parting;
    for (let word = 0; word < this.#dataWords; word++) i32[partingAt + DATA + word] = i32[at + DATA + word] as number;
    const bit = bitAt(view, key, agreeing);
    i32[partingAt + CHILDREN + bit] = added;
    i32[partingAt + CHILDREN + (1 - bit)] = node;
    return parting;
  }

  #newNode(prefix: number, value: number): number {
    const { i32 } = this.memory;
    const node = this.#nodes.take();
    const at = this.#origin + node;
    i32[at + CHILDREN] = 0;
    i32[at + CHILDREN + 1] = 0;
    i32[at + PREFIX] = prefix;
    i32[at + VALUE] = value;
    return node;
  }

  /** Writes a key's data and the value into a node that has a place for it. */
  #fill(node: number, key: Address, value: Address): void {
    const { i32, view } = this.memory;
    const at = this.#origin + node;
    for (let word = 0; word < this.#dataWords; word++) i32[at + DATA + word] = dataAt(view, key, word);
    copyBytes(this.memory, (this.#origin + (i32[at + VALUE] as number)) * 4, value, this.valueSize);
  }

  /** An intermediate node that has lost one of its branches gives its place to the other. */
  #removeIfNeedless(link: number): void {
    const { i32 } = this.memory;
    const node = i32[link] as number;
    const at = this.#origin + node;
    if (i32[at + VALUE] !== 0) return;
    i32[link] = (i32[at + CHILDREN] as number) || (i32[at + CHILDREN + 1] as number);
    this.#nodes.giveBack(node);
  }

  /** The first entry at or below a node: down to the left as far as it goes. */
  #first(node: number): number {
    const { i32 } = this.memory;
    let first = node;
    for (;;) {
      const at = this.#origin + first;
      const child = (i32[at + CHILDREN] as number) || (i32[at + CHILDREN + 1] as number);
      if (child === 0) return first;
      first = child;
    }
  }

  #copyKey(node: number, to: Address): number {
    const { i32, u8, view } = this.memory;
    const at = this.#origin + node;
    view.setUint32(to, i32[at + PREFIX] as number, true);
    let place = to + KEY_HEADER;
    const end = to + this.keySize;
    for (let word = at + DATA; place < end; word++) {
      const data = i32[word] as number;
      if (end - place >= 4) {
        view.setInt32(place, data, false);
        place += 4;
        continue;
      }
      for (let shift = 24; place < end; shift -= 8) u8[place++] = data >>> shift;
    }
    return 0;
  }
}
