/** The methods that a JavaScript `Map` and what resembles it have in common. */
export interface MapLike<V> extends Iterable<readonly [number, V]> {
  get(key: number): V | undefined;
  set(key: number, value: V): unknown;
  delete(key: number): boolean;
}

/** A map to be measured, empty, with room for exactly so many entries of a 4-byte key and an 8-byte value. */
export interface Peer<V> {
  /** The map itself: the timed loops call its own methods, with nothing between. */
  readonly map: MapLike<V>;
  /**
   * Whether iteration asks for one key after another: then each entry costs the same, and part of the map says it all.
   * What reads in batches is measured over the whole map.
   */
  readonly iteratesByKey?: boolean;
  /** Fills the map faster than `set` would; that is not timed. */
  fill?(entries: readonly (readonly [number, V])[]): void;
  /** The peer's form of a value. */
  value(of: number): V;
  /** The whole map in batches of at most so many entries; absent when the peer has none. */
  batches?(entries: number): Iterable<readonly (readonly [number, V])[]>;
  /** Whatever comes before, prepared; what comes back is the one call that is timed. */
  prepareSetMany?(entries: readonly (readonly [number, V])[]): () => unknown;
}
