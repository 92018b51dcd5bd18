// Where a pixel lies in the complex plane. The order of the operations is part of the definition of a count: a
// precomputed step, x * (span / width), already changes 41 pixels of the reference picture.

import {
  MANDELBROT_HEIGHT,
  MANDELBROT_IM_MAX,
  MANDELBROT_IM_MIN,
  MANDELBROT_RE_MAX,
  MANDELBROT_RE_MIN,
  MANDELBROT_WIDTH,
} from "../layout";

/** re = reMin + (x / width) * (reMax - reMin) */
export function re(x: i32): f64 {
  const min = load<f64>(MANDELBROT_RE_MIN);
  return min + (<f64>x / <f64>load<i32>(MANDELBROT_WIDTH)) * (load<f64>(MANDELBROT_RE_MAX) - min);
}

/** im = imMin + (y / height) * (imMax - imMin) */
export function im(y: i32): f64 {
  const min = load<f64>(MANDELBROT_IM_MIN);
  return min + (<f64>y / <f64>load<i32>(MANDELBROT_HEIGHT)) * (load<f64>(MANDELBROT_IM_MAX) - min);
}
