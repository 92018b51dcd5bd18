// Platforms run new code in a quick compiler's version first, at a third of the speed or less, and replace it while it
// runs. The warm-up lets them, on jobs that nobody waits for the result of, so that the first real picture is fast.

import { countJob } from "./count.ts";
import type { Host } from "./host.ts";
import type { Job } from "./jobs.ts";
import { mandelbrotJob } from "./mandelbrot.ts";
import type { Algorithm, Guard, JobResult, Mode } from "./types.ts";

/** Longest time that a warm-up takes, in milliseconds; half a job may come on top. */
const LIMIT_MS = 40;

/** Milliseconds between two rounds, in which the cores are free for the compiler's threads. */
const PAUSE_MS = 1;

/** The whole set, small: some tenths of a millisecond of each kind of pixel. */
const PICTURE = { width: 48, height: 32, maxIterations: 500 };
const ALGORITHMS: readonly Algorithm[] = ["naive", "exact"];

/** Few increments: the code around the guard is short, and its speed is the guard's. */
const INCREMENTS = 2000;
const GUARDS: readonly Guard[] = ["lock", "atomic", "none"];

/** The optimised code has come when an algorithm is so many times as fast as in its first round… */
const JUMP = 1.6;
/** …and stays within this share of its best, round after round. */
const STABLE = 0.7;
const STABLE_ROUNDS = 2;

/** Modules whose code is warm: the workers of all engines share it. */
const warm = new WeakSet<WebAssembly.Module>();

/**
 * Runs small jobs by `run` until the kernel has reached its full speed, or for LIMIT_MS. Only once for each module.
 * Rejects with what `run` rejects with.
 */
export async function warmUp(
  host: Host,
  module: WebAssembly.Module,
  threads: number,
  mode: Mode,
  run: (job: Job<JobResult>) => Promise<JobResult>,
): Promise<void> {
  if (warm.has(module)) return;
  const begin = host.now();
  const speeds = ALGORITHMS.map((algorithm) => ({ algorithm, first: 0, best: 0, stable: 0 }));
  for (const guard of mode === "shared" ? GUARDS : [])
    await run(countJob({ increments: INCREMENTS, guard }, threads)[0]);
  while (host.now() - begin < LIMIT_MS && speeds.some(({ stable }) => stable < STABLE_ROUNDS)) {
    for (const speed of speeds) {
      const [job] = mandelbrotJob({ ...PICTURE, algorithm: speed.algorithm }, threads);
      const now = speedOf(await run(job));
      speed.first ||= now;
      speed.best = Math.max(speed.best, now);
      const isFast = now >= speed.first * JUMP && now >= speed.best * STABLE;
      speed.stable = isFast ? speed.stable + 1 : 0;
    }
    // A timer does not keep the program alive for a job that waits, and without workers nothing else does.
    await new Promise<void>((resolve) => void (mode === "single" ? host.soon(resolve) : host.after(PAUSE_MS, resolve)));
  }
  warm.add(module);
}

/** Iterations in a millisecond of a worker's time. */
function speedOf({ workers }: JobResult): number {
  let iterations = 0;
  let busyMs = 0;
  for (const worker of workers) {
    iterations += worker.iterations;
    busyMs += worker.busyMs;
  }
  return iterations / Math.max(busyMs, 1e-3);
}
