/** How many entries a slice has when nobody says: some tenths of a millisecond of work. */
export const SLICE_ENTRIES = 4096;

/** What of a host's globals gives its event loop a turn; none of it is everywhere. */
interface Turns {
  readonly setImmediate?: (call: () => void) => unknown;
  readonly scheduler?: { readonly yield?: () => Promise<void> };
  readonly setTimeout: (call: () => void, milliseconds: number) => unknown;
}

/** Resolves when the event loop has had a turn: timers, requests and what else was waiting have been served. */
function turn(): Promise<void> {
  const { setImmediate, scheduler, setTimeout } = globalThis as unknown as Turns;
  if (setImmediate !== undefined) return new Promise((resolve) => setImmediate(resolve));
  if (scheduler?.yield !== undefined) return scheduler.yield();
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Throws a `RangeError` unless a slice can have so many entries. */
export function requireSliceSize(size: number): void {
  if (!Number.isInteger(size) || size < 1) throw new RangeError(`a slice has 1 entry or more, not ${size}`);
}

/** What comes of an iterator, in arrays of `size`; the event loop has a turn between two. */
export async function* slicesOf<T>(items: Iterable<T>, size: number): AsyncIterableIterator<T[]> {
  let slice: T[] = [];
  for (const item of items) {
    slice.push(item);
    if (slice.length < size) continue;
    yield slice;
    slice = [];
    await turn();
  }
  if (slice.length > 0) yield slice;
}

/** Slice after slice of what `next` makes, which may be empty, as long as there is more; the event loop has a turn between two. */
export async function* slicesFrom<T>(hasMore: () => boolean, next: () => T[]): AsyncIterableIterator<T[]> {
  while (hasMore()) {
    const slice = next();
    if (slice.length > 0) yield slice;
    await turn();
  }
}

/**
 * Gives all items to `take` in arrays of `size`, with the number of items that came before; the event loop has a turn
 * between two. Answers the sum of what `take` answered; throws a
 * `RangeError` unless a slice can have so many.
 */
export async function inSlices<T>(
  items: Iterable<T> | AsyncIterable<T>,
  size: number,
  take: (slice: T[], before: number) => number,
): Promise<number> {
  requireSliceSize(size);
  let sum = 0;
  let before = 0;
  for await (const slice of Symbol.asyncIterator in items ? arraysOf(items, size) : slicesOf(items, size)) {
    sum += take(slice, before);
    before += slice.length;
  }
  return sum;
}

/** What comes when it comes, in arrays of `size`: its own pace gives the event loop turns, but for what is there at once. */
async function* arraysOf<T>(items: AsyncIterable<T>, size: number): AsyncIterableIterator<T[]> {
  let slice: T[] = [];
  for await (const item of items) {
    slice.push(item);
    if (slice.length < size) continue;
    yield slice;
    slice = [];
    await turn();
  }
  if (slice.length > 0) yield slice;
}
