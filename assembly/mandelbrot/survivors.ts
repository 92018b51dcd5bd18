// Pixels that the first steps did not decide, in a list. All of them have come equally far, so a pass over the list takes any
// eight, and runs them in lock step: four chains of f64x2. Whoever is decided leaves, and the list closes up behind the
// pass, so that the lanes of the next one are full again. A pass takes the list half as far again as it has come, so a lane
// whose pixel escapes idles for a fraction of the work at most.
//
// Testing for escape costs a third of a step, so a block of steps runs without tests, and only its end is tested. If a pixel is
// out there, the block is run again from its checkpoint with a test at every step, which counts. That is exact because an
// orbit that has left |z| ≤ 2 does not come back:
//
//   If |z| > 2 and |z| ≥ |c|, then |z² + c| ≥ |z| (|z| - 1) > |z|; and |z| ≥ |c| holds from n = 1 on. In doubles the
//   gain must exceed the rounding error. With |c| ≤ 2 - 10⁻¹² the next |z| is at least 4 - |c|, and with
//   |c| ≥ 2 + 10⁻¹² the gain is at least 10⁻¹²: both far above it. In the ring between, z₂ = c (c + 1) has
//   |z₂| ≈ 2 + |c + 2|²/2, which is far enough out if |c + 2| ≥ 2⁻¹⁶. strips.ts sends the rest to the scalar kernel.
//   A NaN is out (the test is "not ≤ 4") and stays NaN.

import { MAGNITUDE_STEPS } from "../layout";
import { stopped } from "../sync/thread";
import { neverEscape, searchSteps } from "./cycles";
import { CLOSE, returns } from "./discs";
import { magnitude, POLL_ITERATIONS, storeInside } from "./scalar";
import {
  BEFORE_IM,
  BEFORE_RE,
  BUDGET,
  C_IM,
  C_RE,
  FOUR,
  LENGTH,
  NEAR,
  PIXEL,
  START_IM,
  START_RE,
  STEPS,
  Z_IM,
  Z_RE,
} from "./scratch";

/** Steps of a block, the multiple of many periods: an orbit is looked at between blocks, and must be back by then. */
const BLOCK: i32 = 24;

/** Iterations below which blocks are half as long, for pixels escape more often there. */
const SHORT: i32 = 256;

/** Steps from which on a pass over the list may take more than a millisecond. */
const LONG_PASS: i32 = 512;

/** Iterations up to which passes are short if they are tested, or if `exact` looks for cycles; no orbit is watched. */
const EARLY: i32 = 64;

/** Steps of those passes, and of later ones that are tested at every step. */
const EARLY_PASS: i32 = 16;
const TESTED_PASS: i32 = 2 * BLOCK;

/** What the search for cycles may cost at first, in iterations of a pixel. */
const FIRST_BUDGET: i32 = 4096;

/** The most that one success may earn the search, and that it may have. */
const MAX_GAIN: i32 = 1 << 16;
const MAX_BUDGET: i32 = 1 << 20;

/** Empties the list. */
export function clear(scratch: usize): void {
  store<i32>(scratch + LENGTH, 0);
  store<i32>(scratch + BUDGET, FIRST_BUDGET);
  v128.store(scratch, f64x2.splat(4), FOUR);
}

/**
 * Appends those of eight neighbours whose bits are set in `lanes`. The first of the eight is number `pixel` of the picture;
 * their real parts are at `reals`, and z is theirs after FIRST iterations.
 */
