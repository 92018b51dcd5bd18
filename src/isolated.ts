// The workers with a memory each: they are sent chunks, and send back what they computed. No worker sees another one's
// memory, nor does the host, so this needs no permission to share memory, and whoever fails takes nothing along.

import {
  HEAP,
  JOB,
  JOB_BYTES,
  MAX_PAGES,
  PAGE_BYTES,
  RECORD_BEGIN_MS,
  RECORD_BYTES,
  RECORD_DONE,
  RECORD_END_MS,
  RECORD_FREE,
  RECORD_ITERATIONS,
  RECORD_STATE,
  RECORD_THREAD,
  SCHEDULE_DYNAMIC,
} from "../assembly/layout.ts";
import { Crew, type Pool } from "./crew.ts";
import { EngineError, messageOf } from "./errors.ts";
import type { Host, PrivateTask, WorkerMessage } from "./host.ts";
import { type Division, decodeRecords, type Job, UNIT_BYTES, workersOf, writeJob } from "./jobs.ts";
import { instantiateKernel } from "./kernel.ts";
import { EngineMemory, megabytes } from "./memory.ts";
import type { JobResult } from "./types.ts";

/**
 * Parts that a worker has before it: one that it computes, and one that it need not wait for. A part takes milliseconds,
 * so that many milliseconds is what an abort takes to be heard.
 */
const PARTS_IN_FLIGHT = 2;

/**
 * What is left of a job is cut into so many parts for each worker, of which the next one is sent. So parts begin large
 * and end with single chunks, and all workers end together.
 */
const PARTS_LEFT = 8;

/** Most units of a part: what a worker's memory has to hold, and the host to copy at a time. */
const MAX_PART_UNITS = 1 << 18;

/** Most bytes of a result: as many as a shared memory could hold, so that both modes can do the same jobs. */
const MAX_RESULT_BYTES = MAX_PAGES * PAGE_BYTES - HEAP;

/** Chunks: `first` … `end` - 1. */
interface Part {
  readonly first: number;
  readonly end: number;
}

/** Chunks that nobody computes yet, of which each of `workers` takes some when it needs some. */
interface Share {
  readonly parts: Part[];
  chunks: number;
  readonly workers: number;
}

interface RunningJob {
  readonly number: number;
  readonly inBackground: boolean;
  readonly units: number;
  readonly division: Division<JobResult>;
  /** The result's arrays, as bytes. */
  readonly arrays: readonly Uint8Array[];
  readonly records: DataView;
  readonly task: PrivateTask;
  /** By thread. With a dynamic schedule all have the same one. */
  readonly shares: readonly Share[];
  /** By thread: what it was sent, and has not answered. */
  readonly inFlight: readonly Part[][];
  /** Units that have come back. */
  done: number;
  stopped: boolean;
  resolve: () => void;
  reject: (error: EngineError) => void;
}

export class IsolatedPool implements Pool {
  /** A pixel may take so long that it is not worth waiting for: no memory is at stake. */
  readonly stopDeadline = 500;
  readonly parkRescues = 0;
  readonly #host: Host;
  readonly #crew: Crew;
  /** Nobody computes here: it is where a job's parameters are written, to be posted. */
  readonly #memory = new EngineMemory(true, Math.ceil(HEAP / PAGE_BYTES), 0);
  #jobs = 0;
  #job: RunningJob | undefined;

