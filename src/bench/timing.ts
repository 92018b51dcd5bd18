// Samples of a time, and what they say.

import { median, medianAbsoluteDeviation } from "./statistics.ts";

/** In milliseconds. */
export interface Timing {
  samplesMs: number[];
  medianMs: number;
  /** Median absolute deviation, not scaled. */
  madMs: number;
}

/** @throws {RangeError} If there are no samples. */
export function timing(samplesMs: number[]): Timing {
  return { samplesMs, medianMs: median(samplesMs), madMs: medianAbsoluteDeviation(samplesMs) };
}