export function append(
  scratch: usize,
  pixel: i32,
  lanes: i32,
  zr0: v128,
  zr1: v128,
  zr2: v128,
  zr3: v128,
  zi0: v128,
  zi1: v128,
  zi2: v128,
  zi3: v128,
  reals: usize,
  ci: f64,
): void {
  let length = load<i32>(scratch + LENGTH);
  const at = scratch + ((<usize>length) << 3);
  v128.store(at, zr0, Z_RE);
  v128.store(at, zr1, Z_RE + 16);
  v128.store(at, zr2, Z_RE + 32);
  v128.store(at, zr3, Z_RE + 48);
  v128.store(at, zi0, Z_IM);
  v128.store(at, zi1, Z_IM + 16);
  v128.store(at, zi2, Z_IM + 32);
  v128.store(at, zi3, Z_IM + 48);
  for (; lanes != 0; lanes &= lanes - 1) {
    const lane = ctz(lanes);
    const to = scratch + ((<usize>length) << 3);
    copyZ(to, at + ((<usize>lane) << 3));
    store<f64>(to, load<f64>(reals + ((<usize>lane) << 3)), C_RE);
    store<f64>(to, ci, C_IM);
    store<i32>(scratch + ((<usize>length) << 2), pixel + lane, PIXEL);
    length++;
  }
  store<i32>(scratch + LENGTH, length);
}

/**
 * Runs the survivors, which have had n iterations, until all are decided, and stores their results. Returns their iterations,
 * from the first one on. If the job is stopped meanwhile, it returns early.
 */
export function finishSurvivors(
  scratch: usize,
  counts: usize,
  magnitudes: usize,
  n: i32,
  maxIterations: i32,
  exact: bool,
  generation: i32,
): i64 {
  let iterations: i64 = 0;
  // Where pixels escape in droves, a test at every step costs less than blocks that are run again.
  let tested = true;
  while (n < maxIterations && load<i32>(scratch + LENGTH) > 0) {
    const searches = exact && load<i32>(scratch + BUDGET) > 0;
    const end = n + min(passSteps(n, tested, searches), maxIterations - n);
    const length = load<i32>(scratch + LENGTH);
    iterations += pass(scratch, counts, magnitudes, n, end, tested, maxIterations, exact, generation);
    if (stopped(generation)) return iterations;
    // Whether one pixel in sixteen escapes in sixteen steps.
    tested = 256 * <i64>(length - load<i32>(scratch + LENGTH)) > <i64>length * (end - n);
    n = end;
    if (exact) iterations += retire(scratch, counts, magnitudes, n, maxIterations);
  }
  const left = load<i32>(scratch + LENGTH);
  for (let i = 0; i < left; i++) store1(scratch, counts, magnitudes, i, maxIterations);
  return iterations + <i64>left * n;
}

/** Steps of the pass that begins at iteration n. */
function passSteps(n: i32, tested: bool, searches: bool): i32 {
  if (n < EARLY && (tested || searches)) return EARLY_PASS;
  if (tested) return TESTED_PASS;
  // Blocks in a fraction of n: a half for who looks for cycles, which begin anew with each pass.
  const blocks = n / (searches ? 2 * BLOCK : BLOCK);
  return BLOCK * min(max(2, blocks), POLL_ITERATIONS / BLOCK);
}

/** Takes the list from iteration `begin` to `end`, and stores the results of those that are decided on the way. */
function pass(
  scratch: usize,
  counts: usize,
  magnitudes: usize,
  begin: i32,
  end: i32,
  tested: bool,
  maxIterations: i32,
  exact: bool,
  generation: i32,
): i64 {
  const length = load<i32>(scratch + LENGTH);
  const block = begin < SHORT ? BLOCK / 2 : BLOCK;
  let iterations: i64 = 0;
  let kept: i32 = 0;
  for (let first = 0; first < length; first += 8) {
    const at = scratch + ((<usize>first) << 3);
    let alive = (1 << min(8, length - first)) - 1;
    /** Those that are tried for a cycle if they come back near where they began the pass: each once. */
    let watched = 0;
    const watches = exact && begin >= EARLY && load<i32>(scratch + BUDGET) > 0;
    if (watches) {
      copy8(scratch + START_RE, at + Z_RE);
      copy8(scratch + START_IM, at + Z_IM);
      watched = alive;
    }
    let n = begin;
    while (n < end && alive != 0) {
      if (!tested) {
        n = runUntested(scratch, at, n, end, block, alive, watched);
        const near = load<i32>(scratch + NEAR);
        if (near) {
          const decided = tryNear(scratch, counts, magnitudes, first, near, n, begin, maxIterations);
          iterations += <i64>popcnt(decided) * n;
          alive &= ~decided;
          watched &= alive & ~near;
          continue;
        }
        if (n == end) break;
      }
      const steps = min(tested ? TESTED_PASS : block, end - n);
      if (magnitudes) {
        // Who escapes runs on and overflows; its magnitude is computed from here.
        copy8(scratch + BEFORE_RE, at + Z_RE);
        copy8(scratch + BEFORE_IM, at + Z_IM);
      }
      const escaped = alive & ~runTested(scratch, at, steps);
      if (escaped) {
        iterations += settle(scratch, counts, magnitudes, first, escaped, n);
        alive &= ~escaped;
        watched &= alive;
      }
      n += steps;
    }
    if (alive) kept = keep(scratch, first, alive, kept);
    // A sixty-fourth of what eight lanes did; to watch them costs a step a block.
    earn(scratch, ((n - begin) >> 3) - (watches ? (8 * (n - begin)) / block : 0));
    // The caller asks as well, but a long pass takes a while.
    if (end - begin >= LONG_PASS && stopped(generation)) return iterations;
  }
  store<i32>(scratch + LENGTH, kept);
  return iterations;
}

