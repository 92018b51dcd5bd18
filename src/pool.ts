// The workers around one memory: start, run one job at a time, close. A pool in which a worker failed is broken for
// good, and its memory with it, because a thread that was ended by force may go on writing there.

import { CONTROL_END, JOB_THREADS, THREAD_PARK_RESCUES, THREAD_PROGRESS } from "../assembly/layout.ts";
import { Crew, type Pool } from "./crew.ts";
import type { EngineError } from "./errors.ts";
import type { Host, Kernel, WorkerMessage } from "./host.ts";
import { heapBytes, type Job, readCommon, resultAddress, writeJob } from "./jobs.ts";
import { instantiateKernel } from "./kernel.ts";
import { blockOf, EngineMemory } from "./memory.ts";
import type { JobResult } from "./types.ts";

interface RunningJob {
  generation: number;
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

  private constructor(host: Host, module: WebAssembly.Module) {
    this.#host = host;
    this.#crew = new Crew(host, {
      message: (_, message) => this.#hear(message),
      failed: (error) => this.#fail(error),
      leave: () => this.#kernel.close(),
    });
    this.memory = new EngineMemory();
    this.#kernel = instantiateKernel(host, module, this.memory);
  }

  /** Starts `threads` workers side by side. Rejects, with none left, if one of them does not start in time. */
  static async start(host: Host, module: WebAssembly.Module, threads: number, timeout: number): Promise<SharedPool> {
    const pool = new SharedPool(host, module);
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

  async run<Result extends JobResult>(job: Job<Result>, ended: () => void): Promise<Result> {
    const { memory } = this;
    const block = memory.allocate(heapBytes(job));
    let kept = false;
    const free = () => memory.free(block);
    try {
      writeJob(memory, job, block);
      const publishedMs = this.#host.now();
      await this.#publish();
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
  #publish(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure);
      this.#crew.keepAlive(true);
      // publish() wakes the workers, but nothing they say is heard before this turn of the event loop is over.
      this.#job = { generation: this.#kernel.publish(), resolve, reject };
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

  #end(generation: number): void {
    const job = this.#job;
    // A message of an earlier job cannot be: the job would not have ended. But a message is no proof, the memory is.
    if (job === undefined || job.generation !== generation || this.memory.atomic(CONTROL_END) !== generation) return;
    this.#job = undefined;
    this.#crew.keepAlive(false);
    job.resolve();
  }

  #fail(error: EngineError): void {
    const job = this.#job;
    this.#job = undefined;
    if (job !== undefined) this.#kernel.stop(job.generation);
    job?.reject(error);
  }
}
