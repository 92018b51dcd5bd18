// The first steps: eight neighbours in a row in lock step, four chains of f64x2, which is enough to hide the latency of a
// step. Of the pixels that escape, most do so within a few steps (of the reference picture half of them within three), so
// every step is tested, but for those that `lookAtCells` found to be safe. Whoever is left afterwards joins the survivors.

import { MAGNITUDE_STEPS } from "../layout";
import { interior2 } from "./interior2";
import { magnitude, storeInside } from "./scalar";
import { append } from "./survivors";

/** Pixels of a group. */
export const GROUP: i32 = 8;

/** Iterations after which a pixel is a survivor. */
export const FIRST: i32 = 17;

/**
 * Computes up to FIRST iterations of `pixels` neighbours (1 to GROUP), the first of which is number `pixel` of the picture.
 * Their real parts are at `reals`: GROUP of them, those beyond `pixels` arbitrary. None escapes before iteration `safe`.
 * `closedForms`: survivors that these know to be inside are decided.
 * Stores the results of those that are decided, and returns the iterations that these have had.
 */
export function neighbours(
  scratch: usize,
  counts: usize,
  magnitudes: usize,
  pixel: i32,
  pixels: i32,
  reals: usize,
  imaginary: f64,
  safe: i32,
  maxIterations: i32,
  closedForms: bool,
): i32 {
  const ci = f64x2.splat(imaginary);
  const four = f64x2.splat(4);
  const limit = min(FIRST, maxIterations);
  // z₁ = c; z₀ = 0 is inside.
  let zr0 = v128.load(reals);
  let zr1 = v128.load(reals, 16);
  let zr2 = v128.load(reals, 32);
  let zr3 = v128.load(reals, 48);
  let zi0 = ci;
  let zi1 = ci;
  let zi2 = ci;
  let zi3 = ci;
  let n: i32 = 1;
  for (const end = min(safe, limit); n < end; n++) {
    const a0 = f64x2.mul(zr0, zr0);
    const b0 = f64x2.mul(zi0, zi0);
    zi0 = f64x2.mul(zi0, zr0);
    zi0 = f64x2.add(f64x2.add(zi0, zi0), ci);
    zr0 = f64x2.add(f64x2.sub(a0, b0), v128.load(reals));
    const a1 = f64x2.mul(zr1, zr1);
    const b1 = f64x2.mul(zi1, zi1);
    zi1 = f64x2.mul(zi1, zr1);
    zi1 = f64x2.add(f64x2.add(zi1, zi1), ci);
    zr1 = f64x2.add(f64x2.sub(a1, b1), v128.load(reals, 16));
    const a2 = f64x2.mul(zr2, zr2);
    const b2 = f64x2.mul(zi2, zi2);
    zi2 = f64x2.mul(zi2, zr2);
    zi2 = f64x2.add(f64x2.add(zi2, zi2), ci);
    zr2 = f64x2.add(f64x2.sub(a2, b2), v128.load(reals, 32));
    const a3 = f64x2.mul(zr3, zr3);
    const b3 = f64x2.mul(zi3, zi3);
    zi3 = f64x2.mul(zi3, zr3);
    zi3 = f64x2.add(f64x2.add(zi3, zi3), ci);
    zr3 = f64x2.add(f64x2.sub(a3, b3), v128.load(reals, 48));
  }
  let n0 = i64x2.splat(n);
  let n1 = n0;
  let n2 = n0;
  let n3 = n0;
  while (n < limit) {
    const a0 = f64x2.mul(zr0, zr0);
    const b0 = f64x2.mul(zi0, zi0);
    const in0 = f64x2.le(f64x2.add(a0, b0), four);
    n0 = i64x2.sub(n0, in0); // true is -1
    zi0 = f64x2.mul(zi0, zr0);
    zi0 = f64x2.add(f64x2.add(zi0, zi0), ci);
    zr0 = f64x2.add(f64x2.sub(a0, b0), v128.load(reals));
    const a1 = f64x2.mul(zr1, zr1);
    const b1 = f64x2.mul(zi1, zi1);
    const in1 = f64x2.le(f64x2.add(a1, b1), four);
    n1 = i64x2.sub(n1, in1); // true is -1
    zi1 = f64x2.mul(zi1, zr1);
    zi1 = f64x2.add(f64x2.add(zi1, zi1), ci);
    zr1 = f64x2.add(f64x2.sub(a1, b1), v128.load(reals, 16));
    const a2 = f64x2.mul(zr2, zr2);
    const b2 = f64x2.mul(zi2, zi2);
    const in2 = f64x2.le(f64x2.add(a2, b2), four);
    n2 = i64x2.sub(n2, in2); // true is -1
    zi2 = f64x2.mul(zi2, zr2);
    zi2 = f64x2.add(f64x2.add(zi2, zi2), ci);
    zr2 = f64x2.add(f64x2.sub(a2, b2), v128.load(reals, 32));
    const a3 = f64x2.mul(zr3, zr3);
    const b3 = f64x2.mul(zi3, zi3);
    const in3 = f64x2.le(f64x2.add(a3, b3), four);
    n3 = i64x2.sub(n3, in3); // true is -1
    zi3 = f64x2.mul(zi3, zr3);
    zi3 = f64x2.add(f64x2.add(zi3, zi3), ci);
    zr3 = f64x2.add(f64x2.sub(a3, b3), v128.load(reals, 48));
    n++;
    if (n & 1 && !v128.any_true(v128.or(v128.or(in0, in1), v128.or(in2, in3)))) break;
  }

  const all = i64x2.splat(limit);
  let alive =
    i64x2.bitmask(i64x2.eq(n0, all)) |
    (i64x2.bitmask(i64x2.eq(n1, all)) << 2) |
    (i64x2.bitmask(i64x2.eq(n2, all)) << 4) |
    (i64x2.bitmask(i64x2.eq(n3, all)) << 6);
  const low = v128.shuffle<i32>(n0, n1, 0, 2, 4, 6);
  const high = v128.shuffle<i32>(n2, n3, 0, 2, 4, 6);
  const at = counts + ((<usize>pixel) << 2);
  let iterations: i32;
  if (pixels == GROUP) {
    v128.store(at, low);
    v128.store(at, high, 16);
    const sums = i32x4.add(low, high);
    const sum = i32x4.add(sums, v128.shuffle<i32>(sums, sums, 2, 3, 0, 1));
    iterations = i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1);
  } else {
    iterations = storeFew(at, pixels, low, high);
    alive &= (1 << pixels) - 1;
  }
  if (magnitudes) {
    for (let lane = 0; lane < pixels; lane++) {
      if (alive & (1 << lane)) continue;
      const cr = load<f64>(reals + ((<usize>lane) << 3));
      const steps = load<i32>(at + ((<usize>lane) << 2)) + MAGNITUDE_STEPS;
      store<f32>(magnitudes + ((<usize>(pixel + lane)) << 2), magnitude(0, 0, cr, imaginary, steps));
    }
  }
  if (alive == 0) return iterations;

  // The survivors' counts were stored and summed up as well; they are yet to come.
  iterations -= popcnt(alive) * limit;
  if (closedForms) {
    const known =
      alive &
      (interior2(v128.load(reals), ci) |
        (interior2(v128.load(reals, 16), ci) << 2) |
        (interior2(v128.load(reals, 32), ci) << 4) |
        (interior2(v128.load(reals, 48), ci) << 6));
    for (let lanes = known; lanes != 0; lanes &= lanes - 1) {
      const offset = (<usize>(pixel + ctz(lanes))) << 2;
      storeInside(counts + offset, magnitudes ? magnitudes + offset : 0, maxIterations);
    }
    iterations += popcnt(known) * limit;
    alive &= ~known;
  }
  if (alive) append(scratch, pixel, alive, zr0, zr1, zr2, zr3, zi0, zi1, zi2, zi3, reals, imaginary);
  return iterations;
}

/** Stores the first `pixels` of eight counts, and returns their sum. */
function storeFew(at: usize, pixels: i32, low: v128, high: v128): i32 {
  let sum: i32 = 0;
  for (let lane = 0; lane < pixels; lane++) {
    const count = i32x4.extract_lane(low, 0);
    store<i32>(at + ((<usize>lane) << 2), count);
    sum += count;
    low = v128.shuffle<i32>(low, high, 1, 2, 3, 4);
    high = v128.shuffle<i32>(high, high, 1, 2, 3, 0);
  }
  return sum;
}
