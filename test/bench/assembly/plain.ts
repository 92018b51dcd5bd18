// What somebody writes in AssemblyScript first: the plain loop. Compiled with `asc -O3`, for the benchmark only.

/** Where the counts begin: behind whatever asc places below. */
const COUNTS: usize = 65536;

export function countsAddress(): usize {
  return COUNTS;
}

/** Computes the counts, u32 and row-major, at `countsAddress()`. The host has made the memory large enough. */
export function render(
  width: i32,
  height: i32,
  maxIterations: i32,
  reMin: f64,
  reMax: f64,
  imMin: f64,
  imMax: f64,
): void {
  for (let y = 0; y < height; y++) {
    const im = imMin + (<f64>y / <f64>height) * (imMax - imMin);
    for (let x = 0; x < width; x++) {
      const re = reMin + (<f64>x / <f64>width) * (reMax - reMin);
      store<u32>(COUNTS + ((<usize>(y * width + x)) << 2), count(re, im, maxIterations));
    }
  }
}

function count(re: f64, im: f64, maxIterations: i32): i32 {
  let zr: f64 = 0;
  let zi: f64 = 0;
  for (let n = 0; n < maxIterations; n++) {
    if (zr * zr + zi * zi > 4) return n;
    const next = zr * zr - zi * zi + re;
    zi = zr * zi + zi * zr + im;
    zr = next;
  }
  return maxIterations;
}
