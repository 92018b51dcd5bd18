// `allcores bench`: how rendering scales with threads, and whether a guarded count is exact.

import { type CountReport, isWrong, measureCount } from "../../src/bench/counter.ts";
import type { ScalingRun, Workload } from "../../src/bench/report.ts";
import { type Laboratory, measureScaling, type ScalingPlan, stepsOf } from "../../src/bench/scaling.ts";
import { mandelbrotJob, WHOLE_SET } from "../../src/mandelbrot.ts";
import type { Algorithm, Guard, Schedule } from "../../src/types.ts";
import { readCores } from "../cores.ts";
import { type Environment, readEnvironment } from "../environment.ts";
import { sha256 } from "../hash.ts";
import { createEngine } from "../index.ts";
import { SerialRunner } from "../serial.ts";
import { scalingChart } from "./chart.ts";
import { formatCount } from "./count.ts";
import { parseChoice, parseInteger, parseRegion, parseThreadList } from "./flags.ts";
import { megabytes, percent, plural } from "./format.ts";
import { Interrupt } from "./interrupt.ts";
import { type Colors, checkWritable, type Io, type Progress, writeJson, writeResult } from "./io.ts";
import { formatScaling } from "./scaling-table.ts";

export interface BenchFlags {
  threads: string;
  width: string;
  height: string;
  maxIterations: string;
  region?: string;
  algorithm?: string;
  schedule?: string;
  samples: string;
  json?: string;
  svg?: string;
}

/** The hash of the reference picture's counts, as CPython computed them. */
const REFERENCE_SHA256 = "b0df6708b10fafa4e145daa15d6e593cbde9f2ecfa5e91a55830e17c48c28c34";

/** The counter of the Python benchmark. */
const COUNTER = { threads: 10, increments: 100_000 };

/** A share of the processors' time that others took, from which it is worth a warning. */
const STEAL_WARNING = 0.01;

interface Memory {
  /** Resident memory that each worker adds. */
  perThreadBytes: number;
}

interface Measured {
  environment: Environment;
  memory: Memory | null;
  runs: ScalingRun[];
  counters: CountReport[];
  interrupted: boolean;
}

interface BenchPlan {
  threads: number[];
  samples: number;
  workloads: Workload[];
}

function readPlan(flags: BenchFlags): BenchPlan {
  const threads = parseThreadList("--threads", flags.threads);
  const region = flags.region === undefined ? WHOLE_SET : parseRegion("--region", flags.region);
  const picture = {
    width: parseInteger("--width", flags.width, 1, 2 ** 30),
    height: parseInteger("--height", flags.height, 1, 2 ** 30),
    maxIterations: parseInteger("--max-iterations", flags.maxIterations, 1, 2 ** 31 - 1),
    region,
  };
  mandelbrotJob(picture, 1); // refuses what the engine would refuse, before anything is measured
  const algorithms: Algorithm[] =
    flags.algorithm === undefined
      ? ["naive", "exact"]
      : [parseChoice("--algorithm", flags.algorithm, ["exact", "naive"])];
  const single = threads.every((count) => count === 1);
  const schedules: Schedule[] =
    flags.schedule === undefined
      ? single // one thread has nothing to divide
        ? ["dynamic"]
        : ["dynamic", "static"]
      : [parseChoice("--schedule", flags.schedule, ["dynamic", "static"])];
  return {
    threads: [...new Set([1, ...threads])],
    samples: parseInteger("--samples", flags.samples, 1, 10_000),
    workloads: algorithms.flatMap((algorithm) =>
      schedules.map((schedule): Workload => ({ ...picture, algorithm, schedule })),
    ),
  };
}

/** @returns The exit code: 130 or 143 after an interrupt, 1 if a count was wrong. */
export async function bench(flags: BenchFlags, io: Io, signal: AbortSignal): Promise<number> {
  const plan = readPlan(flags);
  checkWritable("--json", flags.json);
  checkWritable("--svg", flags.svg);

  const measured: Measured = {
    environment: readEnvironment(),
    memory: null,
    runs: [],
    counters: [],
    interrupted: false,
  };
  const say: (text: string) => void = flags.json === "-" || flags.svg === "-" ? () => {} : io.out;
  const save = (done: boolean) => {
    // After each run, so that a later failure loses nothing; stdout takes one report only, at the end.
    if (flags.json !== undefined && (done || flags.json !== "-")) writeJson(flags.json, reportOf(measured));
    if (flags.svg !== undefined && (done || flags.svg !== "-") && measured.runs.length > 0) {
      writeResult(flags.svg, chartOf(measured));
    }
  };
  say(conditions(measured.environment, plan));
  const progress = io.progress(
    plan.workloads.length * stepsOf(scalingPlan(plan, plan.workloads[0] as Workload, measured.environment)) + 3,
  );
  try {
    await measure(plan, measured, progress, signal, io.colors, (text) => {
      progress.pause(() => say(text));
      save(false);
    });
  } catch (error) {
    if (!(signal.reason instanceof Interrupt)) throw error;
  } finally {
    progress.stop();
    measured.interrupted = signal.aborted;
    save(true);
  }
  warnOfSteal(measured.environment, io);
  if (signal.reason instanceof Interrupt) {
    io.warn(`${signal.reason.message}: the report holds what was measured before`);
    return signal.reason.exitCode;
  }
  return measured.counters.some(isWrong) ? 1 : 0;
}

