// The scaling benchmark's arithmetic, on an engine whose times are written by hand.

import { describe, expect, test } from "vitest";
import type { Laboratory } from "../src/bench/laboratory.ts";
import { bandCosts, measureScaling, type ScalingPlan, type Step, stepsOf } from "../src/bench/scaling.ts";
import { tileOf } from "../src/mandelbrot.ts";
import type { ChunkReport, Engine, MandelbrotOptions, MandelbrotResult } from "../src/types.ts";

const WORKLOAD = {
  width: 100,
  height: 4,
  maxIterations: 1000,
  region: { reMin: -2, reMax: 1, imMin: -1, imMax: 1 },
  algorithm: "naive",
  schedule: "dynamic",
} as const;

const PLAN: ScalingPlan = {
  workload: WORKLOAD,
  threads: [1, 2, 4],
  samples: 3,
  usableCores: 2,
  quota: null,
  loadAverage: null,
  expectedSha256: undefined,
};

/** Milliseconds of each picture, by threads; the first renders are warm-ups, and must not count. */
const TIMES: Record<number, number[]> = { 1: [100, 104, 96], 2: [55, 50, 45], 4: [52, 60, 56] };

interface Fake {
  laboratory: Laboratory;
  engine: Engine;
  /** Threads of each timed picture, in order; 0 is the serial build. */
  order: number[];
  created: number[];
}

/** `wrongAt` makes that picture's counts wrong. Chunk costs are those of one thread: 4, 2, 1, 1. */
function fake({ wrongAt = -1 } = {}): Fake {
  const order: number[] = [];
  const created: number[] = [];
  const left = Object.fromEntries(Object.entries(TIMES).map(([threads, times]) => [threads, [...times]]));
  let pictures = 0;
  let clock = 0;
  let cpu = 0;
  let warming = true;
  const counts = () => Uint32Array.of(pictures++ === wrongAt ? 1 : 0);
  const engineOf = (threads: number, elapsed: (options: MandelbrotOptions) => number): Engine =>
    ({
      threads,
      statistics: { warmUpMs: 25 },
      async mandelbrot(options: MandelbrotOptions): Promise<MandelbrotResult> {
        const used = options.threads as number;
        const elapsedMs = elapsed(options);
        cpu += elapsedMs * Math.min(used, 2); // two cores, all theirs
        return {
          elapsedMs,
          counts: counts(),
          workers: Array.from({ length: used }, () => ({ chunks: 1, iterations: 1, busyMs: elapsedMs })),
          chunks: () => chunkReports([4, 2, 1, 1]),
          release() {},
        } as unknown as MandelbrotResult;
      },
      async close() {},
    }) as unknown as Engine;
  const laboratory: Laboratory = {
    async createEngine({ threads }) {
      created.push(threads as number);
      clock += 30; // what it takes to start
      return engineOf(threads as number, () => 70);
    },
    async serial() {
      if (!warming) order.push(0);
      return { elapsedMs: 98, counts: counts() };
    },
    sha256: async ([first]) => `hash ${first}`,
    now: () => clock,
    cpuMs: () => cpu,
    throttledPeriods: () => 0,
  };
  let profiled = 0;
  const engine = engineOf(4, (options) => {
    // Warm-ups come first, then two profiles on one thread, then the samples.
    if (profiled < 2) {
      if (options.threads === 1 && options.schedule === "dynamic" && ++profiled === 2) warming = false;
      return 1e6;
    }
    order.push(options.threads as number);
    return left[options.threads as number]?.shift() as number;
  });
  return { laboratory, engine, order, created };
}

function chunkReports(costs: number[]): ChunkReport[] {
  return costs.map((cost) => ({ thread: 0, iterations: 1, beginMs: 10, endMs: 10 + cost }));
}

const never = { aborted: false, addEventListener() {}, removeEventListener() {} };

