// The counter's benchmark: exact under a guard; without one, repeated until an update gets lost.

import type { AbortSignalLike, CountResult, Engine, Guard, LockReport } from "../types.ts";

/** Schema "allcores.count/1": fields may be added, none renamed. */
export interface CountReport {
  schema: "allcores.count/1";
  threads: number;
  increments: number;
  guard: Guard;
  expected: number;
  value: number;
  lost: number;
  /** Milliseconds, of the last attempt. */
  ms: number;
  /** Runs until an update got lost; 1 with a guard. */
  attempts: number;
  /** More threads than the process may use cores. */
  oversubscribed: boolean;
  lock: LockReport;
}

/** On two cores, many runs without a guard lose nothing: the threads happen to take turns. */
export const MOST_ATTEMPTS = 200;

/** Counts once, or, without a guard, until an update gets lost, but at most `MOST_ATTEMPTS` times. */
export async function measureCount(
  engine: Engine,
  options: { threads: number; increments: number; guard: Guard; signal: AbortSignalLike },
): Promise<CountReport> {
  let attempts = 0;
  let result: CountResult;
  do {
    result = await engine.count(options);
    attempts++;
  } while (options.guard === "none" && result.lost === 0 && attempts < MOST_ATTEMPTS);
  const { threads, increments, guard, expected, value, lost, elapsedMs, lock } = result;
  const oversubscribed = threads > engine.cores;
  return {
    schema: "allcores.count/1",
    threads,
    increments,
    guard,
    expected,
    value,
    lost,
    ms: elapsedMs,
    attempts,
    oversubscribed,
    lock,
  };
}

/** Whether a guarded count is not what it must be. */
export function isWrong({ guard, lost }: CountReport): boolean {
  return guard !== "none" && lost !== 0;
}
