// Eight neighbouring pixels at once: four chains of f64x2 in lock step, enough to hide the latency of an iteration.
// They lie in one row and so share ci, which keeps a block's 8 + 4 + 1 vectors and its temporaries in 16 registers.
//
// Testing for escape costs a third of an iteration, so a block of steps runs without tests, and only its end is tested.
// If a pixel is out there, the block is run again from its checkpoint with a test at every step, which counts. That is
// exact because an orbit that has left |z| ≤ 2 does not come back:
//
//   If |z| > 2 and |z| ≥ |c|, then |z² + c| ≥ |z| (|z| - 1) > |z|; and |z| ≥ |c| holds from n = 1 on. In doubles the
//   gain must exceed the rounding error. With |c| ≤ 2 - 10⁻¹² the next |z| is at least 4 - |c|, and with
//   |c| ≥ 2 + 10⁻¹² the gain is at least 10⁻¹²: both far above it. In the ring between, z₂ = c (c + 1) has
//   |z₂| ≈ 2 + |c + 2|²/2, which is far enough out if |c + 2| ≥ 2⁻¹⁶. `isNearMinusTwo` sends the rest to the scalar kernel.
//   A NaN is out (the test is "not ≤ 4") and stays NaN.

import { MAGNITUDE_STEPS, MANDELBROT_RE_MAX, MANDELBROT_RE_MIN, MANDELBROT_WIDTH } from "../layout";
import { stopped } from "../sync/thread";
import { INTERIOR_MARGIN } from "./interior";
import { magnitude, POLL_ITERATIONS, storeInside } from "./scalar";

/** Pixels of a group. */
export const GROUP: i32 = 8;

/** Steps of a block. */
const BLOCK: i32 = 8;

/** Half the side of the square around -2 in which an escape must be tested for at every step. */
const NEAR: f64 = 1.52587890625e-5; // 2⁻¹⁶

/** Whether the row of imaginary part ci meets that square. */
export function rowIsNearMinusTwo(ci: f64): bool {
  return abs(ci) <= NEAR;
}

/** Whether real parts lo … hi meet it. */
export function isNearMinusTwo(lo: f64, hi: f64): bool {
  return lo <= NEAR - 2 && hi >= -2 - NEAR;
}

/** re of the pixels x and y of a row, as in plane.ts. */
function re2(x: i32, y: i32): v128 {
  const min = load<f64>(MANDELBROT_RE_MIN);
  const numerator = f64x2.replace_lane(f64x2.splat(<f64>x), 1, <f64>y);
  const fraction = f64x2.div(numerator, f64x2.splat(<f64>load<i32>(MANDELBROT_WIDTH)));
  return f64x2.add(f64x2.splat(min), f64x2.mul(fraction, f64x2.splat(load<f64>(MANDELBROT_RE_MAX) - min)));
}

/** One bit a lane: whether c is known to be inside, as in interior.ts. */
function interior2(cr: v128, ci: v128): i32 {
  const ci2 = f64x2.mul(ci, ci);
  const a = f64x2.sub(cr, f64x2.splat(0.25));
  const q = f64x2.add(f64x2.mul(a, a), ci2);
  const b = f64x2.add(cr, f64x2.splat(1));
  const margin = f64x2.splat(INTERIOR_MARGIN);
  const cardioid = f64x2.lt(f64x2.mul(q, f64x2.add(q, a)), f64x2.sub(f64x2.mul(f64x2.splat(0.25), ci2), margin));
  const bulb = f64x2.le(f64x2.add(f64x2.mul(b, b), ci2), f64x2.sub(f64x2.splat(0.0625), margin));
  return i64x2.bitmask(v128.or(cardioid, bulb));
}

/** One bit a lane: |z|² ≤ 4. */
function inside2(zr: v128, zi: v128): i32 {
  return i64x2.bitmask(f64x2.le(f64x2.add(f64x2.mul(zr, zr), f64x2.mul(zi, zi)), f64x2.splat(4)));
}

/** One bit a lane: the two complex numbers are the same bits. */
function same2(ar: v128, ai: v128, br: v128, bi: v128): i32 {
  return i64x2.bitmask(v128.and(i64x2.eq(ar, br), i64x2.eq(ai, bi)));
}

/**
 * Computes the pixels x … x + pixels - 1 of a row (1 to GROUP of them) as `pixel` of scalar.ts does one. `counts` and
 * `magnitudes` are the addresses for pixel x. Returns the iterations executed, summed over the pixels.
 */
