// The engine in a page, by its public door. Bundled, and run in real browsers by browser.test.ts: on a page that is
// cross-origin isolated, and on one that is not.

import { createEngine, type Engine, type EngineOptions, type MandelbrotOptions, type Mode } from "allcores";
import { describe, expect, test } from "vitest";
import { LONG, timeToAbort } from "./abort.ts";
import { longestPause } from "./pauses.ts";

/** A case of test/golden.ts, as the page is told of it. */
interface Golden extends Required<Pick<MandelbrotOptions, "width" | "height" | "region" | "maxIterations">> {
  name: string;
  sha256: string;
  /** What a naive loop iterates. */
  sum: number;
}

const goldens: Golden[] = await (await fetch("/golden.json")).json();

const PARALLEL: Mode[] = crossOriginIsolated ? ["shared", "isolated"] : ["isolated"];
const MODES: Mode[] = [...PARALLEL, "single"];

/** Milliseconds of a task of the main thread from which on a browser calls it long. */
const LONG_TASK_MS = 50;

async function withEngine<T>(options: EngineOptions, use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await createEngine(options);
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

async function sha256(counts: Uint32Array): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", counts as Uint32Array<ArrayBuffer>);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Computes a golden case with every worker. */
async function expectToWork(engine: Engine): Promise<void> {
  const golden = goldens.find(({ name }) => name === "whole97x61_it255");
  const { width, height, region, maxIterations, sha256: expected } = golden as Golden;
  const { counts, workers } = await engine.mandelbrot({ width, height, region, maxIterations });
  expect(await sha256(counts)).toBe(expected);
  expect(workers).toHaveLength(engine.threads);
}

const isSmall = ({ sum }: Golden) => sum < 20_000_000;

const sum = (numbers: number[]) => numbers.reduce((all, number) => all + number, 0);

test("the page is a secure context, whose isolation is what it says in its address", () => {
  expect(isSecureContext).toBe(true);
  expect(String(crossOriginIsolated)).toBe(new URLSearchParams(location.search).get("isolated"));
});

test("a task of 120 ms on the main thread is seen, and 10 tasks of 12 ms are not taken for one", async () => {
  const busy = (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end; );
  };
  expect(await longestPause(async () => busy(120))).toBeGreaterThan(100);
  const often = async () => {
    for (let task = 0; task < 10; task++) {
      await new Promise((resolve) => setTimeout(resolve));
      busy(12);
    }
  };
  const pauses = [await longestPause(often), await longestPause(often), await longestPause(often)];
  expect(Math.min(...pauses)).toBeLessThan(LONG_TASK_MS);
});

describe.each(PARALLEL)("exact in %s mode", (mode) => {
  for (const build of ["simd", "scalar"] as const) {
    test(`the ${build} build computes every golden case with 1, 2 and 3 threads, either algorithm and schedule`, async () => {
      await withEngine({ mode, threads: 3, build }, async (engine) => {
        expect(engine).toMatchObject({ mode, build, modeReason: { code: "requested" } });
        for (const { name, width, height, region, maxIterations, sha256: expected, sum: iterations } of goldens) {
          for (const algorithm of ["naive", "exact"] as const) {
            for (const [threads, schedule] of [
              [1, "dynamic"],
              [2, "static"],
              [3, "dynamic"],
            ] as const) {
              const picture = { width, height, region, maxIterations, algorithm, schedule, threads };
              const { counts, workers } = await engine.mandelbrot(picture);
              const label = `${name} ${algorithm} ${schedule} ${threads}`;
              expect(`${label} ${await sha256(counts)}`).toBe(`${label} ${expected}`);
              if (algorithm === "naive") expect(sum(workers.map((worker) => worker.iterations))).toBe(iterations);
            }
          }
        }
      });
    }, 120_000);
  }
});

test("single mode computes the smaller golden cases exactly, on either build", async () => {
  for (const build of ["simd", "scalar"] as const) {
    await withEngine({ mode: "single", build }, async (engine) => {
      expect(engine).toMatchObject({ mode: "single", threads: 1, build, modeReason: { code: "requested" } });
      for (const { name, width, height, region, maxIterations, sha256: expected } of goldens.filter(isSmall)) {
        for (const algorithm of ["naive", "exact"] as const) {
          const { counts } = await engine.mandelbrot({ width, height, region, maxIterations, algorithm });
          expect(`${name} ${algorithm} ${await sha256(counts)}`).toBe(`${name} ${algorithm} ${expected}`);
        }
      }
    });
  }
});

test("an engine without options takes the best mode that the page allows, and says why", async () => {
  await withEngine({}, async (engine) => {
    expect(engine.mode).toBe(PARALLEL[0]);
    expect(engine.modeReason.code).toBe(crossOriginIsolated ? "threads-available" : "not-isolated");
    expect(engine.cores).toBe(navigator.hardwareConcurrency);
    await expectToWork(engine);
  });
});

