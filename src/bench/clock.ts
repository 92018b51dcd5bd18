// The clock that a measurement reads: how fine it is, and work that is long enough for it.

import type { Workload } from "./report.ts";

/** The smallest step of the clock that is seen in some milliseconds, in milliseconds. Infinity if it did not move. */
export function timerResolution(now: () => number): number {
  const MOST_MS = 3;
  const MOST_READS = 1_000_000; // ends the loop where the clock stands still
  const begin = now();
  let smallest = Number.POSITIVE_INFINITY;
  for (let reads = 0, last = begin; reads < MOST_READS && last - begin < MOST_MS; reads++) {
    const time = now();
    if (time > last) smallest = Math.min(smallest, time - last);
    last = time;
  }
  return smallest;
}

/** Steps of the clock that the shortest sample should last, so that one step is 1 % of it. */
const STEPS = 100;
/** The longest side that a picture grows to: 64 MiB of counts. */
const MOST_SIDE = 4096;

/**
 * The workload, with more pixels of the same region if the clock is too coarse for it: so many that the picture takes
 * 100 of the clock's steps, or 16 million.
 *
 * @param measure Renders a workload as fast as it will be rendered, and tells the milliseconds.
 */
export async function growForClock(
  workload: Workload,
  resolutionMs: number,
  measure: (workload: Workload) => Promise<number>,
): Promise<Workload> {
  const enough = STEPS * (Number.isFinite(resolutionMs) ? resolutionMs : 100);
  let { width, height } = workload;
  for (;;) {
    await measure({ ...workload, width, height }); // the first one of a size also takes memory
    const elapsedMs = await measure({ ...workload, width, height });
    const longest = Math.max(width, height);
    if (elapsedMs >= enough || longest >= MOST_SIDE) return { ...workload, width, height };
    // A little more than it seems to take; twice the sides at least where the clock has hardly moved.
    const factor = elapsedMs < enough / 16 ? 4 : Math.sqrt((1.1 * enough) / elapsedMs);
    const scale = Math.min(factor, MOST_SIDE / longest);
    width = Math.ceil(width * scale);
    height = Math.ceil(height * scale);
  }
}
