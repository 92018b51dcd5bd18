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
import { GROUP, group, isNearMinusTwo, rowIsNearMinusTwo } from "./simd";

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

  let iterations: i64 = 0;
  for (let y = top; y < bottom && !stopped(generation); y++) {
    iterations += row(y, left, right, generation);
    progress(thread, right - left);
  }
  return iterations;
}

/** Computes the pixels left … right - 1 of row y. Returns the iterations executed. */
function row(y: i32, left: i32, right: i32, generation: i32): i64 {
  const first = (<usize>(<u32>y * <u32>load<i32>(MANDELBROT_WIDTH) + <u32>left)) << 2;
  const counts = <usize>load<u32>(MANDELBROT_COUNTS) + first;
  const magnitudes = load<u32>(MANDELBROT_MAGNITUDES) ? <usize>load<u32>(MANDELBROT_MAGNITUDES) + first : 0;
  const ci = im(y);
  const maxIterations = load<i32>(MANDELBROT_MAX_ITERATIONS);
  const exact = load<i32>(MANDELBROT_ALGORITHM) == ALGORITHM_EXACT;

  const nearRow = ASC_FEATURE_SIMD && rowIsNearMinusTwo(ci);

  let iterations: i64 = 0;
  let nextPoll: i64 = POLL_ITERATIONS;
  let x = left;
  while (x < right) {
    const offset = (<usize>(x - left)) << 2;
    const pixels = ASC_FEATURE_SIMD ? min(GROUP, right - x) : 1;
    if (ASC_FEATURE_SIMD && !(nearRow && isNearMinusTwo(re(x), re(x + pixels - 1)))) {
      iterations += group(
        counts + offset,
        magnitudes ? magnitudes + offset : 0,
        x,
        pixels,
        ci,
        maxIterations,
        exact,
        generation,
      );
      x += pixels;
    } else {
      iterations += pixel(
        counts + offset,
        magnitudes ? magnitudes + offset : 0,
        re(x),
        ci,
        maxIterations,
        exact,
        generation,
      );
      x++;
    }
    if (iterations >= nextPoll) {
      if (stopped(generation)) break;
      nextPoll = iterations + POLL_ITERATIONS;
    }
  }
  return iterations;
}
