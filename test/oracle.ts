// The definition of a count, and of a magnitude, in plain TypeScript: the order of the operations, and nothing else.
// What the kernel computes must equal it bit for bit.

import type { Region } from "../src/types.ts";

/** What to compute. */
export interface Picture {
  width: number;
  height: number;
  region: Region;
  maxIterations: number;
}

/** The escape count of every pixel, row-major. */
export function oracleCounts({ width, height, region, maxIterations }: Picture): Uint32Array {
  const counts = new Uint32Array(width * height);
  for (let y = 0; y < height; y++) {
    const im = region.imMin + (y / height) * (region.imMax - region.imMin);
    for (let x = 0; x < width; x++) {
      const re = region.reMin + (x / width) * (region.reMax - region.reMin);
      counts[y * width + x] = oracleCount(re, im, maxIterations);
    }
  }
  return counts;
}

function oracleCount(re: number, im: number, maxIterations: number): number {
  let zr = 0;
  let zi = 0;
  for (let n = 0; n < maxIterations; n++) {
    if (zr * zr + zi * zi > 4) return n;
    const next = zr * zr - zi * zi + re;
    zi = zr * zi + zi * zr + im;
    zr = next;
  }
  return maxIterations;
}

/** The magnitude of every pixel, row-major: |z|² three iterations after the escape, 0 where there is none. */
export function oracleMagnitudes({ width, height, region, maxIterations }: Picture): Float32Array {
  const magnitudes = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const im = region.imMin + (y / height) * (region.imMax - region.imMin);
    for (let x = 0; x < width; x++) {
      const re = region.reMin + (x / width) * (region.reMax - region.reMin);
      magnitudes[y * width + x] = oracleMagnitude(re, im, maxIterations);
    }
  }
  return magnitudes;
}

/** The magnitude of c = re + i·im. Where it overflows it is infinite, not a NaN. */
export function oracleMagnitude(re: number, im: number, maxIterations: number): number {
  const count = oracleCount(re, im, maxIterations);
  if (count === maxIterations) return 0;
  let zr = 0;
  let zi = 0;
  for (let n = 0; n < count + 3; n++) {
    const next = zr * zr - zi * zi + re;
    zi = zr * zi + zi * zr + im;
    zr = next;
  }
  const squared = Math.fround(zr * zr + zi * zi);
  return Number.isNaN(squared) ? Number.POSITIVE_INFINITY : squared;
}
