// The engine: a queue of jobs before a pool, and a new pool when one is broken.

import { MAX_THREADS } from "../assembly/layout.ts";
import { countJob } from "./count.ts";
import type { Pool } from "./crew.ts";
import { EngineError } from "./errors.ts";
import type { Host, Timer } from "./host.ts";
import { divide } from "./isolated.ts";
import { heapBytes, type Job, type JobControl } from "./jobs.ts";
import { mandelbrotJob } from "./mandelbrot.ts";
import type { ChosenKernel } from "./self-test.ts";
import { loadKernel, type Platform, readSettings, startBest } from "./start.ts";
import type {
  Build,
  BuildReason,
  CountOptions,
  CountResult,
  Engine,
  EngineOptions,
  EngineStatistics,
  JobResult,
  MandelbrotOptions,
  MandelbrotResult,
  Mode,
  ModeReason,
} from "./types.ts";
import { warmUp } from "./warm-up.ts";

/** Milliseconds between two calls of `onProgress`. */
const PROGRESS_INTERVAL = 50;

/** Creates an engine on a platform. The hosts' `createEngine` are this function with their `Host`. */
export async function createEngineOn(platform: Platform, options?: EngineOptions): Promise<Engine> {
  const settings = readSettings(platform, options);
  const { host, cores, workers } = settings;
  const kernel = await loadKernel(settings);
  const { start, pool, mode, reason } = await startBest(settings, kernel, () => {});
  const threads = mode === "single" ? 1 : workers;
  const engine = new PooledEngine(host, start, pool, threads, cores, mode, reason, kernel);
  if (settings.warmsUp) engine.warmUp(kernel.module);
  return engine;
}

/** Of a job that nobody aborts or watches. */
const UNCONTROLLED = { signal: undefined, onProgress: undefined };

/** A job in the queue. */
interface Task {
  readonly job: Job<JobResult> | undefined;
  run(pool: Pool): Promise<void>;
  reject(error: unknown): void;
}

class PooledEngine implements Engine {
  readonly threads: number;
  readonly cores: number;
  readonly mode: Mode;
  readonly modeReason: ModeReason;
  readonly build: Build;
  readonly buildReason: BuildReason;
  readonly #host: Host;
  /** Starts a pool for jobs of so many bytes. */
  readonly #startPool: (bytes: number) => Promise<Pool>;
  #pool: Pool;
  readonly #queue: Task[] = [];
  #draining = false;
  #warmingUp = false;
  #closed: Promise<void> | undefined;
  #repairing: Promise<void> = Promise.resolve();
  /** Broken pools whose workers are leaving. */
  readonly #retiring = new Set<Promise<void>>();
  readonly #statistics = { jobsDone: 0, workersLost: 0, memoriesRetired: 0, parkRescues: 0, warmUpMs: 0 };

  constructor(
    host: Host,
    startPool: (bytes: number) => Promise<Pool>,
    pool: Pool,
    threads: number,
    cores: number,
    mode: Mode,
    modeReason: ModeReason,
    kernel: ChosenKernel,
  ) {
    this.#host = host;
    this.#startPool = startPool;
    this.#pool = pool;
    this.threads = threads;
    this.cores = cores;
    this.mode = mode;
    this.modeReason = modeReason;
    this.build = kernel.build;
    this.buildReason = kernel.reason;
  }

  get oversubscribed(): boolean {
    return this.threads > this.cores;
  }

