// `allcores bench`: how rendering scales with threads, and whether a guarded count is exact.

import { chartSeries, scalingChart } from "../../src/bench/chart.ts";
import { isWrong } from "../../src/bench/counter.ts";
import { percent, plural } from "../../src/bench/format.ts";
import { type Measured, type ScalingRun, scalingReport, type Workload } from "../../src/bench/report.ts";
import { toXml } from "../../src/bench/svg.ts";
import type { Algorithm, Schedule } from "../../src/types.ts";
import { type Environment, readEnvironment, readTicks } from "../environment.ts";
import { type PictureFlags, parseChoice, parseInteger, parsePicture, parseThreadList } from "./flags.ts";
import { Interrupt } from "./interrupt.ts";
import { checkWritable, type Io, UsageError, writeJson, writeResult } from "./io.ts";
import { type BenchPlan, measure, totalSteps } from "./measure.ts";

export interface BenchFlags extends PictureFlags {
  threads: string;
  algorithm?: string;
  schedule?: string;
  samples: string;
  json?: string;
  svg?: string;
}

/** A share of the processors' time that others took, from which it is worth a warning. */
const STEAL_WARNING = 0.01;

function readPlan(flags: BenchFlags): BenchPlan {
  const threads = parseThreadList("--threads", flags.threads);
  const picture = parsePicture(flags);
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
  if (flags.json === "-" && flags.svg === "-")
    throw new UsageError('only one of "--json" and "--svg" can go to stdout');
  checkWritable("--json", flags.json);
  checkWritable("--svg", flags.svg);

  const measured: Measured<Environment> = {
    environment: readEnvironment(),
    memory: null,
    runs: [],
    builds: [],
    counters: [],
    interrupted: false,
  };
  const say: (text: string) => void = flags.json === "-" || flags.svg === "-" ? () => {} : io.out;
  const save = (done: boolean) => {
    // After each run, so that a later failure loses nothing; stdout takes one report only, at the end.
    if (flags.json !== undefined && (done || flags.json !== "-")) writeJson(flags.json, scalingReport(measured));
    if (flags.svg !== undefined && (done || flags.svg !== "-") && measured.runs.length > 0) {
      writeResult(flags.svg, chartOf(measured));
    }
  };
  say(conditions(measured.environment, plan));
  const progress = io.progress(totalSteps(plan, measured.environment));
  const show = (text: string) => {
    progress.pause(() => say(text));
    save(false);
  };
  try {
    await measure(plan, measured, { progress, colors: io.colors, show }, signal);
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

function conditions(environment: Environment, { threads, samples }: BenchPlan): string {
  const { runtime, version, cpu, logicalCores, usableCores, quota, timerResolutionMs } = environment;
  const cores = quota === null ? "" : `, CPU quota ${quota}`;
  return [
    `${cpu}, ${plural(logicalCores, "core")}, ${usableCores} usable${cores} · ${runtime} ${version} · ` +
      `timer ${(timerResolutionMs * 1e6).toFixed(0)} ns`,
    `${plural(samples, "sample")} a row, taken in turn over ${threads.join(", ")} threads and the serial build`,
  ].join("\n");
}

function chartOf({ environment, runs }: Measured<Environment>): string {
  const { cpu, runtime, version, usableCores } = environment;
  const { width, height, maxIterations } = (runs[0] as ScalingRun).workload;
  const chart = scalingChart({
    title: `allcores: ${width}×${height} Mandelbrot at ${maxIterations} iterations`,
    subtitle: `${cpu}, ${plural(usableCores, "usable core")} · ${runtime} ${version} · medians of ${runs[0]?.serial.samplesMs.length} samples`,
    usableCores,
    series: runs.map(chartSeries),
  });
  return toXml(chart);
}

/** Says so if a hypervisor gave the processors' time to others while we measured. */
function warnOfSteal(before: Environment, io: Io): void {
  const after = readTicks();
  if (before.stealTicks === null || before.totalTicks === null) return;
  const stolen = (after.stealTicks ?? 0) - before.stealTicks;
  const total = (after.totalTicks ?? 0) - before.totalTicks;
  if (total > 0 && stolen / total >= STEAL_WARNING) {
    io.warn(
      `${percent(stolen / total)} of the processors' time went to other virtual machines: the times vary with it`,
    );
  }
}
