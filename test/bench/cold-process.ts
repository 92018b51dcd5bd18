// A new process that starts workers once, and says what it took: the engine's, or bare ones that only say ready.

import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { importPublished } from "./alternatives/engine.ts";
import { BUNDLE } from "./paths.ts";

/** What starting workers took. */
export interface ColdStart {
  /** Until all of them were ready. Loading the engine's module is not in it. */
  readyMs: number;
  /** What the process's resident memory has grown by, when the workers have been idle for a moment. */
  addedBytes: number;
}

/** Milliseconds after the start at which the memory is read. */
const SETTLE_MS = 100;

async function startBare(threads: number): Promise<void> {
  const url = new URL("echo-worker.js", BUNDLE);
  const workers = Array.from({ length: threads }, () => new Worker(url, { execArgv: [] }));
  await Promise.all(workers.map((worker) => once(worker, "message")));
}

const [, , kind, count] = process.argv;
const threads = Number(count);
const { createEngine } = await importPublished(); // by both kinds: the module's own memory is no worker's
const before = process.memoryUsage.rss();
const begin = performance.now();
if (kind === "engine") await createEngine({ threads });
else await startBare(threads);
const readyMs = performance.now() - begin;
await delay(SETTLE_MS);
const addedBytes = process.memoryUsage.rss() - before;
process.send?.({ readyMs, addedBytes } satisfies ColdStart, () => process.exit());
