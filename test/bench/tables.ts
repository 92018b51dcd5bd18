// The reports for people.

import type { Colors } from "../../node/cli/io.ts";
import { table } from "../../node/cli/table.ts";
import type { Environment } from "../../node/environment.ts";
import { integer, megabytes, ms, percent, plural } from "../../src/bench/format.ts";
import type { Timing } from "../../src/bench/timing.ts";
import type { Skipped } from "./contenders/contender.ts";
import type { DispatchReport } from "./dispatch.ts";
import type { KernelReport, KernelRow } from "./kernel.ts";
import type { Target } from "./targets.ts";
import type { ThreadsReport } from "./threads.ts";
import type { View } from "./views.ts";

/** A share of the processors' time, below which a figure is not the engine's. */
const LEAST_CPU_SHARE = 0.9;

/** What every figure depends on. */
export function formatConditions(environment: Environment, samples: number): string {
  const { cpu, logicalCores, usableCores, quota, runtime, version, engine, loadAverage } = environment;
  return [
    `${cpu}, ${plural(logicalCores, "core")}, ${usableCores} usable${quota === null ? "" : `, CPU quota ${quota}`}`,
    `${runtime} ${version}${engine === null ? "" : ` (${engine})`}, load ${loadAverage?.toFixed(2) ?? "unknown"}`,
    `medians of ${plural(samples, "sample")} taken in turn, ± their median absolute deviation; less is better`,
  ].join("\n");
}

/** Part 1. */
export function formatKernels(report: KernelReport, colors: Colors): string {
  const [first] = report.views as [View, ...View[]];
  const rowsOf = (view: string) => report.rows.filter((row) => row.view === view);
  const naive = rowsOf(first.id).find(({ contender }) => contender === "naive-simd");
  const detail = (title: string, row: Timing & { iterationsPerSecond: number }, variant: string | null) => [
    title,
    ms(row.medianMs),
    spread(row),
    String(row.samplesMs.length),
    `${(row.iterationsPerSecond / 1e9).toFixed(2)} G/s`,
    naive ? (naive.medianMs / row.medianMs).toFixed(2) : "",
    variant ?? "",
  ];
  const order = rowsOf(first.id).toSorted((a, b) => a.medianMs - b.medianMs);
  return [
    colors.bold(`One thread, ${describe(first)}`),
    report.compiler === null ? "no C compiler" : `${report.compiler.command}: ${report.compiler.version}`,
    body(
      ["", "median", "± MAD", "samples", "iterations", "× naive", "way"],
      [
        ...order.map((row) => detail(row.title, row, row.variant)),
        ...report.ceilings.map((row) => detail(row.title, row, null)),
      ],
      colors,
    ),
    colors.dim(
      "  iterations: those of brute force a second, whoever skips some; the bare recurrence computes no counts",
    ),
    "",
    colors.bold("One thread, all views"),
    body(["", ...report.views.map(({ id }) => id)], matrix(report, order), colors),
    ...report.views.map((view) => colors.dim(`  ${view.id}: ${describe(view)}`)),
    colors.dim(
      `  ± at most ${percent(Math.max(...report.rows.map((row) => row.madMs / row.medianMs)))} in any of them`,
    ),
    ...formatSkipped(report.skipped, colors),
  ].join("\n");
}

/** A line a contender, a column a view. */
function matrix({ views, rows }: KernelReport, order: readonly KernelRow[]): string[][] {
  return order.map(({ contender, title }) => [
    title,
    ...views.map(({ id }) => {
      const row = rows.find((each) => each.contender === contender && each.view === id);
      return row ? short(row.medianMs) : "—";
    }),
  ]);
}

