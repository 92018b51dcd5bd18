// Part 2: the same kernel on several cores, by the engine and by its alternatives.

import { plural } from "../../src/bench/format.ts";
import { median } from "../../src/bench/statistics.ts";
import { type Timing, timing } from "../../src/bench/timing.ts";
import type { Algorithm } from "../../src/types.ts";
import { ALTERNATIVES, type AlternativeId, UnavailableError } from "./alternatives/alternative.ts";
import { AlternativeProcess } from "./alternatives/parent.ts";
import type { Skipped } from "./contenders/contender.ts";
import { interleave, type Ratio, ratioOf } from "./sampling.ts";
import { checkCounts, pictureOf, type View } from "./views.ts";

export interface ThreadsPlan {
  view: View;
  /** For the efficiency of two workers, beside `view`. */
  large: View;
  threads: readonly number[];
  samples: number;
  kernel: URL;
}

/** What an alternative with so many workers took. */
export interface ThreadsRow extends Timing {
  alternative: AlternativeId;
  title: string;
  threads: number;
  algorithm: Algorithm;
  /** Processor time of a rendering, over all processes and threads; the median. */
  cpuMs: number;
  /** The most memory that the alternative ever had, with any algorithm; null where the platform does not say. */
  peakBytes: number | null;
  countsSha256: string;
}

/** How well the engine uses two workers. */
export interface EfficiencyRow {
  view: string;
  one: Timing;
  two: Timing;
  /** The time of one worker by twice that of two. */
  efficiency: Ratio;
  /**
   * Processor time that two workers got, as a share of the time that they were in chunks; the median. Well below 1, the
   * processors did something else meanwhile, and the efficiency is not the engine's.
   */
  cpuShare: number;
}

export interface ThreadsReport {
  view: View;
  rows: ThreadsRow[];
  skipped: Skipped[];
  /** Of `exact`. */
  efficiency: EfficiencyRow[];
}

const COMPARED: readonly AlternativeId[] = [
  "shared",
  "view",
  "isolated",
  "piscina",
  "tinypool",
  "workerpool",
  "processes",
];

const ALGORITHMS: readonly Algorithm[] = ["naive", "exact"];

/** Renders of each algorithm before the samples: by then the optimising compiler has the kernel in every worker. */
const WARM_UPS = 3;

/**
 * Measures every alternative with every number of threads.
 *
 * @throws {WrongCountsError} If anybody computed other counts than the view has.
 */
export async function measureThreads(plan: ThreadsPlan, onStep: (title: string) => void): Promise<ThreadsReport> {
  const report: ThreadsReport = { view: plan.view, rows: [], skipped: [], efficiency: [] };
  for (const threads of plan.threads) {
    onStep(`${plural(threads, "thread")} and the alternatives`);
    const { rows, skipped } = await measureCount(plan, threads);
    report.rows.push(...rows);
    if (threads === plan.threads[0]) report.skipped.push(...skipped);
  }
  onStep("efficiency of two workers");
  report.efficiency = await measureEfficiency(plan);
  return report;
}

/** Measures all alternatives with one number of threads. */
async function measureCount(plan: ThreadsPlan, threads: number): Promise<{ rows: ThreadsRow[]; skipped: Skipped[] }> {
  const processes: AlternativeProcess[] = [];
  const skipped: Skipped[] = [];
  try {
    for (const id of COMPARED) {
      try {
        processes.push(await AlternativeProcess.start(id, threads, plan.kernel));
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        skipped.push({ id, title: ALTERNATIVES[id], reason: error.message });
      }
    }
    const series = processes.flatMap((process) =>
      ALGORITHMS.map((algorithm) => new Series(process, algorithm, plan.view)),
    );
    for (let warmUp = 0; warmUp < WARM_UPS; warmUp++) for (const each of series) await each.warmUp();
    await interleave(
      series.map((each) => ({ samples: plan.samples, sample: () => each.sample() })),
      plan.samples,
    );
    const rows: ThreadsRow[] = [];
    for (const each of series) rows.push(await each.row());
    return { rows, skipped };
  } finally {
    await Promise.all(processes.map((process) => process.close()));
  }
}

/** The samples of one row. */
class Series {
  readonly #process: AlternativeProcess;
  readonly #algorithm: Algorithm;
  readonly #view: View;
  readonly #ms: number[] = [];
  readonly #cpuMs: number[] = [];

  constructor(process: AlternativeProcess, algorithm: Algorithm, view: View) {
    this.#process = process;
    this.#algorithm = algorithm;
    this.#view = view;
  }

  async warmUp(): Promise<void> {
    await this.#render();
  }

  async sample(): Promise<void> {
    const { elapsedMs, cpuMs } = await this.#render();
    this.#ms.push(elapsedMs);
    this.#cpuMs.push(cpuMs);
  }

  async row(): Promise<ThreadsRow> {
    const { id, threads } = this.#process;
    return {
      alternative: id,
      title: ALTERNATIVES[id],
      threads,
      algorithm: this.#algorithm,
      ...timing(this.#ms),
      cpuMs: median(this.#cpuMs),
      peakBytes: await this.#process.peakBytes(),
      countsSha256: this.#view.sha256,
    };
  }

  async #render(): Promise<{ elapsedMs: number; cpuMs: number }> {
    const run = await this.#process.render({ picture: pictureOf(this.#view), algorithm: this.#algorithm });
    checkCounts(this.#view, run.sha256, ALTERNATIVES[this.#process.id]);
    return run;
  }
}

/** An engine of two workers renders with one of them and with both, in turn. */
async function measureEfficiency({ view, large, samples, kernel }: ThreadsPlan): Promise<EfficiencyRow[]> {
  const engine = await AlternativeProcess.start("view", 2, kernel);
  const rows: EfficiencyRow[] = [];
  try {
    for (const each of [view, large]) {
      const render = async (threads: number) => {
        const run = await engine.render({ picture: pictureOf(each), algorithm: "exact" }, threads);
        checkCounts(each, run.sha256, `${ALTERNATIVES.view}, ${plural(threads, "thread")}`);
        return run;
      };
      for (let warmUp = 0; warmUp < WARM_UPS; warmUp++) await render(2);
      const one: number[] = [];
      const two: number[] = [];
      const cpuShares: number[] = [];
      await interleave(
        [
          { samples, sample: async () => void one.push((await render(1)).elapsedMs) },
          {
            samples,
            async sample() {
              const { elapsedMs, cpuMs, busyMs } = await render(2);
              two.push(elapsedMs);
              cpuShares.push(cpuMs / (busyMs as number));
            },
          },
        ],
        samples,
      );
      const efficiency = ratioOf(
        one,
        two.map((ms) => 2 * ms),
      );
      rows.push({ view: each.id, one: timing(one), two: timing(two), efficiency, cpuShare: median(cpuShares) });
    }
  } finally {
    await engine.close();
  }
  return rows;
}
