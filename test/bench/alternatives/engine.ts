// allcores itself, as it is published.

import type { EngineError, EngineOptions } from "../../../node/index.ts";
import { DIST } from "../paths.ts";
import { type Alternative, NO_CHILDREN, UnavailableError } from "./alternative.ts";

type Published = typeof import("../../../node/index.ts");

/** The published module. Not bundled: it finds its worker beside itself. */
export function importPublished(): Promise<Published> {
  return import(new URL("node.js", DIST).href);
}

/** `view`: the counts stay in the shared memory. */
export async function startEngine(
  threads: number,
  mode: "shared" | "isolated",
  output: "copy" | "view",
): Promise<Alternative> {
  const { createEngine } = await importPublished();
  const options = mode === "shared" ? { threads } : { threads, mode };
  const engine = await createEngine(options as EngineOptions).catch((error: EngineError) => {
    if (mode === "isolated" && error.code === "E_ARGUMENT") throw new UnavailableError("not in this build");
    throw error;
  });
  return {
    ...NO_CHILDREN,
    async render({ picture: { width, height, region, maxIterations }, algorithm }, threads = engine.threads) {
      const options = { width, height, region, maxIterations, algorithm, threads, output };
      const result = await engine.mandelbrot(options);
      const busyMs = result.workers.reduce((sum, worker) => sum + worker.busyMs, 0);
      return { counts: result.counts, busyMs, release: () => result.release() };
    },
    // A row of one pixel for each, which is its own to compute.
    nothing: (tasks) =>
      engine.mandelbrot({ width: 1, height: tasks, maxIterations: 1, schedule: "static", threads: tasks }),
    close: () => engine.close(),
  };
}