  private constructor(host: Host, module: WebAssembly.Module) {
    this.#host = host;
    this.#crew = new Crew(host, {
      message: (thread, message) => this.#hear(thread, message),
      failed: (error) => this.#fail(error),
      leave: () => this.#crew.terminate(), // they share nothing, so they may be ended at any time
    });
    instantiateKernel(host, module, this.#memory.memory);
  }

  /** Starts `threads` workers side by side. Rejects, with none left, if one of them does not start in time. */
  static async start(host: Host, module: WebAssembly.Module, threads: number, timeout: number): Promise<IsolatedPool> {
    const pool = new IsolatedPool(host, module);
    await pool.#crew.start(threads, timeout, { module, memory: undefined });
    return pool;
  }

  get failure(): EngineError | undefined {
    return this.#crew.failure;
  }

  get lost(): number {
    return this.#crew.lost;
  }

  isTooSmallFor(): boolean {
    return false; // results are not in the workers' memories
  }

  keepAlive(on: boolean): void {
    this.#crew.keepAlive(on);
  }

  async run<Result extends JobResult>(job: Job<Result>, ended: () => void, inBackground = false): Promise<Result> {
    if (this.failure !== undefined) throw this.failure;
    const division = divide(job);
    const { threads, units } = job;
    const arrays = allocate(division.outputs.length, units * UNIT_BYTES);
    const publishedMs = this.#host.now();
    const records = newRecords(division, threads, publishedMs);
    await this.#compute({
      number: ++this.#jobs,
      inBackground,
      units,
      division,
      arrays: arrays.map((array) => new Uint8Array(array)),
      records,
      shares: sharesOf(division, threads),
      inFlight: Array.from({ length: threads }, () => []),
      task: taskOf(this.#memory, job, division),
    });
    const elapsedMs = this.#host.now() - publishedMs;
    ended();
    const chunks = () => decodeRecords(records, publishedMs);
    return division.read(arrays, { threads, elapsedMs, workers: workersOf(chunks(), threads), chunks });
  }

  stop(): void {
    if (this.#job !== undefined) this.#job.stopped = true;
  }

  progress(): number {
    return this.#job?.done ?? 0;
  }

  abandon(error: EngineError): void {
    this.#crew.fail(error);
  }

  close(): Promise<void> {
    return this.#crew.close();
  }

  /** Hands the job out, and resolves when all that was handed out has come back. */
  #compute(job: Omit<RunningJob, "done" | "stopped" | "resolve" | "reject">): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!job.inBackground) this.keepAlive(true);
      const running = { ...job, done: 0, stopped: false, resolve, reject };
      this.#job = running;
      const threads = job.inFlight.length;
      // In turn, so that everybody has one before anybody has two.
      for (let i = 0; i < PARTS_IN_FLIGHT * threads; i++) this.#send(running, i % threads);
    });
  }

  /** Sends a worker its next part, if there is one. */
  #send({ number, division, task, shares, inFlight }: RunningJob, thread: number): void {
    const share = shares[thread];
    // The first chunk has as many units as any.
    const most = Math.max(1, Math.floor(MAX_PART_UNITS / division.unitOf(1)));
    const part = share && take(share, most);
    if (part === undefined) return;
    inFlight[thread]?.push(part);
    const { first, end } = part;
    const unit = division.unitOf(first);
    const units = division.unitOf(end) - unit;
    this.#crew.post(thread, { type: "allcores:part", job: number, task, first, end, unit, units });
  }

  #hear(thread: number, message: WorkerMessage): void {
    const job = this.#job;
    if (job === undefined || message.type !== "allcores:part" || !this.#receive(job, thread, message)) return;
    if (!job.stopped) this.#send(job, thread);
    if (job.inFlight.every(({ length }) => length === 0)) this.#end(job);
  }

  /** Takes what a worker has computed of its part. Returns false if it was not asked for: foreign code may post, too. */
  #receive(job: RunningJob, thread: number, message: WorkerMessage & { type: "allcores:part" }): boolean {
    const { division, arrays, inFlight, shares } = job;
    const { first, end, bytes } = message;
    const part = inFlight[thread]?.[0];
    if (part === undefined || message.job !== job.number || first !== part.first) return false;
    if (!Number.isInteger(end) || end <= first || end > part.end || !(bytes instanceof Uint8Array)) return false;
    const unit = division.unitOf(first);
    const units = division.unitOf(end) - unit;
    const recordBytes = (end - first) * RECORD_BYTES;
    if (bytes.length !== recordBytes + arrays.length * units * UNIT_BYTES) return false;

    let offset = recordBytes;
    for (const array of arrays) {
      array.set(bytes.subarray(offset, offset + units * UNIT_BYTES), unit * UNIT_BYTES);
      offset += units * UNIT_BYTES;
    }
    const records = new DataView(bytes.buffer, bytes.byteOffset, recordBytes);
    for (let chunk = first; chunk < end; chunk++) {
      const target = division.bands === undefined ? chunk : thread;
      addRecord(job.records, target * RECORD_BYTES, thread, records, (chunk - first) * RECORD_BYTES);
    }
    job.done += units;
    inFlight[thread]?.shift();
    const share = shares[thread];
    if (share !== undefined && end < part.end) giveBack(share, { first: end, end: part.end });
    return true;
  }

  #end(job: RunningJob): void {
    this.#job = undefined;
    if (!job.inBackground) this.keepAlive(false);
    job.resolve();
  }

  #fail(error: EngineError): void {
    const job = this.#job;
    this.#job = undefined;
    job?.reject(error);
    // A worker that failed cannot be told to leave, and the others would go on with what they have before them.
    void this.#crew.close();
  }
}

