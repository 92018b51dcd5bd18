// The scaling benchmark: renders one workload with several numbers of threads, and with the serial build, in turn, so
// that whatever changes about the machine meanwhile touches all of them.

import { tileOf } from "../mandelbrot.ts";
import type { AbortSignalLike, ChunkReport, Engine, MandelbrotOptions, WorkerReport } from "../types.ts";
import { dynamicCeiling, staticCeiling } from "./ceiling.ts";
import { CountsChecker, type Laboratory } from "./laboratory.ts";
import type { ScalingRow, ScalingRun, Workload } from "./report.ts";
import { efficiency, karpFlatt, median, speedup } from "./statistics.ts";
import { timing } from "./timing.ts";
import { verdict } from "./verdict.ts";

export interface ScalingPlan {
  workload: Workload;
  /** Ascending, and 1 among them. */
  threads: number[];
  samples: number;
  usableCores: number;
  quota: number | null;
  loadAverage: number | null;
  /** The counts' hash, where it is known beforehand. */
  expectedSha256: string | undefined;
}

/** Renders before the samples: enough for a picture of a few milliseconds to reach the optimising compiler. */
const WARM_UPS = 3;
const COLD_STARTS = 3;
/** Renders on one thread that tell what each chunk costs. */
const PROFILES = 2;

/** A picture that was rendered, and is right. */
export type Step =
  | { kind: "cold" | "warm-up" | "profile" }
  /** `threads` is 0 for the serial build, which has no chunks. */
  | { kind: "sample"; threads: number; elapsedMs: number; chunks: () => ChunkReport[] };

interface Samples {
  ms: number[];
  /** Empty if processor time cannot be known. */
  cpuShares: number[];
  workers: WorkerReport[][];
}

/** Steps of `measureScaling`, for a progress bar: one a picture. */
export function stepsOf(plan: ScalingPlan): number {
  return (plan.threads.length + 1) * plan.samples + 2 * WARM_UPS + PROFILES + COLD_STARTS;
}

/**
 * Measures one workload on `engine`, which has as many workers as the most threads of the plan.
 *
 * If the signal aborts, what was measured so far is the result, provided that each row has a sample; else it is null.
 *
 * @throws {WrongCountsError} If any picture differs from the others.
 */
