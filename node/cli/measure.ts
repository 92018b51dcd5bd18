// What `allcores bench` measures, step by step. What has been measured is in `Measured` at any time, so that an
// interrupt loses nothing of it.

import { measureBuilds, stepsOfBuilds } from "../../src/bench/builds.ts";
import { measureCount } from "../../src/bench/counter.ts";
import { megabytes } from "../../src/bench/format.ts";
import type { Laboratory } from "../../src/bench/laboratory.ts";
import { expectedSha256 } from "../../src/bench/reference.ts";
import type { Measured, Workload } from "../../src/bench/report.ts";
import { measureScaling, type ScalingPlan, stepsOf } from "../../src/bench/scaling.ts";
import { hasSimd } from "../../src/features.ts";
import type { Engine, Guard } from "../../src/types.ts";
import { readCores } from "../cores.ts";
import type { Environment } from "../environment.ts";
import { sha256 } from "../hash.ts";
import { createEngine } from "../index.ts";
import { SerialRunner } from "../serial.ts";
import { formatCount } from "./count.ts";
import type { Colors, Progress } from "./io.ts";
import { formatBuilds, formatScaling } from "./scaling-table.ts";

/** The counter of the Python benchmark. */
const COUNTER = { threads: 10, increments: 100_000 };
const GUARDS: Guard[] = ["lock", "atomic", "none"];

export interface BenchPlan {
  /** Ascending, and 1 among them. */
  threads: number[];
  samples: number;
  workloads: Workload[];
}

/** Where progress and results go as they come. */
export interface Display {
  progress: Progress;
  colors: Colors;
  show(text: string): void;
}

/** Steps of `measure`, for a progress bar. */
export function totalSteps(plan: BenchPlan, environment: Environment): number {
  const scaling = plan.workloads.map((workload) => stepsOf(scalingPlan(plan, workload, environment)));
  const builds = hasSimd() ? onePerAlgorithm(plan).length * stepsOfBuilds(plan.samples) : 0;
  return scaling.reduce((sum, steps) => sum + steps, builds + GUARDS.length);
}

/** Measures all of the plan. Rejects when the signal aborts. */
export async function measure(
  plan: BenchPlan,
  into: Measured<Environment>,
  display: Display,
  signal: AbortSignal,
): Promise<void> {
  display.progress.label("memory");
  into.memory = await measureMemory(Math.max(...plan.threads));
  display.show(`memory: ${megabytes(into.memory.perThreadBytes)} for each worker\n`);

  const serial = await SerialRunner.start();
  try {
    const laboratory = laboratoryOf(serial);
    await withEngine(Math.max(...plan.threads), async (engine) => {
      for (const workload of plan.workloads) {
        display.progress.label(`${workload.algorithm}, ${workload.schedule}`);
        const scaling = scalingPlan(plan, workload, into.environment);
        const run = await measureScaling(laboratory, engine, scaling, display.progress.step, signal);
        if (run !== null) {
          into.runs.push(run);
          display.show(`${formatScaling(run, into.environment.usableCores, display.colors)}\n`);
        }
        signal.throwIfAborted();
      }
    });
    for (const workload of hasSimd() ? onePerAlgorithm(plan) : []) {
      display.progress.label(`builds, ${workload.algorithm}`);
      const report = await measureBuilds(laboratory, workload, plan.samples, display.progress.step, signal);
      into.builds.push(report);
      display.show(formatBuilds(report));
    }
  } finally {
    await serial.close();
  }

  display.progress.label("counter");
  await withEngine(COUNTER.threads, async (engine) => {
    for (const guard of GUARDS) {
      const report = await measureCount(engine, { ...COUNTER, guard, signal });
      into.counters.push(report);
      display.progress.step();
      display.show(formatCount(report));
    }
  });
}

/** What `threads` idle workers add to the program's resident memory, beside one that is there already. */
async function measureMemory(threads: number): Promise<{ perThreadBytes: number }> {
  return withEngine(1, async () => {
    const before = process.memoryUsage.rss();
    return withEngine(threads, async () => {
      const added = process.memoryUsage.rss() - before;
      return { perThreadBytes: Math.max(0, Math.round(added / threads)) };
    });
  });
}

async function withEngine<T>(threads: number, use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await createEngine({ threads, mode: "shared" });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

function laboratoryOf(serial: SerialRunner): Laboratory {
  return {
    createEngine,
    serial: (options, signal) => serial.mandelbrot(options, signal as AbortSignal),
    sha256: async (counts) => sha256(counts),
    now: () => performance.now(),
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    throttledPeriods: () => readCores().throttled?.throttledPeriods ?? 0,
  };
}

function scalingPlan({ threads, samples }: BenchPlan, workload: Workload, environment: Environment): ScalingPlan {
  const { usableCores, quota, loadAverage } = environment;
  return {
    workload,
    threads,
    samples,
    usableCores,
    quota,
    loadAverage,
    expectedSha256: expectedSha256(workload),
  };
}

/** The plan's pictures, once for each algorithm. */
function onePerAlgorithm({ workloads }: BenchPlan): Workload[] {
  return [...new Map(workloads.map((workload) => [workload.algorithm, workload])).values()].map((workload) => ({
    ...workload,
    schedule: "dynamic",
  }));
}
