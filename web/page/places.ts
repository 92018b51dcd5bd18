// Places worth seeing.

import type { Region } from "../../src/types.ts";

export interface Place {
  name: string;
  region: Region;
  maxIterations: number;
}

/** A region of 4:3 around a point; imaginary parts grow downward. */
function around(re: number, im: number, width: number): Region {
  const height = width * 0.75;
  return { reMin: re - width / 2, reMax: re + width / 2, imMin: im - height / 2, imMax: im + height / 2 };
}

export const PLACES: readonly Place[] = [
  { name: "Whole set", region: { reMin: -2, reMax: 1, imMin: -1, imMax: 1 }, maxIterations: 1000 },
  { name: "Seahorses", region: around(-0.7463, 0.1102, 0.006), maxIterations: 2000 },
  { name: "Elephants", region: around(0.2835, 0.0104, 0.02), maxIterations: 1000 },
  { name: "Double spiral", region: around(-0.743644786, 0.1318252536, 0.00006), maxIterations: 3000 },
  { name: "Sceptre", region: around(-1.2506, 0.0201, 0.0025), maxIterations: 2000 },
  { name: "Triple spiral", region: around(-0.0886, 0.6545, 0.008), maxIterations: 2000 },
  { name: "Satellite", region: around(-1.768778833, -0.001738996, 0.000012), maxIterations: 5000 },
  { name: "Deep spiral", region: around(-0.743643887037151, 0.13182590420533, 3e-10), maxIterations: 10_000 },
];
