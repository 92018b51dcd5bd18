// Random Mandelbrot jobs, drawn where a kernel might go wrong.

import fc from "fast-check";
import type { Region } from "../src/types.ts";
import type { MandelbrotJob } from "./kernel.ts";

/** A job for either algorithm. */
export type Job = Omit<MandelbrotJob, "algorithm">;

interface Point {
  re: number;
  im: number;
}

/** Where the set has something to get wrong. */
const POINTS: Point[] = [
  { re: 0, im: 0 },
  { re: 0.25, im: 0 }, // the cusp
  { re: -0.75, im: 0 }, // between the cardioid and the period-2 bulb
  { re: -1.25, im: 0 }, // the other end of that bulb
  { re: -0.125, im: 0.649519052838329 }, // the period-3 bulb's root
  { re: -0.7436438870371587, im: 0.13182590420531198 }, // seahorse valley
  { re: -1.7548776662466927, im: 0 }, // a minibrot
  { re: -1.401155189092051, im: 0 }, // Feigenbaum's point
  { re: 0, im: 1 }, // a tip that orbits for ever
  { re: -2, im: 0 },
];

/** Whole pictures, deep zooms, the exterior, and coordinates that overflow. */
export function regions(): fc.Arbitrary<Region> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant({ reMin: -2, reMax: 1, imMin: -1, imMax: 1 }) },
    { weight: 6, arbitrary: around(fc.constantFrom(...POINTS), -13, 0.5) },
    { weight: 3, arbitrary: around(points(2), -10, 0.5) },
    { weight: 1, arbitrary: around(points(10), -10, 1) },
    { weight: 1, arbitrary: around(points(1e10), 0, 10) },
    { weight: 1, arbitrary: around(points(1e300), 280, 300) },
  );
}

/** Regions at c = -2, where an orbit may leave |z| ≤ 2 by a hair: from wide ones down to a few neighbouring doubles. */
export function regionsAtTheTip(): fc.Arbitrary<Region> {
  return around(fc.constant({ re: -2, im: 0 }), -15, -3);
}

function points(size: number): fc.Arbitrary<Point> {
  const coordinate = fc.double({ min: -size, max: size, noNaN: true });
  return fc.record({ re: coordinate, im: coordinate });
}

/** Regions at a point, 10 ** least to 10 ** most wide; many have it in their centre or on an edge, exactly. */
function around(point: fc.Arbitrary<Point>, least: number, most: number): fc.Arbitrary<Region> {
  const shift = fc.oneof(fc.constantFrom(0, 0.5, 1), fc.double({ min: -1, max: 2, noNaN: true }));
  const exponent = fc.double({ min: least, max: most, noNaN: true });
  return fc
    .record({ point, exponent, aspect: fc.constantFrom(1, 1, 0.01, 100), shiftRe: shift, shiftIm: shift })
    .map(({ point, exponent, aspect, shiftRe, shiftIm }) => {
      const width = 10 ** exponent;
      const height = width * aspect;
      const reMin = point.re - width * shiftRe;
      const imMin = point.im - height * shiftIm;
      return { reMin, reMax: above(reMin, width), imMin, imMax: above(imMin, height) };
    });
}

/** from + span, or the next double above `from` if that is the same. */
function above(from: number, span: number): number {
  return from + span > from ? from + span : from + Math.max(Math.abs(from) * Number.EPSILON, Number.MIN_VALUE);
}

/** Jobs of at most `maxWork` iterations, and `maxIterations` for a pixel. */
export function jobs(region: fc.Arbitrary<Region>, maxIterations: number, maxWork: number): fc.Arbitrary<Job> {
  const size = fc.oneof(
    fc.integer({ min: 1, max: 24 }),
    fc.constantFrom(1, 1, 2, 3, 5, 7, 11, 13, 17, 31, 37, 61), // primes
  );
  const long = fc.integer({ min: 1, max: 300 });
  const sizes = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(size, size) },
    { weight: 1, arbitrary: fc.tuple(fc.constant(1), long) },
    { weight: 1, arbitrary: fc.tuple(long, fc.constant(1)) },
  );
  const iterations = fc.oneof(
    fc.constantFrom(1, 2, 7, 8, 9, 15, 16, 17), // about the ends of a block of 8 steps
    fc.integer({ min: 1, max: maxIterations }),
  );
  const chunking = fc.record({
    schedule: fc.constantFrom("dynamic" as const, "static" as const),
    threads: fc.integer({ min: 1, max: 9 }),
    tileWidth: fc.integer({ min: 1, max: 40 }),
    tileHeight: fc.integer({ min: 0, max: 40 }),
    handOver: fc.option(fc.nat(5), { nil: -1 }),
    magnitudes: fc.boolean(),
  });
  return fc
    .tuple(region, sizes, iterations, chunking)
    .map(
      ([region, [width, height], iterations, { schedule, threads, tileWidth, tileHeight, handOver, magnitudes }]) => ({
        width,
        height,
        region,
        maxIterations: Math.min(iterations, Math.max(8, Math.floor(maxWork / (width * height)))),
        schedule,
        threads,
        tileWidth: schedule === "static" ? width : tileWidth,
        tileHeight: schedule === "static" ? tileHeight : Math.max(1, tileHeight),
        ...(handOver < 0 ? {} : { handOver }),
        magnitudes,
      }),
    );
}