test.runIf(!crossOriginIsolated)(
  "shared mode, insisted on, is refused with the reason and the headers to send",
  async () => {
    const refused = createEngine({ mode: "shared" });
    await expect(refused).rejects.toMatchObject({ code: "E_NOT_ISOLATED" });
    await expect(refused).rejects.toThrow(/not cross-origin isolated.*Cross-Origin-Opener-Policy: same-origin/s);
  },
);

test.runIf(crossOriginIsolated)("the counter counts exactly under a lock and with atomics", async () => {
  await withEngine({ mode: "shared", threads: 10 }, async (engine) => {
    for (const guard of ["lock", "atomic"] as const) {
      expect(await engine.count({ guard })).toMatchObject({
        threads: 10,
        expected: 1_000_000,
        value: 1_000_000,
        lost: 0,
      });
    }
    const { value, lost, expected } = await engine.count({ guard: "none" });
    expect(value + lost).toBe(expected);
  });
});

test("the counter is refused where no memory is shared, and the engine goes on", async () => {
  await withEngine({ mode: "isolated", threads: 2 }, async (engine) => {
    await expect(engine.count()).rejects.toMatchObject({ code: "E_UNSUPPORTED" });
    await expectToWork(engine);
  });
});

describe.each(MODES)("in %s mode", (mode) => {
  test("an abort of a render of minutes reaches every worker, the pool lives, and the next job is right", async () => {
    await withEngine({ mode, threads: 2 }, async (engine) => {
      const left: number[] = [];
      for (let round = 0; round < 5; round++) {
        left.push(await timeToAbort(engine));
        await expectToWork(engine);
      }
      console.log(`${mode}: from abort to the last worker's leaving: ${left.map((ms) => ms.toFixed(1)).join(", ")} ms`);
      expect(engine.statistics).toMatchObject({ workersLost: 0, memoriesRetired: 0 });
    });
  });

  test("closing during a render rejects it and what is queued behind it; twice is once", async () => {
    const engine = await createEngine({ mode, threads: 2 });
    const jobs = [engine.mandelbrot(LONG), engine.mandelbrot()].map((job) => job.catch((error) => error.code));
    const closed = engine.close();
    expect(engine.close()).toBe(closed);
    await closed;
    expect(await Promise.all(jobs)).toEqual(["E_CLOSED", "E_CLOSED"]);
    await expect(engine.mandelbrot()).rejects.toMatchObject({ code: "E_CLOSED" });
  });

  test("two engines at once do not disturb each other", async () => {
    await withEngine({ mode, threads: 2 }, (first) =>
      withEngine({ mode, threads: 2 }, async (second) => {
        await Promise.all([expectToWork(first), expectToWork(second), expectToWork(first), expectToWork(second)]);
      }),
    );
  });

  test("a result is no shared memory: what the platform refuses shared views for takes it", async () => {
    await withEngine({ mode, threads: 2 }, async (engine) => {
      const { counts, width, height } = await engine.mandelbrot({ width: 64, height: 48 });
      const pixels = new Uint8ClampedArray(counts.buffer as ArrayBuffer);
      expect(new ImageData(pixels, width, height).data).toHaveLength(64 * 48 * 4);
      expect(structuredClone(counts, { transfer: [counts.buffer as ArrayBuffer] })).toHaveLength(64 * 48);
    });
  });

  test("progress never decreases, and ends with the total", async () => {
    await withEngine({ mode, threads: 2 }, async (engine) => {
      const seen: number[] = [];
      const onProgress = ({ done }: { done: number }) => void seen.push(done);
      await engine.mandelbrot({ maxIterations: 5000, algorithm: "naive", onProgress });
      expect(seen.length).toBeGreaterThan(1);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(seen.at(-1)).toBe(1_000_000);
    });
  });

  // The machine has other things to do as well, and a task that waits for a processor is long, too. What the engine does
  // on the main thread it does in each render, so the best of some tells.
  test(`the main thread stays free: in the best of five renders no task lasts ${LONG_TASK_MS} ms`, async () => {
    await withEngine({ mode, threads: Math.min(2, navigator.hardwareConcurrency) }, async (engine) => {
      const pauses: number[] = [];
      for (let render = 0; render < 5; render++) {
        const picture = { width: 1500, height: 1000, maxIterations: 1000, algorithm: "naive" } as const;
        pauses.push(await longestPause(() => engine.mandelbrot(picture)));
      }
      console.log(`${mode}: longest tasks of five renders: ${pauses.map((pause) => pause.toFixed(0)).join(", ")} ms`);
      expect(Math.min(...pauses)).toBeLessThan(LONG_TASK_MS);
    });
  });
});
