// A scaling run for people.

import type { BuildsReport } from "../../src/bench/builds.ts";
import { integer, ms, percent, plural } from "../../src/bench/format.ts";
import type { ScalingRow, ScalingRun, Workload } from "../../src/bench/report.ts";
import type { Colors } from "./io.ts";
import { table } from "./table.ts";

export function workloadLine({ width, height, maxIterations, region, algorithm, schedule }: Workload): string {
  const { reMin, reMax, imMin, imMax } = region;
  return (
    `${algorithm}, ${schedule}: ${integer(width)}×${integer(height)} at ${integer(maxIterations)} iterations, ` +
    `re ${reMin} … ${reMax}, im ${imMin} … ${imMax}`
  );
}

/** The table, what is behind it, and the verdict. */
export function formatScaling(run: ScalingRun, usableCores: number, colors: Colors): string {
  const { serial, rows, cold, costOfThreads } = run;
  const head = ["threads", "median", "± MAD", "speedup", "efficiency", "busy", "Karp–Flatt", "ceiling"];
  const body = [
    ["serial", ms(serial.medianMs), spread(serial), "", "", "", "", ""],
    ...rows.map((row) => [
      `${row.threads}${row.oversubscribed ? " *" : ""}`,
      ms(row.medianMs),
      spread(row),
      `${row.speedup.toFixed(2)}×`,
      percent(row.efficiency),
      percent(row.busyShare),
      row.karpFlatt === null ? "" : row.karpFlatt.toFixed(3),
      `${row.ceiling.toFixed(2)}×`,
    ]),
  ];
  const [headLine = "", ...lines] = table(head, body).split("\n");
  const notes = [
    `counts SHA-256 ${run.countsSha256}, the same in every row and sample`,
    `serial: the same kernel without threads; one worker is ${difference(costOfThreads)}`,
  ];
  if (rows.some((row) => row.oversubscribed)) {
    notes.unshift(`* more threads than the ${plural(usableCores, "core")} that this process may use`);
  }
  if (cold !== null) {
    notes.push(
      `cold start: ${plural(cold.threads, "worker")} ready in ${ms(cold.spawnMs)}, once in a program a warm-up of ` +
        `${ms(cold.warmUpMs)}, then the first picture in ` +
        `${ms(cold.firstResultMs)}${warmOf(rows, cold.threads)}`,
    );
  }
  return [
    colors.bold(workloadLine(run.workload)),
    colors.dim(headLine),
    ...lines,
    ...notes.map((note) => colors.dim(`  ${note}`)),
    colors.bold(run.verdict),
  ].join("\n");
}

/** One line: what SIMD is worth. */
export function formatBuilds({ algorithm, simd, scalar, ratio }: BuildsReport): string {
  return (
    `${algorithm}, one worker: SIMD build ${ms(simd.medianMs)}, scalar build ${ms(scalar.medianMs)}; ` +
    `SIMD is ${ratio.toFixed(2)} times as fast`
  );
}

function spread({ medianMs, madMs }: { medianMs: number; madMs: number }): string {
  return percent(madMs / medianMs);
}

function difference(fraction: number): string {
  if (Math.abs(fraction) < 0.0005) return "as fast";
  return `${percent(Math.abs(fraction))} ${fraction > 0 ? "slower" : "faster"}`;
}

function warmOf(rows: ScalingRow[], threads: number): string {
  const warm = rows.find((row) => row.threads === threads);
  return warm === undefined ? "" : ` (warm: ${ms(warm.medianMs)})`;
}
