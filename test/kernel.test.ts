// One contract over every build of the kernel, driven from one thread. Threads that run at the same time are the
// engine's tests' business.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as layout from "../assembly/layout.ts";
import { jobs, regions, regionsAtTheTip } from "./arbitrary.ts";
import { complaints, expectedOf } from "./contract.ts";
import { goldenCases } from "./golden.ts";
import { BUILDS, blockOf, loadKernel, type TestKernel } from "./kernel.ts";

const golden = goldenCases().map((each) => [each.name, each] as const);

describe.each(BUILDS)("the %s kernel", (build) => {
  /** A kernel with a memory for so many pixels, each of them a chunk if need be. */
  const kernelFor = (pixels: number) =>
    loadKernel(build, Math.ceil((layout.HEAP + pixels * 8 + pixels * layout.RECORD_BYTES) / layout.PAGE_BYTES) + 1);

  describe("computes, bit for bit as CPython did,", () => {
    test.each(golden)("%s with the naive algorithm", (_, { width, height, region, maxIterations, ...rest }) => {
      const kernel = kernelFor(width * height);
      const picture = { width, height, region, maxIterations, algorithm: "naive" as const };
      const expected = { counts: rest.counts() };
      expect(complaints(kernel, picture, expected)).toEqual([]);
      expect(complaints(kernel, { ...picture, schedule: "static", threads: 3 }, expected)).toEqual([]);
    });

    test.each(golden)("%s with 1 to 8 threads", (_, { width, height, region, maxIterations, ...rest }) => {
      const kernel = kernelFor(width * height);
      const picture = { width, height, region, maxIterations, algorithm: "exact" as const };
      const expected = { counts: rest.counts() };
      for (let threads = 1; threads <= 8; threads++) {
        const dynamic = { ...picture, threads, handOver: 3, tileWidth: 100 + threads, tileHeight: threads };
        expect(complaints(kernel, dynamic, expected)).toEqual([]);
        expect(complaints(kernel, { ...picture, threads, schedule: "static" }, expected)).toEqual([]);
      }
    });
  });

  describe("runs a job", () => {
    const picture = {
      width: 40,
      height: 30,
      region: { reMin: -2, reMax: 1, imMin: -1, imMax: 1 },
      maxIterations: 100,
      algorithm: "exact" as const,
    };
    const expected = expectedOf(picture);

    test("with the chunks spread over the threads, however they interleave", () => {
      const { threads } = loadKernel(build).mandelbrot({ ...picture, threads: 4, handOver: 5 });
      expect(threads.map(({ chunks }) => chunks)).toEqual([5, 5, 5, 15]);
    });

    test("with more threads than rows, and a static schedule", () => {
      const flat = { ...picture, height: 3, threads: 8, schedule: "static" as const };
      const run = loadKernel(build).mandelbrot(flat);
      expect(run.records.map(({ thread }) => thread)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(complaints(loadKernel(build), flat, expectedOf(flat))).toEqual([]);
    });

    test("with as many threads as a memory has blocks for", () => {
      const crowd = { ...picture, threads: layout.MAX_THREADS, handOver: 0 };
      expect(complaints(loadKernel(build, 4, layout.MAX_THREADS), crowd, expected)).toEqual([]);
    });

    test("after another that had more threads and chunks, and takes nothing over from it", () => {
      const kernel = loadKernel(build);
      kernel.mandelbrot({ ...picture, threads: 8, handOver: 1, tileWidth: 3 });
      expect(complaints(kernel, { ...picture, threads: 2, handOver: 1 }, expected)).toEqual([]);
    });

    test("without magnitudes, where none are asked for", () => {
      const run = loadKernel(build).mandelbrot({ ...picture, magnitudes: false });
      expect(run.magnitudes).toHaveLength(0);
      expect(run.strayWrites).toEqual([]);
    });
  });

  describe("is stopped", () => {
    const job = {
      width: 16,
      height: 12,
      region: { reMin: -2, reMax: 1, imMin: -1, imMax: 1 },
      maxIterations: 50,
      algorithm: "naive" as const,
    };

    test("before it begins: it leaves at once, without a chunk", () => {
      const run = loadKernel(build).mandelbrot({ ...job, stopAtClock: 0 });
      expect(run.bits).toEqual([layout.WORK_STOPPED | layout.WORK_LAST]);
      expect(run.records.every(({ state }) => state === layout.RECORD_FREE)).toBe(true);
      expect(run.threads[0]).toMatchObject({ chunks: 0, iterations: 0, progress: 0, state: layout.THREAD_LEFT });
      expect(run.strayWrites).toEqual([]);
    });

    test("between two chunks: what is done stays done, and every thread leaves", () => {
      const chunks = 5;
      const run = loadKernel(build).mandelbrot({ ...job, threads: 3, handOver: 2, stopAtClock: chunks + 3 });
      const done = run.records.filter(({ state }) => state === layout.RECORD_DONE);
      expect(done).toHaveLength(chunks);
      expect(run.records.filter(({ state }) => state === layout.RECORD_CLAIMED)).toEqual([]);
      expect(run.bits).toEqual([layout.WORK_STOPPED | layout.WORK_LAST, layout.WORK_STOPPED, layout.WORK_STOPPED]);
      expect(run.counts.subarray(0, chunks * job.width)).toEqual(
        expectedOf(job).counts.subarray(0, chunks * job.width),
      );
      expect(run.strayWrites).toEqual([]);
    });

    test("and then computes the next job to its end", () => {
      const kernel = loadKernel(build);
      kernel.mandelbrot({ ...job, stopAtClock: 3 });
      expect(complaints(kernel, job, expectedOf(job))).toEqual([]);
    });

    test("by a stop of its own generation only", () => {
      const kernel = loadKernel(build);
      const first = kernel.mandelbrot(job);
      kernel.exports.stop(first.generation); // late
      expect(complaints(kernel, job, expectedOf(job))).toEqual([]);
      kernel.exports.stop(first.generation + 5); // of no job yet
      expect(complaints(kernel, job, expectedOf(job))).toEqual([]);
    });

    test("while it counts: no increment is made afterwards", () => {
      const run = loadKernel(build).count({
        increments: 10_000,
        guard: "lock",
        threads: 2,
        handOver: 0,
        stopAtClock: 2,
      });
      // The second thread begins inside the first one's clock, and both find the job stopped.
      expect(run.bits.map((bits) => bits & layout.WORK_STOPPED)).toEqual([layout.WORK_STOPPED, layout.WORK_STOPPED]);
      expect(run.value).toBe(0n);
    });
  });

  describe("between jobs", () => {
    test("has nothing to do before a job is published", () => {
      expect(loadKernel(build).exports.work(0)).toBe(layout.WORK_NONE);
    });

    test("leaves parking at once if a job has come since", () => {
      const kernel = loadKernel(build);
      const { generation } = kernel.count({ increments: 1, guard: "atomic" });
      expect(kernel.exports.park(0, layout.GENERATION_NONE)).toBe(generation);
    });

    test("does not tell a thread of a job that it has no part in", () => {
      const kernel = loadKernel(build);
      kernel.count({ increments: 1, guard: "atomic", threads: 2 });
      expect(kernel.read(blockOf(2) + layout.THREAD_GENERATION)).toBe(layout.GENERATION_NONE);
      expect(kernel.exports.work(2)).toBe(layout.WORK_NONE);
    });

    describe("that come close upon each other", () => {
      const skip = blockOf(0) + layout.THREAD_SPIN_SKIP;

      /**
       * Parks thread 0, publishes its next job at so many looks at the clock, and returns how many there were. The
       * clock goes on by `stepMs` a look.
       */
      function park(kernel: TestKernel, publishAt: number, stepMs = 0): number {
        const mailbox = blockOf(0) + layout.THREAD_GENERATION;
        const seen = kernel.read(mailbox);
        let looks = 0;
        kernel.clock = () => {
          if (++looks === publishAt) kernel.write(mailbox, seen + 1);
          return looks * stepMs;
        };
        expect(kernel.exports.park(0, seen)).toBe(seen + 1);
        expect(kernel.read(blockOf(0) + layout.THREAD_PARK_RESCUES)).toBe(0);
        return looks;
      }

      test("looks for the next one before it sleeps, if the host allows it", () => {
        const kernel = loadKernel(build);
        kernel.write(layout.CONTROL_SPIN, layout.SPIN_ALL);
        expect(park(kernel, 3)).toBe(3);
        expect(kernel.read(skip)).toBe(0);
      });

      test("sleeps for twice as many jobs each time that it has looked in vain, before it looks again", () => {
        const kernel = loadKernel(build);
        kernel.write(layout.CONTROL_SPIN, layout.SPIN_ALL);
        const skips: number[] = [];
        for (let round = 0; round < 12; round++) {
          kernel.write(skip, 0);
          expect(park(kernel, 2, layout.SPIN_US)).toBe(2);
          skips.push(kernel.read(skip));
        }
        expect(skips).toEqual([1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1023, 1023]);
        expect(park(kernel, 1)).toBe(1);
        expect(kernel.read(skip)).toBeLessThan(1023);
      });

      test("looks at the clock a bounded number of times, even if that stands still", () => {
        const kernel = loadKernel(build);
        kernel.write(layout.CONTROL_SPIN, layout.SPIN_ALL);
        expect(park(kernel, layout.SPIN_LOOKS + 1)).toBe(layout.SPIN_LOOKS + 1);
        expect(kernel.read(skip)).toBe(1);
      });

      test("lets only the last thread out look, if the host has no core to spare", () => {
        const kernel = loadKernel(build);
        kernel.write(layout.CONTROL_SPIN, layout.SPIN_LAST);
        kernel.write(blockOf(0) + layout.THREAD_GENERATION, 7);
        kernel.write(layout.CONTROL_END, 6); // job 7 has not ended: thread 0 has left it, others have not
        const penalty = blockOf(0) + layout.THREAD_SPIN_PENALTY;
        kernel.write(penalty, 5);
        expect(park(kernel, 1)).toBe(1);
        expect(kernel.read(penalty)).toBe(5); // a look that paid would have cleared it
        kernel.write(skip, 0);
        kernel.write(layout.CONTROL_END, 8);
        expect(park(kernel, 5)).toBe(5);
        expect(kernel.read(penalty)).toBe(0);
      });

      test("tells the last thread out whether the host looks for the end itself", () => {
        const kernel = loadKernel(build);
        for (const [watch, bits] of [
          [0, layout.WORK_LAST],
          [1, layout.WORK_LAST | layout.WORK_WATCHED],
        ] as const) {
          kernel.write(layout.CONTROL_WATCH, watch);
          expect(kernel.count({ increments: 1, guard: "atomic" }).bits).toEqual([bits]);
        }
      });
    });

    test("lets every thread leave for good once it is closed", () => {
      const kernel = loadKernel(build);
      const { generation } = kernel.count({ increments: 1, guard: "atomic" });
      kernel.exports.close();
      for (const thread of [0, 1, layout.MAX_THREADS - 1]) {
        expect(kernel.exports.work(thread)).toBe(layout.WORK_NONE);
        expect(kernel.exports.park(thread, generation)).toBe(layout.GENERATION_CLOSED);
        expect(kernel.read(blockOf(thread) + layout.THREAD_STATE)).toBe(layout.THREAD_CLOSED);
      }
      expect(kernel.read(layout.CONTROL_STOP)).toBe(generation);
    });

    test("numbers its jobs from 1, and from 1 again after 2³¹ - 1 of them", () => {
      const kernel = loadKernel(build);
      const job = { width: 9, height: 4, region: { reMin: -2, reMax: 1, imMin: -1, imMax: 1 }, maxIterations: 60 };
      const count = () => kernel.count({ increments: 100, guard: "lock", threads: 3 });
      expect(count()).toMatchObject({ generation: 1, value: 300n });
      kernel.exports.stop(2); // meant for a job that never came: it must not stop the one that gets this number 2³¹ jobs later
      kernel.write(layout.CONTROL_GENERATION, 2 ** 31 - 4);
      for (const generation of [2 ** 31 - 3, 2 ** 31 - 1, 2]) {
        expect(count()).toMatchObject({ generation, value: 300n });
        expect(kernel.read(layout.CONTROL_END)).toBe(generation);
        expect(complaints(kernel, { ...job, algorithm: "exact", threads: 2 }, expectedOf(job))).toEqual([]);
      }
    });
  });

  describe("counts", () => {
    test.each(["lock", "atomic", "none"] as const)("exactly, on one thread, with the guard “%s”", (guard) => {
      const run = loadKernel(build).count({ increments: 100_000, guard });
      expect(run.value).toBe(100_000n);
      expect(run.strayWrites).toEqual([]);
      expect(run.bits).toEqual([layout.WORK_LAST]);
      expect(run.threads).toEqual([
        {
          state: layout.THREAD_LEFT,
          progress: 100_000,
          chunks: 1,
          iterations: 100_000,
          busyMs: expect.any(Number),
          lockAcquisitions: guard === "lock" ? 100_000 : 0,
          lockContended: 0,
          lockWaits: 0,
        },
      ]);
    });

    test("what every thread adds, whether or not it fills a slice", () => {
      for (const increments of [1, 1023, 1024, 1025]) {
        const run = loadKernel(build).count({ increments, guard: "lock", threads: 10 });
        expect(run.value).toBe(BigInt(increments * 10));
        expect(run.records.map(({ thread }) => thread)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        expect(run.records.every(({ iterations }) => iterations === increments)).toBe(true);
      }
    });

    test("behind a barrier that not all threads reach at the same time", () => {
      const run = loadKernel(build).count({ increments: 10, guard: "atomic", threads: 3, barrierMs: 2 });
      expect(run.value).toBe(30n);
    });
  });
});

describe("every build", () => {
  /** Room for 300 pixels in chunks of 1, or 61 × 61 with their records. */
  const kernels = BUILDS.map((build) => loadKernel(build, 8));

  const check = (picture: Parameters<typeof expectedOf>[0]) => {
    const expected = expectedOf(picture);
    for (const kernel of kernels) {
      for (const algorithm of ["naive", "exact"] as const) {
        expect(complaints(kernel, { ...picture, algorithm }, expected)).toEqual([]);
      }
    }
  };

  test("lets a pixel escape whose coordinates are too large to be squared", () => {
    const far = { reMin: -1e200, reMax: 1e200, imMin: -1e200, imMax: 1e200 };
    const picture = { width: 16, height: 16, region: far, maxIterations: 20 };
    expect(new Set(expectedOf(picture).counts)).toEqual(new Set([1, 20])); // 20: c = 0
    check(picture);
  });

  test.each([
    [-0.75, 1e-6], // above the bulb, 10⁻¹² outside; beyond it is the cardioid
    [0.25 + 1e-12, 0], // right of the cusp
  ])(
    "lets a pixel escape that is a hair outside the closed forms, after 3,141,591 iterations or so: c = %f + %fi",
    (re, im) => {
      const region = { reMin: re, reMax: re + 1, imMin: im, imMax: im + 1 };
      const picture = { width: 1, height: 1, region, maxIterations: 4_000_000 };
      expect((expectedOf(picture).counts[0] ?? 0) / 1e6).toBeCloseTo(Math.PI, 4);
      check(picture);
    },
  );

  test.each([
    [-1.4189922827898342, 0.05],
    [-1.0867525269413987, 0.24179999999999993],
    [-0.8683606116822564, 0.24179999999999993],
    [0, 1.1],
  ])("takes no orbit for a cycle that returns to a real part only: c = %f + %fi", (re, im) => {
    // After 8 iterations (the last one: after 1) z is purely imaginary, as 0 is, where the search for cycles begins.
    const region = { reMin: re, reMax: re + 1, imMin: im, imMax: im + 1 };
    const picture = { width: 1, height: 1, region, maxIterations: 200 };
    expect(expectedOf(picture).counts[0]).toBeLessThan(200);
    check(picture);
  });

  test("computes what the oracle does, anywhere, with any tiles and threads", () => {
    fc.assert(fc.property(jobs(regions(), 3000, 400_000), check), { numRuns: 500 });
  });

  test("computes what the oracle does about c = -2, where an escape is delicate", () => {
    fc.assert(fc.property(jobs(regionsAtTheTip(), 5000, 400_000), check), { numRuns: 300 });
  });
});

test("a write to where the kernel must not write is seen, and named", () => {
  const kernel = loadKernel("simd");
  const stray = [8, layout.CONTROL_STOP + 4, layout.JOB_BARRIER_MS, blockOf(1) + layout.THREAD_STATE, layout.HEAP];
  const run = kernel.mandelbrot({
    width: 8,
    height: 1,
    region: { reMin: -2, reMax: 1, imMin: -1, imMax: 1 },
    maxIterations: 20,
    algorithm: "exact",
    onClock: () => {
      for (const address of stray) kernel.write(address, 0x77777777);
    },
  });
  const named = run.strayWrites.filter((_, i) => i % 4 === 0);
  expect(run.strayWrites).toContain("and 12 more");
  expect(named).toEqual(["byte 8", `byte ${layout.CONTROL_STOP + 4} (CONTROL + 132)`, "and 12 more"]);
});
