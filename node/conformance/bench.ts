// How a host program scales on the reference picture, beside Node: samples of both in turn, so that whatever changes about the machine
// meanwhile touches both.

import { fileURLToPath } from "node:url";
import { rotate } from "../../src/bench/scaling.ts";
import { efficiency, median, medianAbsoluteDeviation, speedup } from "../../src/bench/statistics.ts";
import { WHOLE_SET } from "../../src/mandelbrot.ts";
import type { Algorithm, Build } from "../../src/types.ts";
import { pictureLine } from "./job.ts";
import { type Case, Kit, readCases } from "./kit.ts";

export interface BenchPlan {
  builds: Build[];
  algorithms: Algorithm[];
  /** Ascending, and 1 among them. */
  threads: number[];
  samples: number;
}

/** One number of threads of one host. */
export interface BenchRow {
  threads: number;
  samplesMs: number[];
  medianMs: number;
  /** Median absolute deviation. */
  madMs: number;
  speedup: number;
  efficiency: number;
  /** Its time as a multiple of Node's. */
  toNode: number;
}

export interface BenchRun {
  build: Build;
  algorithm: Algorithm;
  host: string;
  node: string;
  rows: BenchRow[];
}

/** A picture that a host got wrong, or did not answer: its times are worth nothing. */
export class WrongPictureError extends Error {
  override readonly name = "WrongPictureError";
}

/** Pictures before the samples, for compilers that compile late. */
const WARM_UPS = 3;
/** For every thread to fall asleep before the picture is published. */
const PARK_MS = 100;

/** Node's host in ports/javascript: what others are told as a multiple of. */
export function nodeCommand(): string[] {
  return [process.execPath, fileURLToPath(new URL("../ports/javascript/host.js", import.meta.url))]; // from dist/
}

/**
 * Measures a host program. `onSample` is called after each picture.
 *
 * @throws {WrongPictureError} (as a rejection) if a picture is wrong, of either host.
 */
export async function benchHost(
  command: readonly string[],
  { builds, algorithms, threads, samples }: BenchPlan,
  timeoutMs: number,
  onSample: () => void,
): Promise<BenchRun[]> {
  const kits = [new Kit(command, timeoutMs), new Kit(nodeCommand(), timeoutMs)] as const;
  try {
    const runs: BenchRun[] = [];
    for (const build of builds) {
      for (const algorithm of algorithms) {
        const [times, nodeTimes] = await measure(kits, build, algorithm, threads, samples, onSample);
        const one = median(times.get(1) as number[]);
        const rows = threads.map((count): BenchRow => {
          const samplesMs = times.get(count) as number[];
          const medianMs = median(samplesMs);
          const gained = speedup(one, medianMs);
          return {
            threads: count,
            samplesMs,
            medianMs,
            madMs: medianAbsoluteDeviation(samplesMs),
            speedup: gained,
            efficiency: efficiency(gained, count),
            toNode: medianMs / median(nodeTimes.get(count) as number[]),
          };
        });
        const [host, node] = kits.map((kit) => kit.host ?? "a host without a name") as [string, string];
        runs.push({ build, algorithm, host, node, rows });
      }
    }
    return runs;
  } finally {
    await Promise.all(kits.map((kit) => kit.close()));
  }
}

async function measure(
  kits: readonly [Kit, Kit],
  build: Build,
  algorithm: Algorithm,
  threads: number[],
  samples: number,
  onSample: () => void,
): Promise<[Map<number, number[]>, Map<number, number[]>]> {
  const times = kits.map(() => new Map(threads.map((count) => [count, [] as number[]])));
  const pairs = threads.flatMap((count) =>
    kits.map((kit, index) => ({ kit, index, job: referenceCase(algorithm, count) })),
  );
  for (let round = 0; round < WARM_UPS + samples; round++) {
    for (const { kit, index, job } of rotate(pairs, round)) {
      const { elapsedMs, reasons } = await kit.run(job, build, round + 1);
      if (elapsedMs === null || reasons.length > 0) {
        throw new WrongPictureError(
          `${kit.host ?? "the host"}, ${build}, ${job.line.JOB_THREADS} threads: ${reasons.join("; ")}`,
        );
      }
      if (round >= WARM_UPS) times[index]?.get(job.line.JOB_THREADS)?.push(elapsedMs);
      onSample();
    }
  }
  return times as [Map<number, number[]>, Map<number, number[]>];
}

/** Pictures of `benchHost`, for a progress bar. */
export function totalSamples({ builds, algorithms, threads, samples }: BenchPlan): number {
  return builds.length * algorithms.length * threads.length * 2 * (WARM_UPS + samples);
}

function referenceCase(algorithm: Algorithm, threads: number): Case {
  const reference = readCases().find(({ name }) => name.startsWith("seed1000")) as Case;
  const picture = { width: 1000, height: 1000, maxIterations: 1000, region: WHOLE_SET };
  return {
    name: `the reference picture, ${algorithm}`,
    line: pictureLine({ ...picture, threads, algorithm, schedule: "dynamic", park: PARK_MS }),
    expected: { countsSha256: reference.expected.countsSha256 as string },
  };
}
