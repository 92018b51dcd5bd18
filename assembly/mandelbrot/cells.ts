// What can be said of 8×8 pixels at once. All c of such a cell lie within ρ of its centre, so all their orbits lie in discs
// around the centre's orbit, by the bound of discs.ts with ρ added at every step. As long as the disc lies within |z| ≤ 2,
// no pixel of the cell has escaped; if the next one lies beyond, all have. If the circle runs through it, the pixels have to
// be looked at one by one, but need no test before that. Far from the set most cells are decided so: of the reference
// picture's escaping pixels, half.

import { GROWTH, INSIDE, SLACK } from "./discs";

/** Pixels of a cell's side. */
export const CELL: i32 = 8;

/** Iterations after which a cell is given up: by then the orbits of its pixels have parted. */
const GIVE_UP: i32 = 12;

/** |z| from which on |z|² > 4 holds as computed. */
const OUTSIDE: f64 = 2.000001;

/**
 * Looks at two cells side by side, whose columns' real parts are at `reals`, and whose rows' imaginary parts run from `top` to
 * `bottom`. Stores an i32 for each at `known`: the count of all its pixels, if they have the same; else minus the number of
 * iterations that none of them escapes before.
 */
export function lookAtCells(reals: usize, top: f64, bottom: f64, known: usize): void {
  const left = f64x2.replace_lane(f64x2.splat(load<f64>(reals)), 1, load<f64>(reals, 64));
  const right = f64x2.replace_lane(f64x2.splat(load<f64>(reals, 56)), 1, load<f64>(reals, 120));
  const cr = f64x2.mul(f64x2.add(left, right), f64x2.splat(0.5));
  const middle = 0.5 * (top + bottom);
  const ci = f64x2.splat(middle);
  const width = f64x2.max(f64x2.sub(right, cr), f64x2.sub(cr, left));
  const height = max(abs(bottom - middle), abs(middle - top));
  const growth = f64x2.splat(GROWTH);
  const rho = f64x2.add(
    f64x2.mul(f64x2.sqrt(f64x2.add(f64x2.mul(width, width), f64x2.splat(height * height))), growth),
    f64x2.splat(SLACK),
  );
  let zr = cr;
  let zi = ci;
  let r = rho;
  let counts = i64x2.splat(0);
  let safe = counts;
  /** -1 for a cell all of whose pixels were inside so far. */
  let open = i64x2.splat(-1);
  for (let n = 1; n < GIVE_UP && v128.any_true(open); n++) {
    safe = i64x2.add(safe, open);
    const zr2 = f64x2.mul(zr, zr);
    const zi2 = f64x2.mul(zi, zi);
    const size = f64x2.sqrt(f64x2.add(zr2, zi2));
    const outside = f64x2.gt(f64x2.sub(size, f64x2.mul(r, growth)), f64x2.splat(OUTSIDE));
    counts = v128.or(counts, v128.and(v128.and(open, outside), i64x2.splat(n)));
    open = v128.and(open, f64x2.lt(f64x2.add(size, r), f64x2.splat(INSIDE)));
    r = f64x2.add(f64x2.mul(f64x2.mul(r, f64x2.add(f64x2.add(size, size), r)), growth), rho);
    const t = f64x2.mul(zr, zi);
    zr = f64x2.add(f64x2.sub(zr2, zi2), cr);
    zi = f64x2.add(f64x2.add(t, t), ci);
  }
  const both = v128.bitselect(counts, safe, i64x2.ne(counts, i64x2.splat(0)));
  v128.store64_lane(known, v128.shuffle<i32>(both, both, 0, 2, 0, 2), 0);
}
