// One pixel after the other. This is the definition of a count, line by line; the SIMD kernel has the same contract.

import { MAGNITUDE_STEPS } from "../layout";
import { stopped } from "../sync/thread";
import { interior } from "./interior";

/** Iterations between two looks at the stop word: a fraction of a millisecond. */
export const POLL_ITERATIONS: i32 = 1 << 17;

/**
 * Computes the pixel c = cr + i·ci: stores its count at `counts` and, unless `magnitudes` is 0, its magnitude there.
 * With `exact`, iterations whose outcome is known are skipped. Returns the iterations executed.
 *
 * If the job is stopped meanwhile, it returns early and stores nothing.
 */
export function pixel(
  counts: usize,
  magnitudes: usize,
  cr: f64,
  ci: f64,
  maxIterations: i32,
  exact: bool,
  generation: i32,
): i32 {
  if (exact && interior(cr, ci)) {
    storeInside(counts, magnitudes, maxIterations);
    return 0;
  }
  let zr: f64 = 0;
  let zi: f64 = 0;
  // Brent's cycle search: an orbit that returns to the very same pair of doubles repeats for ever, so it cannot escape.
  let savedRe: f64 = 0;
  let savedIm: f64 = 0;
  let nextSave: i32 = 8;
  let nextPoll = POLL_ITERATIONS;
  for (let n = 0; n < maxIterations; n++) {
    const zr2 = zr * zr;
    const zi2 = zi * zi;
    if (!(zr2 + zi2 <= 4)) {
      store<i32>(counts, n);
      if (magnitudes) store<f32>(magnitudes, magnitude(zr, zi, cr, ci, MAGNITUDE_STEPS));
      return n;
    }
    zi = 2 * (zr * zi) + ci;
    zr = zr2 - zi2 + cr;
    if (exact) {
      if (zr == savedRe && zi == savedIm) {
        storeInside(counts, magnitudes, maxIterations);
        return n + 1;
      }
      if (n == nextSave) {
        savedRe = zr;
        savedIm = zi;
        nextSave <<= 1;
      }
    }
    if (n == nextPoll) {
      if (stopped(generation)) return n;
      nextPoll += POLL_ITERATIONS;
    }
  }
  storeInside(counts, magnitudes, maxIterations);
  return maxIterations;
}

/** Stores the result of a pixel that does not escape. */
export function storeInside(counts: usize, magnitudes: usize, maxIterations: i32): void {
  store<i32>(counts, maxIterations);
  if (magnitudes) store<f32>(magnitudes, 0);
}

/** |z|² after `steps` more steps from z = zr + i·zi; infinite where that overflows. */
export function magnitude(zr: f64, zi: f64, cr: f64, ci: f64, steps: i32): f32 {
  for (let i = 0; i < steps; i++) {
    const next = zr * zr - zi * zi + cr;
    zi = 2 * (zr * zi) + ci;
    zr = next;
  }
  const squared = <f32>(zr * zr + zi * zi);
  return isNaN(squared) ? Infinity : squared;
}