/** Takes survivors whose orbits provably never escape off the list. Returns their iterations. */
function retire(scratch: usize, counts: usize, magnitudes: usize, n: i32, maxIterations: i32): i64 {
  const length = load<i32>(scratch + LENGTH);
  const steps = searchSteps(n);
  if (steps == 0) return 0;
  let kept: i32 = 0;
  for (let first = 0; first < length; first += 8) {
    let alive = (1 << min(8, length - first)) - 1;
    if (load<i32>(scratch + BUDGET) > 0) {
      const found = neverEscape(scratch, scratch + ((<usize>first) << 3), alive, steps);
      earn(scratch, popcnt(found) * min(maxIterations - n, MAX_GAIN) - 16 * steps);
      for (let lanes = found; lanes != 0; lanes &= lanes - 1) {
        store1(scratch, counts, magnitudes, first + ctz(lanes), maxIterations);
      }
      alive &= ~found;
    }
    kept = keep(scratch, first, alive, kept);
  }
  store<i32>(scratch + LENGTH, kept);
  return <i64>(length - kept) * n;
}

/**
 * Tries those of the eight survivors from number `first` on whose bits are set in `near`: they are near where they began the
 * pass, n - begin steps ago. Returns those that provably never escape; their results are stored.
 */
function tryNear(
  scratch: usize,
  counts: usize,
  magnitudes: usize,
  first: i32,
  near: i32,
  n: i32,
  begin: i32,
  maxIterations: i32,
): i32 {
  let found = 0;
  for (; near != 0; near &= near - 1) {
    const lane = ctz(near);
    const at = scratch + ((<usize>(first + lane)) << 3);
    const start = scratch + ((<usize>lane) << 3);
    const zr = load<f64>(at, Z_RE);
    const zi = load<f64>(at, Z_IM);
    const cr = load<f64>(at, C_RE);
    const ci = load<f64>(at, C_IM);
    let gain = -8 * (n - begin);
    if (returns(zr, zi, cr, ci, load<f64>(start, START_RE), load<f64>(start, START_IM), n - begin)) {
      store1(scratch, counts, magnitudes, first + lane, maxIterations);
      found |= 1 << lane;
      gain += min(maxIterations - n, MAX_GAIN);
    }
    earn(scratch, gain);
  }
  return found;
}

/**
 * Counts what the search for cycles costs, and what it saves, in iterations of a pixel. Where nothing is found, as in most
 * pictures without black, it may cost a sixty-fourth of the work and no more.
 */
function earn(scratch: usize, iterations: i32): void {
  store<i32>(scratch + BUDGET, min(load<i32>(scratch + BUDGET) + iterations, MAX_BUDGET));
}

