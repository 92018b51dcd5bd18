// The command line's benchmark in this browser: plan, run, table, chart, timeline, report.

import { createEngine, type Engine } from "allcores";
import { type ChartInput, chartSeries, LIGHT_COLORS, scalingChart } from "../../src/bench/chart.ts";
import { growForClock } from "../../src/bench/clock.ts";
import { integer, ms, percent, plural } from "../../src/bench/format.ts";
import { expectedSha256, REFERENCE } from "../../src/bench/reference.ts";
import { type Measured, type ScalingRun, scalingReport, type Workload } from "../../src/bench/report.ts";
import { measureScaling, type ScalingPlan, type Step, stepsOf } from "../../src/bench/scaling.ts";
import { median, relativeSpread } from "../../src/bench/statistics.ts";
import { type SvgNode, toXml } from "../../src/bench/svg.ts";
import type { Algorithm, ChunkReport, Schedule } from "../../src/types.ts";
import { integerOf, wordOf } from "./address.ts";
import { drawSvg } from "./canvas.ts";
import { chartColors } from "./chart-colors.ts";
import { byId, choose, chosen, element, svgElement } from "./dom.ts";
import { pageEngine, sentenceOf } from "./engine.ts";
import { type PageEnvironment, readEnvironment, timerResolutionMs, timerText } from "./environment.ts";
import { copy, save } from "./files.ts";
import { CAN_HASH, createLaboratory } from "./laboratory.ts";
import { isDark, onTheme } from "./theme.ts";
import { timeline } from "./timeline.ts";
import { workerColor } from "./workers.ts";

const MOST_THREADS = 64;
const DEFAULT_SAMPLES = 5;

/** What is to be measured. */
interface Choice {
  algorithm: Algorithm;
  schedule: Schedule | "both";
  max: number;
  samples: number;
}

/** A sample of some threads. */
interface Sample {
  elapsedMs: number;
  chunks: readonly ChunkReport[];
}

/** The part of the table that belongs to a schedule, and what was measured for it. */
interface Group {
  schedule: Schedule;
  body: HTMLTableSectionElement;
  /** By threads; 0 is the serial build. */
  rows: Map<number, HTMLTableRowElement>;
  samples: Map<number, Sample[]>;
  run: ScalingRun | undefined;
  verdict: HTMLElement;
}

/** Cells behind that of the threads. */
const COLUMNS = ["median", "spread", "speedup", "efficiency", "busy", "karpFlatt", "ceiling", "counts"] as const;

export class Scaling {
  readonly #form = byId<HTMLFormElement>("scaling-form");
  /** Cores, before the engine is there: what the browser says. */
  #cores = navigator.hardwareConcurrency || 1;
  /** Most threads that can be measured here: one where there are no workers. */
  #most = MOST_THREADS;
  #groups: Group[] = [];
  #measured: Measured<PageEnvironment> | undefined;
  #workload: Workload | undefined;
  #running: AbortController | undefined;

