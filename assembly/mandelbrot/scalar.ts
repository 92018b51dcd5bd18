// One pixel after the other. This is the definition of a count, line by line; the SIMD kernel has the same contract.

import { MAGNITUDE_STEPS } from "../layout";
import { stopped } from "../sync/thread";
import { CLOSE, returns } from "./discs";
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
  // Brent's cycle search: is the orbit back near where it was when n was a power of two?
  let savedRe: f64 = 0;
  let savedIm: f64 = 0;
  let saved: i32 = 0;
  let tried = false;
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
      const dr = zr - savedRe;
      const di = zi - savedIm;
      if (dr * dr + di * di < CLOSE && (!tried || (dr == 0 && di == 0))) {
        tried = true; // once a save: whoever does not contract now rarely does a little later
        if (returns(zr, zi, cr, ci, savedRe, savedIm, n - saved)) {
          storeInside(counts, magnitudes, maxIterations);
          return n + 1;
        }
      }
      if (n == 2 * saved + 8) {
        savedRe = zr;
        savedIm = zi;
        saved = n;
        tried = false;
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