async function measure(
  plan: BenchPlan,
  measured: Measured,
  progress: Progress,
  signal: AbortSignal,
  colors: Colors,
  show: (text: string) => void,
): Promise<void> {
  const { usableCores } = measured.environment;
  progress.label("memory");
  measured.memory = await measureMemory(Math.max(...plan.threads));
  show(`memory: ${megabytes(measured.memory.perThreadBytes)} for each worker\n`);

  const serial = await SerialRunner.start();
  try {
    const engine = await createEngine({ threads: Math.max(...plan.threads) });
    try {
      for (const workload of plan.workloads) {
        if (signal.aborted) return;
        progress.label(`${workload.algorithm}, ${workload.schedule}`);
        const laboratory = laboratoryOf(serial);
        const scaling = scalingPlan(plan, workload, measured.environment);
        const run = await measureScaling(laboratory, engine, scaling, progress.step, signal);
        if (run === null) return;
        measured.runs.push(run);
        show(`${formatScaling(run, usableCores, colors)}\n`);
      }
    } finally {
      await engine.close();
    }
  } finally {
    await serial.close();
  }

  progress.label("counter");
  const engine = await createEngine({ threads: COUNTER.threads });
  try {
    for (const guard of ["lock", "atomic", "none"] as Guard[]) {
      const report = await measureCount(engine, { ...COUNTER, guard, signal });
      measured.counters.push(report);
      progress.step();
      show(formatCount(report));
    }
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
    expectedSha256: isReference(workload) ? REFERENCE_SHA256 : undefined,
  };
}

function isReference({ width, height, maxIterations, region }: Workload): boolean {
  const { reMin, reMax, imMin, imMax } = region;
  return (
    width === 1000 &&
    height === 1000 &&
    maxIterations === 1000 &&
    reMin === -2 &&
    reMax === 1 &&
    imMin === -1 &&
    imMax === 1
  );
}

/** What `threads` idle workers add to the program's resident memory, beside one that is there already. */
async function measureMemory(threads: number): Promise<Memory> {
  const first = await createEngine({ threads: 1 });
  const before = process.memoryUsage.rss();
  const engine = await createEngine({ threads });
  const after = process.memoryUsage.rss();
  await Promise.all([engine.close(), first.close()]);
  return { perThreadBytes: Math.max(0, Math.round((after - before) / threads)) };
}

/** The JSON report: one run, or the first of several with all of them in `runs`. */
function reportOf({ environment, memory, runs, counters, interrupted }: Measured): object {
  const common = { schema: "allcores.scaling/1", environment };
  const [first] = runs;
  return {
    ...common,
    ...first,
    ...(runs.length > 1 && { runs: runs.map((run) => ({ ...common, ...run })) }),
    memory,
    counters,
    interrupted,
  };
}

function conditions(environment: Environment, { threads, samples }: BenchPlan): string {
  const { runtime, version, cpu, logicalCores, usableCores, quota, timerResolutionMs } = environment;
  const cores = quota === null ? "" : `, CPU quota ${quota}`;
  return [
    `${cpu}, ${plural(logicalCores, "core")}, ${usableCores} usable${cores} · ${runtime} ${version} · ` +
      `timer ${(timerResolutionMs * 1e6).toFixed(0)} ns`,
    `${plural(samples, "sample")} a row, taken in turn over ${threads.join(", ")} threads and the serial build`,
  ].join("\n");
}

function chartOf({ environment, runs }: Measured): string {
  const { cpu, runtime, version, usableCores } = environment;
  const { width, height, maxIterations } = (runs[0] as ScalingRun).workload;
  return scalingChart({
    title: `allcores: ${width}×${height} Mandelbrot at ${maxIterations} iterations`,
    subtitle: `${cpu}, ${plural(usableCores, "usable core")} · ${runtime} ${version} · medians of ${runs[0]?.serial.samplesMs.length} samples`,
    usableCores,
    series: runs.map(({ workload, rows }) => ({
      name: `${workload.algorithm}, ${workload.schedule}`,
      rows: rows.map((row) => ({ ...row, spread: row.madMs / row.medianMs })),
    })),
  });
}

/** Says so if a hypervisor gave the processors' time to others while we measured. */
function warnOfSteal(before: Environment, io: Io): void {
  const after = readEnvironment();
  if (before.stealTicks === null || before.totalTicks === null) return;
  const stolen = (after.stealTicks ?? 0) - before.stealTicks;
  const total = (after.totalTicks ?? 0) - before.totalTicks;
  if (total > 0 && stolen / total >= STEAL_WARNING) {
    io.warn(
      `${percent(stolen / total)} of the processors' time went to other virtual machines: the times vary with it`,
    );
  }
}
