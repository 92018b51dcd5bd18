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
  { name: "Sunburst", region: around(-0.748, 0.1, 0.0014), maxIterations: 3000 },
  { name: "Satellite", region: around(-1.7548776, 0, 0.06), maxIterations: 2000 },
  { name: "Nautilus", region: around(0.2549870375144766, -0.0005679790528465, 0.00003), maxIterations: 5000 },
  { name: "Coral", region: around(-0.1747647, -1.0713151001, 9e-7), maxIterations: 3000 },
  { name: "Lightning", region: around(-1.401, 0, 0.02), maxIterations: 2000 },
  { name: "Deep", region: around(-0.743643887037151, 0.13182590420533, 3e-10), maxIterations: 10_000 },
];
