// interior.ts for two points at once.

import { INTERIOR_MARGIN } from "./interior";

/** One bit a lane: whether the orbit of c = cr + i·ci is known to stay bounded. 0 says nothing. */
export function interior2(cr: v128, ci: v128): i32 {
  return cardioid2(cr, ci) | bulb2(cr, ci);
}

function cardioid2(cr: v128, ci: v128): i32 {
  const ci2 = f64x2.mul(ci, ci);
  const a = f64x2.sub(cr, f64x2.splat(0.25));
  const q = f64x2.add(f64x2.mul(a, a), ci2);
  const rim = f64x2.sub(f64x2.mul(f64x2.splat(0.25), ci2), f64x2.splat(INTERIOR_MARGIN));
  return i64x2.bitmask(f64x2.lt(f64x2.mul(q, f64x2.add(q, a)), rim));
}

function bulb2(cr: v128, ci: v128): i32 {
  const b = f64x2.add(cr, f64x2.splat(1));
  const distance = f64x2.add(f64x2.mul(b, b), f64x2.mul(ci, ci));
  return i64x2.bitmask(f64x2.le(distance, f64x2.splat(0.0625 - INTERIOR_MARGIN)));
}

/**
 * Whether all points from left + i·ci to right + i·ci are known to stay bounded, because both ends lie in the cardioid, or
 * both in the bulb. At one height either of them is an interval, and a point between its ends' neighbours is no nearer to
 * the rim than the nearer one of these. False says nothing.
 */
export function intervalIsInterior(left: f64, right: f64, ci: f64): bool {
  if (!(left >= -1.25 && right <= 0.375)) return false; // most are not even near
  const ends = f64x2.replace_lane(f64x2.splat(left), 1, right);
  const height = f64x2.splat(ci);
  return cardioid2(ends, height) == 3 || bulb2(ends, height) == 3;
}