/**
 * Runs the eight survivors at `at` from iteration n on, with a test after every `block` steps, until they have come to `end`,
 * or one of `alive` is found outside, and the block that it left in is undone, or some of `watched` are near where they began
 * the pass: these are left at NEAR. Returns the iterations that they have had.
 */
function runUntested(scratch: usize, at: usize, n: i32, end: i32, block: i32, alive: i32, watched: i32): i32 {
  store<i32>(scratch + NEAR, 0);
  let zr0 = v128.load(at, Z_RE);
  let zr1 = v128.load(at, Z_RE + 16);
  let zr2 = v128.load(at, Z_RE + 32);
  let zr3 = v128.load(at, Z_RE + 48);
  let zi0 = v128.load(at, Z_IM);
  let zi1 = v128.load(at, Z_IM + 16);
  let zi2 = v128.load(at, Z_IM + 32);
  let zi3 = v128.load(at, Z_IM + 48);
  let steps = min(block, end - n);
  let k = steps;
  // One flat loop: V8 unrolls an inner loop of a block's steps, and then has too few registers.
  for (;;) {
    const a0 = f64x2.mul(zr0, zr0);
    const b0 = f64x2.mul(zi0, zi0);
    zi0 = f64x2.mul(zi0, zr0);
    zi0 = f64x2.add(f64x2.add(zi0, zi0), v128.load(at, C_IM));
    zr0 = f64x2.add(f64x2.sub(a0, b0), v128.load(at, C_RE));
    const a1 = f64x2.mul(zr1, zr1);
    const b1 = f64x2.mul(zi1, zi1);
    zi1 = f64x2.mul(zi1, zr1);
    zi1 = f64x2.add(f64x2.add(zi1, zi1), v128.load(at, C_IM + 16));
    zr1 = f64x2.add(f64x2.sub(a1, b1), v128.load(at, C_RE + 16));
    const a2 = f64x2.mul(zr2, zr2);
    const b2 = f64x2.mul(zi2, zi2);
    zi2 = f64x2.mul(zi2, zr2);
    zi2 = f64x2.add(f64x2.add(zi2, zi2), v128.load(at, C_IM + 32));
    zr2 = f64x2.add(f64x2.sub(a2, b2), v128.load(at, C_RE + 32));
    const a3 = f64x2.mul(zr3, zr3);
    const b3 = f64x2.mul(zi3, zi3);
    zi3 = f64x2.mul(zi3, zr3);
    zi3 = f64x2.add(f64x2.add(zi3, zi3), v128.load(at, C_IM + 48));
    zr3 = f64x2.add(f64x2.sub(a3, b3), v128.load(at, C_RE + 48));
    if (--k > 0) continue;
    const inside = inside2(zr0, zi0) | (inside2(zr1, zi1) << 2) | (inside2(zr2, zi2) << 4) | (inside2(zr3, zi3) << 6);
    if (alive & ~inside) break;
    n += steps;
    v128.store(at, zr0, Z_RE);
    v128.store(at, zr1, Z_RE + 16);
    v128.store(at, zr2, Z_RE + 32);
    v128.store(at, zr3, Z_RE + 48);
    v128.store(at, zi0, Z_IM);
    v128.store(at, zi1, Z_IM + 16);
    v128.store(at, zi2, Z_IM + 32);
    v128.store(at, zi3, Z_IM + 48);
    if (watched) {
      const near =
        watched &
        (near2(zr0, zi0, scratch) |
          (near2(zr1, zi1, scratch + 16) << 2) |
          (near2(zr2, zi2, scratch + 32) << 4) |
          (near2(zr3, zi3, scratch + 48) << 6));
      if (near) {
        store<i32>(scratch + NEAR, near);
        break;
      }
    }
    if (n == end) break;
    steps = min(block, end - n);
    k = steps;
  }
  return n;
}

/** One bit a lane: |z|² ≤ 4. */
function inside2(zr: v128, zi: v128): i32 {
  return i64x2.bitmask(f64x2.le(f64x2.add(f64x2.mul(zr, zr), f64x2.mul(zi, zi)), f64x2.splat(4)));
}

