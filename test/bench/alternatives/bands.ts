// A picture in bands of rows, for those who share no memory: each band is a task, computed by the engine's own kernel in a
// memory that the worker has for itself.

import { JOB_SCRATCH, MANDELBROT_COUNTS, MAX_THREADS, SCRATCH_BYTES } from "../../../assembly/layout.ts";
import { instantiateKernel } from "../../../node/kernel.ts";
import type { Kernel } from "../../../src/host.ts";
import { type Job, resultAddress, writeJob } from "../../../src/jobs.ts";
import { mandelbrotJob } from "../../../src/mandelbrot.ts";
import { type Block, EngineMemory } from "../../../src/memory.ts";
import type { Algorithm, MandelbrotResult } from "../../../src/types.ts";
import type { Picture } from "../../oracle.ts";

/** What to render. */
export interface Order {
  picture: Picture;
  algorithm: Algorithm;
}

/** A task: one band of a picture. */
export interface BandTask extends Order {
  /** Which picture it is of: every picture that is rendered has another number. */
  job: number;
  /** Bands of the picture. */
  bands: number;
  /** Which of them, from 0. */
  band: number;
}

/** Tasks for each worker: enough that they end nearly together, though one band costs many times another. */
const TASKS_PER_WORKER = 16;

let jobs = 0;

/** The tasks of a picture, to be rendered once, for so many workers. */
export function tasksOf(order: Order, workers: number): BandTask[] {
  const { height } = order.picture;
  const rows = Math.max(Math.floor(height / (TASKS_PER_WORKER * workers)), Math.ceil(height / MAX_THREADS));
  const bands = Math.floor(height / rows);
  const job = ++jobs;
  return Array.from({ length: bands }, (_, band) => ({ ...order, job, bands, band }));
}

/** The first row of a band and the one after its last; the last band has the remainder, too. */
function rowsOf({ picture: { height }, bands, band }: BandTask): [first: number, end: number] {
  const rows = Math.floor(height / bands);
  return [band * rows, band === bands - 1 ? height : (band + 1) * rows];
}

/** Puts what a task computed where it belongs in the counts of the whole picture. */
export function place(counts: Uint32Array, task: BandTask, part: Uint32Array): void {
  counts.set(part, rowsOf(task)[0] * task.picture.width);
}

/** A worker's kernel. */
export class BandKernel {
  readonly #memory = new EngineMemory();
  readonly #kernel: Kernel;
  #job: { number: number; block: Block } | undefined;

  constructor(module: WebAssembly.Module) {
    this.#kernel = instantiateKernel(module, this.#memory.memory, performance.timeOrigin);
  }

  /** Computes one band. The counts are a copy. */
  render(task: BandTask): Uint32Array<ArrayBuffer> {
    const { picture, algorithm, bands, band, job: number } = task;
    // A band is a static chunk: the one of the thread that has its number.
    const [job] = mandelbrotJob({ ...picture, algorithm, schedule: "static", threads: bands }, bands);
    if (this.#job?.number !== number) this.#job = { number, block: this.#publish(job, task, this.#job?.block) };
    const address = resultAddress(job, this.#job.block);
    // The kernel places a row at COUNTS + 4 · width · y, modulo 2³². So this memory needs room for one band only.
    const [first, end] = rowsOf(task);
    this.#memory.setInt(MANDELBROT_COUNTS, address - 4 * picture.width * first);
    // The thread of the band's number has the scratch memory of the only one that there is.
    this.#memory.placeScratch();
    this.#memory.setInt(JOB_SCRATCH, this.#memory.int(JOB_SCRATCH) - band * SCRATCH_BYTES);
    this.#kernel.work(band);
    return new Uint32Array(this.#memory.memory.buffer, address, (end - first) * picture.width).slice();
  }

  /** Publishes a job, once for all of its bands: a thread, which is a band here, computes its chunk once in a job. */
  #publish(job: Job<MandelbrotResult>, task: BandTask, previous: Block | undefined): Block {
    if (previous !== undefined) this.#memory.free(previous);
    const { picture, bands } = task;
    const [first, end] = rowsOf({ ...task, band: bands - 1 });
    const block = this.#memory.allocate(
      resultAddress(job, { address: 0, bytes: 0 }) + 4 * picture.width * (end - first),
    );
    writeJob(this.#memory, job, block);
    this.#kernel.publish();
    return block;
  }
}