/** What workers are told of a job. Its parameters are written to `memory` on the way. */
export function taskOf(
  memory: EngineMemory,
  { kind }: Job<JobResult>,
  { outputs, stride, write }: Division<JobResult>,
): PrivateTask {
  const own = { kind, schedule: SCHEDULE_DYNAMIC, threads: 1, chunks: 0, barrierMs: 0, write };
  writeJob(memory, own, { address: HEAP, bytes: 0 });
  const parameters = new Uint8Array(JOB_BYTES);
  parameters.set(new Uint8Array(memory.memory.buffer, JOB, JOB_BYTES));
  return { parameters, outputs, stride };
}

/** How a job is divided among private memories. Throws if it cannot be. */
export function divide<Result extends JobResult>(job: Job<Result>): Division<Result> {
  const division = job.divide?.();
  if (division !== undefined) return division;
  throw new EngineError(
    "E_UNSUPPORTED",
    "this job needs a memory that all workers share, which there is in shared mode only (engine.modeReason says why the " +
      'engine runs in another): create it with mode: "shared", which says what is missing where that cannot be',
  );
}

function allocate(arrays: number, bytes: number): ArrayBuffer[] {
  if (arrays * bytes > MAX_RESULT_BYTES) {
    throw new EngineError(
      "E_MEMORY",
      `the job needs ${megabytes(arrays * bytes)} MB, but a result has ${megabytes(MAX_RESULT_BYTES)} MB at most: ` +
        "compute a smaller picture, or a part of it at a time",
    );
  }
  try {
    return Array.from({ length: arrays }, () => new ArrayBuffer(bytes));
  } catch (error) {
    throw new EngineError(
      "E_MEMORY",
      `the job needs ${megabytes(arrays * bytes)} MB, which the platform refused (${messageOf(error)}): ` +
        "free memory, or compute a smaller picture",
      { cause: error },
    );
  }
}

function sharesOf({ chunks, bands }: Division<JobResult>, threads: number): Share[] {
  const share = (part: Part, workers: number): Share => ({ parts: [part], chunks: part.end - part.first, workers });
  if (bands === undefined) return new Array<Share>(threads).fill(share({ first: 0, end: chunks }, threads));
  return bands.map((first, thread) => share({ first, end: bands[thread + 1] ?? chunks }, 1));
}

/** Takes the next part, of at most so many chunks. */
function take(share: Share, most: number): Part | undefined {
  const rest = share.chunks > 0 ? share.parts.shift() : undefined; // a band may have no rows
  if (rest === undefined) return undefined;
  const chunks = Math.min(Math.ceil(share.chunks / (PARTS_LEFT * share.workers)), most, rest.end - rest.first);
  const end = rest.first + chunks;
  share.chunks -= chunks;
  if (end < rest.end) share.parts.unshift({ first: end, end: rest.end });
  return { first: rest.first, end };
}

function giveBack(share: Share, part: Part): void {
  share.parts.unshift(part);
  share.chunks += part.end - part.first;
}

/** A record for each chunk or, if they are bands, each thread, which then may have nothing to do. */
function newRecords({ chunks, bands }: Division<JobResult>, threads: number, publishedMs: number): DataView {
  const count = bands === undefined ? chunks : threads;
  const records = new DataView(new ArrayBuffer(count * RECORD_BYTES));
  for (let thread = 0; bands !== undefined && thread < threads; thread++) {
    records.setInt32(thread * RECORD_BYTES + RECORD_THREAD, thread, true);
    records.setFloat64(thread * RECORD_BYTES + RECORD_BEGIN_MS, publishedMs, true);
    records.setFloat64(thread * RECORD_BYTES + RECORD_END_MS, publishedMs, true);
  }
  return records;
}

/** Adds a worker's record to one of the job's, which begins where its first one begins and ends where its last one ends. */
function addRecord(to: DataView, target: number, thread: number, from: DataView, source: number): void {
  if (to.getInt32(target + RECORD_STATE, true) === RECORD_FREE) {
    to.setInt32(target + RECORD_STATE, RECORD_DONE, true);
    to.setInt32(target + RECORD_THREAD, thread, true); // in its own memory every worker is thread 0
    to.setFloat64(target + RECORD_BEGIN_MS, from.getFloat64(source + RECORD_BEGIN_MS, true), true);
  }
  const iterations =
    to.getBigInt64(target + RECORD_ITERATIONS, true) + from.getBigInt64(source + RECORD_ITERATIONS, true);
  to.setBigInt64(target + RECORD_ITERATIONS, iterations, true);
  to.setFloat64(target + RECORD_END_MS, from.getFloat64(source + RECORD_END_MS, true), true);
}
