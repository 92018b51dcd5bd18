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
import { Crew, type Pool } from "./crew.ts";
import type { EngineError } from "./errors.ts";
import type { Host, Kernel, WorkerMessage } from "./host.ts";
import { heapBytes, type Job, readCommon, resultAddress, writeJob } from "./jobs.ts";
import { instantiateKernel } from "./kernel.ts";
import { blockOf, EngineMemory, pagesFor } from "./memory.ts";
import type { JobResult } from "./types.ts";

/**
 * Milliseconds that the host itself looks for a job's end, a look each turn of the event loop, before it is told: as
 * long as it takes to wake a sleeping thread, so that one sleeper in a job does not end the looking for all that follow.
 */
const WATCH_MS = 0.1;

/** A job that ends within so many milliseconds, wake-ups and all, is followed by another that is worth looking for. */
const QUICK_MS = 0.5;

/** Most jobs that the host is told of, after it has looked in vain again and again, before it looks once more. */
const MAX_PENALTY = 15;

interface RunningJob {
  generation: number;
  publishedMs: number;
  inBackground: boolean;
  resolve: () => void;
  reject: (error: EngineError) => void;
}

export class SharedPool implements Pool {
  /** A fault in the kernel only could make it so long. */
  readonly stopDeadline = 10_000;
  readonly memory: EngineMemory;
  readonly #kernel: Kernel;
  readonly #host: Host;
  readonly #crew: Crew;
  #job: RunningJob | undefined;
  /** Whether threads and host may look for what comes before they sleep. */
  readonly #spins: boolean;
  /** Whether the last job was short, how many to be told of before one is looked for again, and what a miss costs. */
  #quick = true;
  #skip = 0;
  #penalty = 0;

  private constructor(host: Host, module: WebAssembly.Module, threads: number, cores: number, bytes: number) {
    this.#host = host;
    this.#crew = new Crew(host, {
      message: (_, message) => this.#hear(message),
      failed: (error) => this.#fail(error),
      leave: () => this.#kernel.close(),
    });
    this.memory = new EngineMemory(true, Math.max(host.memoryPages, pagesFor(threads, bytes)), threads);
    this.#kernel = instantiateKernel(host, module, this.memory.memory);
    // Whoever looks needs a core meanwhile, and the host's thread needs one as well.
    this.#spins = threads <= cores;
    this.memory.setAtomic(CONTROL_SPIN, threads < cores ? SPIN_ALL : this.#spins ? SPIN_LAST : SPIN_NONE);
  }

  /**
   * Starts `threads` workers side by side, around a memory that can hold a job of so many bytes. Rejects, with none left,
   * if one of them does not start in time.
   */
  static async start(
    host: Host,
    module: WebAssembly.Module,
    threads: number,
    timeout: number,
    cores: number,
    bytes: number,
  ): Promise<SharedPool> {
    const pool = new SharedPool(host, module, threads, cores, bytes);
    await pool.#crew.start(threads, timeout, { module, memory: pool.memory.memory });
    return pool;
  }

  get failure(): EngineError | undefined {
    return this.#crew.failure;
  }

  get lost(): number {
    return this.#crew.lost;
  }

  get parkRescues(): number {
    let rescues = 0;
    for (let thread = 0; thread < this.#crew.size; thread++) {
      rescues += this.memory.atomic(blockOf(thread) + THREAD_PARK_RESCUES);
    }
    return rescues;
  }

  isTooSmallFor(job: Job<JobResult>): boolean {
    return this.memory.isTooSmallFor(heapBytes(job));
  }

  keepAlive(on: boolean): void {
    this.#crew.keepAlive(on);
  }

  async run<Result extends JobResult>(job: Job<Result>, ended: () => void, inBackground = false): Promise<Result> {
    const { memory } = this;
    const block = memory.allocate(heapBytes(job));
    let kept = false;
    const free = () => memory.free(block);
    try {
      writeJob(memory, job, block);
      const publishedMs = this.#host.now();
      await this.#publish(publishedMs, inBackground);
      const elapsedMs = this.#host.now() - publishedMs;
      ended();
      const common = readCommon(memory, job, block, publishedMs, elapsedMs);
      return job.read(memory, resultAddress(job, block), common, () => {
        kept = true;
        return free;
      });
    } finally {
      if (!kept) free();
    }
  }

  /** Publishes the job whose parameters were written, and resolves when its last thread has left. */
  #publish(publishedMs: number, inBackground: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure);
      if (!inBackground) this.keepAlive(true);
      const watches = this.#spins && this.#quick && !inBackground && this.#skip === 0;
      if (this.#skip > 0) this.#skip--;
      this.memory.setAtomic(CONTROL_WATCH, watches ? 1 : 0);
      // publish() wakes the workers, but nothing they say is heard before this turn of the event loop is over.
      const generation = this.#kernel.publish();
      this.#job = { generation, publishedMs, inBackground, resolve, reject };
      if (watches) this.#host.soon(() => this.#watch(generation));
    });
  }

  stop(): void {
    if (this.#job !== undefined) this.#kernel.stop(this.#job.generation);
  }

  progress(): number {
    let done = 0;
    for (let thread = 0; thread < this.memory.int(JOB_THREADS); thread++) {
      done += this.memory.atomic(blockOf(thread) + THREAD_PROGRESS) >>> 0;
    }
    return done;
  }

  abandon(error: EngineError): void {
    this.#crew.fail(error);
  }

  close(): Promise<void> {
    return this.#crew.close();
  }

  #hear(message: WorkerMessage): void {
    if (message.type === "allcores:end") this.#end(message.generation);
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

  #fail(error: EngineError): void {
    const job = this.#job;
    this.#job = undefined;
    if (job !== undefined) this.#kernel.stop(job.generation);
    job?.reject(error);
  }
}