/** One bit a lane: z is near where it began the pass. */
function near2(zr: v128, zi: v128, scratch: usize): i32 {
  const dr = f64x2.sub(zr, v128.load(scratch, START_RE));
  const di = f64x2.sub(zi, v128.load(scratch, START_IM));
  return i64x2.bitmask(f64x2.lt(f64x2.add(f64x2.mul(dr, dr), f64x2.mul(di, di)), f64x2.splat(CLOSE)));
}

/**
 * Runs the eight survivors at `at` for `steps` more, with a test at every step. Returns one bit for each that began all of
 * them inside; how many each began inside is left at STEPS.
 */
function runTested(scratch: usize, at: usize, steps: i32): i32 {
  let zr0 = v128.load(at, Z_RE);
  let zr1 = v128.load(at, Z_RE + 16);
  let zr2 = v128.load(at, Z_RE + 32);
  let zr3 = v128.load(at, Z_RE + 48);
  let zi0 = v128.load(at, Z_IM);
  let zi1 = v128.load(at, Z_IM + 16);
  let zi2 = v128.load(at, Z_IM + 32);
  let zi3 = v128.load(at, Z_IM + 48);
  let n0 = i64x2.splat(0);
  let n1 = n0;
  let n2 = n0;
  let n3 = n0;
  for (let k = 0; k < steps; k++) {
    const a0 = f64x2.mul(zr0, zr0);
    const b0 = f64x2.mul(zi0, zi0);
    n0 = i64x2.sub(n0, f64x2.le(f64x2.add(a0, b0), v128.load(scratch, FOUR))); // true is -1
    zi0 = f64x2.mul(zi0, zr0);
    zi0 = f64x2.add(f64x2.add(zi0, zi0), v128.load(at, C_IM));
    zr0 = f64x2.add(f64x2.sub(a0, b0), v128.load(at, C_RE));
    const a1 = f64x2.mul(zr1, zr1);
    const b1 = f64x2.mul(zi1, zi1);
    n1 = i64x2.sub(n1, f64x2.le(f64x2.add(a1, b1), v128.load(scratch, FOUR))); // true is -1
    zi1 = f64x2.mul(zi1, zr1);
    zi1 = f64x2.add(f64x2.add(zi1, zi1), v128.load(at, C_IM + 16));
    zr1 = f64x2.add(f64x2.sub(a1, b1), v128.load(at, C_RE + 16));
    const a2 = f64x2.mul(zr2, zr2);
    const b2 = f64x2.mul(zi2, zi2);
    n2 = i64x2.sub(n2, f64x2.le(f64x2.add(a2, b2), v128.load(scratch, FOUR))); // true is -1
    zi2 = f64x2.mul(zi2, zr2);
    zi2 = f64x2.add(f64x2.add(zi2, zi2), v128.load(at, C_IM + 32));
    zr2 = f64x2.add(f64x2.sub(a2, b2), v128.load(at, C_RE + 32));
    const a3 = f64x2.mul(zr3, zr3);
    const b3 = f64x2.mul(zi3, zi3);
    n3 = i64x2.sub(n3, f64x2.le(f64x2.add(a3, b3), v128.load(scratch, FOUR))); // true is -1
    zi3 = f64x2.mul(zi3, zr3);
    zi3 = f64x2.add(f64x2.add(zi3, zi3), v128.load(at, C_IM + 48));
    zr3 = f64x2.add(f64x2.sub(a3, b3), v128.load(at, C_RE + 48));
  }
  v128.store(at, zr0, Z_RE);
  v128.store(at, zr1, Z_RE + 16);
  v128.store(at, zr2, Z_RE + 32);
  v128.store(at, zr3, Z_RE + 48);
  v128.store(at, zi0, Z_IM);
  v128.store(at, zi1, Z_IM + 16);
  v128.store(at, zi2, Z_IM + 32);
  v128.store(at, zi3, Z_IM + 48);
  v128.store(scratch, v128.shuffle<i32>(n0, n1, 0, 2, 4, 6), STEPS);
  v128.store(scratch, v128.shuffle<i32>(n2, n3, 0, 2, 4, 6), STEPS + 16);
  const all = i64x2.splat(steps);
  return (
    i64x2.bitmask(i64x2.eq(n0, all)) |
    (i64x2.bitmask(i64x2.eq(n1, all)) << 2) |
    (i64x2.bitmask(i64x2.eq(n2, all)) << 4) |
    (i64x2.bitmask(i64x2.eq(n3, all)) << 6)
  );
}

