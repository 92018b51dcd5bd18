// Points whose orbit certainly stays bounded: c inside the main cardioid or the period-2 bulb.
//
// In real arithmetic the closed forms below are exact. A count is defined by arithmetic in doubles, where rounding
// disturbs the orbit at every step, so a point that hugs the rim from inside must not be trusted. The margin keeps a
// distance at which the orbit's attraction (its multiplier is at most 1 - 2⁻³¹ or so) outweighs a rounding error of
// 2⁻⁵³ a step by far. Points in the margin are iterated like any other.

/** How far inside the closed forms a point must be. */
export const INTERIOR_MARGIN: f64 = 9.313225746154785e-10; // 2⁻³⁰

/** Whether the orbit of c = cr + i·ci is known to stay bounded. False says nothing. */
export function interior(cr: f64, ci: f64): bool {
  const ci2 = ci * ci;
  // The cardioid: q (q + (cr - 1/4)) < ci²/4, with q = (cr - 1/4)² + ci².
  const a = cr - 0.25;
  const q = a * a + ci2;
  if (q * (q + a) < 0.25 * ci2 - INTERIOR_MARGIN) return true; // not ≤: both sides may be infinite
  // The period-2 bulb: the disc of radius 1/4 around -1.
  const b = cr + 1.0;
  return b * b + ci2 <= 0.0625 - INTERIOR_MARGIN;
}