  constructor(changed: () => void) {
    this.#listMaxima();
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run();
    });
    this.#form.addEventListener("change", () => {
      this.#clear();
      changed();
    });
    byId("scaling-cancel").addEventListener("click", () => this.#running?.abort());
    byId("timeline-threads").addEventListener("change", () => this.#drawTimeline());
    byId("json-copy").addEventListener("click", async () => this.#say(await copy(this.#json(), "Report")));
    byId("json-save").addEventListener("click", () =>
      this.#save("allcores-scaling.json", new Blob([this.#json()], { type: "application/json" })),
    );
    byId("svg-save").addEventListener("click", () =>
      this.#save("allcores-scaling.svg", new Blob([toXml(this.#chartFile())], { type: "image/svg+xml" })),
    );
    byId("chart-png").addEventListener("click", () => {
      drawSvg(this.#chartFile(), 2).toBlob((blob) => {
        if (blob !== null) this.#save("allcores-scaling.png", blob);
      });
    });
    // A chart is as wide as the page, to the pixel; the first call comes when the view is first seen.
    new ResizeObserver(() => this.#draw()).observe(byId("scaling-chart"));
    // What scrolls has to be reached by keyboard; what does not is no stop.
    const figures = byId("scaling-figures");
    new ResizeObserver(() => {
      if (figures.scrollWidth > figures.clientWidth) figures.tabIndex = 0;
      else figures.removeAttribute("tabindex");
    }).observe(figures);
    onTheme(() => this.#draw());
  }

  get parameters(): Record<string, string | undefined> {
    const { algorithm, schedule, max, samples } = this.#choice();
    return {
      algorithm: algorithm === "naive" ? undefined : algorithm,
      schedule: schedule === "both" ? undefined : schedule,
      threads: max === this.#defaultMax() ? undefined : `${max}`,
      samples: samples === DEFAULT_SAMPLES ? undefined : `${samples}`,
    };
  }

  apply(parameters: URLSearchParams): void {
    if (this.#running !== undefined) return; // what runs is what is shown
    const control = (name: string) => this.#form.elements.namedItem(name) as HTMLSelectElement;
    choose(control("algorithm"), wordOf(parameters, "algorithm", ["naive", "exact"]) ?? "naive");
    choose(control("schedule"), wordOf(parameters, "schedule", ["both", "dynamic", "static"]) ?? "both");
    choose(control("max"), `${this.#defaultMax()}`);
    choose(control("max"), `${integerOf(parameters, "threads", 1, MOST_THREADS) ?? ""}`);
    choose(control("samples"), `${DEFAULT_SAMPLES}`);
    choose(control("samples"), `${integerOf(parameters, "samples", 1, 100) ?? ""}`);
    this.#clear();
  }

  /** Says what will be measured with, or why nothing can be. */
  async start(): Promise<void> {
    const conditions = byId("scaling-conditions");
    try {
      const engine = await pageEngine();
      this.#cores = engine.cores;
      if (engine.mode === "single") this.#most = 1;
      conditions.textContent = conditionsOf(engine);
      if (engine.mode !== "shared") byId("scaling-said").textContent = engine.modeReason.message;
    } catch (error) {
      conditions.textContent = `Nothing can be measured here. ${sentenceOf(error)}`;
      byId<HTMLButtonElement>("scaling-run").disabled = true;
    }
  }

  // ── The choice ──

  #choice(): Choice {
    const data = new FormData(this.#form);
    // Controls that are disabled while it runs are in no form data.
    const value = (name: string) =>
      String(data.get(name) ?? (this.#form.elements.namedItem(name) as HTMLSelectElement).value);
    return {
      algorithm: value("algorithm") as Algorithm,
      schedule: value("schedule") as Choice["schedule"],
      max: Number(value("max")),
      samples: Number(value("samples")),
    };
  }

  #defaultMax(): number {
    return Math.min(MOST_THREADS, Math.max(4, this.#cores));
  }

  /** Powers of two up to twice the cores, and the cores. */
  #listMaxima(): void {
    const maxima = new Set([1, 2, 4, 8, this.#cores, this.#defaultMax()]);
    for (let threads = 16; threads <= 2 * this.#cores; threads *= 2) maxima.add(threads);
    const list = [...maxima].filter((threads) => threads <= MOST_THREADS).sort((a, b) => a - b);
    byId<HTMLSelectElement>("scaling-max").replaceChildren(
      ...list.map((threads) => element("option", { value: `${threads}`, textContent: `${threads}` })),
    );
  }

  /** 1, 2, 4 … up to the most, and as many as there are cores. */
  #threads(): number[] {
    const max = Math.min(this.#choice().max, this.#most);
    const threads = new Set([1, max]);
    for (let count = 2; count < max; count *= 2) threads.add(count);
    if (this.#cores < max) threads.add(this.#cores);
    return [...threads].sort((a, b) => a - b);
  }

  // ── The table ──

  /** Shows the choice, with nothing measured: whatever comes has its place already. */
  #clear(): void {
    const { algorithm, schedule } = this.#choice();
    const schedules: Schedule[] = schedule === "both" ? ["dynamic", "static"] : [schedule];
    const table = document.querySelector(".figures") as HTMLTableElement;
    for (const group of this.#groups) group.body.remove();
    this.#measured = undefined;
    this.#workload = undefined;
    this.#groups = schedules.map((each) => {
      const body = element("tbody");
      const rows = new Map<number, HTMLTableRowElement>();
      const head = element("tr", { className: "group" });
      head.append(
        element("th", { scope: "rowgroup", colSpan: COLUMNS.length + 1, textContent: `${algorithm}, ${each}` }),
      );
      body.append(head);
      for (const threads of [0, ...this.#threads()]) {
        const name = threads === 0 ? "serial" : `${threads}${threads > this.#cores ? " *" : ""}`;
        const row = element("tr", { className: threads > this.#cores ? "beyond" : "" });
        row.append(
          element("th", { scope: "row", textContent: name }),
          ...COLUMNS.map((column) =>
            element("td", {
              textContent: threads === 0 && !["median", "spread", "counts"].includes(column) ? "" : "–",
            }),
          ),
        );
        rows.set(threads, row);
        body.append(row);
      }
      table.append(body);
      const verdict = element("span", { textContent: "not measured yet." });
      return { schedule: each, body, rows, samples: new Map<number, Sample[]>(), run: undefined, verdict };
    });
    byId("scaling-verdicts").replaceChildren(
      ...this.#groups.map(({ schedule: each, verdict }) =>
        element("p", {}, element("b", { textContent: `${algorithm}, ${each}: ` }), verdict),
      ),
    );
    this.#setExports(false);
    this.#listTimelines();
    this.#draw();
  }

  #showSample(group: Group, threads: number): void {
    const times = (of: number) => group.samples.get(of)?.map(({ elapsedMs }) => elapsedMs) ?? [];
    const mine = times(threads);
    const one = times(1);
    const medianMs = median(mine);
    const gained = one.length === 0 || threads === 0 ? undefined : median(one) / medianMs;
    fill(group.rows.get(threads), {
      median: ms(medianMs),
      spread: percent(relativeSpread(mine)),
      ...(gained !== undefined && {
        speedup: `${gained.toFixed(2)}×`,
        efficiency: percent(gained / threads),
      }),
      counts: `✓ ${mine.length}`,
    });
  }

  #showRun(group: Group, run: ScalingRun): void {
    group.run = run;
    const counts = `✓ ${run.countsSha256.slice(0, 8)}`;
    fill(group.rows.get(0), {
      median: ms(run.serial.medianMs),
      spread: percent(run.serial.madMs / run.serial.medianMs),
      counts,
    });
    for (const row of run.rows) {
      fill(group.rows.get(row.threads), {
        median: ms(row.medianMs),
        spread: percent(row.madMs / row.medianMs),
        speedup: `${row.speedup.toFixed(2)}×`,
        efficiency: percent(row.efficiency),
        busy: percent(row.busyShare),
        karpFlatt: row.karpFlatt === null ? "" : row.karpFlatt.toFixed(3),
        ceiling: `${row.ceiling.toFixed(2)}×`,
        counts,
      });
    }
    for (const row of group.rows.values()) {
      const cell = row.lastElementChild as HTMLTableCellElement;
      cell.className = "good";
      cell.title = run.countsSha256;
    }
    group.verdict.textContent = run.verdict;
    this.#draw();
  }

  // ── The run ──

  async #run(): Promise<void> {
    if (this.#running !== undefined) return;
    const running = new AbortController();
    const { signal } = running;
    this.#running = running;
    this.#clear();
    this.#setRunning(true);
    const choice = this.#choice();
    const threads = this.#threads();
    const most = threads.at(-1) as number;
    let engine: Engine | undefined;
    let laboratory: Awaited<ReturnType<typeof createLaboratory>> | undefined;
    let said = "";
    try {
      this.#progress(0, "Starting …");
      engine = await createEngine({ threads: most });
      laboratory = await createLaboratory(signal);
      const environment = readEnvironment(engine);
      this.#measured = { environment, memory: null, runs: [], builds: [], counters: [], interrupted: false };
      const workload = await this.#fit(
        engine,
        { ...REFERENCE, algorithm: choice.algorithm, schedule: "dynamic" },
        signal,
      );
      this.#workload = workload;
      const plans = this.#groups.map(({ schedule }): ScalingPlan => {
        const { quota, loadAverage } = environment;
        return {
          workload: { ...workload, schedule },
          threads,
          samples: choice.samples,
          usableCores: this.#cores,
          quota,
          loadAverage,
          expectedSha256: CAN_HASH ? expectedSha256(workload) : undefined,
        };
      });
      const total = plans.reduce((sum, plan) => sum + stepsOf(plan), 0);
      let done = 0;
      for (const [index, plan] of plans.entries()) {
        const group = this.#groups[index] as Group;
        const onStep = (step: Step) => {
          this.#progress(++done / total, `${plan.workload.algorithm}, ${group.schedule}: ${phase(step)}`);
          if (step.kind === "sample") this.#addSample(group, step);
        };
        const run = await measureScaling(laboratory, engine, plan, onStep, signal);
        if (run !== null) {
          this.#measured.runs.push(run);
          this.#showRun(group, run);
        }
        signal.throwIfAborted();
      }
      said = `Done. ${this.#remark(workload, environment)}`;
    } catch (error) {
      said = signal.aborted ? "Cancelled; what was measured before is kept." : sentenceOf(error);
      if (this.#measured !== undefined) this.#measured.interrupted = true;
    } finally {
      laboratory?.close();
      await engine?.close();
      this.#running = undefined;
      this.#setRunning(false);
      this.#setExports((this.#measured?.runs.length ?? 0) > 0);
      this.#progress(signal.aborted ? 0 : 1, said);
      this.#draw();
    }
  }

  /** The workload, grown until this browser's clock is fine enough for it. */
  async #fit(engine: Engine, workload: Workload, signal: AbortSignal): Promise<Workload> {
    this.#progress(0, "Is the clock fine enough?");
    return growForClock(workload, timerResolutionMs(), async (grown) => {
      const threads = Math.min(engine.threads, this.#cores);
      const result = await engine.mandelbrot({ ...grown, threads, output: "view", signal });
      result.release();
      return result.elapsedMs;
    });
  }

  #addSample(group: Group, { threads, elapsedMs, chunks }: Extract<Step, { kind: "sample" }>): void {
    const samples = group.samples.get(threads) ?? [];
    samples.push({ elapsedMs, chunks: chunks() });
    group.samples.set(threads, samples);
    this.#showSample(group, threads);
    if (samples.length === 1) this.#drawTimeline();
  }

  #remark({ width, height, maxIterations }: Workload, { timerResolutionMs }: PageEnvironment): string {
    const size = `${integer(width)}×${integer(height)} at ${integer(maxIterations)} iterations`;
    const grown = width > REFERENCE.width ? `, grown for a clock with ${timerText(timerResolutionMs)}` : "";
    if (!CAN_HASH) return `${size}${grown}; all counts alike. Without https a page may not compute SHA-256.`;
    const checked = grown === "" ? "all counts as CPython computed them" : "all counts alike, by SHA-256";
    return `${size}${grown}; ${checked}.`;
  }

  // ── What is drawn ──

  #draw(): void {
    const figure = byId("scaling-chart");
    if (figure.clientWidth === 0) return; // not in view; the observer calls when it is
    const style = { colors: chartColors(), width: figure.clientWidth, standalone: false };
    figure.replaceChildren(svgElement(scalingChart(this.#chart(), style)));
    this.#drawTimeline();
  }

  #chart(): ChartInput {
    const { algorithm } = this.#choice();
    const { width, height, maxIterations } = this.#workload ?? REFERENCE;
    const environment = this.#measured?.environment;
    const conditions = environment && [
      environment.version,
      environment.platform,
      plural(this.#cores, "core"),
      `${environment.mode} mode`,
      `clock with ${timerText(environment.timerResolutionMs)}`,
      `medians of ${plural(this.#choice().samples, "sample")}`,
    ];
    return {
      title: `allcores: ${width}×${height} Mandelbrot at ${maxIterations} iterations`,
      subtitle: conditions?.join(" · ") ?? "",
      usableCores: this.#cores,
      planned: this.#threads(),
      series: this.#groups.map(({ schedule, run }) =>
        run === undefined ? { name: `${algorithm}, ${schedule}`, rows: [] } : chartSeries(run),
      ),
    };
  }

  /** For paper: light, with title and conditions. */
  #chartFile(): SvgNode {
    return scalingChart(this.#chart(), { colors: LIGHT_COLORS, width: 960, standalone: true });
  }

  #listTimelines(): void {
    const group = byId("timeline-threads");
    const before = chosen(group);
    const threads = this.#threads();
    group.replaceChildren(
      ...threads.map((count) => {
        const input = element("input", { type: "radio", name: "lanes", value: `${count}` });
        input.setAttribute("aria-label", plural(count, "thread"));
        return element("label", {}, input, element("span", { textContent: `${count}` }));
      }),
    );
    const preferred = threads.filter((count) => count <= this.#cores).at(-1) ?? 1;
    choose(group, before !== undefined && threads.includes(Number(before)) ? before : `${preferred}`);
  }

  #drawTimeline(): void {
    const figure = byId("scaling-timeline");
    if (figure.clientWidth === 0) return;
    const threads = Number(chosen(byId("timeline-threads")) ?? 1);
    const { ink, muted, shade } = chartColors();
    const entries = this.#groups.map(({ schedule, samples }) => ({
      name: schedule,
      picture: middle(samples.get(threads) ?? []),
    }));
    const color = (thread: number) => workerColor(thread, isDark());
    const style = { width: figure.clientWidth, ink, muted, lane: shade, color };
    figure.replaceChildren(svgElement(timeline(entries, threads, style)));
  }

  // ── The rest ──

  #setRunning(on: boolean): void {
    for (const control of this.#form.querySelectorAll<HTMLSelectElement | HTMLButtonElement>("select, button")) {
      control.disabled = on;
    }
    const cancel = byId<HTMLButtonElement>("scaling-cancel");
    cancel.disabled = !on;
    // The focus stays where something can be done.
    (on ? cancel : byId("scaling-run")).focus({ preventScroll: true });
    byId("scaling-done").textContent = "";
  }

  #setExports(on: boolean): void {
    for (const id of ["json-copy", "json-save", "svg-save", "chart-png"]) byId<HTMLButtonElement>(id).disabled = !on;
  }

  #progress(share: number, text: string): void {
    byId<HTMLProgressElement>("scaling-progress").value = share;
    byId("scaling-said").textContent = text;
  }

  #json(): string {
    return this.#measured === undefined ? "" : `${JSON.stringify(scalingReport(this.#measured), null, 2)}\n`;
  }

  #save(name: string, content: Blob): void {
    save(name, content);
    this.#say(`${name} saved.`);
  }

  #say(text: string): void {
    byId("scaling-done").textContent = text;
  }
}

