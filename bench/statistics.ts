/** Where the middle half of some samples lies. */
export interface Spread {
  readonly median: number;
  /** The first quartile. */
  readonly low: number;
  /** The third quartile. */
  readonly high: number;
}

/** The median and the quartiles of samples, of which there is one at least. */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
}

/** The spread of the ratios of samples that were taken in the same round. Drift that touches both cancels out. */
export function ratioOf(samples: readonly number[], baseline: readonly number[]): Spread {
  return spreadOf(samples.map((sample, round) => sample / (baseline[round] as number)));
}

/** Between the two samples that are nearest, in proportion. */
function quantile(sorted: readonly number[], fraction: number): number {
  const at = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(at)] as number;
  const above = sorted[Math.ceil(at)] as number;
  return below + (above - below) * (at - Math.floor(at));
}
