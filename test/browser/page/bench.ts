// What the benchmark in browsers measures, in the page.

import { createEngine, type Engine, type Mode } from "allcores";
import { timeToAbort } from "./abort.ts";
import { longestPause } from "./pauses.ts";

/** The reference picture, and the iterations of a naive loop over it. */
const PICTURE = { width: 1000, height: 1000, maxIterations: 1000, algorithm: "naive" } as const;
const ITERATIONS = 257_988_727;

const engines = new Map<Mode, Engine>();

async function engineOf(mode: Mode): Promise<Engine> {
  const engine = engines.get(mode) ?? (await createEngine({ mode }));
  engines.set(mode, engine);
  return engine;
}

/** All of them return milliseconds, as the page sees them. */
const bench = {
  /** Renders the reference picture. */
  async render(mode: Mode, threads: number): Promise<number> {
    const engine = await engineOf(mode);
    const begin = performance.now();
    const { workers } = await engine.mandelbrot({ ...PICTURE, threads });
    const ms = performance.now() - begin;
    const iterations = workers.reduce((sum, worker) => sum + worker.iterations, 0);
    if (iterations !== ITERATIONS) throw new Error(`${mode}: ${iterations} iterations instead of ${ITERATIONS}`);
    return ms;
  },
  /** Aborts a long render. */
  async abort(mode: Mode): Promise<number> {
    return timeToAbort(await engineOf(mode));
  },
  /** The longest task of the main thread in a render with all workers. */
  async pause(mode: Mode): Promise<number> {
    const engine = await engineOf(mode);
    return longestPause(() => engine.mandelbrot(PICTURE));
  },
};

export type Bench = typeof bench;

Object.assign(globalThis, { bench });
