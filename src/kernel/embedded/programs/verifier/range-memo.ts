import type { Range } from "./range.ts";

/** Answers that are kept; then all are forgotten, for what is asked again and again is soon there again. */
const MOST = 4096;

/**
 * What was found out of two ranges before: a program asks the same of the same ranges again and again, and each time it is
 * dozens of operations on 64-bit numbers. Ranges never change once they are made, so the answer does not either; and as
 * it is the same object each time, what is asked of the answer is found again as well.
 */
export class RangeMemo<T> {
  readonly #known = new Map<Range, Map<Range, T>>();
  #size = 0;

  /** What `find` answers of the two, or answered before. */
  get(a: Range, b: Range, find: () => T): T {
    const ofFirst = this.#known.get(a);
    const known = ofFirst?.get(b);
    if (known !== undefined) return known;
    const found = find();
    if (this.#size++ === MOST) this.#forget();
    const answers = this.#known.get(a);
    if (answers !== undefined) answers.set(b, found);
    else this.#known.set(a, new Map([[b, found]]));
    return found;
  }

  #forget(): void {
    this.#known.clear();
    this.#size = 1;
  }
}
