/** The buckets of a hash table: a power of two, at least one for each entry. */
export function bucketCount(maxEntries: number): number {
  return 2 ** Math.ceil(Math.log2(maxEntries));
}
