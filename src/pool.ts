// The workers around one memory: start, run one job at a time, close. A pool in which a worker failed is broken for
// good, and its memory with it, because a thread that was ended by force may go on writing there.

import {
  CONTROL_END,
  CONTROL_SPIN,
  CONTROL_WATCH,
  JOB_THREADS,
  SPIN_ALL,
  SPIN_LAST,
  SPIN_NONE,
  THREAD_PARK_RESCUES,
  THREAD_PROGRESS,
} from "../assembly/layout.ts";
import { EngineError, messageOf } from "./errors.ts";
import type { Host, Kernel, WorkerHandle, WorkerMessage } from "./host.ts";
import { blockOf, EngineMemory } from "./memory.ts";
import { checkVersion } from "./self-test.ts";

/** Milliseconds that workers are given to leave by themselves, and then to be ended by force. */
const CLOSE_GRACE = 2_000;

/**
 * Milliseconds that the host itself looks for a job's end, a look each turn of the event loop, before it is told: as
 * long as it takes to wake a sleeping thread, so that one sleeper in a job does not end the looking for all that follow.
 */
const WATCH_MS = 0.1;

/** A job that ends within so many milliseconds, wake-ups and all, is followed by another that is worth looking for. */
const QUICK_MS = 0.5;

/** Most jobs that the host is told of, after it has looked in vain again and again, before it looks once more. */
const MAX_PENALTY = 15;

interface PoolWorker {
  handle: WorkerHandle | undefined;
  state: "starting" | "ready" | "gone";
}

interface RunningJob {
  generation: number;
  publishedMs: number;
  inBackground: boolean;
  resolve: () => void;
  reject: (error: EngineError) => void;
}

export class Pool {
  readonly memory: EngineMemory;
  readonly #kernel: Kernel;
  readonly #host: Host;
  readonly #workers: PoolWorker[] = [];
  readonly #lost = new Set<number>();
  #job: RunningJob | undefined;
  /** Whether threads and host may look for what comes before they sleep. */
  readonly #spins: boolean;
  /** Whether the last job was short, how many to be told of before one is looked for again, and what a miss costs. */
  #quick = true;
  #skip = 0;
  #penalty = 0;
  #failure: EngineError | undefined;
  #closed: Promise<void> | undefined;
  #onStarted: (() => void) | undefined;
  #onGone: (() => void) | undefined;

