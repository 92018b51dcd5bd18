// A thread's part of a Mandelbrot job: chunk by chunk, row by row.

import { now } from "../env";
import {
  ALGORITHM_EXACT,
  JOB_SCHEDULE,
  JOB_THREADS,
  MANDELBROT_ALGORITHM,
  MANDELBROT_COUNTS,
  MANDELBROT_HEIGHT,
  MANDELBROT_MAGNITUDES,
  MANDELBROT_MAX_ITERATIONS,
  MANDELBROT_TILE_HEIGHT,
  MANDELBROT_TILE_WIDTH,
  MANDELBROT_WIDTH,
  SCHEDULE_STATIC,
} from "../layout";
import { claim, finish, progress } from "../sync/job";
import { stopped } from "../sync/thread";
import { im, re } from "./plane";
import { POLL_ITERATIONS, pixel } from "./scalar";
import { strips } from "./strips";

export function mandelbrot(thread: i32, generation: i32): void {
  let begin = now();
  for (let chunk = claim(thread, generation); chunk >= 0; chunk = claim(thread, generation)) {
    const iterations = tile(thread, chunk, generation);
    if (stopped(generation)) return;
    begin = finish(thread, chunk, iterations, begin);
  }
}

/** Computes one chunk. Returns the iterations executed. */
function tile(thread: i32, chunk: i32, generation: i32): i64 {
  const width = load<i32>(MANDELBROT_WIDTH);
  const height = load<i32>(MANDELBROT_HEIGHT);
  const tileWidth = load<i32>(MANDELBROT_TILE_WIDTH);
  const tileHeight = load<i32>(MANDELBROT_TILE_HEIGHT);
  const columns = (width + tileWidth - 1) / tileWidth;
  const left = (chunk % columns) * tileWidth;
  const right = min(left + tileWidth, width);
  const top = (chunk / columns) * tileHeight;
  const remainder = load<i32>(JOB_SCHEDULE) == SCHEDULE_STATIC && chunk == load<i32>(JOB_THREADS) - 1;
  const bottom = remainder ? height : min(top + tileHeight, height);
  const exact = load<i32>(MANDELBROT_ALGORITHM) == ALGORITHM_EXACT;
  return ASC_FEATURE_SIMD
    ? strips(thread, left, right, top, bottom, exact, generation)
    : rows(thread, left, right, top, bottom, exact, generation);
}

/** Computes the pixels left … right - 1 of the rows top … bottom - 1, one after the other. Returns the iterations executed. */
function rows(thread: i32, left: i32, right: i32, top: i32, bottom: i32, exact: bool, generation: i32): i64 {
  const width = load<i32>(MANDELBROT_WIDTH);
  const counts = <usize>load<u32>(MANDELBROT_COUNTS);
  const magnitudes = <usize>load<u32>(MANDELBROT_MAGNITUDES);
  const maxIterations = load<i32>(MANDELBROT_MAX_ITERATIONS);
  let iterations: i64 = 0;
  for (let y = top; y < bottom; y++) {
    const ci = im(y);
    let nextPoll = iterations + POLL_ITERATIONS;
    for (let x = left; x < right; x++) {
      const offset = (<usize>(<u32>y * <u32>width + <u32>x)) << 2;
      const magnitude = magnitudes ? magnitudes + offset : 0;
      iterations += pixel(counts + offset, magnitude, re(x), ci, maxIterations, exact, generation);
      if (iterations >= nextPoll) {
        if (stopped(generation)) return iterations;
        nextPoll = iterations + POLL_ITERATIONS;
      }
    }
    if (stopped(generation)) return iterations;
    progress(thread, right - left);
  }
  return iterations;
}