/**
 * Stores the results of those of the eight survivors from number `first` on that escaped as STEPS says, after n iterations,
 * when z was what BEFORE has.
 */
function settle(scratch: usize, counts: usize, magnitudes: usize, first: i32, escaped: i32, n: i32): i64 {
  let iterations: i64 = 0;
  for (; escaped != 0; escaped &= escaped - 1) {
    const lane = ctz(escaped);
    const count = n + load<i32>(scratch + ((<usize>lane) << 2), STEPS);
    iterations += count;
    const offset = (<usize>load<i32>(scratch + ((<usize>(first + lane)) << 2), PIXEL)) << 2;
    store<i32>(counts + offset, count);
    if (magnitudes) {
      const at = scratch + ((<usize>(first + lane)) << 3);
      const before = scratch + ((<usize>lane) << 3);
      const value = magnitude(
        load<f64>(before, BEFORE_RE),
        load<f64>(before, BEFORE_IM),
        load<f64>(at, C_RE),
        load<f64>(at, C_IM),
        count - n + MAGNITUDE_STEPS,
      );
      store<f32>(magnitudes + offset, value);
    }
  }
  return iterations;
}

/** Stores the result of survivor number i, which does not escape. */
function store1(scratch: usize, counts: usize, magnitudes: usize, i: i32, maxIterations: i32): void {
  const offset = (<usize>load<i32>(scratch + ((<usize>i) << 2), PIXEL)) << 2;
  storeInside(counts + offset, magnitudes ? magnitudes + offset : 0, maxIterations);
}

/** Moves those of the eight survivors from number `first` on that are `alive` down to number `kept`; returns the next one's. */
function keep(scratch: usize, first: i32, alive: i32, kept: i32): i32 {
  if (alive == 255) {
    if (kept < first) {
      const from = scratch + ((<usize>first) << 3);
      const to = scratch + ((<usize>kept) << 3);
      copy8(to + Z_RE, from + Z_RE);
      copy8(to + Z_IM, from + Z_IM);
      copy8(to + C_RE, from + C_RE);
      copy8(to + C_IM, from + C_IM);
      const pixels = scratch + ((<usize>first) << 2);
      const toPixels = scratch + ((<usize>kept) << 2);
      v128.store(toPixels, v128.load(pixels, PIXEL), PIXEL);
      v128.store(toPixels, v128.load(pixels, PIXEL + 16), PIXEL + 16);
    }
    return kept + 8;
  }
  for (; alive != 0; alive &= alive - 1) {
    const i = first + ctz(alive);
    if (i != kept) {
      const from = scratch + ((<usize>i) << 3);
      const to = scratch + ((<usize>kept) << 3);
      copyZ(to, from);
      store<f64>(to, load<f64>(from, C_RE), C_RE);
      store<f64>(to, load<f64>(from, C_IM), C_IM);
      store<i32>(scratch + ((<usize>kept) << 2), load<i32>(scratch + ((<usize>i) << 2), PIXEL), PIXEL);
    }
    kept++;
  }
  return kept;
}

/** Copies the z of one survivor. */
function copyZ(to: usize, from: usize): void {
  store<f64>(to, load<f64>(from, Z_RE), Z_RE);
  store<f64>(to, load<f64>(from, Z_IM), Z_IM);
}

/** Copies eight doubles, of which the first ones are copied first: `to` may lie below `from` and overlap it. */
function copy8(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
  v128.store(to, v128.load(from, 32), 32);
  v128.store(to, v128.load(from, 48), 48);
}