export function group(
  counts: usize,
  magnitudes: usize,
  x: i32,
  pixels: i32,
  imaginary: f64,
  maxIterations: i32,
  exact: bool,
  generation: i32,
): i64 {
  // Lanes beyond the last pixel repeat it, and are never alive.
  const last = x + pixels - 1;
  const cr0 = re2(x, min(x + 1, last));
  const cr1 = re2(min(x + 2, last), min(x + 3, last));
  const cr2 = re2(min(x + 4, last), min(x + 5, last));
  const cr3 = re2(min(x + 6, last), min(x + 7, last));
  const ci = f64x2.splat(imaginary);

  /** One bit a pixel that is not decided yet. */
  let alive = (1 << pixels) - 1;
  let executed: i64 = 0;
  if (exact) {
    const known =
      interior2(cr0, ci) | (interior2(cr1, ci) << 2) | (interior2(cr2, ci) << 4) | (interior2(cr3, ci) << 6);
    storeInsideLanes(counts, magnitudes, alive & known, maxIterations);
    alive &= ~known;
  }

  let zr0 = f64x2.splat(0);
  let zr1 = zr0;
  let zr2 = zr0;
  let zr3 = zr0;
  let zi0 = zr0;
  let zi1 = zr0;
  let zi2 = zr0;
  let zi3 = zr0;
  // Brent's cycle search, once a block.
  let sr0 = zr0;
  let sr1 = zr0;
  let sr2 = zr0;
  let sr3 = zr0;
  let si0 = zr0;
  let si1 = zr0;
  let si2 = zr0;
  let si3 = zr0;
  let nextSave = BLOCK;
  let nextPoll = POLL_ITERATIONS;

  let n: i32 = 0;
  /** Whether the next block tests at every step: pixels escape in droves, so after one escape the next is near. */
  let tested = true;
  while (alive != 0 && n < maxIterations) {
    const steps = min(BLOCK, maxIterations - n);
    // The checkpoint.
    const pr0 = zr0;
    const pr1 = zr1;
    const pr2 = zr2;
    const pr3 = zr3;
    const pi0 = zi0;
    const pi1 = zi1;
    const pi2 = zi2;
    const pi3 = zi3;
    let run = tested || steps < BLOCK;
    if (!run) {
      for (let k = 0; k < BLOCK; k++) {
        const t0 = f64x2.mul(zr0, zi0);
        const t1 = f64x2.mul(zr1, zi1);
        const t2 = f64x2.mul(zr2, zi2);
        const t3 = f64x2.mul(zr3, zi3);
        zr0 = f64x2.add(f64x2.sub(f64x2.mul(zr0, zr0), f64x2.mul(zi0, zi0)), cr0);
        zr1 = f64x2.add(f64x2.sub(f64x2.mul(zr1, zr1), f64x2.mul(zi1, zi1)), cr1);
        zr2 = f64x2.add(f64x2.sub(f64x2.mul(zr2, zr2), f64x2.mul(zi2, zi2)), cr2);
        zr3 = f64x2.add(f64x2.sub(f64x2.mul(zr3, zr3), f64x2.mul(zi3, zi3)), cr3);
        zi0 = f64x2.add(f64x2.add(t0, t0), ci);
        zi1 = f64x2.add(f64x2.add(t1, t1), ci);
        zi2 = f64x2.add(f64x2.add(t2, t2), ci);
        zi3 = f64x2.add(f64x2.add(t3, t3), ci);
      }
      const inside = inside2(zr0, zi0) | (inside2(zr1, zi1) << 2) | (inside2(zr2, zi2) << 4) | (inside2(zr3, zi3) << 6);
      if (alive & ~inside) {
        run = true;
        zr0 = pr0;
        zr1 = pr1;
        zr2 = pr2;
        zr3 = pr3;
        zi0 = pi0;
        zi1 = pi1;
        zi2 = pi2;
        zi3 = pi3;
      }
    }
    if (run) {
      const four = f64x2.splat(4);
      // Steps that each lane began inside; -1 is "true" in a comparison's lane.
      let c0 = i64x2.splat(0);
      let c1 = c0;
      let c2 = c0;
      let c3 = c0;
      for (let k = 0; k < steps; k++) {
        const t0 = f64x2.mul(zr0, zi0);
        const t1 = f64x2.mul(zr1, zi1);
        const t2 = f64x2.mul(zr2, zi2);
        const t3 = f64x2.mul(zr3, zi3);
        zr0 = f64x2.mul(zr0, zr0);
        zr1 = f64x2.mul(zr1, zr1);
        zr2 = f64x2.mul(zr2, zr2);
        zr3 = f64x2.mul(zr3, zr3);
        zi0 = f64x2.mul(zi0, zi0);
        zi1 = f64x2.mul(zi1, zi1);
        zi2 = f64x2.mul(zi2, zi2);
        zi3 = f64x2.mul(zi3, zi3);
        c0 = i64x2.sub(c0, f64x2.le(f64x2.add(zr0, zi0), four));
        c1 = i64x2.sub(c1, f64x2.le(f64x2.add(zr1, zi1), four));
        c2 = i64x2.sub(c2, f64x2.le(f64x2.add(zr2, zi2), four));
        c3 = i64x2.sub(c3, f64x2.le(f64x2.add(zr3, zi3), four));
        zr0 = f64x2.add(f64x2.sub(zr0, zi0), cr0);
        zr1 = f64x2.add(f64x2.sub(zr1, zi1), cr1);
        zr2 = f64x2.add(f64x2.sub(zr2, zi2), cr2);
        zr3 = f64x2.add(f64x2.sub(zr3, zi3), cr3);
        zi0 = f64x2.add(f64x2.add(t0, t0), ci);
        zi1 = f64x2.add(f64x2.add(t1, t1), ci);
        zi2 = f64x2.add(f64x2.add(t2, t2), ci);
        zi3 = f64x2.add(f64x2.add(t3, t3), ci);
      }
      const all = i64x2.splat(steps);
      const stayed =
        i64x2.bitmask(i64x2.eq(c0, all)) |
        (i64x2.bitmask(i64x2.eq(c1, all)) << 2) |
        (i64x2.bitmask(i64x2.eq(c2, all)) << 4) |
        (i64x2.bitmask(i64x2.eq(c3, all)) << 6);
      const escaped = alive & ~stayed;
      if (escaped) {
        executed +=
          settle(counts, magnitudes, 0, escaped, n, c0, pr0, pi0, cr0, imaginary) +
          settle(counts, magnitudes, 2, escaped, n, c1, pr1, pi1, cr1, imaginary) +
          settle(counts, magnitudes, 4, escaped, n, c2, pr2, pi2, cr2, imaginary) +
          settle(counts, magnitudes, 6, escaped, n, c3, pr3, pi3, cr3, imaginary);
        alive &= stayed;
      }
      // A block run again without finding an escape has one in its very last z, so the next block must test, too.
      tested = escaped != 0 || !tested;
    }
    n += steps;

    if (exact && alive) {
      const cycled =
        alive &
        (same2(zr0, zi0, sr0, si0) |
          (same2(zr1, zi1, sr1, si1) << 2) |
          (same2(zr2, zi2, sr2, si2) << 4) |
          (same2(zr3, zi3, sr3, si3) << 6));
      if (cycled) {
        storeInsideLanes(counts, magnitudes, cycled, maxIterations);
        executed += <i64>popcnt(cycled) * n;
        alive &= ~cycled;
      }
      if (n >= nextSave) {
        sr0 = zr0;
        sr1 = zr1;
        sr2 = zr2;
        sr3 = zr3;
        si0 = zi0;
        si1 = zi1;
        si2 = zi2;
        si3 = zi3;
        nextSave = n << 1;
      }
    }
    if (n >= nextPoll) {
      if (stopped(generation)) return executed;
      nextPoll += POLL_ITERATIONS;
    }
  }
  storeInsideLanes(counts, magnitudes, alive, maxIterations);
  return executed + <i64>popcnt(alive) * n;
}