  private constructor(host: Host, module: WebAssembly.Module, threads: number, cores: number) {
    this.#host = host;
    this.memory = new EngineMemory();
    this.#kernel = host.instantiate(module, this.memory.memory);
    checkVersion(this.#kernel);
    // Whoever looks needs a core meanwhile, and the host's thread needs one as well.
    this.#spins = threads <= cores;
    this.memory.setAtomic(CONTROL_SPIN, threads < cores ? SPIN_ALL : this.#spins ? SPIN_LAST : SPIN_NONE);
  }

  /** Starts `threads` workers side by side. Rejects, with none left, if one of them does not start in time. */
  static async start(
    host: Host,
    module: WebAssembly.Module,
    threads: number,
    cores: number,
    timeout: number,
  ): Promise<Pool> {
    const pool = new Pool(host, module, threads, cores);
    const deadline = host.after(timeout, () => {
      const ready = pool.#workers.filter((worker) => worker.state === "ready").length;
      pool.#fail(
        new EngineError(
          "E_WORKER_START",
          `${ready} of ${threads} workers were ready after ${timeout} ms: ` +
            "start fewer threads, or give them more time with startTimeout",
        ),
      );
    });
    const started = new Promise<void>((resolve) => {
      pool.#onStarted = resolve;
    });
    for (let thread = 0; thread < threads && pool.#failure === undefined; thread++) pool.#spawn(thread, module);
    await started;
    deadline.cancel();
    if (pool.#failure !== undefined) {
      await pool.close();
      throw pool.#failure;
    }
    for (const worker of pool.#workers) worker.handle?.keepAlive(false);
    return pool;
  }

  /** Why no job can run here any more, or undefined. */
  get failure(): EngineError | undefined {
    return this.#failure;
  }

  /** Workers that trapped, threw or got lost. */
  get lost(): number {
    return this.#lost.size;
  }

  /** Rescues of all workers while parked, over the life of the memory. */
  get parkRescues(): number {
    return this.#workers.reduce((sum, _, thread) => sum + this.memory.atomic(blockOf(thread) + THREAD_PARK_RESCUES), 0);
  }

  /**
   * Publishes the job whose parameters were written, and resolves when its last thread has left. A job in the background
   * does not keep the program alive.
   */
  run(inBackground = false): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      if (!inBackground) this.keepAlive(true);
      const watches = this.#spins && this.#quick && !inBackground && this.#skip === 0;
      if (this.#skip > 0) this.#skip--;
      this.memory.setAtomic(CONTROL_WATCH, watches ? 1 : 0);
      const publishedMs = this.#host.now();
      // publish() wakes the workers, but nothing they say is heard before this turn of the event loop is over.
      const generation = this.#kernel.publish();
      this.#job = { generation, publishedMs, inBackground, resolve, reject };
      if (watches) this.#host.soon(() => this.#watch(generation));
    });
  }

  /** Keeps the program alive, or not. No effect once the pool is closed, which keeps it alive until the workers are gone. */
  keepAlive(on: boolean): void {
    // One worker does it for all of them: if it dies, the job ends as well.
    if (this.#closed === undefined) this.#workers[0]?.handle?.keepAlive(on);
  }

  /** Asks the workers to leave the running job soon. It ends as if it were done. */
  stop(): void {
    if (this.#job !== undefined) this.#kernel.stop(this.#job.generation);
  }

  /** Units of work that the threads of the running job have finished. */
  progress(): number {
    let done = 0;
    for (let thread = 0; thread < this.memory.int(JOB_THREADS); thread++) {
      done += this.memory.atomic(blockOf(thread) + THREAD_PROGRESS) >>> 0;
    }
    return done;
  }

  /** Breaks the pool: the running job rejects with `error`, and the workers are to leave. */
  abandon(error: EngineError): void {
    this.#fail(error);
  }

  /**
   * Ends the workers, by force if they do not leave by themselves. Resolves when they are gone, or cannot be ended.
   * Every call returns the same promise.
   */
  close(): Promise<void> {
    this.#closed ??= this.#leave();
    return this.#closed;
  }

  async #leave(): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      this.#onGone = resolve;
    });
    this.#kernel.close();
    for (const worker of this.#workers) {
      worker.handle?.keepAlive(true);
      // Whoever has not instantiated the kernel yet cannot hear.
      if (worker.state === "starting") worker.handle?.terminate();
    }
    const force = this.#host.after(CLOSE_GRACE, () => {
      for (const worker of this.#workers) if (worker.state !== "gone") worker.handle?.terminate();
    });
    const giveUp = this.#host.after(2 * CLOSE_GRACE, () => {
      for (const worker of this.#workers) worker.handle?.keepAlive(false);
      this.#onGone?.();
    });
    if (this.#allGone()) this.#onGone?.();
    await gone;
    force.cancel();
    giveUp.cancel();
  }

  #spawn(thread: number, module: WebAssembly.Module): void {
    const worker: PoolWorker = { handle: undefined, state: "starting" };
    this.#workers.push(worker);
    try {
      worker.handle = this.#host.spawn(
        { thread, module, memory: this.memory.memory, timeOrigin: this.#host.timeOrigin },
        {
          message: (message) => this.#hear(thread, worker, message),
          error: (error) => {
            const code = worker.state === "starting" ? "E_WORKER_START" : "E_WORKER_ERROR";
            const what = worker.state === "starting" ? "did not start" : "threw";
            this.#lose(
              thread,
              new EngineError(code, `worker ${thread} ${what}: ${messageOf(error)}`, { cause: error }),
            );
          },
          exit: () => {
            const code = worker.state === "starting" ? "E_WORKER_START" : "E_WORKER_LOST";
            const what = worker.state === "starting" ? "left before it was ready" : "is gone: it was ended, or left";
            worker.state = "gone";
            if (this.#allGone()) this.#onGone?.();
            this.#lose(thread, new EngineError(code, `worker ${thread} ${what}`));
          },
        },
      );
    } catch (error) {
      worker.state = "gone";
      this.#lose(
        thread,
        new EngineError("E_WORKER_START", `worker ${thread} could not be created: ${messageOf(error)}`, {
          cause: error,
        }),
      );
    }
  }

  #hear(thread: number, worker: PoolWorker, message: WorkerMessage): void {
    switch (message?.type) {
      case "allcores:ready":
        if (worker.state !== "starting") return;
        worker.state = "ready";
        if (this.#workers.every(({ state }) => state === "ready")) this.#onStarted?.();
        return;
      case "allcores:end":
        this.#end(message.generation);
        return;
      case "allcores:failed": {
        const starting = worker.state === "starting";
        const code = starting ? "E_WORKER_START" : message.trap ? "E_WORKER_TRAP" : "E_WORKER_ERROR";
        const what = starting ? "did not start" : message.trap ? "trapped in the kernel" : "threw";
        this.#lose(thread, new EngineError(code, `worker ${thread} ${what}: ${message.message}`));
        return;
      }
      default: // not one of ours
    }
  }

  /** Looks for the end of a short job, for a while, so that nobody need tell of it, and nobody be woken. */
  #watch(generation: number): void {
    const job = this.#job;
    if (job?.generation !== generation) return; // it has failed
    const ended = this.memory.atomic(CONTROL_END) === generation;
    if (!ended && this.#host.now() - job.publishedMs < WATCH_MS) {
      this.#host.soon(() => this.#watch(generation));
      return;
    }
    // The last thread writes END before it reads WATCH: either it sees that it is to tell, or #end sees that it need not.
    if (!ended) this.memory.setAtomic(CONTROL_WATCH, 0);
    this.#penalty = ended ? 0 : Math.min(2 * this.#penalty + 1, MAX_PENALTY);
    this.#skip = this.#penalty;
    this.#end(generation);
  }

  #end(generation: number): void {
    const job = this.#job;
    // A message of an earlier job cannot be: the job would not have ended. But a message is no proof, the memory is.
    if (job === undefined || job.generation !== generation || this.memory.atomic(CONTROL_END) !== generation) return;
    this.#job = undefined;
    this.#quick = this.#host.now() - job.publishedMs < QUICK_MS;
    if (!job.inBackground) this.keepAlive(false);
    job.resolve();
  }

  #lose(thread: number, error: EngineError): void {
    if (this.#closed !== undefined) return;
    this.#lost.add(thread);
    this.#fail(error);
  }

  /** The first failure counts; what follows from it does not. */
  #fail(error: EngineError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#onStarted?.();
    const job = this.#job;
    this.#job = undefined;
    if (job !== undefined) this.#kernel.stop(job.generation);
    job?.reject(error);
  }

  #allGone(): boolean {
    return this.#workers.every(({ state }) => state === "gone");
  }
}
