// Part 3: what a job costs that computes nothing, and what workers cost that do nothing.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { plural } from "../../src/bench/format.ts";
import { median, medianAbsoluteDeviation } from "../../src/bench/statistics.ts";
import { type Timing, timing } from "../../src/bench/timing.ts";
import { ALTERNATIVES, type AlternativeId } from "./alternatives/alternative.ts";
import { AlternativeProcess } from "./alternatives/parent.ts";
import type { ColdStart } from "./cold-process.ts";
import { BUNDLE } from "./paths.ts";
import { interleave, type Ratio, ratioOf } from "./sampling.ts";

export interface DispatchPlan {
  samples: number;
  /** Empty jobs in a sample. */
  jobs: number;
  /** Numbers of workers that are started. */
  threads: readonly number[];
  kernel: URL;
}

/** Empty jobs, one after the other, for whoever has two workers. */
export interface DispatchRow {
  alternative: AlternativeId;
  title: string;
  /** Jobs of a task for each worker: the median of each sample's jobs, and what follows from these. */
  median: Timing;
  /** Of all of those jobs of all samples. */
  p99Ms: number;
  /** The same of jobs of one task. */
  single: { median: Timing; p99Ms: number };
}

/** Starting so many workers, in a new process each time. */
export interface ColdRow {
  threads: number;
  engine: Timing;
  bare: Timing;
  /** The engine's time by that of bare workers. */
  ratio: Ratio;
  memory: {
    /** What the workers added to the process's resident memory; medians, with all samples. */
    engineBytes: Memory;
    bareBytes: Memory;
    ratio: Ratio;
  };
}

export interface Memory {
  samplesBytes: number[];
  medianBytes: number;
  madBytes: number;
}

export interface DispatchReport {
  jobs: number;
  rows: DispatchRow[];
  cold: ColdRow[];
}

const WORKERS = 2;

const COMPARED: readonly AlternativeId[] = ["shared", "messages", "piscina", "tinypool", "workerpool"];

/** Measures empty jobs, then cold starts. */
export async function measureDispatch(plan: DispatchPlan, onStep: (title: string) => void): Promise<DispatchReport> {
  onStep("empty jobs");
  const rows = await measureJobs(plan);
  const cold: ColdRow[] = [];
  for (const threads of plan.threads) {
    onStep(`cold start of ${plural(threads, "worker")}`);
    cold.push(await measureCold(threads, plan.samples));
  }
  return { jobs: plan.jobs, rows, cold };
}

async function measureJobs({ samples, jobs, kernel }: DispatchPlan): Promise<DispatchRow[]> {
  const processes: AlternativeProcess[] = [];
  try {
    for (const id of COMPARED) processes.push(await AlternativeProcess.start(id, WORKERS, kernel));
    const measured = processes.flatMap((process) =>
      [WORKERS, 1].map((tasks) => ({ process, tasks, times: [] as number[][] })),
    );
    for (const { process, tasks } of measured) await process.nothing(jobs, tasks);
    await interleave(
      measured.map(({ process, tasks, times }) => ({
        samples,
        sample: async () => void times.push(await process.nothing(jobs, tasks)),
      })),
      samples,
    );
    const timesOf = (process: AlternativeProcess, tasks: number) => {
      const times = measured.find((row) => row.process === process && row.tasks === tasks)?.times ?? [];
      return { median: timing(times.map(median)), p99Ms: percentile(times.flat(), 0.99) };
    };
    return processes.map((process) => ({
      alternative: process.id,
      title: ALTERNATIVES[process.id],
      ...timesOf(process, WORKERS),
      single: timesOf(process, 1),
    }));
  } finally {
    await Promise.all(processes.map((process) => process.close()));
  }
}

async function measureCold(threads: number, samples: number): Promise<ColdRow> {
  const engine: ColdStart[] = [];
  const bare: ColdStart[] = [];
  await interleave(
    [
      { samples, sample: async () => void engine.push(await coldStart("engine", threads)) },
      { samples, sample: async () => void bare.push(await coldStart("bare", threads)) },
    ],
    samples,
  );
  const engineMs = engine.map(({ readyMs }) => readyMs);
  const bareMs = bare.map(({ readyMs }) => readyMs);
  const engineBytes = engine.map(({ addedBytes }) => addedBytes);
  const bareBytes = bare.map(({ addedBytes }) => addedBytes);
  return {
    threads,
    engine: timing(engineMs),
    bare: timing(bareMs),
    ratio: ratioOf(engineMs, bareMs),
    memory: { engineBytes: memory(engineBytes), bareBytes: memory(bareBytes), ratio: ratioOf(engineBytes, bareBytes) },
  };
}

async function coldStart(kind: "engine" | "bare", threads: number): Promise<ColdStart> {
  const path = fileURLToPath(new URL("cold-process.js", BUNDLE));
  const child = fork(path, [kind, String(threads)], { execArgv: [] });
  const exited = once(child, "exit");
  const failed = exited.then(([code]): never => {
    throw new Error(
      `a cold start of ${plural(threads, "worker")} failed (status ${code}): see above for what it printed`,
    );
  });
  const [result] = (await Promise.race([once(child, "message"), failed])) as [ColdStart];
  await exited;
  return result;
}

function memory(samplesBytes: number[]): Memory {
  return {
    samplesBytes,
    medianBytes: median(samplesBytes),
    madBytes: medianAbsoluteDeviation(samplesBytes),
  };
}

/** The least sample that so large a share of them does not exceed. */
function percentile(samples: readonly number[], share: number): number {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.ceil(share * sorted.length) - 1] as number;
}
