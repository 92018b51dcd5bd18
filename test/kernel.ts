// Drives a build of the kernel from one thread, by its ABI alone, and watches every byte of its memory meanwhile.
//
// The threads of a job run one after the other, or nested: the kernel looks at the clock between two chunks, and the
// clock, which is this file's, may let the next thread begin there. So the order of events is the same in every run.

import { readFileSync } from "node:fs";
import * as layout from "../assembly/layout.ts";
import type { Kernel } from "../src/host.ts";
import type { Algorithm, Guard, Schedule } from "../src/types.ts";
import type { Picture } from "./oracle.ts";

export const BUILDS = ["simd", "scalar", "serial"] as const;
export type KernelBuild = (typeof BUILDS)[number];

/** In dist/. */
export const KERNEL_FILES = {
  simd: "kernel.wasm",
  scalar: "kernel-scalar.wasm",
  serial: "kernel-serial.wasm",
} as const;

/** The bytes of a build. */
export function kernelBytes(build: KernelBuild): Uint8Array {
  return readFileSync(new URL(`../dist/${KERNEL_FILES[build]}`, import.meta.url));
}

/** What the threads of a job do, and when. */
export interface JobSetup {
  /** Default: 1. */
  threads?: number;
  /** Chunks after which a thread lets the next one begin, nested in it. Default: each thread runs to its end first. */
  handOver?: number;
  /** Stops the job when the threads have looked at the clock so often: once as each begins, once after every chunk. */
  stopAtClock?: number;
  /** Called whenever a thread looks at the clock. */
  onClock?: () => void;
}

export interface MandelbrotJob extends Picture, JobSetup {
  algorithm: Algorithm;
  /** Default: `dynamic`. */
  schedule?: Schedule;
  /** Default: the picture's width. */
  tileWidth?: number;
  /** Default: 1, or with a static schedule the thread's share of the rows. */
  tileHeight?: number;
  /** Default: true. */
  magnitudes?: boolean;
}

export interface CountJob extends JobSetup {
  increments: number;
  guard: Guard;
  /** Longest wait at the barrier, in milliseconds. Default: 0, no barrier. */
  barrierMs?: number;
}

/** A thread's block after a job. */
export interface ThreadStatistics {
  state: number;
  progress: number;
  chunks: number;
  iterations: number;
  busyMs: number;
  lockAcquisitions: number;
  lockContended: number;
  lockWaits: number;
}

export interface ChunkRecord {
  state: number;
  thread: number;
  iterations: number;
  beginMs: number;
  endMs: number;
}

/** What every job leaves behind. */
export interface JobRun {
  generation: number;
  /** What `work` returned for each thread. */
  bits: number[];
  threads: ThreadStatistics[];
  records: ChunkRecord[];
  /** Where something changed that is not the kernel's to write. Empty if all is well. */
  strayWrites: string[];
}

export interface MandelbrotRun extends JobRun {
  counts: Uint32Array;
  /** Empty if none were asked for. */
  magnitudes: Float32Array;
}

export interface CountRun extends JobRun {
  value: bigint;
}

/** Part of the memory: [first address, address after the last]. */
type Range = readonly [number, number];

/** The byte that the memory is full of, wherever the kernel is not to write. */
const CANARY = 0xa5;

const REGIONS = { CONTROL: layout.CONTROL, JOB: layout.JOB, THREADS: layout.THREADS, HEAP: layout.HEAP };

/** Bytes of canaries, at least, between two regions that the kernel writes. */
const GUARD = 256;

const CONTROL_WORDS: readonly Range[] = [
  word(layout.CONTROL_GENERATION),
  word(layout.CONTROL_STOP),
  word(layout.CONTROL_CLAIM),
  word(layout.CONTROL_RUNNING),
  word(layout.CONTROL_END),
  word(layout.CONTROL_BARRIER),
  word(layout.CONTROL_LOCK),
  [layout.CONTROL_COUNT, layout.CONTROL_COUNT + 8],
  word(layout.CONTROL_SPIN),
  word(layout.CONTROL_WATCH),
  [layout.CONTROL_PUBLISHED_MS, layout.CONTROL_PUBLISHED_MS + 8],
];

function word(address: number): Range {
  return [address, address + 4];
}

/** Address of a thread's block. */
export function blockOf(thread: number): number {
  return layout.THREADS + thread * layout.THREAD_BYTES;
}

/** A kernel of this build, over a memory of its own. */
export function loadKernel(build: KernelBuild, pages = 4, threads = 8): TestKernel {
  const scratchPages = Math.ceil((threads * layout.SCRATCH_BYTES) / layout.PAGE_BYTES) + 1;
  return new TestKernel(build, kernelBytes(build), pages + scratchPages);
}

export class TestKernel {
  readonly build: KernelBuild;
  readonly exports: Kernel;
  readonly #memory: Buffer;
  readonly #view: DataView;
  /** Called whenever a thread looks at the clock. */
  onClock: () => void = () => {};
  /** The clock, in milliseconds. */
  clock: () => number = () => performance.now();