  /** What a page asks for where it may be `single` or not is the same in every mode. */
  get #mostThreads(): number {
    return this.mode === "single" ? MAX_THREADS : this.threads;
  }

  get statistics(): EngineStatistics {
    const { parkRescues, workersLost } = this.#statistics;
    return {
      ...this.#statistics,
      parkRescues: parkRescues + this.#pool.parkRescues,
      workersLost: workersLost + this.#pool.lost,
    };
  }

  async mandelbrot(options?: MandelbrotOptions): Promise<MandelbrotResult> {
    return this.#enqueue(...mandelbrotJob(options, this.threads, this.#mostThreads));
  }

  async count(options?: CountOptions): Promise<CountResult> {
    return this.#enqueue(...countJob(options, this.threads, this.#mostThreads));
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Lets the platform compile the kernel well, before any job. What fails in it has broken the pool, so the next job
   * gets a new one; nobody else is to hear of it.
   */
  warmUp(module: WebAssembly.Module): void {
    this.#queue.push({
      job: undefined,
      run: async (pool) => {
        const begin = this.#host.now();
        const run = (job: Job<JobResult>) => this.#run(pool, job, { threads: this.threads, ...UNCONTROLLED }, true);
        await warmUp(this.#host, module, this.threads, this.mode, run).catch(() => {});
        this.#warmingUp = false;
        pool.keepAlive(false); // the next job, if there is one, does so itself
        this.#statistics.warmUpMs = this.#host.now() - begin;
      },
      reject: () => {
        this.#warmingUp = false;
      },
    });
    this.#warmingUp = true;
    void this.#drain();
  }

  async #shutDown(): Promise<void> {
    for (const task of this.#queue.splice(0)) task.reject(closedError());
    this.#pool.abandon(closedError());
    this.#retire();
    await this.#repairing.catch(() => {}); // its error is the jobs' affair
    await Promise.all(this.#retiring);
  }

  #enqueue<Result extends JobResult>(job: Job<Result>, control: JobControl): Promise<Result> {
    const { signal } = control;
    return new Promise<Result>((resolve, reject) => {
      if (this.#closed !== undefined) return reject(closedError());
      if (signal?.aborted) return reject(abortedError(signal));
      if (this.mode !== "shared") divide(job); // it throws, and so rejects, if that cannot be
      const task: Task = {
        job,
        run: async (pool) => {
          signal?.removeEventListener("abort", leaveQueue);
          try {
            const result = await this.#run(pool, job, control);
            this.#statistics.jobsDone++;
            resolve(result);
          } catch (error) {
            reject(error);
          }
        },
        reject: (error) => {
          signal?.removeEventListener("abort", leaveQueue);
          reject(error);
        },
      };
      const leaveQueue = () => {
        this.#queue.splice(this.#queue.indexOf(task), 1);
        task.reject(abortedError(signal));
      };
      signal?.addEventListener("abort", leaveQueue);
      this.#queue.push(task);
      if (this.#warmingUp) this.#pool.keepAlive(true);
      void this.#drain();
    });
  }

  /** Runs the jobs of the queue, one after the other, each on a whole pool. */
  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    while (this.#queue.length > 0) {
      try {
        this.#repairing = this.#repair(this.#queue[0]?.job);
        await this.#repairing;
      } catch (error) {
        // Workers that do not start now will not start for the job behind either.
        for (const task of this.#queue.splice(0)) task.reject(error);
        break;
      }
      // The queue may have been emptied meanwhile.
      await this.#queue.shift()?.run(this.#pool);
    }
    this.#draining = false;
  }

  /** Replaces a pool that is broken, or too small for the next job, by a new one, with new memory. */
  async #repair(job: Job<JobResult> | undefined): Promise<void> {
    if (job !== undefined && this.#pool.isTooSmallFor(job)) {
      this.#pool.abandon(new EngineError("E_MEMORY", "the next job needs a larger memory"));
    }
    if (this.#pool.failure === undefined) return;
    this.#retire();
    const pool = await this.#startPool(job === undefined ? 0 : heapBytes(job));
    this.#statistics.parkRescues += this.#pool.parkRescues;
    this.#statistics.workersLost += this.#pool.lost;
    this.#statistics.memoriesRetired++;
    this.#pool = pool;
    if (this.#closed !== undefined) {
      this.#retire(); // closed while the new workers started: nobody else knows of them yet
      throw closedError();
    }
  }

  /** Lets the workers of the current pool leave, without waiting for them. */
  #retire(): void {
    const leaving = this.#pool.close().finally(() => this.#retiring.delete(leaving));
    this.#retiring.add(leaving);
  }

  /** Runs a job, while it reports progress and listens for an abort. */
  async #run<Result extends JobResult>(
    pool: Pool,
    job: Job<Result>,
    control: JobControl,
    inBackground = false,
  ): Promise<Result> {
    const { signal, onProgress } = control;
    let stopped: { error: unknown } | undefined;
    let deadline: Timer | undefined;
    const stop = (error: unknown) => {
      if (stopped !== undefined) return;
      stopped = { error };
      pool.stop();
      deadline = this.#host.after(pool.stopDeadline, () => {
        pool.abandon(
          new EngineError("E_WORKER_LOST", `workers did not leave a stopped job within ${pool.stopDeadline} ms`),
        );
      });
    };
    const onAbort = () => stop(abortedError(signal));
    let reported = 0;
    const report = (done: number) => {
      try {
        reported = Math.max(reported, done);
        onProgress?.({ done: reported, total: job.units });
      } catch (error) {
        stop(error);
      }
    };
    const ticker =
      onProgress === undefined
        ? undefined
        : this.#host.every(PROGRESS_INTERVAL, () => {
            if (stopped === undefined) report(pool.progress());
          });
    signal?.addEventListener("abort", onAbort);
    const ended = () => {
      ticker?.cancel();
      if (stopped === undefined) report(job.units);
      if (stopped !== undefined) throw stopped.error;
    };
    const running = pool.run(job, ended, inBackground);
    // It may have been aborted between the queue and here.
    if (signal?.aborted) onAbort();
    try {
      return await running;
    } catch (error) {
      throw stopped === undefined ? error : stopped.error;
    } finally {
      ticker?.cancel();
      deadline?.cancel();
      signal?.removeEventListener("abort", onAbort);
    }
  }
}

function closedError(): EngineError {
  return new EngineError("E_CLOSED", "the engine is closed: create another one with createEngine()");
}

function abortedError(signal: JobControl["signal"]): EngineError {
  const reason = signal?.reason;
  const because = reason instanceof Error && reason.name !== "AbortError" ? `: ${reason.message}` : "";
  return new EngineError("E_ABORTED", `the job was aborted by its signal${because}`, { cause: reason });
}
