// A chunk in the SIMD kernel: strips of a cell's height, each pixel's first steps, and the survivors' rest whenever there
// are enough of them, and at the chunk's end.

import { MANDELBROT_COUNTS, MANDELBROT_MAGNITUDES, MANDELBROT_MAX_ITERATIONS, MANDELBROT_WIDTH } from "../layout";
import { progress } from "../sync/job";
import { stopped } from "../sync/thread";
import { CELL, lookAtCells } from "./cells";
import { interior2, intervalIsInterior } from "./interior2";
import { FIRST, GROUP, neighbours } from "./neighbours";
import { im, re } from "./plane";
import { pixel, storeInside } from "./scalar";
import { CAPACITY, CELLS, COLUMNS, LENGTH, MAX_COLUMNS, scratchOf } from "./scratch";
import { clear, finishSurvivors } from "./survivors";

/** Half the side of the square around -2 in which an escape must be tested for at every step; see survivors.ts. */
const NEAR_MINUS_TWO: f64 = 1.52587890625e-5; // 2⁻¹⁶

/** Width of a strip, as real parts go, from which on closed forms are always tried. */
const WIDE: f64 = 0.015625;

/** |im| above which no point is in the cardioid or the period-2 bulb. */
const HEIGHT: f64 = 0.65;

/** Computes the pixels left … right - 1 of the rows top … bottom - 1. Returns the iterations executed. */
export function strips(thread: i32, left: i32, right: i32, top: i32, bottom: i32, exact: bool, generation: i32): i64 {
  const scratch = scratchOf(thread);
  const counts = <usize>load<u32>(MANDELBROT_COUNTS);
  const magnitudes = <usize>load<u32>(MANDELBROT_MAGNITUDES);
  const maxIterations = load<i32>(MANDELBROT_MAX_ITERATIONS);
  let iterations: i64 = 0;
  let unreported: i32 = 0;
  clear(scratch);
  for (let x = left; x < right; x += MAX_COLUMNS) {
    const width = min(MAX_COLUMNS, right - x);
    for (let i = 0; i < width; i++) store<f64>(scratch + ((<usize>i) << 3), re(x + i), COLUMNS);
    for (let y = top; y < bottom; y += CELL) {
      const height = min(CELL, bottom - y);
      iterations += strip(scratch, counts, magnitudes, x, width, y, height, maxIterations, exact, generation);
      if (stopped(generation)) return iterations;
      unreported += width * height;
      const last = x + width == right && y + height == bottom;
      if (last || load<i32>(scratch + LENGTH) > CAPACITY - MAX_COLUMNS * CELL) {
        const n = min(FIRST, maxIterations);
        iterations += finishSurvivors(scratch, counts, magnitudes, n, maxIterations, exact, generation);
        if (stopped(generation)) return iterations;
        clear(scratch);
        progress(thread, unreported);
        unreported = 0;
      }
    }
  }
  return iterations;
}

/** Computes the first steps of a strip: `width` pixels from column x on, `height` rows (1 to CELL) from row y on. */
function strip(
  scratch: usize,
  counts: usize,
  magnitudes: usize,
  x: i32,
  width: i32,
  y: i32,
  height: i32,
  maxIterations: i32,
  exact: bool,
  generation: i32,
): i64 {
  const columns = scratch + COLUMNS;
  const top = im(y);
  const bottom = im(y + height - 1);
  for (let i = 0; i + CELL <= width; i += 2 * CELL) {
    lookAtCells(columns + ((<usize>i) << 3), top, bottom, scratch + CELLS + ((<usize>i >> 3) << 2));
  }
  /** Whether cells that are decided as a whole are filled, instead of executing every iteration. */
  const fill = exact && magnitudes == 0;
  const closedForms = exact && mayHaveInterior(columns, width, top, bottom);
  let iterations: i64 = 0;
  for (let row = y; row < y + height; row++) {
    const ci = im(row);
    const first = row * load<i32>(MANDELBROT_WIDTH) + x;
    const nearSet = closedForms && abs(ci) <= HEIGHT;
    const nearMinusTwo = abs(ci) <= NEAR_MINUS_TWO;
    if (nearSet && intervalIsInterior(load<f64>(columns), load<f64>(columns + ((<usize>(width - 1)) << 3)), ci)) {
      storeRun(counts, magnitudes, first, width, maxIterations);
      continue;
    }
    for (let i = 0; i < width; i += GROUP) {
      const pixels = min(GROUP, width - i);
      const reals = columns + ((<usize>i) << 3);
      const lo = load<f64>(reals);
      const hi = load<f64>(reals + ((<usize>(pixels - 1)) << 3));
      const known = pixels == CELL ? load<i32>(scratch + ((<usize>i >> 3) << 2), CELLS) : -1;
      if (fill && known > 0 && known < maxIterations) {
        const at = counts + ((<usize>(first + i)) << 2);
        v128.store(at, i32x4.splat(known));
        v128.store(at, i32x4.splat(known), 16);
      } else if (nearMinusTwo && lo <= NEAR_MINUS_TWO - 2 && hi >= -2 - NEAR_MINUS_TWO) {
        iterations += oneByOne(counts, magnitudes, first + i, pixels, reals, ci, maxIterations, exact, generation);
      } else if (nearSet && intervalIsInterior(lo, hi, ci)) {
        storeRun(counts, magnitudes, first + i, pixels, maxIterations);
      } else {
        const safe = abs(known);
        iterations += neighbours(
          scratch,
          counts,
          magnitudes,
          first + i,
          pixels,
          reals,
          ci,
          safe,
          maxIterations,
          nearSet,
        );
      }
    }
  }
  return iterations;
}

/**
 * Whether closed forms are worth trying in a strip: it has a corner that they know to be inside, or is wide enough to
 * have a part of the cardioid or the bulb between its corners. If it is not, nothing but time is lost.
 */
function mayHaveInterior(columns: usize, width: i32, top: f64, bottom: f64): bool {
  const left = load<f64>(columns);
  const right = load<f64>(columns + ((<usize>(width - 1)) << 3));
  const ends = f64x2.replace_lane(f64x2.splat(left), 1, right);
  return !(right - left < WIDE) || (interior2(ends, f64x2.splat(top)) | interior2(ends, f64x2.splat(bottom))) != 0;
}

/** Computes neighbours one by one. */
function oneByOne(
  counts: usize,
  magnitudes: usize,
  first: i32,
  pixels: i32,
  reals: usize,
  ci: f64,
  maxIterations: i32,
  exact: bool,
  generation: i32,
): i64 {
  let iterations: i64 = 0;
  for (let i = 0; i < pixels; i++) {
    const offset = (<usize>(first + i)) << 2;
    const cr = load<f64>(reals + ((<usize>i) << 3));
    const magnitude = magnitudes ? magnitudes + offset : 0;
    iterations += pixel(counts + offset, magnitude, cr, ci, maxIterations, exact, generation);
  }
  return iterations;
}

/** Stores the results of neighbours that do not escape. */
function storeRun(counts: usize, magnitudes: usize, first: i32, pixels: i32, maxIterations: i32): void {
  for (let i = 0; i < pixels; i++) {
    const offset = (<usize>(first + i)) << 2;
    storeInside(counts + offset, magnitudes ? magnitudes + offset : 0, maxIterations);
  }
}