/**
 * Stores the results of a chain's pixels that escaped in the block that began at iteration n with z = zr + i·zi; their
 * bits in `escaped` begin at `first`. `inside` holds, for each lane, the steps that it began inside.
 */
function settle(
  counts: usize,
  magnitudes: usize,
  first: i32,
  escaped: i32,
  n: i32,
  inside: v128,
  zr: v128,
  zi: v128,
  cr: v128,
  ci: f64,
): i64 {
  let executed: i64 = 0;
  if (escaped & (1 << first)) {
    executed += settleLane(
      counts + ((<usize>first) << 2),
      magnitudes ? magnitudes + ((<usize>first) << 2) : 0,
      n,
      <i32>i64x2.extract_lane(inside, 0),
      f64x2.extract_lane(zr, 0),
      f64x2.extract_lane(zi, 0),
      f64x2.extract_lane(cr, 0),
      ci,
    );
  }
  if (escaped & (2 << first)) {
    executed += settleLane(
      counts + ((<usize>(first + 1)) << 2),
      magnitudes ? magnitudes + ((<usize>(first + 1)) << 2) : 0,
      n,
      <i32>i64x2.extract_lane(inside, 1),
      f64x2.extract_lane(zr, 1),
      f64x2.extract_lane(zi, 1),
      f64x2.extract_lane(cr, 1),
      ci,
    );
  }
  return executed;
}

function settleLane(counts: usize, magnitudes: usize, n: i32, inside: i32, zr: f64, zi: f64, cr: f64, ci: f64): i32 {
  store<i32>(counts, n + inside);
  if (magnitudes) store<f32>(magnitudes, magnitude(zr, zi, cr, ci, inside + MAGNITUDE_STEPS));
  return n + inside;
}

/** Stores the results of the pixels whose bits are set in `lanes`: they do not escape. */
function storeInsideLanes(counts: usize, magnitudes: usize, lanes: i32, maxIterations: i32): void {
  for (let lane = 0; lanes != 0; lane++, lanes >>>= 1) {
    if (lanes & 1) {
      const offset = (<usize>lane) << 2;
      storeInside(counts + offset, magnitudes ? magnitudes + offset : 0, maxIterations);
    }
  }
}
