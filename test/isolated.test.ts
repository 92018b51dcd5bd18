// A worker with a private memory, driven by its messages alone, in this thread: whatever parts of a picture it is sent, in
// whatever order, what comes back are those parts.

import { describe, expect, test } from "vitest";
import { JOB, JOB_THREADS, RECORD_BYTES } from "../assembly/layout.ts";
import { instantiateKernel } from "../node/kernel.ts";
import type { HostMessage, WorkerMessage } from "../src/host.ts";
import { divide, taskOf } from "../src/isolated.ts";
import { serveIsolated } from "../src/isolated-worker.ts";
import { mandelbrotJob } from "../src/mandelbrot.ts";
import { EngineMemory } from "../src/memory.ts";
import type { MandelbrotOptions } from "../src/types.ts";
import { expectedOf } from "./contract.ts";
import { kernelBytes } from "./kernel.ts";

/** A worker whose clock stands still, or runs ahead: then it computes no more than it must. */
function startWorker(build: "simd" | "scalar", hurried = false) {
  const module = new WebAssembly.Module(kernelBytes(build) as Uint8Array<ArrayBuffer>);
  const posted: WorkerMessage[] = [];
  let hear: (message: HostMessage) => void = () => {};
  let now = 0;
  serveIsolated((memory) => instantiateKernel(module, memory, performance.timeOrigin), {
    post: (message) => void posted.push(message),
    listen: (listener) => {
      hear = listener;
    },
    now: () => {
      if (hurried) now += 1000;
      return now;
    },
  });
  expect(posted.shift()).toEqual({ type: "allcores:ready" });
  return (message: HostMessage) => {
    hear(message);
    return posted.shift();
  };
}

/** Sends a picture's chunks in parts of so many, the last part first, and puts together what comes back. */
function render(build: "simd" | "scalar", options: MandelbrotOptions, size: number, hurried = false, from = 0) {
  const [job] = mandelbrotJob({ ...options, magnitudes: true }, 1);
  const division = divide(job);
  const task = taskOf(new EngineMemory(), job, division);
  const ask = startWorker(build, hurried);
  const counts = new Uint32Array(job.units);
  const magnitudes = new Float32Array(job.units);
  for (let last = division.chunks; last > from; last -= size) {
    const end = last;
    for (let first = Math.max(from, last - size); first < end; ) {
      const unit = division.unitOf(first);
      const answer = ask({
        type: "allcores:part",
        job: 7,
        task,
        first,
        end,
        unit,
        units: division.unitOf(end) - unit,
      });
      if (answer?.type !== "allcores:part") throw new Error(`it answered ${JSON.stringify(answer)}`);
      expect(answer).toMatchObject({ job: 7, first });
      if (!hurried) expect(answer.end).toBe(end);
      const units = division.unitOf(answer.end) - unit;
      const offset = (answer.end - first) * RECORD_BYTES;
      expect(answer.bytes).toHaveLength(offset + 8 * units);
      counts.set(new Uint32Array(answer.bytes.buffer, offset, units), unit);
      magnitudes.set(new Float32Array(answer.bytes.buffer, offset + 4 * units, units), unit);
      first = answer.end;
    }
  }
  return { counts, magnitudes };
}

const region = { reMin: -2, reMax: 1, imMin: -1, imMax: 1 };

describe.each(["simd", "scalar"] as const)("a worker with a private memory, %s build,", (build) => {
  test.each([
    ["bands of rows", { width: 60, height: 1200, region, maxIterations: 50 }],
    ["parts of rows", { width: 1100, height: 3, region, maxIterations: 5000 }],
  ])("computes any parts of a picture, in any order: %s", (_, picture) => {
    const expected = expectedOf(picture);
    for (const size of [1, 3, 100_000]) expect(render(build, picture, size)).toEqual(expected);
  });

  test("answers early when its time is over, with at least one chunk", () => {
    const picture = { width: 300, height: 20, region, maxIterations: 20_000 };
    expect(render(build, picture, 50, true)).toEqual(expectedOf(picture));
  });

  test("computes magnitudes wherever their address, less that of their unit, is 0", () => {
    const picture = { width: 1, height: 18_000, region, maxIterations: 2 };
    const job = { ...picture, schedule: "static" as const, threads: 1 }; // chunks of one pixel
    const from = 16_500;
    const { counts, magnitudes } = render(build, job, 1, false, from);
    const expected = expectedOf(picture);
    expect(counts.subarray(from)).toEqual(expected.counts.subarray(from));
    expect(magnitudes.subarray(from)).toEqual(expected.magnitudes?.subarray(from));
  });

  test("says what it cannot do, instead of an answer", () => {
    const task = { parameters: new Uint8Array(256), outputs: [], stride: 1 };
    new DataView(task.parameters.buffer).setInt32(JOB_THREADS - JOB, 1, true);
    const ask = startWorker(build);
    // No picture has tiles of 0 by 0 pixels: dividing by that traps.
    const part = { type: "allcores:part", job: 1, task, first: 0, end: 1, unit: 0, units: 1 } as const;
    expect(ask(part)).toMatchObject({ type: "allcores:failed", trap: true });
  });
});