describe("measureScaling", () => {
  test("medians, deviations, speedups and what follows from them are those worked out by hand", async () => {
    const { laboratory, engine } = fake();
    const run = await measureScaling(laboratory, engine, PLAN, () => {}, never);
    expect(run?.serial).toEqual({ samplesMs: [98, 98, 98], medianMs: 98, madMs: 0 });
    expect(run?.rows.map(({ threads, medianMs, madMs }) => [threads, medianMs, madMs])).toEqual([
      [1, 100, 4],
      [2, 50, 5],
      [4, 56, 4],
    ]);
    expect(run?.rows.map(({ speedup }) => speedup)).toEqual([1, 2, 100 / 56]);
    expect(run?.rows.map(({ speedupSerial }) => speedupSerial)).toEqual([0.98, 1.96, 1.75]);
    expect(run?.rows.map(({ efficiency }) => efficiency)).toEqual([1, 1, 100 / 56 / 4]);
    expect(run?.rows.map(({ karpFlatt }) => karpFlatt)).toEqual([null, 0, expect.closeTo((0.56 - 0.25) / 0.75, 12)]);
    expect(run?.rows.map(({ cpuShare }) => cpuShare)).toEqual([1, 1, expect.closeTo(0.5, 12)]);
    expect(run?.rows.map(({ busyShare }) => busyShare)).toEqual([1, 1, 1]);
    // Each worker is busy to the end and makes one iteration: two threads need half the time, so they are twice as fast.
    expect(run?.rows.map(({ threadSpeed }) => threadSpeed)).toEqual([1, 2, expect.closeTo(100 / 56, 12)]);
    // 8 units of work, the first chunk has 4 of them: two threads can halve it, four cannot do better.
    expect(run?.rows.map(({ ceiling }) => ceiling)).toEqual([1, 2, 2]);
    expect(run?.rows.map(({ oversubscribed }) => oversubscribed)).toEqual([false, false, true]);
    expect(run?.costOfThreads).toBeCloseTo(100 / 98 - 1, 12);
    expect(run?.cold).toEqual({ threads: 2, spawnMs: 30, warmUpMs: 25, firstResultMs: 70 });
    expect(run?.rows[1]?.workers).toHaveLength(2);
    expect(run?.rows[1]?.workers[0]?.busyMs).toBe(50); // of the sample nearest to the median
    expect(run?.verdict).toMatch(/^Scales to 2 of 2 usable cores at 100 % efficiency/);
  });

  test("samples are taken in turn, and each round begins with another one", async () => {
    const { laboratory, engine, order } = fake();
    await measureScaling(laboratory, engine, PLAN, () => {}, never);
    expect(order).toEqual([0, 1, 2, 4, 1, 2, 4, 0, 2, 4, 0, 1]);
  });

  test("a cold start takes engines of their own, with a worker for each usable core", async () => {
    const { laboratory, engine, created } = fake();
    await measureScaling(laboratory, engine, PLAN, () => {}, never);
    expect(created).toEqual([2, 2, 2]);
  });

  test("every picture is one step of the progress, and a sample's step has its time and its chunks", async () => {
    const { laboratory, engine } = fake();
    const steps: Step[] = [];
    await measureScaling(laboratory, engine, PLAN, (step) => steps.push(step), never);
    expect(steps).toHaveLength(stepsOf(PLAN));
    const samples = steps.filter((step) => step.kind === "sample");
    expect(samples.slice(0, 4).map(({ threads, elapsedMs }) => [threads, elapsedMs])).toEqual([
      [0, 98],
      [1, 100],
      [2, 55],
      [4, 52],
    ]);
    expect(samples.slice(0, 2).map(({ chunks }) => chunks().length)).toEqual([0, 4]);
  });

  test("where processor time cannot be known, its share is null, and the verdict does without", async () => {
    const { laboratory, engine } = fake();
    const run = await measureScaling({ ...laboratory, cpuMs: () => null }, engine, PLAN, () => {}, never);
    expect(run?.rows.map(({ cpuShare }) => cpuShare)).toEqual([null, null, null]);
    expect(run?.verdict).toMatch(/^Scales to 2 of 2 usable cores at 100 % efficiency/);
  });

  test.each([0, 5, 15, 22])("wrong counts of picture %d fail the run, however fast they were", async (wrongAt) => {
    const { laboratory, engine } = fake({ wrongAt });
    const plan = { ...PLAN, expectedSha256: "hash 0" };
    await expect(measureScaling(laboratory, engine, plan, () => {}, never)).rejects.toThrow(
      /computed other counts: SHA-256 hash 1, expected hash 0/,
    );
  });

  test("an interrupt keeps the samples that were taken, if every row has one", async () => {
    for (const [stopAfter, rounds] of [
      [stepsOf(PLAN) - 8, 1],
      [stepsOf(PLAN) - 12, 0],
    ] as const) {
      const { laboratory, engine } = fake();
      let steps = 0;
      const signal = { ...never, aborted: false };
      const step = () => {
        if (++steps === stopAfter) signal.aborted = true;
      };
      const run = await measureScaling(laboratory, engine, PLAN, step, signal);
      if (rounds === 0) expect(run).toBeNull();
      else expect(run?.rows.map(({ samplesMs }) => samplesMs)).toEqual([[100], [55], [52]]);
    }
  });
});

describe("the ceiling of the static schedule", () => {
  test("a band costs what its rows cost, and the last band has the remainder", () => {
    const picture = { width: 100, height: 7, maxIterations: 1000 };
    expect(tileOf(100, 7, 1000)).toEqual({ width: 24, height: 1 }); // so 5 chunks a row
    const rowCosts = [1, 2, 3, 4, 5, 6, 7];
    const chunkCosts = rowCosts.flatMap((cost) => new Array<number>(5).fill(cost / 5));
    const bands = bandCosts(picture, chunkCosts, 3).map((cost) => Math.round(cost * 1e9) / 1e9);
    expect(bands).toEqual([1 + 2, 3 + 4, 5 + 6 + 7]);
    expect(bandCosts(picture, chunkCosts, 8).map((cost) => Math.round(cost))).toEqual([0, 0, 0, 0, 0, 0, 0, 28]);
  });

  test("chunks of several rows are divided among the bands that they touch", () => {
    const picture = { width: 10, height: 100, maxIterations: 1 };
    const { height } = tileOf(10, 100, 1);
    const chunks = Math.ceil(100 / height);
    const costs = new Array<number>(chunks).fill(1);
    const bands = bandCosts(picture, costs, 2);
    expect(bands[0] as number).toBeCloseTo(chunks / 2, 9);
    expect((bands[0] as number) + (bands[1] as number)).toBeCloseTo(chunks, 9);
  });
});

describe("the chunks of a picture", () => {
  test.each([
    ["the reference picture", 1000, 1000, 1000, { width: 1000, height: 8 }],
    ["a flat picture", 1000, 300, 1000, { width: 1000, height: 3 }],
    ["a large picture", 4000, 8000, 1000, { width: 4000, height: 16 }],
    ["one long row", 1_000_000, 1, 1000, { width: 1960, height: 1 }],
    ["one long column", 1, 1_000_000, 1000, { width: 1, height: 1952 }],
    ["one pixel", 1, 1, 1, { width: 1, height: 1 }],
    ["a picture of little work", 97, 61, 255, { width: 97, height: 1 }],
    ["one iteration", 1000, 1000, 1, { width: 1000, height: 16 }],
  ])(
    "%s: bands of rows, or parts of rows, of a size that balances and costs little",
    (_, width, height, limit, tile) => {
      expect(tileOf(width, height, limit)).toEqual(tile);
    },
  );
});