/** Part 2. */
export function formatThreads(report: ThreadsReport, usableCores: number, colors: Colors): string {
  const lines: string[][] = [];
  const counts = [...new Set(report.rows.map(({ threads }) => threads))];
  for (const threads of counts) {
    const here = report.rows.filter((row) => row.threads === threads);
    for (const id of new Set(here.map(({ alternative }) => alternative))) {
      const own = here.filter(({ alternative }) => alternative === id);
      const [{ title, peakBytes } = { title: "", peakBytes: null }] = own;
      lines.push([
        title,
        `${threads}${threads > usableCores ? " *" : ""}`,
        ...own.flatMap((row) => [ms(row.medianMs), spread(row), ms(row.cpuMs)]),
        peakBytes === null ? "—" : megabytes(peakBytes),
      ]);
    }
  }
  return [
    colors.bold(`The same kernel on several cores, ${describe(report.view)}`),
    body(["", "threads", "naive", "± MAD", "CPU", "exact", "± MAD", "CPU", "peak memory"], lines, colors),
    ...(counts.some((threads) => threads > usableCores)
      ? [colors.dim(`  * more threads than the ${plural(usableCores, "core")} that this process may use`)]
      : []),
    colors.dim("  from the call until the counts are in the caller's hands; peak: resident, over both algorithms"),
    "",
    colors.bold("exact on one worker of two, and on both"),
    body(
      ["", "one", "± MAD", "two", "± MAD", "efficiency", "± MAD", "processors"],
      report.efficiency.map(({ view, one, two, efficiency, cpuShare }) => [
        view,
        ...[ms(one.medianMs), spread(one), ms(two.medianMs), spread(two)],
        ...[percent(efficiency.ratio), percent(efficiency.mad), percent(cpuShare, 0)],
      ]),
      colors,
    ),
    colors.dim("  processors: the share of them that two workers got while they computed"),
    ...(report.efficiency.some(({ cpuShare }) => cpuShare < LEAST_CPU_SHARE)
      ? [colors.yellow("  the processors did something else as well: measure again when the machine is idle")]
      : []),
    ...formatSkipped(report.skipped, colors),
  ].join("\n");
}

/** Part 3. */
export function formatDispatch(report: DispatchReport, usableCores: number, colors: Colors): string {
  return [
    colors.bold(
      `An empty job to two workers, ${integer(report.jobs)} one after the other in a sample: a task for each; one task`,
    ),
    body(
      ["", "each", "± MAD", "p99", "one", "± MAD", "p99"],
      report.rows.map(({ title, median, p99Ms, single }) => [
        title,
        ...[µs(median.medianMs), spread(median), µs(p99Ms)],
        ...[µs(single.median.medianMs), spread(single.median), µs(single.p99Ms)],
      ]),
      colors,
    ),
    "",
    colors.bold("Cold start in a new process, until all workers are ready, and the memory that they add"),
    body(
      ["workers", "allcores", "± MAD", "bare", "± MAD", "ratio", "allcores", "bare", "ratio"],
      report.cold.map(({ threads, engine, bare, ratio, memory }) => [
        `${threads}${threads > usableCores ? " *" : ""}`,
        ms(engine.medianMs),
        spread(engine),
        ms(bare.medianMs),
        spread(bare),
        ratio.ratio.toFixed(2),
        megabytes(memory.engineBytes.medianBytes),
        megabytes(memory.bareBytes.medianBytes),
        memory.ratio.ratio.toFixed(2),
      ]),
      colors,
    ),
    colors.dim("  bare: workers that only say that they are ready"),
  ].join("\n");
}

export function formatTargets(targets: readonly Target[], colors: Colors): string {
  const verdict = ({ met }: Target) => (met === null ? "" : met ? colors.green("met") : colors.yellow("not met"));
  return [
    colors.bold("Targets"),
    body(
      ["", "target", "measured", "± MAD", "", "of"],
      targets.map((target) => [
        target.title,
        `${target.bound} ${target.value}`,
        target.measured?.ratio.toFixed(3) ?? "—",
        target.measured?.mad.toFixed(3) ?? "",
        verdict(target),
        target.note,
      ]),
      colors,
    ),
  ].join("\n");
}

function describe({ title, width, height, maxIterations }: View): string {
  return `${title}: ${integer(width)}×${integer(height)} at ${integer(maxIterations)} iterations`;
}

function formatSkipped(skipped: readonly Skipped[], colors: Colors): string[] {
  return skipped.map(({ title, reason }) => colors.yellow(`  skipped: ${title}: ${reason}`));
}

/** A table with a dim head. */
function body(head: string[], rows: string[][], colors: Colors): string {
  const [headLine = "", ...lines] = table(head, rows).split("\n");
  return [colors.dim(headLine), ...lines].join("\n");
}

function spread({ medianMs, madMs }: Timing): string {
  return percent(madMs / medianMs);
}

/** Milliseconds without their unit, for narrow columns. */
function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(3);
}

function µs(value: number): string {
  return `${(value * 1000).toFixed(1)} µs`;
}
