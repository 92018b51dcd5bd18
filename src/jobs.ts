// What a job is to the engine, whatever it computes. A kind of job says how much memory it needs, writes its
// parameters, and reads its result; mandelbrot.ts and count.ts are the two kinds so far.

import {
  JOB_BARRIER_MS,
  JOB_CHUNKS,
  JOB_KIND,
  JOB_RECORDS,
  JOB_SCHEDULE,
  JOB_THREADS,
  RECORD_BEGIN_MS,
  RECORD_BYTES,
  RECORD_END_MS,
  RECORD_ITERATIONS,
  RECORD_THREAD,
  THREAD_BUSY_MS,
  THREAD_CHUNKS,
  THREAD_ITERATIONS,
} from "../assembly/layout.ts";
import { type Block, blockOf, type EngineMemory } from "./memory.ts";
import { callback, integer, type Raw, refuse } from "./options.ts";
import type { AbortSignalLike, ChunkReport, JobResult, Progress, WorkerReport } from "./types.ts";

/** The options that every kind of job has. */
export const JOB_OPTIONS = ["threads", "signal", "onProgress"] as const;

export interface JobControl {
  threads: number;
  signal: AbortSignalLike | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
}

/** A job, checked and ready to be written. */
export interface Job<Result extends JobResult> {
  /** JOB_KIND_* and SCHEDULE_* of layout.ts. */
  readonly kind: number;
  readonly schedule: number;
  readonly threads: number;
  readonly chunks: number;
  /** Milliseconds that a thread waits for the others before it begins; 0: it does not. */
  readonly barrierMs: number;
  /** Pixels or increments in all. */
  readonly units: number;
  /** Bytes of heap for the result. */
  readonly bytes: number;
  /** Writes the parameters of this kind of job. `address` is where the result's bytes begin. */
  write(memory: EngineMemory, address: number): void;
  /** Reads the result. It calls `keep` to have the job's heap for itself, and gets the function that gives it back. */
  read(memory: EngineMemory, address: number, common: JobResult, keep: () => () => void): Result;
  /** Divides the job among private memories. Absent where the workers have to share one. */
  divide?(): Division<Result>;
}

/** Bytes of a unit in each array of a result that private memories compute. */
export const UNIT_BYTES = 4;

/** A job as workers with private memories do it: each is sent some of its chunks at a time, by their numbers. */
export interface Division<Result extends JobResult> {
  readonly chunks: number;
  /** With a static schedule, the first chunk of each thread. */
  readonly bands: readonly number[] | undefined;
  /** Chunks that take a millisecond or so together, even if they are the most expensive ones. */
  readonly stride: number;
  /** Addresses of the parameters that hold the address of an array of the result. */
  readonly outputs: readonly number[];
  /** The first unit of a chunk. Chunk by chunk, units follow each other; behind the last chunk is the number of units. */
  unitOf(chunk: number): number;
  /** Writes the parameters of this kind of job. The outputs' addresses are then set by others. */
  write(memory: EngineMemory): void;
  /** Makes the result, which owns the arrays. */
  read(arrays: readonly ArrayBuffer[], common: JobResult): Result;
}

/** `threads`: of the engine; `most`: that a job may ask for, though it gets no more than there are. */
export function readControl(raw: Raw, threads: number, most: number): JobControl {
  return {
    threads: Math.min(threads, readThreads(raw, threads, most)),
    signal: readSignal(raw),
    onProgress: callback(raw, "onProgress"),
  };
}

function readThreads(raw: Raw, threads: number, most: number): number {
  const value = raw.threads;
  if (typeof value === "number" && Number.isInteger(value) && value > most) {
    refuse(
      "threads",
      `an integer from 1 to ${most}, the engine's workers (createEngine({ threads }) sets them)`,
      value,
    );
  }
  return integer(raw, "threads", 1, most, threads);
}

function readSignal(raw: Raw): AbortSignalLike | undefined {
  const signal = raw.signal as Partial<AbortSignalLike> | undefined;
  if (signal === undefined) return undefined;
  if (typeof signal !== "object" || signal === null || typeof signal.addEventListener !== "function") {
    refuse("signal", "an AbortSignal", signal);
  }
  return signal as AbortSignalLike;
}

/** Bytes of heap that a job needs: its chunk records, then its result. */
export function heapBytes(job: Job<JobResult>): number {
  return job.chunks * RECORD_BYTES + job.bytes;
}

/** Writes a job's parameters. Only while no thread is in a job. */
export function writeJob(
  memory: EngineMemory,
  job: Pick<Job<JobResult>, "kind" | "threads" | "schedule" | "chunks" | "barrierMs" | "write">,
  block: Block,
): void {
  memory.setInt(JOB_KIND, job.kind);
  memory.setInt(JOB_THREADS, job.threads);
  memory.setInt(JOB_SCHEDULE, job.schedule);
  memory.setInt(JOB_CHUNKS, job.chunks);
  memory.setInt(JOB_RECORDS, block.address);
  memory.setInt(JOB_BARRIER_MS, job.barrierMs);
  job.write(memory, resultAddress(job, block));
}

export function resultAddress(job: Pick<Job<JobResult>, "chunks">, block: Block): number {
  return block.address + job.chunks * RECORD_BYTES;
}

/** Reads what the workers did. `publishedMs` is the time that the chunks' times are told from. */
export function readCommon(
  memory: EngineMemory,
  job: Job<JobResult>,
  block: Block,
  publishedMs: number,
  elapsedMs: number,
): JobResult {
  const workers: WorkerReport[] = [];
  for (let thread = 0; thread < job.threads; thread++) {
    const address = blockOf(thread);
    workers.push({
      chunks: memory.int(address + THREAD_CHUNKS),
      iterations: memory.long(address + THREAD_ITERATIONS),
      busyMs: memory.double(address + THREAD_BUSY_MS),
    });
  }
  // The heap may be the next job's when somebody asks, so the records are copied, and decoded only then.
  const records = new Uint8Array(job.chunks * RECORD_BYTES);
  records.set(new Uint8Array(memory.memory.buffer, block.address, records.length));
  const view = new DataView(records.buffer);
  return { threads: job.threads, elapsedMs, workers, chunks: () => decodeRecords(view, publishedMs) };
}

/** What chunk records say. */
export function decodeRecords(view: DataView, publishedMs: number): ChunkReport[] {
  const chunks: ChunkReport[] = [];
  for (let record = 0; record < view.byteLength; record += RECORD_BYTES) {
    chunks.push({
      thread: view.getInt32(record + RECORD_THREAD, true),
      iterations: Number(view.getBigInt64(record + RECORD_ITERATIONS, true)),
      beginMs: view.getFloat64(record + RECORD_BEGIN_MS, true) - publishedMs,
      endMs: view.getFloat64(record + RECORD_END_MS, true) - publishedMs,
    });
  }
  return chunks;
}

/** What each of `threads` workers did, by what was done of each chunk. */
export function workersOf(chunks: readonly ChunkReport[], threads: number): WorkerReport[] {
  const workers = Array.from({ length: threads }, () => ({ chunks: 0, iterations: 0, busyMs: 0 }));
  for (const { thread, iterations, beginMs, endMs } of chunks) {
    const worker = workers[thread];
    if (worker === undefined) continue;
    worker.chunks++;
    worker.iterations += iterations;
    worker.busyMs += endMs - beginMs;
  }
  return workers;
}
