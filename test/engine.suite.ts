// The engine's suite. It runs on every runtime: under vitest on this Node, and bundled on the others
// (runtimes.test.ts). The workers and kernels are the built ones.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import {
  CONTROL_GENERATION,
  JOB,
  MANDELBROT_COUNTS,
  MANDELBROT_TILE_WIDTH,
  THREAD_BYTES,
  THREAD_LEFT,
  THREAD_PARKED,
  THREAD_STATE,
  THREADS,
} from "../assembly/layout.ts";
import { sha256 } from "../node/hash.ts";
import { createNodeHost } from "../node/host.ts";
import { createEngineOn } from "../src/engine.ts";
import { EngineError } from "../src/errors.ts";
import type { Host, HostMessage, WorkerBoot, WorkerHandle } from "../src/host.ts";
import type { Engine, EngineOptions, Guard, MandelbrotOptions, Mode, Progress } from "../src/types.ts";
import { goldenCases } from "./golden.ts";

const dist = new URL("../dist/", import.meta.url);
const files = { worker: new URL("node-worker.cjs", dist), kernels: dist };
const goldens = goldenCases();
const golden = (name: string) => {
  const found = goldens.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no golden case ${name}`);
  return found;
};

const MODES: Mode[] = ["shared", "isolated", "single"];
/** Those with workers. */
const CREWS: Mode[] = ["shared", "isolated"];

/** Long enough to be interrupted: minutes. */
const LONG: MandelbrotOptions = { width: 4000, height: 4000, maxIterations: 50_000, algorithm: "naive" };

const folder = mkdtempSync(join(tmpdir(), "allcores-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A host that keeps what it spawned: the tests' hands on real workers. */
interface OpenHost extends Host {
  boots: WorkerBoot[];
  handles: WorkerHandle[];
  /** What workers with private memories were sent. */
  posted: HostMessage[];
  /** Called with what they are sent, before they are. */
  tamper: ((message: HostMessage) => void) | undefined;
  /** The first workers' memory. */
  sharedMemory(): WebAssembly.Memory;
}

function openHost(
  workerOf: (thread: number, spawned: number) => URL = () => files.worker,
  kernels: URL = dist,
): OpenHost {
  const boots: WorkerBoot[] = [];
  const handles: WorkerHandle[] = [];
  const posted: HostMessage[] = [];
  const open: OpenHost = {
    ...createNodeHost({ ...files, kernels }),
    boots,
    handles,
    posted,
    tamper: undefined,
    sharedMemory() {
      if (boots[0]?.memory === undefined) throw new Error("there is no shared memory");
      return boots[0].memory;
    },
    spawn(boot, events) {
      const host = createNodeHost({ ...files, worker: workerOf(boot.thread, boots.length) });
      boots.push(boot);
      const handle = host.spawn(boot, events);
      handles.push(handle);
      const post = (message: HostMessage) => {
        posted.push(message);
        open.tamper?.(message);
        handle.post(message);
      };
      return { ...handle, post };
    },
  };
  return open;
}

/** A folder of kernels of its own, whose modules nobody has run yet; `change` may change the SIMD build's bytes. */
function ownKernels(name: string, change: (bytes: Uint8Array) => void = () => {}): URL {
  const path = join(folder, name);
  mkdirSync(path);
  for (const file of ["kernel.wasm", "kernel-scalar.wasm"]) {
    const bytes = new Uint8Array(readFileSync(new URL(file, dist)));
    if (file === "kernel.wasm") change(bytes);
    writeFileSync(join(path, file), bytes);
  }
  return pathToFileURL(`${path}/`);
}

/** Unless a test wants one, there is no warm-up: it would be the first job that the tests' workers see. */
async function withEngine<T>(options: EngineOptions, use: (engine: Engine) => Promise<T>, host?: Host): Promise<T> {
  const engine = await createEngineOn(host ?? createNodeHost(files), { warmUp: false, ...options });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

/** Writes a worker's script. */
function workerScript(name: string, source: string): URL {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, `import { parentPort, workerData } from "node:worker_threads";\n${source}`);
  return pathToFileURL(path);
}

/** A worker of either mode that says ready, waits for its first job, and then does something else. */
function badWorker(name: string, deed: string): URL {
  return workerScript(
    name,
    `const { thread, memory } = workerData;
     parentPort.postMessage({ type: "allcores:ready" });
     if (memory) Atomics.wait(new Int32Array(memory.buffer, ${THREADS} + thread * ${THREAD_BYTES}, 1), 0, 0);
     else await new Promise((resolve) => parentPort.once("message", resolve));
     ${deed}`,
  );
}

/** Resolves when the job is running: when some of it is done. */
function running(): { options: MandelbrotOptions; begun: Promise<Progress> } {
  let onProgress: (progress: Progress) => void = () => {};
  const begun = new Promise<Progress>((resolve) => {
    onProgress = resolve;
  });
  return { options: { ...LONG, onProgress: (progress) => void (progress.done > 0 && onProgress(progress)) }, begun };
}

/** Computes a golden case with every worker. */
async function expectToWork(engine: Engine): Promise<void> {
  const { width, height, region, maxIterations, sha256: expected } = golden("whole97x61_it255");
  const { counts, workers, chunks } = await engine.mandelbrot({ width, height, region, maxIterations });
  expect(sha256(counts)).toBe(expected);
  expect(workers).toHaveLength(Math.min(engine.threads, chunks().length));
}

async function code(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "no error";
  } catch (error) {
    return error instanceof EngineError ? error.code : String(error);
  }
}

/** What the golden cases are computed with. In single mode more than one is the same as one. */
const threadsIn: Record<Mode, number[]> = { shared: [1, 2, 3, 4, 5, 6, 7, 8], isolated: [1, 2, 3, 8], single: [8] };

describe.each(MODES)("exact on every build, thread count, schedule and algorithm, in %s mode", (mode) => {
  for (const build of ["simd", "scalar"] as const) {
    test(`the ${build} build computes every golden case with 1 to 8 threads`, async () => {
      await withEngine({ mode, threads: 8, build }, async (engine) => {
        expect(engine.build).toBe(build);
        for (const { name, width, height, region, maxIterations, sha256: expected, sum } of goldens) {
          for (const algorithm of ["naive", "exact"] as const) {
            for (const schedule of ["dynamic", "static"] as const) {
              for (const threads of threadsIn[mode]) {
                const picture = { width, height, region, maxIterations, algorithm, schedule, threads };
                const { counts, workers } = await engine.mandelbrot(picture);
                const label = `${name} ${algorithm} ${schedule} ${threads}`;
                expect(`${label} ${sha256(counts)}`).toBe(`${label} ${expected}`);
                if (algorithm === "naive") expect(total(workers, "iterations")).toBe(sum);
              }
            }
          }
        }
      });
    }, 600_000);
  }

  test("a picture of fewer chunks than workers takes a worker for each chunk", async () => {
    await withEngine({ mode, threads: 3 }, async (engine) => {
      const small = await engine.mandelbrot({ width: 2, height: 1, maxIterations: 10 });
      expect(small).toMatchObject({ threads: 1, workers: [{ chunks: 1 }] });
      expect(small.chunks()).toHaveLength(1);
      const bands = await engine.mandelbrot({ width: 2, height: 3, maxIterations: 10, schedule: "static" });
      expect(bands.threads).toBe(engine.threads);
      const large = await engine.mandelbrot();
      expect(large.threads).toBe(engine.threads);
    });
  });

  test("what the workers did adds up: chunks, their times, and who computed them", async () => {
    await withEngine({ mode, threads: 3 }, async (engine) => {
      const result = await engine.mandelbrot({ algorithm: "naive" });
      const chunks = result.chunks();
      expect(result.workers).toHaveLength(mode === "single" ? 1 : 3);
      expect(result.threads).toBe(result.workers.length);
      expect(total(result.workers, "chunks")).toBe(chunks.length);
      for (const [thread, worker] of result.workers.entries()) {
        const own = chunks.filter((chunk) => chunk.thread === thread);
        expect(own).toHaveLength(worker.chunks);
        expect(own.reduce((sum, chunk) => sum + chunk.iterations, 0)).toBe(worker.iterations);
        expect(own.reduce((sum, chunk) => sum + chunk.endMs - chunk.beginMs, 0)).toBeCloseTo(worker.busyMs, 3);
      }
      for (const { beginMs, endMs } of chunks) {
        // All clocks count from one origin; runtimes round it to a tenth of a millisecond or so.
        expect(beginMs).toBeGreaterThan(-2);
        expect(endMs).toBeGreaterThanOrEqual(beginMs);
        expect(endMs).toBeLessThan(result.elapsedMs + 2);
      }
    });
  });

  test("static gives each thread that there is one band, and the remainder to the last", async () => {
    await withEngine({ mode, threads: 4 }, async (engine) => {
      const { workers, counts } = await engine.mandelbrot({ width: 5, height: 11, schedule: "static" });
      const bands = Array.from({ length: mode === "single" ? 1 : 4 }, () => 1);
      expect(workers.map((worker) => worker.chunks)).toEqual(bands);
      const few = await engine.mandelbrot({ width: 5, height: 3, schedule: "static" });
      expect(few.workers.map((worker) => worker.chunks)).toEqual(bands);
      expect(counts).toHaveLength(55);
    });
  });
});

describe("the counter", () => {
  for (const guard of ["lock", "atomic"] as const) {
    test(`10 threads × 100,000 under ${guard} count to exactly 1,000,000`, async () => {
      await withEngine({ threads: 10 }, async (engine) => {
        for (let round = 0; round < 10; round++) {
          const result = await engine.count({ guard });
          expect(result).toMatchObject({ threads: 10, increments: 100_000, value: 1_000_000, lost: 0 });
        }
      });
    });
  }

  test("the lock's statistics are those of its workers, and an uncontended lock is never waited for", async () => {
    await withEngine({ threads: 4 }, async (engine) => {
      const { lock, locks } = await engine.count({ increments: 20_000, guard: "lock" });
      expect(locks.map(({ acquisitions }) => acquisitions)).toEqual([20_000, 20_000, 20_000, 20_000]);
      expect(lock.acquisitions).toBe(80_000);
      expect(total(locks, "contended")).toBe(lock.contended);
      expect(total(locks, "waits")).toBe(lock.waits);
      expect(lock.contended).toBeLessThanOrEqual(lock.acquisitions);
      const alone = await engine.count({ threads: 1, guard: "lock" });
      expect(alone.lock).toEqual({ acquisitions: 100_000, contended: 0, waits: 0, waitMs: 0, rescues: 0 });
      const atomic = await engine.count({ guard: "atomic" });
      expect(atomic.lock.acquisitions).toBe(0);
    });
  });

  test("without a guard the count never exceeds what was added, and one thread loses nothing", async () => {
    await withEngine({ threads: 4 }, async (engine) => {
      const { value, expected, lost } = await engine.count({ guard: "none" });
      expect(value).toBeLessThanOrEqual(expected);
      expect(value + lost).toBe(expected);
      expect((await engine.count({ guard: "none", threads: 1 })).lost).toBe(0);
    });
  });
});

describe("in isolated mode", () => {
  test("the counter is refused at once, with the reason and what to do, and the engine goes on", async () => {
    await withEngine({ mode: "isolated", threads: 2 }, async (engine) => {
      const before = code(engine.mandelbrot(LONG));
      const counter = engine.count();
      await expect(counter).rejects.toMatchObject({ code: "E_UNSUPPORTED" });
      await expect(counter).rejects.toThrow(/needs a memory that all workers share.*mode: "shared"/);
      expect(await code(engine.count({ increments: 0 }))).toBe("E_ARGUMENT");
      await engine.close();
      expect(await before).toBe("E_CLOSED");
      expect(await code(engine.count())).toBe("E_CLOSED");
    });
  });

  test("no worker is given a memory", async () => {
    const host = openHost();
    await withEngine({ mode: "isolated", threads: 2 }, expectToWork, host);
    expect(host.boots.map(({ memory }) => memory)).toEqual([undefined, undefined]);
  });

  test("every shape of picture has the counts and magnitudes of shared mode, bit for bit", async () => {
    const shapes: MandelbrotOptions[] = [
      { width: 1, height: 1 },
      { width: 1, height: 700 },
      { width: 700, height: 1, maxIterations: 100_000 },
      { width: 3, height: 2, maxIterations: 1_000_000 },
      { width: 1001, height: 77 },
      { width: 640, height: 480, maxIterations: 50_000 },
      { width: 2000, height: 900, maxIterations: 20 },
      { width: 5, height: 40_000, maxIterations: 10 },
      { width: 333, height: 222, algorithm: "naive" },
    ];
    await withEngine({ mode: "shared", threads: 2 }, (shared) =>
      withEngine({ mode: "isolated", threads: 3 }, async (isolated) => {
        for (const shape of shapes) {
          const expected = await shared.mandelbrot({ ...shape, magnitudes: true });
          for (const schedule of ["dynamic", "static"] as const) {
            const result = await isolated.mandelbrot({ ...shape, schedule, magnitudes: true });
            expect(Buffer.compare(bytes(result.counts), bytes(expected.counts))).toBe(0);
            expect(Buffer.compare(bytes(result.magnitudes), bytes(expected.magnitudes))).toBe(0);
            // What `exact` can skip depends on the chunks.
            if (shape.algorithm !== "naive") continue;
            expect(total(result.workers, "iterations")).toBe(total(expected.workers, "iterations"));
          }
        }
      }),
    );
  }, 60_000);

  test("a view is the caller's own, and outlives the engine", async () => {
    const { counts, magnitudes } = await withEngine({ mode: "isolated", threads: 2 }, async (engine) => {
      const view = await engine.mandelbrot({ width: 64, height: 64, output: "view", magnitudes: true });
      view.release();
      return view;
    });
    expect(counts.buffer).toBeInstanceOf(ArrayBuffer);
    expect(magnitudes?.buffer).toBeInstanceOf(ArrayBuffer);
    expect(magnitudes?.buffer).not.toBe(counts.buffer);
    expect(structuredClone(counts, { transfer: [counts.buffer as ArrayBuffer] })).toHaveLength(4096);
  });

  test("workers are sent nothing more after an abort", async () => {
    const host = openHost();
    await withEngine(
      { mode: "isolated", threads: 2 },
      async (engine) => {
        const controller = new AbortController();
        const { options, begun } = running();
        const job = code(engine.mandelbrot({ ...options, signal: controller.signal }));
        await begun;
        controller.abort();
        const { length } = host.posted;
        expect(await job).toBe("E_ABORTED");
        expect(host.posted).toHaveLength(length);
      },
      host,
    );
  });

  const isNode = !("deno" in process.versions) && !("bun" in process.versions);
  // Elsewhere a thread that computes cannot be ended: it goes on until its pixel is done, minutes later.
  test.runIf(isNode)("an abort in the middle of one endless pixel costs the workers, and is heard", async () => {
    await withEngine({ mode: "isolated", threads: 2 }, async (engine) => {
      const controller = new AbortController();
      const region = { reMin: -0.75, reMax: 1, imMin: 1e-9, imMax: 1 };
      const picture = { width: 1, height: 1, maxIterations: 2 ** 31 - 1, region, algorithm: "naive" } as const;
      const job = engine.mandelbrot({ ...picture, signal: controller.signal, onProgress: () => controller.abort() });
      expect(await code(job)).toBe("E_ABORTED");
      await expectToWork(engine);
      expect(engine.statistics.memoriesRetired).toBe(1);
    });
  });
});

describe("the queue", () => {
  test("jobs run in the order in which they were called for, and two callers never mix", async () => {
    await withEngine({ threads: 2 }, async (engine) => {
      const order: string[] = [];
      const jobs = goldens
        .filter(({ width, height }) => width * height < 100_000)
        .flatMap((entry) => [entry, entry])
        .map(async ({ name, width, height, region, maxIterations, sha256: expected }, index) => {
          const [{ counts }, { value }] = await Promise.all([
            engine.mandelbrot({ width, height, region, maxIterations }).finally(() => order.push(`${index} ${name}`)),
            engine.count({ increments: 1000 + index }),
          ]);
          expect(sha256(counts)).toBe(expected);
          expect(value).toBe(2 * (1000 + index));
          return `${index} ${name}`;
        });
      expect(await Promise.all(jobs)).toEqual(order);
    });
  });

  test("two engines at once do not disturb each other", async () => {
    const { width, height, region, maxIterations, sha256: expected } = golden("whole256_it1000");
    await Promise.all(
      [1, 2, 3].map((threads) =>
        withEngine({ threads }, async (engine) => {
          for (let i = 0; i < 5; i++) {
            const { counts } = await engine.mandelbrot({ width, height, region, maxIterations });
            expect(sha256(counts)).toBe(expected);
          }
        }),
      ),
    );
  });

  test("threads that have no part in a job stay out of it", async () => {
    await withEngine({ threads: 4 }, async (engine) => {
      const { workers, threads } = await engine.mandelbrot({ threads: 2 });
      expect(threads).toBe(2);
      expect(workers).toHaveLength(2);
      // One after the other, with changing numbers: whoever wakes late must not take the next job's parameters for its own.
      for (let i = 0; i < 200; i++) {
        const { value } = await engine.count({ threads: 1 + (i % 4), increments: 10, guard: "atomic" });
        expect(value).toBe(10 * (1 + (i % 4)));
      }
    });
  });
});

describe.each(MODES)("who owns the result, in %s mode", (mode) => {
  test("a copy is the caller's: later jobs do not change it, and it is no shared memory", async () => {
    await withEngine({ mode, threads: 2 }, async (engine) => {
      const first = await engine.mandelbrot({ width: 64, height: 64 });
      const before = sha256(first.counts);
      await engine.mandelbrot({ width: 64, height: 64, maxIterations: 7 });
      expect(sha256(first.counts)).toBe(before);
      expect(first.counts.buffer).toBeInstanceOf(ArrayBuffer);
      first.release();
    });
  });

  test.runIf(mode === "shared")("a view keeps its memory until it is released, whatever runs meanwhile", async () => {
    await withEngine({ mode, threads: 2 }, async (engine) => {
      const view = await engine.mandelbrot({ width: 64, height: 64, output: "view", magnitudes: true });
      expect(view.counts.buffer).toBeInstanceOf(SharedArrayBuffer);
      const before = sha256(view.counts);
      const other = await engine.mandelbrot({ width: 64, height: 64, maxIterations: 7, output: "view" });
      expect(sha256(view.counts)).toBe(before);
      expect(other.counts.byteOffset).not.toBe(view.counts.byteOffset);
      view.release();
      view.release(); // no effect
      const third = await engine.mandelbrot({ width: 64, height: 64, output: "view" });
      expect(third.counts.byteOffset).toBe(view.counts.byteOffset);
      third[Symbol.dispose]();
      other.release();
    });
  });

  test("magnitudes come when they are asked for: 0 inside, beyond the escape radius outside", async () => {
    await withEngine({ mode, threads: 2 }, async (engine) => {
      const { counts, magnitudes, maxIterations } = await engine.mandelbrot({
        width: 99,
        height: 66,
        magnitudes: true,
      });
      expect(magnitudes).toHaveLength(counts.length);
      for (const [pixel, magnitude] of (magnitudes as Float32Array).entries()) {
        if (counts[pixel] === maxIterations) expect(magnitude).toBe(0);
        else expect(magnitude).toBeGreaterThan(4);
      }
      expect((await engine.mandelbrot({ width: 9, height: 9 })).magnitudes).toBeUndefined();
    });
  });
});

describe.each(MODES)("abort, in %s mode", (mode) => {
  test("a signal that is aborted already rejects at once, and nothing runs", async () => {
    await withEngine({ mode, threads: 2 }, async (engine) => {
      const reason = new Error("not today");
      const rejected = engine.mandelbrot({ signal: AbortSignal.abort(reason) });
      await expect(rejected).rejects.toMatchObject({ code: "E_ABORTED", name: "AbortError", cause: reason });
      expect(engine.statistics.jobsDone).toBe(0);
    });
  });

  test("an abort during a render reaches every worker, and the pool lives", async () => {
    const host = openHost();
    await withEngine(
      { mode, threads: 4 },
      async (engine) => {
        for (let round = 0; round < 5; round++) {
          const controller = new AbortController();
          const { options, begun } = running();
          const job = engine.mandelbrot({ ...options, signal: controller.signal });
          const { done } = await begun;
          expect(done).toBeGreaterThan(0);
          controller.abort();
          expect(await code(job)).toBe("E_ABORTED");
          // The job has ended, so every thread has left it.
          for (let thread = 0; mode === "shared" && thread < 4; thread++) {
            const state = Atomics.load(stateWord(host.sharedMemory(), thread), 0);
            expect([THREAD_LEFT, THREAD_PARKED]).toContain(state);
          }
          await expectToWork(engine);
        }
        expect(host.boots).toHaveLength(mode === "single" ? 0 : 4); // nobody was replaced
        expect(engine.statistics).toMatchObject({ workersLost: 0, memoriesRetired: 0 });
      },
      host,
    );
  });

  test.runIf(mode === "shared")("an abort in the middle of one endless pixel is heard within the pixel", async () => {
    for (const build of ["simd", "scalar"] as const) {
      for (const algorithm of ["naive", "exact"] as const) {
        await withEngine({ mode, threads: 1, build }, async (engine) => {
          const controller = new AbortController();
          // -0.75 + 0.0000001i: close enough to the set to take for ever, and never in a cycle.
          const region = { reMin: -0.75, reMax: 1, imMin: 1e-9, imMax: 1 };
          const job = engine.mandelbrot({
            width: 1,
            height: 1,
            maxIterations: 2 ** 31 - 1,
            region,
            algorithm,
            signal: controller.signal,
            onProgress: () => controller.abort(),
          });
          expect(await code(job)).toBe("E_ABORTED");
        });
      }
    }
  });

  test("an abort in the queue rejects at once, and the other jobs are done", async () => {
    await withEngine({ mode, threads: 2 }, async (engine) => {
      const controller = new AbortController();
      const first = engine.mandelbrot({ width: 500, height: 500 });
      const second = engine.mandelbrot({ signal: controller.signal });
      const third = expectToWork(engine);
      controller.abort();
      expect(await code(second)).toBe("E_ABORTED");
      expect((await first).counts).toHaveLength(250_000);
      await third;
    });
  });

  test.runIf(mode === "shared")("an abort of a counter ends threads that wait for the lock", async () => {
    await withEngine({ mode, threads: 4 }, async (engine) => {
      for (const guard of ["lock", "atomic", "none"] as Guard[]) {
        const controller = new AbortController();
        const onProgress = () => controller.abort();
        const job = engine.count({ guard, increments: 2 ** 31 - 1, signal: controller.signal, onProgress });
        expect(await code(job)).toBe("E_ABORTED");
      }
    });
  });

  test("an abort after the end has no effect, and leaves no listener behind", async () => {
    await withEngine({ mode, threads: 2 }, async (engine) => {
      const listeners = new Set<() => void>();
      const signal = {
        aborted: false,
        addEventListener: (_: "abort", listener: () => void) => void listeners.add(listener),
        removeEventListener: (_: "abort", listener: () => void) => void listeners.delete(listener),
      };
      await engine.mandelbrot({ width: 10, height: 10, signal });
      expect(listeners.size).toBe(0);
      await expectToWork(engine);
    });
  });
});

describe.each(MODES)("progress, in %s mode", (mode) => {
  test("it never decreases, stays within the total, and ends with it", async () => {
    await withEngine({ mode, threads: 2 }, async (engine) => {
      const seen: number[] = [];
      const onProgress = ({ done, total: all }: Progress) => {
        expect(all).toBe(1_000_000);
        seen.push(done);
      };
      await engine.mandelbrot({ maxIterations: 20_000, algorithm: "naive", onProgress });
      expect(seen.length).toBeGreaterThan(2);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(seen.at(-1)).toBe(1_000_000);
    });
  });

  test("what onProgress throws stops the job and rejects it, and the pool lives", async () => {
    await withEngine({ mode, threads: 2 }, async (engine) => {
      const boom = new Error("boom");
      const job = engine.mandelbrot({
        ...LONG,
        onProgress: () => {
          throw boom;
        },
      });
      await expect(job).rejects.toBe(boom);
      await expectToWork(engine);
    });
  });

  test("the main thread is never blocked: timers go on while all workers render", async () => {
    await withEngine({ mode, threads: 2 }, async (engine) => {
      let ticks = 0;
      const ticker = setInterval(() => ticks++, 5);
      await engine.mandelbrot({ maxIterations: 10_000, algorithm: "naive" });
      clearInterval(ticker);
      expect(ticks).toBeGreaterThan(5);
    });
  });
});

describe.each(MODES)("close, in %s mode", (mode) => {
  test("twice, it is the same promise; afterwards jobs reject", async () => {
    const engine = await createEngineOn(createNodeHost(files), { mode, threads: 2 });
    const closed = engine.close();
    expect(engine.close()).toBe(closed);
    expect(await code(engine.mandelbrot())).toBe("E_CLOSED");
    await closed;
    expect(engine.close()).toBe(closed);
    expect(await code(engine.count())).toBe("E_CLOSED");
  });

  test("during a job, the job and the queue behind it reject, and the workers leave", async () => {
    const engine = await createEngineOn(createNodeHost(files), { mode, threads: 3 });
    const { options, begun } = running();
    const jobs = [engine.mandelbrot(options), engine.mandelbrot(), engine.mandelbrot()].map(code);
    await begun;
    await engine.close();
    expect(await Promise.all(jobs)).toEqual(["E_CLOSED", "E_CLOSED", "E_CLOSED"]);
  });

  test("at once after a job was called for, the job rejects", async () => {
    const engine = await createEngineOn(createNodeHost(files), { mode, threads: 2 });
    const job = code(engine.mandelbrot());
    await engine.close();
    expect(await job).toBe("E_CLOSED");
  });

  test.skipIf(mode === "single")("while the pool is repaired, no worker is left", async () => {
    const host = openHost((_, spawned) => (spawned < 2 ? badWorker("leaves-late", "process.exit(0)") : files.worker));
    const engine = await createEngineOn(host, { mode, threads: 2, warmUp: false });
    const first = code(engine.mandelbrot());
    const second = code(engine.mandelbrot());
    expect(await first).toBe("E_WORKER_LOST");
    const closed = engine.close();
    expect(await second).toBe("E_CLOSED");
    await closed;
  });

  test("an engine is disposed by `await using`", async () => {
    const engine = await createEngineOn(createNodeHost(files), { mode, threads: 2 });
    await engine[Symbol.asyncDispose]();
    expect(await code(engine.count())).toBe("E_CLOSED");
  });
});

describe("the warm-up", () => {
  const generation = (host: OpenHost) =>
    Atomics.load(new Int32Array(host.sharedMemory().buffer, CONTROL_GENERATION, 1), 0);

  test("runs before the first job, counts as none, and is made once for all engines of a program", async () => {
    const kernels = ownKernels("warm-once");
    const hosts = [openHost(undefined, kernels), openHost(undefined, kernels)] as const;
    await withEngine(
      { threads: 2, warmUp: true },
      async (engine) => {
        expect((await engine.count({ increments: 5 })).value).toBe(10);
        expect(engine.statistics.jobsDone).toBe(1);
        expect(engine.statistics.warmUpMs).toBeGreaterThan(0);
        expect(generation(hosts[0])).toBeGreaterThan(1);
      },
      hosts[0],
    );
    await withEngine(
      { threads: 2, warmUp: true },
      async (engine) => {
        await engine.count({ increments: 5 });
        expect(generation(hosts[1])).toBe(1);
      },
      hosts[1],
    );
  });

  test("can be switched off", async () => {
    const host = openHost(undefined, ownKernels("cold"));
    await withEngine(
      { threads: 2 },
      async (engine) => {
        await engine.count({ increments: 5 });
        expect(generation(host)).toBe(1);
        expect(engine.statistics.warmUpMs).toBe(0);
      },
      host,
    );
  });

  test("lets a job behind it be aborted, and the engine be closed", async () => {
    const engine = await createEngineOn(openHost(undefined, ownKernels("stopped")), { threads: 2 });
    const controller = new AbortController();
    const aborted = code(engine.mandelbrot({ signal: controller.signal }));
    const closed = code(engine.count());
    controller.abort();
    expect(await aborted).toBe("E_ABORTED");
    await engine.close();
    expect(await closed).toBe("E_CLOSED");
    expect(engine.statistics.jobsDone).toBe(0);
  });

  test("in which a worker dies costs no job: the worker is replaced before the first", async () => {
    const bad = badWorker("dies-warming", "process.exit(0);");
    const workerOf = (thread: number, spawned: number) => (spawned < 2 && thread === 1 ? bad : files.worker);
    await withEngine(
      { threads: 2, warmUp: true },
      async (engine) => {
        expect((await engine.count({ increments: 5 })).value).toBe(10);
        expect(engine.statistics).toMatchObject({ workersLost: 1, memoriesRetired: 1, jobsDone: 1 });
      },
      openHost(workerOf, ownKernels("dying")),
    );
  });

  test("does not keep a program alive, but a job behind it does", async () => {
    expect(await run("await createEngine({ threads: 2 });")).toEqual({ stdout: "", status: 0 });
    const { stdout, status } = await run(`
      const engine = await createEngine({ threads: 2 });
      engine.count({ increments: 3 }).then(({ value }) => console.log(value));
    `);
    expect({ stdout, status }).toEqual({ stdout: "6\n", status: 0 });
  });
});

describe("the build that runs", () => {
  /** Replaces an instruction of two lanes of f64 in a kernel, wherever it is, by three other bytes. */
  const replace = (bytes: Uint8Array, opcode: number, by: readonly number[]) => {
    let replaced = 0;
    for (let at = 0; at < bytes.length - 2; at++) {
      if (bytes[at] !== 0xfd || bytes[at + 1] !== opcode || bytes[at + 2] !== 0x01) continue;
      bytes.set(by, at);
      replaced++;
    }
    expect(replaced).toBeGreaterThan(0);
  };
  const F64X2_ADD = 0xf0;
  const F64X2_SUB = 0xf1;
  const F64X2_MUL = 0xf2;

  test("is the SIMD build where it is right, or the one that was asked for, and the reason says so", async () => {
    await withEngine({ threads: 1 }, async ({ build, buildReason }) => {
      expect({ build, code: buildReason.code }).toEqual({ build: "simd", code: "simd-available" });
    });
    for (const build of ["simd", "scalar"] as const) {
      await withEngine({ threads: 1, build }, async (engine) => {
        expect({ build: engine.build, code: engine.buildReason.code }).toEqual({ build, code: "requested" });
      });
    }
  });

  test("is the scalar build where the SIMD build is wrong, and the counts are right", async () => {
    const host = openHost(
      undefined,
      ownKernels("wrong", (bytes) => replace(bytes, F64X2_ADD, [0xfd, F64X2_SUB, 0x01])),
    );
    await withEngine(
      { threads: 2 },
      async (engine) => {
        expect(engine.build).toBe("scalar");
        expect(engine.buildReason.code).toBe("simd-wrong");
        expect(engine.buildReason.message).toMatch(/its (counts|magnitudes) differ .* pixel \d+: \S+ instead of \S+/);
        const { width, height, region, maxIterations, sha256: expected } = golden("whole97x61_it255");
        expect(sha256((await engine.mandelbrot({ width, height, region, maxIterations })).counts)).toBe(expected);
      },
      host,
    );
    const asked = createEngineOn(host, { threads: 1, build: "simd" });
    await expect(asked).rejects.toMatchObject({ code: "E_KERNEL" });
    await expect(asked).rejects.toThrow(/failed its self-test here/);
  });

  test("is the scalar build where the SIMD build traps", async () => {
    const host = openHost(
      undefined,
      ownKernels("trapping", (bytes) => {
        replace(bytes, F64X2_MUL, [0x00, 0x01, 0x01]); // unreachable, nop, nop
      }),
    );
    await withEngine(
      { threads: 1 },
      async (engine) => {
        expect(engine.buildReason).toMatchObject({ code: "simd-wrong" });
        expect(engine.buildReason.message).toMatch(/it fails: .*unreachable/i);
      },
      host,
    );
  });
});

describe.each(CREWS)("workers that fail, in %s mode", (mode) => {
  const starts: [string, () => URL, RegExp][] = [
    ["whose script is not there", () => pathToFileURL(join(folder, "nowhere.mjs")), /worker 1/],
    ["whose script throws", () => workerScript("throws", "throw new Error('no luck');"), /no luck/],
    ["that leaves before it is ready", () => workerScript("leaves", "process.exit(0);"), /left before it was ready/],
  ];
  for (const [what, script, message] of starts) {
    test(`one ${what} rejects createEngine, and takes the others along`, async () => {
      const host = openHost((thread) => (thread === 1 ? script() : files.worker));
      const error = await createEngineOn(host, { mode, threads: 3 }).then(
        () => undefined,
        (reason: EngineError) => reason,
      );
      expect(error?.code).toBe("E_WORKER_START");
      expect(error?.message).toMatch(message);
    });
  }

  test("one that never answers rejects createEngine at its deadline, which the message names", async () => {
    const silent = workerScript(
      "silent",
      "parentPort.on('message', () => {}); parentPort.postMessage({ type: 'hello' });",
    );
    const host = openHost((thread) => (thread === 0 ? silent : files.worker));
    const engine = createEngineOn(host, { mode, threads: 2, startTimeout: 500 });
    await expect(engine).rejects.toMatchObject({ code: "E_WORKER_START" });
    await expect(engine).rejects.toThrow(/1 of 2 workers were ready after 500 ms/);
  });

  const deeds: [string, string, string][] = [
    ["throws during a job", "throw new Error('out of luck');", "E_WORKER_ERROR"],
    ["leaves during a job", "process.exit(0);", "E_WORKER_LOST"],
    [
      "reports a trap",
      "parentPort.postMessage({ type: 'allcores:failed', trap: true, message: 'unreachable' });",
      "E_WORKER_TRAP",
    ],
  ];
  for (const [what, deed, expected] of deeds) {
    test(`one that ${what} rejects the job with ${expected}; the next job runs on a whole pool with new memory`, async () => {
      const bad = badWorker(expected.toLowerCase(), deed);
      const host = openHost((thread, spawned) => (spawned < 3 && thread === 1 ? bad : files.worker));
      await withEngine(
        { mode, threads: 3 },
        async (engine) => {
          const failed = code(engine.mandelbrot(LONG));
          const behind = expectToWork(engine);
          expect(await failed).toBe(expected);
          await behind;
          await expectToWork(engine);
          expect(host.boots).toHaveLength(6);
          if (mode === "shared") expect(host.boots[3]?.memory).not.toBe(host.boots[0]?.memory);
          expect(engine.statistics).toMatchObject({ workersLost: 1, memoriesRetired: 1, jobsDone: 2 });
        },
        host,
      );
    });
  }

  test("a kernel that traps rejects the job with the trap's message, and the next job runs", async () => {
    const host = openHost();
    await withEngine(
      { mode, threads: 2 },
      async (engine) => {
        // Somebody overwrites the address of the counts while the job runs, so that the kernel stores outside of the memory,
        // or in what is posted the width of a tile, so that it divides by zero.
        host.tamper = ({ task }) => {
          new DataView(task.parameters.buffer).setInt32(MANDELBROT_TILE_WIDTH - JOB, 0, true);
        };
        const onProgress = () => {
          if (mode === "shared") new Int32Array(host.sharedMemory().buffer, MANDELBROT_COUNTS, 1)[0] = 2 ** 31;
        };
        const error = await engine.mandelbrot({ ...LONG, onProgress }).then(
          () => undefined,
          (reason: EngineError) => reason,
        );
        expect(error?.code).toBe("E_WORKER_TRAP");
        expect(error?.message).toMatch(/worker [01] trapped in the kernel: .+/);
        host.tamper = undefined;
        await expectToWork(engine);
      },
      host,
    );
  });

  test.runIf(mode === "isolated")("a worker that is ended while the engine is idle is replaced", async () => {
    const host = openHost();
    await withEngine(
      { mode, threads: 2 },
      async (engine) => {
        host.handles[1]?.terminate();
        await until(() => engine.statistics.workersLost === 1);
        await expectToWork(engine);
        expect(host.boots).toHaveLength(4);
        expect(engine.statistics).toMatchObject({ workersLost: 1, memoriesRetired: 1 });
      },
      host,
    );
  });

  test.runIf(mode === "shared")(
    "a worker that dies while the engine is idle is replaced before the next job",
    async () => {
      const idle = badWorker("dies-idle", "");
      const host = openHost((thread, spawned) => (spawned < 2 && thread === 1 ? idle : files.worker));
      await withEngine(
        { mode, threads: 2 },
        async (engine) => {
          // A job for worker 0 alone; then worker 1 is woken by hand, and leaves.
          expect((await engine.count({ threads: 1, increments: 3 })).value).toBe(3);
          const mailbox = new Int32Array(host.sharedMemory().buffer, THREADS + THREAD_BYTES, 1);
          Atomics.store(mailbox, 0, 1);
          Atomics.notify(mailbox, 0);
          await until(() => engine.statistics.workersLost === 1);
          await expectToWork(engine);
          expect(host.boots).toHaveLength(4);
        },
        host,
      );
    },
  );

  test("messages that are not the engine's, and ends of jobs that did not end, are ignored", async () => {
    const noisy = badWorker(
      "noisy",
      `for (const message of [null, 1, "x", {}, { type: 7 }, { type: "allcores:ready" }, { type: "allcores:end" },
         { type: "allcores:end", generation: 1 }, { type: "allcores:end", generation: -1 }, { type: "allcores:part" },
         { type: "allcores:part", job: 1, first: 0, end: 1e9, bytes: new Uint8Array(8) },
         { type: "allcores:part", job: 1, first: 0, end: 1, bytes: "" }]) parentPort.postMessage(message);
       process.exit(0);`,
    );
    const host = openHost((thread, spawned) => (spawned < 2 && thread === 1 ? noisy : files.worker));
    await withEngine(
      { mode, threads: 2 },
      async (engine) => {
        expect(await code(engine.mandelbrot(LONG))).toBe("E_WORKER_LOST");
        await expectToWork(engine);
      },
      host,
    );
  });

  test("if the new workers do not start either, every job behind rejects, and a later one may succeed", async () => {
    const bad = badWorker("bad-first", "process.exit(0);");
    let repaired = false;
    const missing = pathToFileURL(join(folder, "nowhere.mjs"));
    const host = openHost((_, spawned) => (spawned === 0 ? bad : repaired ? files.worker : missing));
    await withEngine(
      { mode, threads: 1 },
      async (engine) => {
        const jobs = [engine.mandelbrot(LONG), engine.mandelbrot(), engine.mandelbrot()].map(code);
        expect(await Promise.all(jobs)).toEqual(["E_WORKER_LOST", "E_WORKER_START", "E_WORKER_START"]);
        repaired = true;
        await expectToWork(engine);
      },
      host,
    );
  });
});

describe.each(CREWS)("a worker that is terminated, in %s mode", (mode) => {
  // Only Node really ends a thread in the middle of the kernel; elsewhere the job may still come to its end.
  const isNode = !("deno" in process.versions) && !("bun" in process.versions);
  test.runIf(isNode)("rejects the job, and the next one runs on a whole pool with new memory", async () => {
    const host = openHost();
    await withEngine(
      { mode, threads: 3 },
      async (engine) => {
        for (let round = 0; round < 10; round++) {
          const { options, begun } = running();
          const job = code(engine.mandelbrot(options));
          await begun;
          host.handles[host.handles.length - 1 - (round % 3)]?.terminate();
          expect(await job).toBe("E_WORKER_LOST");
          await expectToWork(engine);
        }
        expect(engine.statistics).toMatchObject({ workersLost: 10, memoriesRetired: 10 });
      },
      host,
    );
  });
});

describe("options", () => {
  const refused: [MandelbrotOptions | unknown, string][] = [
    [{ width: 0 }, '"width" expected an integer from 1 to 1073741824, got 0'],
    [{ height: 1.5 }, '"height" expected an integer from 1 to 1073741824, got 1.5'],
    [{ height: -0 }, '"height" expected an integer from 1 to 1073741824, got -0'],
    [{ width: "10" }, '"width" expected an integer from 1 to 1073741824, got "10"'],
    [{ width: 10n }, '"width" expected an integer from 1 to 1073741824, got 10n'],
    [{ width: Number.NaN }, '"width" expected an integer from 1 to 1073741824, got NaN'],
    [{ maxIterations: 2 ** 31 }, '"maxIterations" expected an integer from 1 to 2147483647, got 2147483648'],
    [
      { threads: 3 },
      '"threads" expected an integer from 1 to 2, the engine\'s workers (createEngine({ threads }) sets them), got 3',
    ],
    [{ threads: 0 }, '"threads" expected an integer from 1 to 2, got 0'],
    [{ algorithm: "fast" }, '"algorithm" expected "exact" or "naive", got "fast"'],
    [{ schedule: null }, '"schedule" expected "dynamic" or "static", got null'],
    [{ output: "copy " }, '"output" expected "copy" or "view", got "copy "'],
    [{ magnitudes: 1 }, '"magnitudes" expected true or false, got 1'],
    [{ signal: {} }, '"signal" expected an AbortSignal, got an object'],
    [{ onProgress: "x" }, '"onProgress" expected a function, got "x"'],
    [{ region: [] }, '"region.reMin" expected a finite number, got undefined'],
    [
      { region: { reMin: Number.NaN, reMax: 1, imMin: 0, imMax: 1 } },
      '"region.reMin" expected a finite number, got NaN',
    ],
    [
      { region: { reMin: 0, reMax: Number.POSITIVE_INFINITY, imMin: 0, imMax: 1 } },
      '"region.reMax" expected a finite number, got Infinity',
    ],
    [
      { region: { reMin: 1, reMax: 1, imMin: 0, imMax: 1 } },
      '"region.reMax" expected a number greater than reMin, which is 1, got 1',
    ],
    [
      { region: { reMin: 0, reMax: 1, imMin: 2, imMax: 1 } },
      '"region.imMax" expected a number greater than imMin, which is 2, got 1',
    ],
    [
      { region: { reMin: -1.7e308, reMax: 1.7e308, imMin: 0, imMax: 1 } },
      '"region.reMax" expected a number less than 1.7976931348623157e+308 above reMin, -1.7e+308, got 1.7e+308',
    ],
    [{ widht: 3 }, '"widht" is not among the mandelbrot options'],
    ["x", '"mandelbrot options" expected an object, got "x"'],
    [null, '"mandelbrot options" expected an object, got null'],
  ];
  test("each bad one is refused by name, with what was expected and what it got; nothing runs", async () => {
    await withEngine({ threads: 2 }, async (engine) => {
      for (const [options, message] of refused) {
        const error = await engine.mandelbrot(options as MandelbrotOptions).then(
          () => new Error(`accepted ${String(options)}`),
          (reason: EngineError) => reason,
        );
        expect(error.message).toContain(message);
        expect(error).toMatchObject({ code: "E_ARGUMENT" });
      }
      for (const increments of [0, -1, 2 ** 31, 0.1])
        expect(await code(engine.count({ increments }))).toBe("E_ARGUMENT");
      expect(await code(engine.count({ guard: "mutex" as Guard }))).toBe("E_ARGUMENT");
      expect(engine.statistics.jobsDone).toBe(0);
    });
  });

  test("createEngine refuses bad ones before it starts anything", async () => {
    for (const options of [
      { threads: 0 },
      { threads: 257 },
      { threads: "2" },
      { build: "avx" },
      { startTimeout: 0 },
      { warmUp: 1 },
      { mode: "several" },
      { thread: 2 },
    ]) {
      const host = openHost();
      expect(await code(createEngineOn(host, options as EngineOptions))).toBe("E_ARGUMENT");
      expect(host.boots).toHaveLength(0);
    }
  });

  test("addresses of files are refused where there are no pages, and nothing is started", async () => {
    for (const name of ["workerUrl", "createWorker", "wasmUrl", "wasmIntegrity", "wasmModule"]) {
      const host = openHost();
      const engine = createEngineOn(host, { [name]: "/x" });
      await expect(engine).rejects.toMatchObject({ code: "E_ARGUMENT" });
      await expect(engine).rejects.toThrow(`"${name}" is for web pages only`);
      expect(host.boots).toEqual([]);
    }
  });

  test("a getter that throws is an argument error, and what a getter says first counts", async () => {
    await withEngine({ threads: 2 }, async (engine) => {
      const throws = {
        get width(): number {
          throw new Error("surprise");
        },
      };
      await expect(engine.mandelbrot(throws)).rejects.toThrow(/the mandelbrot options could not be read: surprise/);
      let reads = 0;
      const changes = {
        get width() {
          return ++reads === 1 ? 5 : 1e9;
        },
        height: 3,
      };
      expect((await engine.mandelbrot(changes)).counts).toHaveLength(15);
      expect(reads).toBe(1);
    });
  });

  test.each(MODES)("a result too large for a memory is refused in %s mode, and the engine goes on", async (mode) => {
    await withEngine({ mode, threads: 2 }, async (engine) => {
      for (const [width, height] of [
        [2 ** 30, 2 ** 30],
        [2 ** 16, 2 ** 16],
        [2 ** 30, 1],
      ] as const) {
        const job = engine.mandelbrot({ width, height, maxIterations: 1 });
        await expect(job).rejects.toMatchObject({ code: "E_MEMORY" });
      }
      expect((await engine.mandelbrot({ width: 3, height: 3 })).counts).toHaveLength(9);
    });
  });
});

describe("threads", () => {
  test("the default is the cores that the process may use; more are allowed, and marked", async () => {
    const host = openHost();
    await withEngine({}, async (engine) => expect(engine.threads).toBe(Math.min(256, host.cores())), host);
    await withEngine({ threads: host.cores() + 1 }, async (engine) => {
      expect(engine).toMatchObject({ cores: host.cores(), oversubscribed: true, mode: "shared" });
      expect(engine.modeReason.code).toBe("threads-available");
    });
  });

  test.each(CREWS)(
    "64 workers start, work and leave, in %s mode",
    async (mode) => {
      await withEngine({ mode, threads: 64, startTimeout: 120_000 }, async (engine) => {
        if (mode === "shared") expect((await engine.count({ increments: 100 })).value).toBe(6400);
        await expectToWork(engine);
      });
    },
    180_000,
  );

  test.each(CREWS)(
    "100 engines one after the other leave no worker behind, in %s mode",
    async (mode) => {
      const host = openHost();
      let alive = 0;
      const counting: Host = {
        ...host,
        spawn(boot, events) {
          alive++;
          const exit = () => {
            alive--;
            events.exit();
          };
          return host.spawn(boot, { ...events, exit });
        },
      };
      for (let i = 0; i < 100; i++) {
        await withEngine({ mode, threads: 2 }, (engine) => engine.mandelbrot({ width: 16, height: 16 }), counting);
        expect(alive).toBe(0);
      }
      expect(host.boots).toHaveLength(200);
    },
    120_000,
  );
});

/** Replaces what makes memories on this thread, for a while. */
async function withMemory(
  create: (descriptor: { initial: number; maximum: number; shared: boolean }) => WebAssembly.Memory,
  use: () => Promise<void>,
): Promise<void> {
  const { Memory } = WebAssembly;
  const replace = (value: unknown) => Object.assign(WebAssembly, { Memory: value });
  const Replacement = class {
    constructor(descriptor: { initial: number; maximum: number; shared: boolean }) {
      // biome-ignore lint/correctness/noConstructorReturn: a memory is what the platform makes.
      return create(descriptor);
    }
  };
  replace(Replacement);
  try {
    await use();
  } finally {
    replace(Memory);
  }
}

describe("the memory", () => {
  test("gets its maximum from what is needed: a larger job gets a larger one, once, and a view of before stays", async () => {
    const host = { ...openHost(), memoryPages: 64 };
    await withEngine(
      { threads: 2 },
      async (engine) => {
        const view = await engine.mandelbrot({ width: 64, height: 64, output: "view" });
        const before = sha256(view.counts);
        const large = { width: 2000, height: 1000, maxIterations: 10 };
        expect((await engine.mandelbrot(large)).counts).toHaveLength(2_000_000);
        expect((await engine.mandelbrot(large)).counts).toHaveLength(2_000_000);
        expect(engine.statistics).toMatchObject({ memoriesRetired: 1, workersLost: 0, jobsDone: 3 });
        expect(host.boots).toHaveLength(4);
        expect(sha256(view.counts)).toBe(before);
        view.release();
        await expectToWork(engine);
      },
      host,
    );
  });

  test("is smaller where the platform refuses much, and a job beyond it is refused, not the engine", async () => {
    const { Memory } = WebAssembly;
    await withMemory(
      (descriptor) => {
        if (descriptor.maximum > 1000) throw new RangeError("could not allocate memory");
        return new Memory(descriptor);
      },
      () =>
        withEngine({ threads: 2 }, async (engine) => {
          expect(engine.mode).toBe("shared");
          const large = engine.mandelbrot({ width: 20_000, height: 1000, maxIterations: 1 });
          await expect(large).rejects.toMatchObject({ code: "E_MEMORY" });
          await expectToWork(engine);
        }),
    );
  });
});

describe("in single mode", () => {
  test("there is one thread, whatever was asked for, and no worker is started", async () => {
    const host = openHost();
    await withEngine(
      { mode: "single", threads: 7 },
      async (engine) => {
        expect(engine).toMatchObject({ mode: "single", threads: 1, oversubscribed: false });
        const { threads, workers } = await engine.mandelbrot({ threads: 256, width: 10, height: 10 });
        expect({ threads, workers: workers.length }).toEqual({ threads: 1, workers: 1 });
        await expect(engine.mandelbrot({ threads: 257 })).rejects.toThrow(
          /"threads" expected an integer from 1 to 256/,
        );
        expect(host.boots).toEqual([]);
      },
      host,
    );
  });

  test("the counter is refused, with the reason", async () => {
    await withEngine({ mode: "single" }, async (engine) => {
      await expect(engine.count({ threads: 1 })).rejects.toMatchObject({ code: "E_UNSUPPORTED" });
      await expect(engine.count({ threads: 10 })).rejects.toThrow(/needs a memory that all workers share/);
      await expectToWork(engine);
    });
  });

  test("it gives way when its time is over, after a few chunks if need be, and never between none", async () => {
    let now = 0;
    let turns = 0;
    const host: Host = {
      ...openHost(),
      now: () => now++ * 1000, // every look at this clock is a second later
      yield: (call) => {
        turns++;
        setImmediate(call);
      },
    };
    await withEngine(
      { mode: "single" },
      async (engine) => {
        const { chunks } = await engine.mandelbrot({ maxIterations: 100_000, width: 300, height: 200 });
        expect(chunks().length).toBeGreaterThan(100);
        // To and fro, for each chunk: no stretch of this picture may have two.
        expect(turns).toBeGreaterThan(2 * chunks().length);
      },
      host,
    );
  });
});

describe("the mode", () => {
  const unshared = { code: "not-isolated", message: "The page is not cross-origin isolated." } as const;
  const found = { code: "not-isolated", message: "The page's response has no header of that name." } as const;
  const isolatedHost = (): OpenHost => ({ ...openHost(), unshared, whyUnshared: async () => found });

  test.each(MODES)("is %s if that was asked for, and the reason says so", async (mode) => {
    await withEngine({ mode, threads: 1 }, async (engine) => {
      expect(engine.mode).toBe(mode);
      expect(engine.modeReason).toEqual({
        code: "requested",
        message: `createEngine was called with mode: "${mode}".`,
      });
    });
  });

  test("is isolated where workers cannot share a memory, for the host's reason", async () => {
    const host = isolatedHost();
    await withEngine(
      { threads: 2 },
      async (engine) => {
        expect(engine).toMatchObject({ mode: "isolated", modeReason: unshared });
        await expectToWork(engine);
      },
      host,
    );
  });

  test("is refused with what the host finds out about it if sharing was insisted on, and nothing is started", async () => {
    const host = isolatedHost();
    const engine = createEngineOn(host, { mode: "shared", threads: 2 });
    await expect(engine).rejects.toMatchObject({ code: "E_NOT_ISOLATED", message: found.message });
    expect(host.boots).toEqual([]);
  });

  const nowhere = pathToFileURL(join(folder, "nowhere.mjs"));

  test("is single where workers do not start, and the reason says why", async () => {
    await withEngine(
      { threads: 3 },
      async (engine) => {
        expect(engine).toMatchObject({ mode: "single", threads: 1, modeReason: { code: "worker-start" } });
        expect(engine.modeReason.message).toMatch(/^Worker \d .*\.$/);
        await expectToWork(engine);
        expect((await engine.mandelbrot({ width: 9, height: 9, threads: 3 })).threads).toBe(1);
      },
      openHost(() => nowhere),
    );
  });

  test("is single for the host's own reason, if it has one; who insists on workers gets it as an error", async () => {
    const reason = new EngineError("E_CSP_WORKER", "The page's policy forbids workers.");
    const spawn = () => {
      throw reason;
    };
    const host = { ...openHost(), spawn };
    await withEngine(
      {},
      async (engine) => {
        expect(engine.modeReason).toEqual({ code: "csp-worker", message: reason.message });
        await expectToWork(engine);
      },
      host,
    );
    for (const mode of CREWS) await expect(createEngineOn(host, { mode })).rejects.toBe(reason);
  });

  test("is isolated where the platform refuses the shared memory, however small", async () => {
    const { Memory } = WebAssembly;
    const host = openHost();
    await withMemory(
      (descriptor) => {
        if (descriptor.maximum >= 256) throw new RangeError("could not allocate memory");
        return new Memory(descriptor);
      },
      () =>
        withEngine(
          { threads: 2 },
          async (engine) => {
            expect(engine).toMatchObject({ mode: "isolated", modeReason: { code: "memory" } });
            expect(host.boots).toHaveLength(2);
            await expectToWork(engine);
          },
          host,
        ),
    );
  });
});

describe.each(MODES)("programs, in %s mode", (mode) => {
  test("one that never closes its engine ends by itself, but not before its job is done", async () => {
    const { stdout, status } = await run(`
      const engine = await createEngine({ mode: "${mode}", threads: 2 });
      engine.mandelbrot({ maxIterations: 5000, algorithm: "naive" }).then(() => console.log("done"));
    `);
    expect({ stdout, status }).toEqual({ stdout: "done\n", status: 0 });
  });

  test("one that creates, renders and closes leaves no handle, and ends", async () => {
    const { stdout, status } = await run(`
      void [process.stdin, process.stdout, process.stderr]; // pipes of the program's own
      const before = process.getActiveResourcesInfo?.() ?? [];
      const engine = await createEngine({ mode: "${mode}", threads: 4 });
      await engine.mandelbrot();
      await engine.close();
      const left = process.getActiveResourcesInfo?.() ?? [];
      for (const kind of before) if (left.includes(kind)) left.splice(left.indexOf(kind), 1);
      console.log(JSON.stringify(left));
    `);
    expect({ stdout, status }).toEqual({ stdout: "[]\n", status: 0 });
  });

  test("one that calls process.exit during a job ends with its code", async () => {
    const { status } = await run(`
      const engine = await createEngine({ mode: "${mode}", threads: 2 });
      engine.mandelbrot({ width: 4000, height: 4000, maxIterations: 50000, algorithm: "naive", onProgress: () => process.exit(3) });
    `);
    expect(status).toBe(3);
  });

  test("one that awaits a job which fails hears of it", async () => {
    const { stdout, status } = await run(`
      const engine = await createEngine({ mode: "${mode}", threads: 2 });
      await engine.mandelbrot({ width: 0 }).catch((error) => console.log(error.code));
      console.log(await engine.mandelbrot({ width: 5, height: 4 }).then(({ counts }) => counts.length));
    `);
    expect({ stdout, status }).toEqual({ stdout: "E_ARGUMENT\n20\n", status: 0 });
  });
});

function total<K extends string>(items: Record<K, number>[], key: K): number {
  return items.reduce((sum, item) => sum + item[key], 0);
}

function bytes(array: Uint32Array | Float32Array | undefined): Uint8Array {
  if (array === undefined) throw new Error("there is no array");
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function stateWord(memory: WebAssembly.Memory, thread: number): Int32Array {
  return new Int32Array(memory.buffer, THREADS + thread * THREAD_BYTES + THREAD_STATE, 1);
}

/** Looks, turn by turn of the event loop, until something is so. The test's own time limit is the deadline. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Runs a program in this runtime, with `createEngine` from the built package. */
async function run(source: string): Promise<{ stdout: string; status: number | null }> {
  const path = join(folder, `program-${Math.random().toString(36).slice(2)}.mjs`);
  const entry = JSON.stringify(new URL("node.js", dist).href);
  writeFileSync(path, `import { createEngine } from ${entry};\n${source}`);
  const flags = "deno" in process.versions ? ["run", "--allow-all"] : [];
  const child = spawn(process.execPath, [...flags, path], { stdio: ["ignore", "pipe", "inherit"] });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { stdout, status };
}
