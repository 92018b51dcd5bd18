// How long an abort takes.

import type { Engine, MandelbrotOptions } from "allcores";

/** Long enough to be interrupted: minutes. */
export const LONG: MandelbrotOptions = { width: 4000, height: 4000, maxIterations: 50_000, algorithm: "naive" };

/**
 * Aborts a render of minutes when some of it is done, and returns the milliseconds until every worker has left it, which is
 * when it rejects. Rejects as it does, if not with `E_ABORTED`.
 */
export async function timeToAbort(engine: Engine): Promise<number> {
  const controller = new AbortController();
  let begun = () => {};
  const running = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const onProgress = ({ done }: { done: number }) => void (done > 0 && begun());
  const job = engine.mandelbrot({ ...LONG, signal: controller.signal, onProgress }).then(
    () => "a result",
    (error) => (error.code === "E_ABORTED" && error.name === "AbortError" ? "aborted" : error),
  );
  await Promise.race([running, job]);
  const begin = performance.now();
  controller.abort();
  const outcome = await job;
  if (outcome !== "aborted") throw outcome;
  return performance.now() - begin;
}
