// What an engine could do here, and what is in its way: found out by trying.

import { EngineError, problemOf } from "./errors.ts";
import { hasSimd, hasThreads } from "./features.ts";
import { loadKernel, type Platform, readSettings, startBest } from "./start.ts";
import type { Diagnosis, FileOptions, Mode, Problem } from "./types.ts";

/** The hosts' `diagnose` are this function with their `Host`. */
export async function diagnoseOn(platform: Platform, files?: FileOptions): Promise<Diagnosis> {
  const settings = readSettings(platform, files);
  const { host, cores } = settings;
  const problems: Problem[] = [];
  let mode: Mode | undefined;
  try {
    const kernel = await loadKernel(settings);
    // One worker meets what all of them would.
    const started = await startBest({ ...settings, workers: 1 }, kernel, (problem) => problems.push(problem));
    mode = started.mode;
    await started.pool.close();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    problems.push(problemOf(error));
  }
  const unshared = await host.whyUnshared();
  if (unshared !== undefined) problems.push(unshared);
  return { mode, cores, threads: hasThreads(), simd: hasSimd(), problems };
}
