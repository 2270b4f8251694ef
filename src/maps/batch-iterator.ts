/** An iterator over items that come in batches. */
export class BatchIterator<T> implements IterableIterator<T> {
  readonly #fetch: () => T[] | undefined;
  #items: T[] = [];
  #at = 0;
  #isDone = false;

  /** `fetch` answers the next batch, which may be empty, and `undefined` when there are no more. */
  constructor(fetch: () => T[] | undefined) {
    this.#fetch = fetch;
  }

  next(): IteratorResult<T, undefined> {
    while (this.#at === this.#items.length) {
      const items = this.#isDone ? undefined : this.#fetch();
      if (items === undefined) return this.return();
      this.#items = items;
      this.#at = 0;
    }
    const value = this.#items[this.#at] as T;
    this.#at++;
    return { done: false, value };
  }

  return(): IteratorResult<T, undefined> {
    this.#isDone = true;
    this.#items = [];
    this.#at = 0;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }
}
