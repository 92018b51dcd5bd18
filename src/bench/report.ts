// The report of a scaling benchmark, as JSON. Schema "allcores.scaling/1": fields may be added, none renamed.

import type { Algorithm, Region, Schedule, WorkerReport } from "../types.ts";
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
   * 1, the processors did something else meanwhile.
   */
  cpuShare: number;
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