function conditionsOf({ mode, cores, build }: Engine): string {
  return [
    `${mode} mode`,
    plural(cores, "core"),
    build === "simd" ? "SIMD kernel" : "scalar kernel",
    `clock with ${timerText(timerResolutionMs())}`,
  ].join(" · ");
}

function phase(step: Step): string {
  if (step.kind === "cold") return "a new engine’s first picture";
  if (step.kind === "warm-up") return "warming up";
  if (step.kind !== "sample") return "what each chunk costs";
  return step.threads === 0 ? "serial build" : plural(step.threads, "thread");
}

function fill(row: HTMLTableRowElement | undefined, values: Partial<Record<(typeof COLUMNS)[number], string>>): void {
  COLUMNS.forEach((column, index) => {
    const cell = row?.cells[index + 1];
    if (cell !== undefined && values[column] !== undefined) cell.textContent = values[column];
  });
}

/** The sample nearest to the median. */
function middle(samples: readonly Sample[]): Sample | undefined {
  if (samples.length === 0) return undefined;
  const middleMs = median(samples.map(({ elapsedMs }) => elapsedMs));
  return samples.reduce((best, sample) =>
    Math.abs(sample.elapsedMs - middleMs) < Math.abs(best.elapsedMs - middleMs) ? sample : best,
  );
}
