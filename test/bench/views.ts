// The public suite of views: what a fast Mandelbrot kernel may be good or bad at, each small enough that brute force takes
// some tenths of a second at most.

import { WrongCountsError } from "../../src/bench/laboratory.ts";
import type { Picture } from "../oracle.ts";

export interface View extends Picture {
  /** For programs; stays the same. */
  id: string;
  /** For people. */
  title: string;
  /** SHA-256 of the counts as little-endian u32, row-major, in hexadecimal: those of the plain TypeScript of oracle.ts. */
  sha256: string;
  /** The sum of the counts: what brute force iterates. */
  iterations: number;
  /** Renderings in a sample. Default: 1. */
  repeats?: number;
}

/** All views, the reference picture first. */
export const VIEWS: readonly View[] = [
  {
    id: "whole",
    title: "whole set",
    width: 1000,
    height: 1000,
    maxIterations: 1_000,
    region: { reMin: -2, reMax: 1, imMin: -1, imMax: 1 },
    sha256: "b0df6708b10fafa4e145daa15d6e593cbde9f2ecfa5e91a55830e17c48c28c34",
    iterations: 257_988_727,
  },
  {
    id: "seahorse",
    title: "seahorse valley",
    width: 1200,
    height: 800,
    maxIterations: 5_000,
    region: { reMin: -0.7441439, reMax: -0.7431439, imMin: 0.1314926, imMax: 0.1321592 },
    sha256: "87106222ad9c4841910a1df93e148287868359ec6162918246a46eec2d1a0de2",
    iterations: 105_303_945,
  },
  {
    id: "minibrot",
    title: "minibrot",
    width: 600,
    height: 400,
    maxIterations: 2_000,
    region: { reMin: -1.785, reMax: -1.735, imMin: -0.0167, imMax: 0.0167 },
    sha256: "e35d94243c067e99f549c3b2e98bb1db6c67e459835500c4f4274b9e69d68386",
    iterations: 152_928_472,
  },
  {
    id: "interior",
    title: "all interior",
    width: 400,
    height: 400,
    maxIterations: 1_000,
    region: { reMin: -0.3, reMax: 0.1, imMin: -0.2, imMax: 0.2 },
    sha256: "52868a832169f823b8d537a31ce4c1e9d7bb049ec7ffbee9addaf2b61790160f",
    iterations: 160_000_000,
  },
  {
    id: "exterior",
    title: "all exterior",
    width: 2000,
    height: 1000,
    maxIterations: 1_000,
    region: { reMin: 0.5, reMax: 2, imMin: 0, imMax: 1 },
    sha256: "a9a8cd8aa6ce43e53afcc01ae8eeda3647f4e8b927cdcd033e3cd58a984111cd",
    iterations: 4_482_913,
  },
  {
    id: "boundary",
    title: "boundary at 50,000",
    width: 100,
    height: 100,
    maxIterations: 50_000,
    region: { reMin: -0.163, reMax: -0.16, imMin: 1.025, imMax: 1.028 },
    sha256: "0115f57d74b7263ad0520df25b94cedca40939d40e61f161556ae936c1545715",
    iterations: 90_126_546,
  },
  {
    id: "tall",
    title: "tall, 8 wide",
    width: 8,
    height: 4000,
    maxIterations: 10_000,
    region: { reMin: -2, reMax: 1, imMin: -1, imMax: 1 },
    sha256: "d49c54d78c3a3c2aee5045b5831a74cf978bef141f85a59d9334030597141f24",
    iterations: 91_378_747,
  },
  {
    id: "column",
    title: "one column",
    width: 1,
    height: 20000,
    maxIterations: 5_000,
    region: { reMin: -1.2, reMax: 1, imMin: -0.3, imMax: 0.3 },
    sha256: "d2a6f1801d7d22f677cb63efdff4dd7b0494acdd3a4dd2fff26d24b09f4797c0",
    iterations: 50_503_349,
  },
  {
    id: "tiny",
    title: "tiny",
    width: 16,
    height: 16,
    maxIterations: 1_000,
    region: { reMin: -2, reMax: 1, imMin: -1, imMax: 1 },
    sha256: "895c4ea67d8fe3993cc3aa5fdbe3e2b08e7ae29e58149cb18dcd2e0d48c78ec9",
    iterations: 70_809,
    repeats: 100,
  },
];

/** Enough work for two workers that what they wait for each other does not count. */
export const LARGE: View = {
  id: "large",
  title: "whole set, 4000×4000",
  width: 4000,
  height: 4000,
  maxIterations: 1_000,
  region: { reMin: -2, reMax: 1, imMin: -1, imMax: 1 },
  sha256: "f30e62c3e3e8df5e9744f554a5e72e139731056a14799517e05ecc8d30771a42",
  iterations: 4_124_809_252,
};

/** The view of this id. */
export function viewOf(id: string): View {
  return VIEWS.find((view) => view.id === id) as View;
}

/** What of a view, or of a golden case, is to be rendered. */
export function pictureOf({ width, height, region, maxIterations }: Picture): Picture {
  return { width, height, region, maxIterations };
}

/**
 * Compares counts, by their hash, with those that the view must have.
 *
 * @throws {WrongCountsError} If they differ; `by` names who computed them.
 */
export function checkCounts(view: View, actualSha256: string, by: string): void {
  if (actualSha256 === view.sha256) return;
  throw new WrongCountsError(
    `${by} computed other counts of the view "${view.title}": SHA-256 ${actualSha256}, expected ${view.sha256}`,
  );
}
