// Orbits that provably never escape, whatever their period. The proof speaks of the orbit in doubles, not of an ideal one.
//
// Let F(z) be z² + c as the kernel computes it, and let z and w be doubles with |z|, |w| ≤ 2 and |w - z| ≤ r. Then
// |w² - z²| ≤ r (2|z| + r), and either F is off its real value by less than 2⁻⁴⁷, so |F(w) - F(z)| ≤ r (2|z| + r) + 2⁻⁴⁶.
// Begin with a disc of radius r around the orbit's present point, and follow point and radius for p steps. If the last disc
// lies inside the first one, then F, p times over, maps the doubles of the first disc into themselves, and the orbit stays in
// these p discs for ever. If none of them reaches |z| = 2, it does not escape.
//
// So much is known as soon as the orbit has come near an attracting cycle, and long before it repeats itself bit by bit, for
// which it must converge to 2⁻⁵³: the reference picture takes half the iterations.

/** More than the rounding errors of a step, twice. */
export const SLACK: f64 = 5.6843418860808015e-14; // 2⁻⁴⁴

/** Makes up for the rounding errors of the bound itself. */
export const GROWTH: f64 = 1.0000000000009095; // 1 + 2⁻⁴⁰

/** |z| that no disc may reach: far enough below 2 for |z|² ≤ 4 to hold as computed. */
export const INSIDE: f64 = 1.999999;

/** How close to an earlier point, squared, an orbit must come to be tried for a cycle: found by experiment. */
export const CLOSE: f64 = 1e-8;

/**
 * Whether the orbit of c never leaves a ring of at most p discs, the first of which has radius r and lies around
 * z = zr + i·zi. False says nothing.
 */
export function staysInDiscs(zr: f64, zi: f64, cr: f64, ci: f64, p: i32, r: f64): bool {
  let a = zr;
  let b = zi;
  let radius = r;
  for (let i = 0; i < p; i++) {
    const a2 = a * a;
    const b2 = b * b;
    const size = sqrt(a2 + b2);
    if (!(size + radius < INSIDE)) return false;
    radius = radius * (2 * size + radius) * GROWTH + SLACK;
    b = 2 * (a * b) + ci;
    a = a2 - b2 + cr;
    // p may be a multiple of the period, so the ring may close earlier.
    const room = r - radius;
    const dr = a - zr;
    const di = b - zi;
    if (room > 0 && (dr * dr + di * di) * GROWTH <= room * room) return true;
  }
  return false;
}

/**
 * Whether the orbit of c, which has come from s = sr + i·si to z in p steps, provably never escapes: because it is back at
 * the very same pair of doubles, and so repeats itself (Brent's cycle search), or because it stays in discs.
 */
export function returns(zr: f64, zi: f64, cr: f64, ci: f64, sr: f64, si: f64, p: i32): bool {
  const dr = zr - sr;
  const di = zi - si;
  if (dr == 0 && di == 0) return true;
  // Eight times the distance leaves an orbit that contracts slowly room to do so.
  return staysInDiscs(zr, zi, cr, ci, p, 8 * sqrt(dr * dr + di * di) + 1e-11);
}
