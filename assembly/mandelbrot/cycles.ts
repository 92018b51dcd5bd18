// The search for short cycles, early: eight survivors at once, in single precision, because whatever it finds is only tried.

import { staysInDiscs } from "./discs";
import { C_IM, C_RE, SEARCH, Z_IM, Z_RE } from "./scratch";

/** Iterations up to which the search pays. Later on, whoever comes near where it began a pass is tried. */
const SEARCHED: i32 = 160;

/** How near an orbit must come back to be tried, squared, as a share of (1 - L²)⁴: found by experiment. */
const NEARNESS: f32 = 0.00002;

/** Steps of the longest cycle to look for after n iterations: a small share of them, since most searches fail. */
export function searchSteps(n: i32): i32 {
  return n <= SEARCHED ? n >> 3 : 0;
}

/** Four doubles as single-precision numbers. */
function demote4(at: usize): v128 {
  const low = f32x4.demote_f64x2_zero(v128.load(at));
  const high = f32x4.demote_f64x2_zero(v128.load(at, 16));
  return v128.shuffle<i32>(low, high, 0, 1, 4, 5);
}

/**
 * Looks for cycles of at most `steps` steps among the survivors at `at`, eight of them, of which only those in `lanes` count.
 * Returns the lanes that provably never escape.
 */
export function neverEscape(scratch: usize, at: usize, lanes: i32, steps: i32): i32 {
  const spare = scratch + SEARCH;
  const one = f32x4.splat(1);
  const four = f32x4.splat(4);
  const nearness = f32x4.splat(NEARNESS);
  const zero = f32x4.splat(0);
  let zr0 = demote4(at + Z_RE);
  let zr1 = demote4(at + Z_RE + 32);
  let zi0 = demote4(at + Z_IM);
  let zi1 = demote4(at + Z_IM + 32);
  v128.store(spare, zr0);
  v128.store(spare, zr1, 16);
  v128.store(spare, zi0, 32);
  v128.store(spare, zi1, 48);
  v128.store(spare, demote4(at + C_RE), 64);
  v128.store(spare, demote4(at + C_RE + 32), 80);
  v128.store(spare, demote4(at + C_IM), 96);
  v128.store(spare, demote4(at + C_IM + 32), 112);
  /** L², the square of |dz/dz₀|: below 1 if what comes back here attracts. */
  let l0 = one;
  let l1 = one;
  let found = 0;
  for (let p = 1; p <= steps && lanes != 0; p++) {
    const a0 = f32x4.mul(zr0, zr0);
    const b0 = f32x4.mul(zi0, zi0);
    const t0 = f32x4.mul(zr0, zi0);
    l0 = f32x4.mul(f32x4.mul(l0, f32x4.add(a0, b0)), four);
    zi0 = f32x4.add(f32x4.add(t0, t0), v128.load(spare, 96));
    zr0 = f32x4.add(f32x4.sub(a0, b0), v128.load(spare, 64));
    const a1 = f32x4.mul(zr1, zr1);
    const b1 = f32x4.mul(zi1, zi1);
    const t1 = f32x4.mul(zr1, zi1);
    l1 = f32x4.mul(f32x4.mul(l1, f32x4.add(a1, b1)), four);
    zi1 = f32x4.add(f32x4.add(t1, t1), v128.load(spare, 112));
    zr1 = f32x4.add(f32x4.sub(a1, b1), v128.load(spare, 80));
    const dr0 = f32x4.sub(zr0, v128.load(spare));
    const di0 = f32x4.sub(zi0, v128.load(spare, 32));
    const d0 = f32x4.add(f32x4.mul(dr0, dr0), f32x4.mul(di0, di0));
    const room0 = f32x4.max(f32x4.sub(one, l0), zero);
    const squared0 = f32x4.mul(room0, room0);
    const hits0 = f32x4.lt(d0, f32x4.mul(f32x4.mul(squared0, squared0), nearness));
    const dr1 = f32x4.sub(zr1, v128.load(spare, 16));
    const di1 = f32x4.sub(zi1, v128.load(spare, 48));
    const d1 = f32x4.add(f32x4.mul(dr1, dr1), f32x4.mul(di1, di1));
    const room1 = f32x4.max(f32x4.sub(one, l1), zero);
    const squared1 = f32x4.mul(room1, room1);
    const hits1 = f32x4.lt(d1, f32x4.mul(f32x4.mul(squared1, squared1), nearness));
    const hits = (i32x4.bitmask(hits0) | (i32x4.bitmask(hits1) << 4)) & lanes;
    if (hits) {
      v128.store(spare, d0, 128);
      v128.store(spare, d1, 144);
      v128.store(spare, room0, 160);
      v128.store(spare, room1, 176);
      found |= tryLanes(spare, at, hits, p);
      lanes &= ~hits;
    }
  }
  return found;
}

/** Tries the lanes in `hits`, which came near where they were p steps ago. Returns those that provably never escape. */
function tryLanes(spare: usize, at: usize, hits: i32, p: i32): i32 {
  let found = 0;
  for (; hits != 0; hits &= hits - 1) {
    const lane = <usize>ctz(hits);
    const distance = max(sqrt(<f64>load<f32>(spare + (lane << 2), 128)), 1e-7);
    // The disc must be larger than distance / (1 - L) for the orbit's next points to fit in, and 1 - L > (1 - L²) / 2.
    const radius = (4 * distance) / <f64>load<f32>(spare + (lane << 2), 160);
    const one = at + (lane << 3);
    if (
      staysInDiscs(load<f64>(one, Z_RE), load<f64>(one, Z_IM), load<f64>(one, C_RE), load<f64>(one, C_IM), p, radius)
    ) {
      found |= 1 << (<i32>lane);
    }
  }
  return found;
}
