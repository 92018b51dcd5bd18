// What every Mandelbrot job must keep, on every build, with either algorithm and schedule.

import * as layout from "../assembly/layout.ts";
import type { MandelbrotJob, MandelbrotRun, TestKernel } from "./kernel.ts";
import { oracleCounts, oracleMagnitudes, type Picture } from "./oracle.ts";

/** What a picture's pixels have to be. */
export interface Expected {
  counts: Uint32Array;
  magnitudes?: Float32Array;
}

export function expectedOf(picture: Picture): Expected {
  return { counts: oracleCounts(picture), magnitudes: oracleMagnitudes(picture) };
}

/** Runs a job, and returns what is wrong with what it left behind: one sentence for each thing. */
export function complaints(kernel: TestKernel, job: MandelbrotJob, expected: Expected): string[] {
  const run = kernel.mandelbrot(job);
  return [
    ...difference("count", run.counts, expected.counts, job.width),
    ...(run.magnitudes.length > 0 && expected.magnitudes !== undefined
      ? difference("magnitude", run.magnitudes, expected.magnitudes, job.width)
      : []),
    ...run.strayWrites.map((where) => `wrote to ${where}`),
    ...accounting(job, run, expected.counts),
  ].map((complaint) => `${kernel.build}, ${job.algorithm}: ${complaint}`);
}

/** The first element that is another one, or the same number with other bits. */
function difference<T extends Uint32Array | Float32Array>(
  what: string,
  actual: T,
  expected: T,
  width: number,
): string[] {
  const pixel = actual.findIndex((value, i) => !Object.is(value, expected[i]));
  if (pixel < 0) return [];
  const place = `x ${pixel % width}, y ${Math.floor(pixel / width)}`;
  return [`the ${what} at ${place} is ${actual[pixel]}, not ${expected[pixel]}`];
}

/** What is wrong with what the threads say that they did. */
function accounting(job: MandelbrotJob, run: MandelbrotRun, counts: Uint32Array): string[] {
  const found: string[] = [];
  const check = (what: string, actual: number, expected: number) => {
    if (actual !== expected) found.push(`${what}: ${actual}, not ${expected}`);
  };
  const lasts = run.bits.filter((bits) => bits === layout.WORK_LAST).length;
  check("threads that were last to leave", lasts, 1);
  check("threads that just left", run.bits.filter((bits) => bits === 0).length, run.bits.length - 1);
  check("pixels of progress", sum(run.threads, "progress"), counts.length);

  run.records.forEach((record, chunk) => {
    check(`state of chunk ${chunk}`, record.state, layout.RECORD_DONE);
    if (!(record.thread >= 0 && record.thread < run.threads.length)) {
      found.push(`chunk ${chunk} was computed by thread ${record.thread}`);
    }
    if (!(record.beginMs <= record.endMs)) found.push(`chunk ${chunk} ended before it began`);
    if (job.schedule === "static") check(`thread of chunk ${chunk}`, record.thread, chunk);
    const naive = naiveIterations(job, chunk, counts);
    if (job.algorithm === "naive") check(`iterations of chunk ${chunk}`, record.iterations, naive);
    else if (!(record.iterations >= 0 && record.iterations <= naive)) {
      found.push(`chunk ${chunk} took ${record.iterations} iterations, where a naive loop takes ${naive}`);
    }
  });

  run.threads.forEach((thread, number) => {
    const own = run.records.filter((record) => record.thread === number);
    check(`state of thread ${number}`, thread.state, layout.THREAD_LEFT);
    check(`chunks of thread ${number}`, thread.chunks, own.length);
    check(`iterations of thread ${number}`, thread.iterations, sum(own, "iterations"));
    if (!(thread.busyMs >= 0)) found.push(`thread ${number} was busy for ${thread.busyMs} ms`);
  });
  return found;
}

function sum<Key extends string>(elements: readonly Record<Key, number>[], key: Key): number {
  return elements.reduce((total, element) => total + element[key], 0);
}

/** The sum of a chunk's counts: what a naive loop iterates. */
function naiveIterations(job: MandelbrotJob, chunk: number, counts: Uint32Array): number {
  const { width, height, threads = 1, schedule = "dynamic", tileWidth = width } = job;
  const isStatic = schedule === "static";
  const { tileHeight = isStatic ? Math.floor(height / threads) : 1 } = job;
  const columns = Math.ceil(width / tileWidth);
  const left = (chunk % columns) * tileWidth;
  const top = Math.floor(chunk / columns) * tileHeight;
  const bottom = isStatic && chunk === threads - 1 ? height : Math.min(top + tileHeight, height);
  let iterations = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < Math.min(left + tileWidth, width); x++) iterations += counts[y * width + x] ?? Number.NaN;
  }
  return iterations;
}
