// The exports of the kernel: this file is the ABI. docs and states: README.md beside it.

export * from "./layout";
export { close, park, publish, stop } from "./sync/job";

import { count } from "./counter";
import { GENERATION_NONE, JOB_KIND, JOB_KIND_COUNT, WORK_NONE } from "./layout";
import { mandelbrot } from "./mandelbrot";
import { enter, leave } from "./sync/job";

/** 1 if this build computes with SIMD. */
export const SIMD: i32 = ASC_FEATURE_SIMD ? 1 : 0;

/** Does a thread's part of the job that was published to it last. Returns a set of WORK_* bits. */
export function work(thread: i32): i32 {
  const generation = enter(thread);
  if (generation <= GENERATION_NONE) return WORK_NONE;
  if (load<i32>(JOB_KIND) == JOB_KIND_COUNT) count(thread, generation);
  else mandelbrot(thread, generation);
  return leave(thread, generation);
}
