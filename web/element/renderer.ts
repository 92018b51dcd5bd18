// What is computed, and when: pass after pass of the latest target, one job at a time. Knows no DOM.

import { type Escapes, type PaletteName, paint } from "../../src/colors.ts";
import type { Algorithm, Engine, MandelbrotResult, Progress, Region } from "../../src/types.ts";
import { type Band, bandGrid, bandsOf, firstStep, fromMiddle, gridOf, nextStep, type Step } from "./passes.ts";
import type { Grid, Size } from "./region.ts";

/** What is to be seen. */
export interface Target {
  view: Region;
  size: Size;
  maxIterations: number;
  algorithm: Algorithm;
  /** Most workers that take part; undefined: all. */
  threads: number | undefined;
  palette: PaletteName;
}

/** Where a pass is painted. */
export interface Sheet {
  readonly grid: Grid;
  /** Lets `fill` write the rows `first` … `first` + `rows` - 1, as RGBA words. */
  paint(first: number, rows: number, fill: (words: Uint32Array) => void): void;
}

/** What the renderer needs, and whom it tells. */
export interface Hooks<S extends Sheet> {
  engine(): Promise<Engine>;
  /** Whether a pass would show more of the target than is seen already. */
  needs(target: Target, step: Step): boolean;
  open(grid: Grid): S;
  /** A band of the sheet is painted, or all of it. `result` is what a finished picture shows. */
  show(sheet: S, isWhole: boolean, result: MandelbrotResult | undefined): void;
  started(target: Target): void;
  progressed(progress: Progress): void;
  /** `totalMs`: since it was started, with all passes and painting. */
  finished(target: Target, result: MandelbrotResult, engine: Engine, totalMs: number): void;
  aborted(): void;
  failed(error: unknown): void;
  /** Lets the page breathe. */
  pause(): Promise<void>;
  /** Milliseconds, monotonic. */
  now(): number;
}

/** Pixels that are coloured between two looks at the clock: a millisecond or so. */
const SLICE_PIXELS = 1 << 17;

/** Milliseconds of colouring without a pause. */
const SLICE_MS = 8;

/** A first look that has been running for less may end, though its target is not the latest: it is nearly there. */
const GRACE_MS = 50;

/** A finished picture, which may be coloured again. */
interface Finished {
  readonly grid: Grid;
  readonly result: MandelbrotResult;
}

interface Work {
  readonly target: Target;
  /** What was computed, if the target differs in its colours only. */
  readonly from: Finished | undefined;
}

interface Run {
  readonly controller: AbortController;
  readonly signal: AbortSignal;
  readonly begin: number;
  /** Whether its first pass runs, which is to take no longer than a frame. */
  isFirstLook: boolean;
}

export class Renderer<S extends Sheet> {
  readonly #hooks: Hooks<S>;
  #next: Work | undefined;
  #run: Run | undefined;
  #idle: Promise<void> | undefined;
  #finished: Finished | undefined;
  /** What the last finished picture took, and of which kind it was. */
  #cost: { perPixel: number; kind: string } | undefined;

  constructor(hooks: Hooks<S>) {
    this.#hooks = hooks;
  }

  /** Resolves when there is nothing left to do, whatever became of it; undefined if that is now. */
  get idle(): Promise<void> | undefined {
    return this.#idle;
  }

  /** Renders the target, instead of whatever is being rendered. */
  render(target: Target): void {
    this.#begin({ target, from: undefined });
  }

  /** As `render`, for a target that differs from the one before in its colours only. */
  recolor(target: Target): void {
    this.#begin({ target, from: this.#idle === undefined ? this.#finished : undefined });
  }

  /** Says that another target is about to come: what runs is aborted, unless it is a first look that is nearly there. */
  supersede(): void {
    const run = this.#run;
    if (run !== undefined && !(run.isFirstLook && this.#hooks.now() - run.begin < GRACE_MS)) run.controller.abort();
  }

  /** Stops at once. What is seen stays. */
  abort(): void {
    this.#next = undefined;
    this.#run?.controller.abort();
  }

  /** Stops, and gives the engine its memory back. */
  release(): void {
    this.abort();
    this.#finished?.result.release();
    this.#finished = undefined;
  }

  #begin(work: Work): void {
    this.#next = work;
    this.supersede();
    this.#idle ??= this.#drain();
  }

  async #drain(): Promise<void> {
    for (let work = this.#next; work !== undefined; work = this.#next) {
      this.#next = undefined;
      await this.#do(work);
    }
    this.#idle = undefined;
  }

