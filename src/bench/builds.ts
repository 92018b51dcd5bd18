// What SIMD is worth: one worker with each build of the kernel, in turn.

import type { AbortSignalLike, Build, Engine } from "../types.ts";
import { CountsChecker, type Laboratory } from "./laboratory.ts";
import type { Workload } from "./report.ts";
import { type Timing, timing } from "./timing.ts";

export interface BuildsReport {
  algorithm: Workload["algorithm"];
  simd: Timing;
  scalar: Timing;
  /** How many times as fast the SIMD build is. */
  ratio: number;
}

/** At most: the scalar build takes its time. */
const SAMPLES = 5;

/** Pictures that `measureBuilds` renders, for a progress bar. */
export function stepsOfBuilds(samples: number): number {
  return 2 * (1 + Math.min(samples, SAMPLES));
}

/**
 * Renders the workload with one worker of each build, in turn, after one render each that is not counted.
 *
 * @throws {WrongCountsError} If the builds' counts differ.
 */
export async function measureBuilds(
  laboratory: Laboratory,
  workload: Workload,
  samples: number,
  onStep: () => void,
  signal: AbortSignalLike,
): Promise<BuildsReport> {
  const times: Record<Build, number[]> = { simd: [], scalar: [] };
  const engines: Engine[] = [];
  try {
    for (const build of ["simd", "scalar"] as const) engines.push(await laboratory.createEngine({ threads: 1, build }));
    const checker = new CountsChecker(laboratory, undefined);
    for (let round = 0; round <= Math.min(samples, SAMPLES); round++) {
      for (const engine of engines) {
        const result = await engine.mandelbrot({ ...workload, output: "view", signal });
        await checker.check(result.counts, `the ${engine.build} build`);
        result.release();
        if (round > 0) times[engine.build].push(result.elapsedMs);
        onStep();
      }
    }
  } finally {
    await Promise.all(engines.map((engine) => engine.close()));
  }
  const simd = timing(times.simd);
  const scalar = timing(times.scalar);
  return { algorithm: workload.algorithm, simd, scalar, ratio: scalar.medianMs / simd.medianMs };
}
