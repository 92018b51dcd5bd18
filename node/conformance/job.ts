// The jobs of the conformance kit, as a host program reads them: one line of JSON, all numbers (docs/abi.md).

import * as layout from "../../assembly/layout.ts";
import type { Picture } from "../../src/bench/report.ts";
import { tileOf } from "../../src/mandelbrot.ts";
import type { Algorithm, Guard, Schedule } from "../../src/types.ts";

/** What a host program is told: words of the memory by the names of their addresses, and what to do around the job. */
export interface Line extends Readonly<Record<string, number>> {
  readonly pages: number;
  readonly park: number;
  readonly count: number;
  readonly from: number;
  readonly bytes: number;
  readonly JOB_THREADS: number;
  readonly JOB_CHUNKS: number;
  readonly JOB_RECORDS: number;
}

export interface PictureJob extends Picture {
  threads: number;
  algorithm: Algorithm;
  schedule: Schedule;
  /** Of a dynamic job. Default: the engine's. */
  tileWidth?: number;
  tileHeight?: number;
  magnitudes?: boolean;
  /** Milliseconds that threads sleep before the job is published; 0: they are started after it. */
  park?: number;
  /** Where the heap's part begins. Default: HEAP. The control words are read back only with the default. */
  base?: number;
}

export interface CountJob {
  threads: number;
  increments: number;
  guard: Guard;
  /** What the count begins with. */
  start?: number;
  barrierMs?: number;
}

/** Bytes without a use between two parts of the heap: they have to stay 0. */
const GAP = 256;

const GUARDS = { none: layout.GUARD_NONE, atomic: layout.GUARD_ATOMIC, lock: layout.GUARD_LOCK } as const;

/** Places one part of the heap behind the other. */
class Heap {
  #end: number;

  constructor(base: number) {
    this.#end = base;
  }

  /** Takes `bytes` on an address that is `offset` above a multiple of `alignment`, behind a gap. */
  take(bytes: number, alignment: number, offset = 0): number {
    const address = Math.ceil((this.#end + GAP - offset) / alignment) * alignment + offset;
    this.#end = address + bytes;
    return address;
  }

  /** The address behind the gap that follows the last part. */
  get end(): number {
    return this.#end + GAP;
  }
}

export function pictureLine(job: PictureJob): Line {
  const { width, height, maxIterations, region, threads, algorithm, park = 0, base = layout.HEAP } = job;
  const isStatic = job.schedule === "static";
  const engineTile = tileOf(width, height, maxIterations);
  const tileWidth = isStatic ? width : (job.tileWidth ?? engineTile.width);
  const tileHeight = isStatic ? Math.floor(height / threads) : (job.tileHeight ?? engineTile.height);
  const chunks = isStatic ? threads : Math.ceil(width / tileWidth) * Math.ceil(height / tileHeight);

  const heap = new Heap(base);
  const records = heap.take(chunks * layout.RECORD_BYTES, 8);
  // No better aligned than they need be.
  const counts = heap.take(4 * width * height, 8, 4);
  const magnitudes = job.magnitudes ? heap.take(4 * width * height, 8, 4) : 0;
  const end = heap.end;
  const scratch = heap.take(threads * layout.SCRATCH_BYTES, 16);
  const from = base === layout.HEAP ? 0 : base;
  return {
    pages: Math.ceil(heap.end / layout.PAGE_BYTES),
    park,
    count: 0,
    from,
    bytes: end - from,
    JOB_KIND: layout.JOB_KIND_MANDELBROT,
    JOB_THREADS: threads,
    JOB_SCHEDULE: isStatic ? layout.SCHEDULE_STATIC : layout.SCHEDULE_DYNAMIC,
    JOB_CHUNKS: chunks,
    JOB_RECORDS: records,
    JOB_BARRIER_MS: 0,
    JOB_SCRATCH: scratch,
    MANDELBROT_WIDTH: width,
    MANDELBROT_HEIGHT: height,
    MANDELBROT_MAX_ITERATIONS: maxIterations,
    MANDELBROT_ALGORITHM: algorithm === "exact" ? layout.ALGORITHM_EXACT : layout.ALGORITHM_NAIVE,
    MANDELBROT_TILE_WIDTH: tileWidth,
    MANDELBROT_TILE_HEIGHT: tileHeight,
    MANDELBROT_COUNTS: counts,
    MANDELBROT_MAGNITUDES: magnitudes,
    MANDELBROT_RE_MIN: region.reMin,
    MANDELBROT_RE_MAX: region.reMax,
    MANDELBROT_IM_MIN: region.imMin,
    MANDELBROT_IM_MAX: region.imMax,
  };
}

export function countLine({ threads, increments, guard, start = 0, barrierMs = 0 }: CountJob): Line {
  const heap = new Heap(layout.HEAP);
  const records = heap.take(threads * layout.RECORD_BYTES, 8);
  return {
    pages: Math.ceil(heap.end / layout.PAGE_BYTES),
    park: 0,
    count: start,
    from: 0,
    bytes: heap.end,
    JOB_KIND: layout.JOB_KIND_COUNT,
    JOB_THREADS: threads,
    JOB_SCHEDULE: layout.SCHEDULE_STATIC,
    JOB_CHUNKS: threads,
    JOB_RECORDS: records,
    JOB_BARRIER_MS: barrierMs,
    JOB_SCRATCH: 0,
    COUNT_INCREMENTS: increments,
    COUNT_GUARD: GUARDS[guard],
  };
}
