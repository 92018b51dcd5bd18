// What the benchmark computes from its samples. Every function expects positive, finite numbers.

/**
 * The middle sample, or the mean of the two in the middle.
 *
 * @throws {RangeError} If there are no samples.
 */
export function median(samples: ArrayLike<number>): number {
  if (samples.length === 0) throw new RangeError('"samples" expected at least one number, got none');
  const sorted = Float64Array.from(samples).sort();
  const middle = sorted.length >> 1;
  return ((sorted[middle] as number) + (sorted[(sorted.length - 1) >> 1] as number)) / 2;
}

/**
 * How far the samples lie from their median, by the median: the raw deviation, in the samples' unit. It is not scaled
 * by 1.4826, which would estimate the standard deviation of a normal distribution: times are skewed, not normal.
 *
 * @throws {RangeError} If there are no samples.
 */
export function medianAbsoluteDeviation(samples: ArrayLike<number>): number {
  const middle = median(samples);
  return median(Float64Array.from(samples, (sample) => Math.abs(sample - middle)));
}

/**
 * The median absolute deviation as a fraction of the median: 0.01 = 1 %.
 *
 * @throws {RangeError} If there are no samples.
 */
export function relativeSpread(samples: ArrayLike<number>): number {
  return medianAbsoluteDeviation(samples) / median(samples);
}

/** How many times as fast as the baseline. */
export function speedup(baselineMs: number, ms: number): number {
  return baselineMs / ms;
}

/** The speedup that each thread contributed; 1 is ideal. */
export function efficiency(speedup: number, threads: number): number {
  return speedup / threads;
}

/**
 * The serial fraction that the measured speedup ψ on p threads implies: (1/ψ − 1/p) / (1 − 1/p). If it stays the same
 * with more threads, a serial part limits; if it rises, overhead does. Below 0 where the speedup is above p. `null` for
 * one thread, which implies nothing.
 *
 * From A. H. Karp and H. P. Flatt, "Measuring Parallel Processor Performance", Communications of the ACM 33 (1990) 5.
 */
export function karpFlatt(speedup: number, threads: number): number | null {
  if (threads === 1) return null;
  return (1 / speedup - 1 / threads) / (1 - 1 / threads);
}
