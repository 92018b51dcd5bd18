// The reference picture of the Python benchmark, whose counts are known beforehand.

import { WHOLE_SET } from "../mandelbrot.ts";
import type { Picture } from "./report.ts";

export const REFERENCE: Picture = { width: 1000, height: 1000, maxIterations: 1000, region: WHOLE_SET };

/** The hash of its counts, as CPython computed them. */
const REFERENCE_SHA256 = "b0df6708b10fafa4e145daa15d6e593cbde9f2ecfa5e91a55830e17c48c28c34";

/** The hash that a picture's counts must have, if it is known beforehand. */
export function expectedSha256(picture: Picture): string | undefined {
  return figures(picture) === figures(REFERENCE) ? REFERENCE_SHA256 : undefined;
}

function figures({ width, height, maxIterations, region }: Picture): string {
  return [width, height, maxIterations, region.reMin, region.reMax, region.imMin, region.imMax].join();
}