  async #do({ target, from }: Work): Promise<void> {
    const hooks = this.#hooks;
    const controller = new AbortController();
    const run = { controller, signal: controller.signal, begin: hooks.now(), isFirstLook: false };
    this.#run = run;
    try {
      if (from !== undefined) {
        const sheet = hooks.open(from.grid);
        await this.#color(sheet, { first: 0, end: from.grid.height }, from.result, target.palette, run);
        hooks.show(sheet, true, from.result);
        return;
      }
      hooks.started(target);
      const [result, engine] = await this.#compute(target, run);
      this.#run = undefined; // what the page does when it hears of the end concerns what comes next
      hooks.finished(target, result, engine, hooks.now() - run.begin);
    } catch (error) {
      if (run.signal.aborted) {
        if (from === undefined) hooks.aborted();
      } else {
        this.#next = undefined; // it would fail as well
        hooks.failed(error);
      }
    } finally {
      this.#run = undefined;
    }
  }

  /** Pass after pass, down to the last. */
  async #compute(target: Target, run: Run): Promise<[MandelbrotResult, Engine]> {
    const hooks = this.#hooks;
    const engine = await hooks.engine();
    run.signal.throwIfAborted();
    // It is seen, but will not be coloured again, and its memory is as much as what comes needs.
    this.#finished?.result.release();
    this.#finished = undefined;

    const { size, maxIterations, algorithm, threads } = target;
    const pixels = size.width * size.height;
    const kind = [maxIterations, algorithm, threads, engine.threads, engine.mode].join();
    let wholeMs = this.#cost?.kind === kind ? this.#cost.perPixel * pixels : undefined;
    let measured = false;
    for (let step = firstStep(wholeMs); step > 1; step = nextStep(step, wholeMs ?? Number.POSITIVE_INFINITY)) {
      if (!hooks.needs(target, step)) continue;
      run.isFirstLook = !measured;
      const elapsedMs = await this.#preview(target, engine, step, measured ? wholeMs : undefined, run);
      run.isFirstLook = false;
      wholeMs = elapsedMs * step ** 2;
      measured = true;
      if (this.#next !== undefined) run.controller.abort();
      run.signal.throwIfAborted();
    }
    const grid = gridOf(target.view, size, 1);
    const sheet = hooks.open(grid);
    const result = await this.#job(target, engine, grid, run, (progress) => hooks.progressed(progress));
    try {
      await this.#color(sheet, { first: 0, end: grid.height }, result, target.palette, run);
    } catch (error) {
      result.release();
      throw error;
    }
    this.#cost = { perPixel: result.elapsedMs / pixels, kind };
    this.#finished = { grid, result };
    hooks.show(sheet, true, result);
    return [result, engine];
  }

  /** A pass that is not the last. Returns the milliseconds that its jobs took. */
  async #preview(target: Target, engine: Engine, step: Step, wholeMs: number | undefined, run: Run): Promise<number> {
    const grid = gridOf(target.view, target.size, step);
    const bands = bandsOf(grid.height, (wholeMs ?? 0) / step ** 2);
    const sheet = this.#hooks.open(grid);
    let elapsedMs = 0;
    for (const [index, band] of bands.entries()) {
      const result = await this.#job(target, engine, bandGrid(grid, band), run, undefined);
      try {
        await this.#color(sheet, band, result, target.palette, run);
      } finally {
        result.release();
      }
      elapsedMs += result.elapsedMs;
      this.#hooks.show(sheet, index === bands.length - 1, undefined);
    }
    return elapsedMs;
  }

  #job(
    { maxIterations, algorithm, threads = Number.POSITIVE_INFINITY }: Target,
    engine: Engine,
    { region, width, height }: Grid,
    { signal }: Run,
    onProgress: ((progress: Progress) => void) | undefined,
  ): Promise<MandelbrotResult> {
    return engine.mandelbrot({
      region,
      width,
      height,
      maxIterations,
      algorithm,
      threads: Math.min(threads, engine.threads),
      magnitudes: true,
      output: "view",
      signal,
      ...(onProgress && { onProgress }),
    });
  }

  /** Colours a band of a sheet from the middle outward, in slices, so that the page stays responsive. */
  async #color(sheet: Sheet, band: Band, result: MandelbrotResult, palette: PaletteName, run: Run): Promise<void> {
    const { width } = sheet.grid;
    const height = band.end - band.first;
    const rows = Math.max(1, Math.floor(SLICE_PIXELS / width));
    let since = this.#hooks.now();
    for (const slice of fromMiddle(Math.ceil(height / rows))) {
      if (this.#hooks.now() - since >= SLICE_MS) {
        await this.#hooks.pause();
        run.signal.throwIfAborted();
        since = this.#hooks.now();
      }
      const first = slice * rows;
      const end = Math.min(height, first + rows);
      sheet.paint(band.first + first, end - first, (words) => {
        paint(result as Escapes, palette, words, first * width, end * width);
      });
    }
  }
}
