// A thread's scratch memory: where it keeps, between the steps of the SIMD kernel, what does not fit into registers.

import { JOB_SCRATCH, SCRATCH_BYTES } from "../layout";

/** Survivors that the list holds. */
export const CAPACITY: i32 = 4096;

/** Pixels of the widest strip. */
export const MAX_COLUMNS: i32 = 256;

// Arrays have room for a group more, because vectors are loaded and stored whole.
const COLUMNS_BYTES: usize = (<usize>(MAX_COLUMNS + 8)) << 3;
const LIST_BYTES: usize = (<usize>(CAPACITY + 8)) << 3;

/** i32: survivors in the list. */
export const LENGTH: usize = 0;
/** i32: iterations that the search for cycles may cost before it has to earn more. */
export const BUDGET: usize = 4;
/** i32: the lanes that `runUntested` found near where they began. */
export const NEAR: usize = 8;
/** Eight i32: the steps that the lanes of `runTested` began inside. */
export const STEPS: usize = 16;
/** Eight i32: what is known of the cells of a strip, 8 × MAX_COLUMNS pixels, from left to right; see `cells`. */
export const CELLS: usize = STEPS + 32;
/** The number 4, twice: V8 makes a constant anew at every step, and a load costs less. */
export const FOUR: usize = CELLS + ((<usize>MAX_COLUMNS / 8) << 2);
/** Where eight survivors began a pass: real parts, then imaginary parts. */
export const START_RE: usize = FOUR + 16;
export const START_IM: usize = START_RE + 64;
/** What the search for cycles keeps: twelve vectors. */
export const SEARCH: usize = START_IM + 64;
/** z of eight survivors before a tested block, while it runs: the search, which uses these bytes too, does not run then. */
export const BEFORE_RE: usize = SEARCH;
export const BEFORE_IM: usize = BEFORE_RE + 64;
/** Real parts of the columns of a strip. */
export const COLUMNS: usize = SEARCH + 192;
/** The survivors' z, c, and pixel numbers. */
export const Z_RE: usize = COLUMNS + COLUMNS_BYTES;
export const Z_IM: usize = Z_RE + LIST_BYTES;
export const C_RE: usize = Z_IM + LIST_BYTES;
export const C_IM: usize = C_RE + LIST_BYTES;
export const PIXEL: usize = C_IM + LIST_BYTES;

/** Address of a thread's scratch memory, of which the arrays above fill SCRATCH_BYTES at most. */
export function scratchOf(thread: i32): usize {
  return <usize>(load<i32>(JOB_SCRATCH) + thread * SCRATCH_BYTES);
}