  constructor(build: KernelBuild, bytes: Uint8Array, pages: number) {
    this.build = build;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: build !== "serial" });
    const now = () => {
      this.onClock();
      return this.clock();
    };
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory, now } });
    this.exports = instance.exports as unknown as Kernel;
    this.#memory = Buffer.from(memory.buffer);
    this.#view = new DataView(memory.buffer);

    // A new memory is all 0. Only where the kernel may rely on that it stays so.
    this.#memory.fill(CANARY);
    for (const [from, to] of CONTROL_WORDS) this.#memory.fill(0, from, to);
    for (let thread = 0; thread < layout.MAX_THREADS; thread++) {
      const block = blockOf(thread);
      this.#memory.fill(0, block + layout.THREAD_GENERATION, block + layout.THREAD_GENERATION + 4);
      this.#memory.fill(0, block + layout.THREAD_STATE, block + layout.THREAD_PROGRESS);
    }
  }

  /** An i32 of the memory. */
  read(address: number): number {
    return this.#view.getInt32(address, true);
  }

  write(address: number, value: number): void {
    this.#view.setInt32(address, value, true);
  }

  /** Runs a Mandelbrot job. */
  mandelbrot(job: MandelbrotJob): MandelbrotRun {
    const { width, height, region, threads = 1, schedule = "dynamic", tileWidth = width, magnitudes = true } = job;
    const isStatic = schedule === "static";
    const { tileHeight = isStatic ? Math.floor(height / threads) : 1 } = job;
    const chunks = isStatic ? threads : Math.ceil(width / tileWidth) * Math.ceil(height / tileHeight);

    const [records, countsRange, magnitudesRange, scratch] = this.#place(
      chunks * layout.RECORD_BYTES,
      width * height * 4,
      magnitudes ? width * height * 4 : 0,
      this.exports.SIMD.value === 1 ? threads * layout.SCRATCH_BYTES : 0,
    );
    this.#writeJob(layout.JOB_KIND_MANDELBROT, threads, isStatic, chunks, records[0], 0);
    this.write(layout.JOB_SCRATCH, scratch[0]);
    this.write(layout.MANDELBROT_WIDTH, width);
    this.write(layout.MANDELBROT_HEIGHT, height);
    this.write(layout.MANDELBROT_MAX_ITERATIONS, job.maxIterations);
    this.write(
      layout.MANDELBROT_ALGORITHM,
      job.algorithm === "exact" ? layout.ALGORITHM_EXACT : layout.ALGORITHM_NAIVE,
    );
    this.write(layout.MANDELBROT_TILE_WIDTH, tileWidth);
    this.write(layout.MANDELBROT_TILE_HEIGHT, tileHeight);
    this.write(layout.MANDELBROT_COUNTS, countsRange[0]);
    this.write(layout.MANDELBROT_MAGNITUDES, magnitudes ? magnitudesRange[0] : 0);
    this.#view.setFloat64(layout.MANDELBROT_RE_MIN, region.reMin, true);
    this.#view.setFloat64(layout.MANDELBROT_RE_MAX, region.reMax, true);
    this.#view.setFloat64(layout.MANDELBROT_IM_MIN, region.imMin, true);
    this.#view.setFloat64(layout.MANDELBROT_IM_MAX, region.imMax, true);

    const run = this.#run(job, threads, chunks, [records, countsRange, magnitudesRange, scratch]);
    return {
      ...run,
      counts: new Uint32Array(this.#view.buffer, countsRange[0], width * height).slice(),
      magnitudes: new Float32Array(this.#view.buffer, magnitudesRange[0], magnitudes ? width * height : 0).slice(),
    };
  }

  /** Runs a count job. */
  count(job: CountJob): CountRun {
    const { threads = 1, increments, guard, barrierMs = 0 } = job;
    const [records] = this.#place(threads * layout.RECORD_BYTES, 0, 0, 0);
    this.#writeJob(layout.JOB_KIND_COUNT, threads, true, threads, records[0], barrierMs);
    this.write(layout.COUNT_INCREMENTS, increments);
    const guards = { none: layout.GUARD_NONE, atomic: layout.GUARD_ATOMIC, lock: layout.GUARD_LOCK };
    this.write(layout.COUNT_GUARD, guards[guard]);
    const run = this.#run(job, threads, threads, [records]);
    return { ...run, value: this.#view.getBigInt64(layout.CONTROL_COUNT, true) };
  }

  /** Places regions on the heap: 8-aligned, two no more than 4-aligned, and 16-aligned. */
  #place(
    recordBytes: number,
    countBytes: number,
    magnitudeBytes: number,
    scratchBytes: number,
  ): [Range, Range, Range, Range] {
    const align = (address: number) => Math.ceil(address / 8) * 8;
    const records = layout.HEAP + GUARD;
    const counts = align(records + recordBytes + GUARD) + 4;
    const magnitudes = align(counts + countBytes + GUARD) + 4;
    const scratch = Math.ceil((magnitudes + magnitudeBytes + GUARD) / 16) * 16;
    const end = scratch + scratchBytes + GUARD;
    if (end > this.#memory.length) {
      throw new Error(`This job needs ${end} bytes: give loadKernel("${this.build}", …) more pages, or more threads`);
    }
    return [
      [records, records + recordBytes],
      [counts, counts + countBytes],
      [magnitudes, magnitudes + magnitudeBytes],
      [scratch, scratch + scratchBytes],
    ];
  }

  #writeJob(
    kind: number,
    threads: number,
    isStatic: boolean,
    chunks: number,
    records: number,
    barrierMs: number,
  ): void {
    this.#memory.fill(CANARY, layout.HEAP);
    this.#memory.fill(CANARY, layout.JOB, layout.JOB + layout.JOB_BYTES);
    this.write(layout.JOB_KIND, kind);
    this.write(layout.JOB_THREADS, threads);
    this.write(layout.JOB_SCHEDULE, isStatic ? layout.SCHEDULE_STATIC : layout.SCHEDULE_DYNAMIC);
    this.write(layout.JOB_CHUNKS, chunks);
    this.write(layout.JOB_RECORDS, records);
    this.write(layout.JOB_BARRIER_MS, barrierMs);
  }

  #run(setup: JobSetup, threads: number, chunks: number, writable: readonly Range[]): JobRun {
    const before = Buffer.from(this.#memory);
    const generation = this.exports.publish();
    const bits = this.#runThreads(setup, threads, generation);
    return {
      generation,
      bits,
      threads: Array.from({ length: threads }, (_, thread) => this.#thread(thread)),
      records: Array.from({ length: chunks }, (_, chunk) => this.#record(chunk)),
      strayWrites: this.#strayWrites(before, threads, writable),
    };
  }

  #runThreads({ handOver, stopAtClock, onClock }: JobSetup, threads: number, generation: number): number[] {
    const bits: number[] = [];
    let thread = 0;
    let clocks = 0;
    let clocksOfThread = 0;
    const begin = () => {
      const current = thread++;
      clocksOfThread = 0;
      bits[current] = this.exports.work(current);
    };
    this.onClock = () => {
      clocks++;
      clocksOfThread++;
      onClock?.();
      if (clocks === stopAtClock) this.exports.stop(generation);
      if (handOver !== undefined && clocksOfThread > handOver && thread < threads) begin();
    };
    if (stopAtClock === 0) this.exports.stop(generation);
    while (thread < threads) begin();
    this.onClock = () => {};
    return bits;
  }

  #thread(thread: number): ThreadStatistics {
    const block = blockOf(thread);
    return {
      state: this.read(block + layout.THREAD_STATE),
      progress: this.read(block + layout.THREAD_PROGRESS),
      chunks: this.read(block + layout.THREAD_CHUNKS),
      iterations: Number(this.#view.getBigInt64(block + layout.THREAD_ITERATIONS, true)),
      busyMs: this.#view.getFloat64(block + layout.THREAD_BUSY_MS, true),
      lockAcquisitions: this.read(block + layout.THREAD_LOCK_ACQUISITIONS),
      lockContended: this.read(block + layout.THREAD_LOCK_CONTENDED),
      lockWaits: this.read(block + layout.THREAD_LOCK_WAITS),
    };
  }

  #record(chunk: number): ChunkRecord {
    const record = this.read(layout.JOB_RECORDS) + chunk * layout.RECORD_BYTES;
    return {
      state: this.read(record + layout.RECORD_STATE),
      thread: this.read(record + layout.RECORD_THREAD),
      iterations: Number(this.#view.getBigInt64(record + layout.RECORD_ITERATIONS, true)),
      beginMs: this.#view.getFloat64(record + layout.RECORD_BEGIN_MS, true),
      endMs: this.#view.getFloat64(record + layout.RECORD_END_MS, true),
    };
  }

  /** Compares all of the memory, but for what a job of so many threads may write, with what it was before. */
  #strayWrites(before: Buffer, threads: number, writable: readonly Range[]): string[] {
    const allowed = [...CONTROL_WORDS, ...writable];
    for (let thread = 0; thread < threads; thread++) {
      const block = blockOf(thread);
      allowed.push(word(block + layout.THREAD_GENERATION));
      allowed.push([block + layout.THREAD_STATE, block + layout.THREAD_BYTES]);
    }
    allowed.sort(([a], [b]) => a - b);

    const stray: string[] = [];
    let from = 0;
    for (const [begin, end] of [...allowed, [this.#memory.length, this.#memory.length] as const]) {
      if (!before.subarray(from, begin).equals(this.#memory.subarray(from, begin))) {
        for (let address = from; address < begin; address++) {
          if (before[address] !== this.#memory[address]) stray.push(describeAddress(address));
        }
      }
      from = Math.max(from, end);
    }
    return stray.length > 8 ? [...stray.slice(0, 8), `and ${stray.length - 8} more`] : stray;
  }
}

function describeAddress(address: number): string {
  const region = (["HEAP", "THREADS", "JOB", "CONTROL"] as const).find((name) => REGIONS[name] <= address);
  return region === undefined ? `byte ${address}` : `byte ${address} (${region} + ${address - REGIONS[region]})`;
}
