// The report of a scaling benchmark, as JSON. Schema "allcores.scaling/1": fields may be added, none renamed.

import type { Algorithm, Region, Schedule, WorkerReport } from "../types.ts";
import type { BuildsReport } from "./builds.ts";
import type { CountReport } from "./counter.ts";
import type { Timing } from "./timing.ts";
import type { Limiter } from "./verdict.ts";

/** What is rendered. */
export interface Picture {
  width: number;
  height: number;
  maxIterations: number;
  region: Region;
}

/** A picture, and how it is rendered. */
export interface Workload extends Picture {
  algorithm: Algorithm;
  schedule: Schedule;
}

/** One number of threads. */
export interface ScalingRow extends Timing {
  threads: number;
  /** Against the row of one thread. */
  speedup: number;
  /** Against the best serial build. */
  speedupSerial: number;
  /** speedup / threads. */
  efficiency: number;
  /** The serial fraction that the speedup implies; null for one thread. */
  karpFlatt: number | null;
  /** The most speedup that the schedule allows for this work. */
  ceiling: number;
  /** More threads than the process may use cores. */
  oversubscribed: boolean;
  /** Share of the time that the workers were in chunks, not waiting, waking or done; the median. What the engine is good for. */
  busyShare: number;
  /**
   * Processor time that the program got, as a share of the time that its workers were in chunks; the median. Well below
   * 1, the processors did something else meanwhile. null where a program cannot know, as in a browser.
   */
  cpuShare: number | null;
  /**
   * Iterations that a thread computed in a millisecond of a chunk, relative to one thread alone; the median. Below 1, the
   * processors are slower when more of them work: shared cores, power, memory, or a hypervisor.
   */
  threadSpeed: number;
  countsSha256: string;
  /** What each worker did in the sample nearest to the median. */
  workers: WorkerReport[];
}

/** The benchmark of one workload. */
export interface ScalingRun {
  workload: Workload;
  countsSha256: string;
  /** The best serial build: no threads, no shared memory. */
  serial: Timing;
  rows: ScalingRow[];
  /**
   * A new engine's start, and its first picture; medians over a few engines of `threads` workers. `warmUpMs` is the
   * warm-up between the two, which only the first engine of a program has.
   */
  cold: { threads: number; spawnMs: number; warmUpMs: number; firstResultMs: number } | null;
  /** How much slower one worker is than the best serial build, as a fraction of its time. */
  costOfThreads: number;
  limiter: Limiter;
  verdict: string;
}

/** What was measured so far. `Environment` are the conditions: plain data. */
export interface Measured<Environment> {
  environment: Environment;
  /** Resident memory that each worker adds; null where a program cannot know. */
  memory: { perThreadBytes: number } | null;
  runs: ScalingRun[];
  builds: BuildsReport[];
  counters: CountReport[];
  interrupted: boolean;
}

/** The report as JSON: one run, or the first of several with all of them in `runs`. */
export function scalingReport({ environment, memory, runs, builds, counters, interrupted }: Measured<object>): object {
  const common = { schema: "allcores.scaling/1", environment };
  const [first] = runs;
  return {
    ...common,
    ...first,
    ...(runs.length > 1 && { runs: runs.map((run) => ({ ...common, ...run })) }),
    memory,
    builds,
    counters,
    interrupted,
  };
}
