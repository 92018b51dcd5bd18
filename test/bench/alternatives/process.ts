// A process with one alternative in it, so that its memory and its processor time are its own. It answers its parent's
// requests, one at a time.

import { sha256 } from "../../../node/hash.ts";
import { messageOf } from "../../../src/errors.ts";
import { cpuMs, peakBytes } from "../usage.ts";
import { type Alternative, type AlternativeId, UnavailableError } from "./alternative.ts";
import type { Order } from "./bands.ts";
import { startEngine } from "./engine.ts";
import { startMessages, startPiscina, startProcesses, startTinypool, startWorkerpool } from "./pools.ts";

export type Request =
  | { type: "start"; alternative: AlternativeId; threads: number; kernel: string }
  | { type: "render"; order: Order; threads: number | undefined }
  | { type: "nothing"; jobs: number; tasks: number }
  | { type: "peak" };

export type Answer = { value: unknown } | { error: string; unavailable: boolean };

/** What a rendering took, until the counts were in the caller's hands. */
export interface Run {
  elapsedMs: number;
  /** Of this process and its children. */
  cpuMs: number;
  /** As in `Counts`, or null. */
  busyMs: number | null;
  sha256: string;
}

let alternative: Alternative;

function start(id: AlternativeId, threads: number, kernel: URL): Alternative | Promise<Alternative> {
  switch (id) {
    case "shared":
      return startEngine(threads, "shared", "copy");
    case "view":
      return startEngine(threads, "shared", "view");
    case "isolated":
      return startEngine(threads, "isolated", "copy");
    case "piscina":
      return startPiscina(threads, kernel);
    case "tinypool":
      return startTinypool(threads, kernel);
    case "workerpool":
      return startWorkerpool(threads, kernel);
    case "processes":
      return startProcesses(threads, kernel);
    case "messages":
      return startMessages(threads);
  }
}

async function render(order: Order, threads: number | undefined): Promise<Run> {
  const childrenBefore = await alternative.childrenCpuMs();
  const cpuBefore = cpuMs();
  const begin = performance.now();
  const { counts, busyMs = null, release } = await alternative.render(order, threads);
  const elapsedMs = performance.now() - begin;
  const own = cpuMs() - cpuBefore;
  const children = (await alternative.childrenCpuMs()) - childrenBefore;
  const run = { elapsedMs, cpuMs: own + children, busyMs, sha256: sha256(counts) };
  release();
  return run;
}

/** Milliseconds that each of so many jobs of empty tasks took, one after the other. */
async function nothing(jobs: number, tasks: number): Promise<number[]> {
  const times: number[] = [];
  for (let job = 0; job < jobs; job++) {
    const begin = performance.now();
    await alternative.nothing(tasks);
    times.push(performance.now() - begin);
  }
  return times;
}

async function answer(request: Request): Promise<unknown> {
  switch (request.type) {
    case "start":
      alternative = await start(request.alternative, request.threads, new URL(request.kernel));
      await alternative.nothing(request.threads); // by then, those that start their workers in the background have started them
      return null;
    case "render":
      return render(request.order, request.threads);
    case "nothing":
      return nothing(request.jobs, request.tasks);
    case "peak":
      return peakBytes(process.pid, alternative.children);
  }
}

process.on("message", async (request: Request) => {
  try {
    process.send?.({ value: await answer(request) } satisfies Answer);
  } catch (error) {
    const unavailable = error instanceof UnavailableError;
    process.send?.({ error: messageOf(error), unavailable } satisfies Answer);
  }
});
// The parent is done, or dead. So is everything here.
process.on("disconnect", async () => {
  await alternative?.close();
  process.exit();
});