export async function measureScaling(
  laboratory: Laboratory,
  engine: Engine,
  plan: ScalingPlan,
  onStep: (step: Step) => void,
  signal: AbortSignalLike,
): Promise<ScalingRun | null> {
  const { workload } = plan;
  const serial: number[] = [];
  const rows = new Map<number, Samples>(
    plan.threads.map((threads) => [threads, { ms: [], cpuShares: [], workers: [] }]),
  );
  const throttledBefore = laboratory.throttledPeriods();
  const checker = new CountsChecker(laboratory, plan.expectedSha256);
  let profile: ChunkReport[] = [];
  let cold: ScalingRun["cold"] = null;

  const renderSerial = async () => {
    const { elapsedMs, counts } = await laboratory.serial({ ...workload, schedule: "static" }, signal);
    await checker.check(counts, "the serial build");
    return elapsedMs;
  };
  const render = async (on: Engine, threads: number, options?: MandelbrotOptions) => {
    const cpuBefore = laboratory.cpuMs();
    const result = await on.mandelbrot({ ...workload, ...options, threads, output: "view", signal });
    const cpuAfter = laboratory.cpuMs();
    const busyMs = sum(result.workers, "busyMs");
    const cpuShare = cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / busyMs;
    try {
      await checker.check(result.counts, `${threads} ${threads === 1 ? "thread" : "threads"}`);
      return { ...result, cpuShare };
    } finally {
      result.release();
    }
  };

  try {
    cold = await measureCold(laboratory, engine, Math.min(plan.usableCores, engine.threads), async (on, threads) => {
      const { elapsedMs } = await render(on, threads);
      onStep({ kind: "cold" });
      return elapsedMs;
    });
    for (let i = 0; i < WARM_UPS; i++) {
      await renderSerial();
      onStep({ kind: "warm-up" });
      await render(engine, engine.threads);
      onStep({ kind: "warm-up" });
    }
    // One thread, chunk by chunk: what a schedule can make of this work, whatever the schedule of the samples.
    const profiles: ChunkReport[][] = [];
    for (let i = 0; i < PROFILES; i++) {
      profiles.push((await render(engine, 1, { schedule: "dynamic" })).chunks());
      onStep({ kind: "profile" });
    }
    profile = cheapest(profiles);
    for (let sample = 0; sample < plan.samples; sample++) {
      for (const threads of rotate([0, ...plan.threads], sample)) {
        if (signal.aborted) throw signal.reason;
        if (threads === 0) {
          const elapsedMs = await renderSerial();
          serial.push(elapsedMs);
          onStep({ kind: "sample", threads, elapsedMs, chunks: () => [] });
          continue;
        }
        const { elapsedMs, cpuShare, workers, chunks } = await render(engine, threads);
        const row = rows.get(threads) as Samples;
        row.ms.push(elapsedMs);
        if (cpuShare !== null) row.cpuShares.push(cpuShare);
        row.workers.push(workers);
        onStep({ kind: "sample", threads, elapsedMs, chunks });
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    if (serial.length === 0 || [...rows.values()].some(({ ms }) => ms.length === 0)) return null;
  }
  const throttledPeriods = laboratory.throttledPeriods() - throttledBefore;
  return summarise(plan, serial, rows, profile, checker.sha256 ?? "", cold, throttledPeriods);
}

/** Starts a few engines, and takes the first picture of each. `first` is the first one of the program. */
async function measureCold(
  laboratory: Laboratory,
  first: Engine,
  threads: number,
  render: (on: Engine, threads: number) => Promise<number>,
): Promise<ScalingRun["cold"]> {
  const spawn: number[] = [];
  const pictures: number[] = [];
  for (let i = 0; i < COLD_STARTS; i++) {
    const begin = laboratory.now();
    const engine = await laboratory.createEngine({ threads });
    try {
      spawn.push(laboratory.now() - begin);
      pictures.push(await render(engine, threads));
    } finally {
      await engine.close();
    }
  }
  return { threads, spawnMs: median(spawn), warmUpMs: first.statistics.warmUpMs, firstResultMs: median(pictures) };
}

/** The order of one round: each round begins somewhere else, so that nobody always comes first. */
export function rotate<T>(items: readonly T[], by: number): T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/** Chunk by chunk the shortest time: what interrupted a chunk in one run rarely interrupts it in the other. */
function cheapest(runs: ChunkReport[][]): ChunkReport[] {
  const [first = [], ...others] = runs;
  return first.map((chunk, index) =>
    others.reduce((best, run) => {
      const other = run[index] ?? best;
      return other.endMs - other.beginMs < best.endMs - best.beginMs ? other : best;
    }, chunk),
  );
}

function summarise(
  plan: ScalingPlan,
  serialMs: number[],
  samples: Map<number, Samples>,
  profile: ChunkReport[],
  countsSha256: string,
  cold: ScalingRun["cold"],
  throttledPeriods: number,
): ScalingRun {
  const { workload, usableCores } = plan;
  const serial = timing(serialMs);
  const oneThread = median((samples.get(1) as Samples).ms);
  const speedOfOne = median((samples.get(1) as Samples).workers.map(iterationsPerMs));
  const rows = [...samples].map(([threads, { ms, cpuShares, workers }]): ScalingRow => {
    const times = timing(ms);
    const gained = speedup(oneThread, times.medianMs);
    return {
      threads,
      ...times,
      speedup: gained,
      speedupSerial: speedup(serial.medianMs, times.medianMs),
      efficiency: efficiency(gained, threads),
      karpFlatt: karpFlatt(gained, threads),
      ceiling: ceilingOf(workload, profile, threads),
      oversubscribed: threads > usableCores,
      busyShare: median(workers.map((each, sample) => sum(each, "busyMs") / (threads * (ms[sample] as number)))),
      cpuShare: cpuShares.length === 0 ? null : median(cpuShares),
      threadSpeed: median(workers.map(iterationsPerMs)) / speedOfOne,
      countsSha256,
      workers: workers[nearest(ms, times.medianMs)] as WorkerReport[],
    };
  });
  const costOfThreads = oneThread / serial.medianMs - 1;
  const { quota, loadAverage } = plan;
  const { text, limiter } = verdict({
    rows,
    usableCores,
    quota,
    costOfThreads,
    throttledPeriods,
    loadAverage,
    samples: serialMs.length,
  });
  return { workload, countsSha256, serial, rows, cold, costOfThreads, limiter, verdict: text };
}

/** What a thread computes in a millisecond inside chunks. */
function iterationsPerMs(workers: WorkerReport[]): number {
  return sum(workers, "iterations") / sum(workers, "busyMs");
}

function sum(workers: WorkerReport[], key: keyof WorkerReport): number {
  return workers.reduce((total, worker) => total + worker[key], 0);
}

function nearest(samples: number[], value: number): number {
  const distances = samples.map((sample) => Math.abs(sample - value));
  return distances.indexOf(Math.min(...distances));
}

/** The most speedup that the workload's schedule allows, by what its chunks cost on one thread. */
function ceilingOf(workload: Workload, profile: ChunkReport[], threads: number): number {
  const costs = profile.map(({ beginMs, endMs }) => endMs - beginMs);
  if (workload.schedule === "dynamic") return dynamicCeiling(costs, threads);
  return staticCeiling(bandCosts(workload, costs, threads));
}

/** What each thread's band of rows costs, from what the chunks of the dynamic schedule cost. */
export function bandCosts(
  { width, height, maxIterations }: Pick<Workload, "width" | "height" | "maxIterations">,
  chunkCosts: number[],
  threads: number,
): number[] {
  const tile = tileOf(width, height, maxIterations);
  const columns = Math.ceil(width / tile.width);
  const rowsOfBand = Math.floor(height / threads);
  const bands = new Array<number>(threads).fill(0);
  chunkCosts.forEach((cost, chunk) => {
    const top = Math.floor(chunk / columns) * tile.height;
    const rows = Math.min(tile.height, height - top);
    for (let y = top; y < top + rows; y++) {
      const band = rowsOfBand === 0 ? threads - 1 : Math.min(threads - 1, Math.floor(y / rowsOfBand));
      bands[band] = (bands[band] as number) + cost / rows;
    }
  });
  return bands;
}
