// The Mandelbrot job: options in, parameters written, counts out.

import {
  ALGORITHM_EXACT,
  ALGORITHM_NAIVE,
  JOB_KIND_MANDELBROT,
  MANDELBROT_ALGORITHM,
  MANDELBROT_COUNTS,
  MANDELBROT_HEIGHT,
  MANDELBROT_IM_MAX,
  MANDELBROT_IM_MIN,
  MANDELBROT_MAGNITUDES,
  MANDELBROT_MAX_ITERATIONS,
  MANDELBROT_RE_MAX,
  MANDELBROT_RE_MIN,
  MANDELBROT_TILE_HEIGHT,
  MANDELBROT_TILE_WIDTH,
  MANDELBROT_WIDTH,
  SCHEDULE_DYNAMIC,
  SCHEDULE_STATIC,
} from "../assembly/layout.ts";
import { JOB_OPTIONS, type Job, type JobControl, readControl } from "./jobs.ts";
import type { EngineMemory } from "./memory.ts";
import { boolean, finite, integer, oneOf, type Raw, readOptions, refuse } from "./options.ts";
import type { JobResult, MandelbrotResult, Region } from "./types.ts";

/** The region of the reference picture: the whole set. */
export const WHOLE_SET: Region = { reMin: -2, reMax: 1, imMin: -1, imMax: 1 };

/** The largest iteration limit: counts are u32, and the kernel computes with i32. */
export const MAX_ITERATIONS = 2 ** 31 - 1;

/** The longest side of a picture: sums of two coordinates stay within i32. The memory is the limit in practice. */
export const MAX_SIDE = 2 ** 30;

/**
 * How many chunks a picture is cut into, if it is large enough. One row in five hundred can cost three times the mean
 * (ten times, with `exact`), and is still below a tenth of what one of eight threads has to do.
 */
const CHUNKS = 512;

/**
 * The least that a chunk may cost if all its pixels reach the limit, in iterations: some 10 microseconds of SIMD, so
 * that claiming and recording a chunk (0.2 microseconds) stays near a hundredth.
 */
const MIN_CHUNK_ITERATIONS = 1 << 14;

/**
 * The most that a chunk may cost where workers hear of an abort between chunks only, in iterations: a millisecond of
 * SIMD, and some 5 without.
 */
const MAX_CHUNK_ITERATIONS = 1 << 21;

/** The most pixels of a chunk that is sent by message. */
const MAX_CHUNK_PIXELS = 1 << 18;

/**
 * Pixels that the SIMD kernel computes at once, and rows that it looks at together: narrower tiles would waste lanes, and
 * lower ones give `exact` less to skip.
 */
const GROUP = 8;

/** Chunks that a picture is cut into at least, before its bands get fewer rows than GROUP. */
const MIN_CHUNKS = 100;

export interface Tile {
  width: number;
  height: number;
}

/** The chunks of a dynamic job: bands of rows, or parts of a row where rows are few and long. `most`: pixels of one. */
export function tileOf(width: number, height: number, maxIterations: number, most = width * height): Tile {
  const wanted = Math.max(Math.ceil((width * height) / CHUNKS), Math.ceil(MIN_CHUNK_ITERATIONS / maxIterations));
  const pixels = Math.min(wanted, most);
  const rows = Math.min(Math.max(pixels / width, Math.min(GROUP, height / MIN_CHUNKS)), most / width);
  if (rows >= 1) {
    const whole = rows < GROUP ? Math.floor(rows) : Math.round(rows / GROUP) * GROUP;
    return { width, height: Math.min(height, whole) };
  }
  const parts = Math.max(1, Math.round(width / pixels));
  return { width: Math.min(width, Math.ceil(width / parts / GROUP) * GROUP), height: 1 };
}

/** Pixels that may be computed without hearing of an abort. */
function mostPixels(maxIterations: number): number {
  return Math.max(GROUP, Math.min(MAX_CHUNK_PIXELS, Math.floor(MAX_CHUNK_ITERATIONS / maxIterations)));
}

function chunksOf(width: number, height: number, tile: Tile): number {
  return Math.ceil(width / tile.width) * Math.ceil(height / tile.height);
}

/** The `region` of options: the whole set if there is none. */
export function readRegion(raw: Raw): Region {
  if (raw.region === undefined) return WHOLE_SET;
  const bounds = readOptions("region", raw.region, ["reMin", "reMax", "imMin", "imMax"]);
  const region = {
    reMin: finite(bounds, "reMin", "region.reMin"),
    reMax: finite(bounds, "reMax", "region.reMax"),
    imMin: finite(bounds, "imMin", "region.imMin"),
    imMax: finite(bounds, "imMax", "region.imMax"),
  };
  checkSpan("region.reMax", "reMin", region.reMin, region.reMax);
  checkSpan("region.imMax", "imMin", region.imMin, region.imMax);
  return region;
}

function checkSpan(name: string, lower: string, min: number, max: number): void {
  if (max <= min) refuse(name, `a number greater than ${lower}, which is ${min}`, max);
  if (!Number.isFinite(max - min)) refuse(name, `a number less than ${Number.MAX_VALUE} above ${lower}, ${min}`, max);
}

/** Checks the options of `engine.mandelbrot` for an engine of so many threads, of which a job may ask for `mostThreads`. */
export function mandelbrotJob(
  options: unknown,
  engineThreads: number,
  mostThreads = engineThreads,
): [Job<MandelbrotResult>, JobControl] {
  const raw = readOptions("mandelbrot options", options, [
    ...JOB_OPTIONS,
    "width",
    "height",
    "maxIterations",
    "region",
    "algorithm",
    "schedule",
    "magnitudes",
    "output",
  ]);
  const control = readControl(raw, engineThreads, mostThreads);
  const threads = control.threads;
  const width = integer(raw, "width", 1, MAX_SIDE, 1000);
  const height = integer(raw, "height", 1, MAX_SIDE, 1000);
  const maxIterations = integer(raw, "maxIterations", 1, MAX_ITERATIONS, 1000);
  const region = readRegion(raw);
  const algorithm = oneOf(raw, "algorithm", ["exact", "naive"], "exact");
  const schedule = oneOf(raw, "schedule", ["dynamic", "static"], "dynamic");
  const magnitudes = boolean(raw, "magnitudes", false);
  const output = oneOf(raw, "output", ["copy", "view"], "copy");

  const isStatic = schedule === "static";
  // A static band has the same height for every thread but the last, which takes the remainder, too.
  const tile = isStatic ? { width, height: Math.floor(height / threads) } : tileOf(width, height, maxIterations);
  const pixels = width * height;

  const job: Job<MandelbrotResult> = {
    kind: JOB_KIND_MANDELBROT,
    schedule: isStatic ? SCHEDULE_STATIC : SCHEDULE_DYNAMIC,
    threads,
    chunks: isStatic ? threads : chunksOf(width, height, tile),
    barrierMs: 0,
    units: pixels,
    bytes: pixels * (magnitudes ? 8 : 4),

    write: (memory, address) => write(memory, tile, address, magnitudes ? address + 4 * pixels : 0),

    read(memory, address, common, keep) {
      const release = output === "view" ? keep() : () => {};
      const { buffer } = memory.memory;
      const counts = new Uint32Array(buffer, address, pixels);
      const view = magnitudes ? new Float32Array(buffer, address + 4 * pixels, pixels) : undefined;
      if (output === "view") return resultOf(common, tile, counts, view, release);
      return resultOf(common, tile, new Uint32Array(counts), view && new Float32Array(view), release);
    },

    divide() {
      const most = mostPixels(maxIterations);
      // Bands end at any row, so their chunks are within one.
      const part = isStatic
        ? { width: width <= most ? width : most - (most % GROUP), height: 1 }
        : tileOf(width, height, maxIterations, most);
      const columns = Math.ceil(width / part.width);
      const bandHeight = Math.floor(height / threads);
      return {
        chunks: chunksOf(width, height, part),
        bands: isStatic ? Array.from({ length: threads }, (_, thread) => thread * bandHeight * columns) : undefined,
        stride: Math.max(1, Math.floor(most / (part.width * part.height))),
        outputs: magnitudes ? [MANDELBROT_COUNTS, MANDELBROT_MAGNITUDES] : [MANDELBROT_COUNTS],
        // A chunk is whole rows, or a part of one.
        unitOf: (chunk) =>
          Math.min(pixels, Math.floor(chunk / columns) * part.height * width + (chunk % columns) * part.width),
        write: (memory) => write(memory, part, 0, 0),
        read: ([counts, magnitudes], common) =>
          resultOf(
            common,
            isStatic ? tile : part, // the chunks of a band are reported as one
            new Uint32Array(counts as ArrayBuffer),
            magnitudes && new Float32Array(magnitudes),
            () => {},
          ),
      };
    },
  };
  return [job, control];

  function write(memory: EngineMemory, tile: Tile, counts: number, magnitudes: number): void {
    memory.setInt(MANDELBROT_WIDTH, width);
    memory.setInt(MANDELBROT_HEIGHT, height);
    memory.setInt(MANDELBROT_MAX_ITERATIONS, maxIterations);
    memory.setInt(MANDELBROT_ALGORITHM, algorithm === "exact" ? ALGORITHM_EXACT : ALGORITHM_NAIVE);
    memory.setInt(MANDELBROT_TILE_WIDTH, tile.width);
    memory.setInt(MANDELBROT_TILE_HEIGHT, tile.height);
    memory.setInt(MANDELBROT_COUNTS, counts);
    memory.setInt(MANDELBROT_MAGNITUDES, magnitudes);
    memory.setDouble(MANDELBROT_RE_MIN, region.reMin);
    memory.setDouble(MANDELBROT_RE_MAX, region.reMax);
    memory.setDouble(MANDELBROT_IM_MIN, region.imMin);
    memory.setDouble(MANDELBROT_IM_MAX, region.imMax);
  }

  function resultOf(
    common: JobResult,
    { width: tileWidth, height: tileHeight }: Tile,
    counts: Uint32Array,
    magnitudes: Float32Array | undefined,
    release: () => void,
  ): MandelbrotResult {
    const result: MandelbrotResult = {
      ...common,
      width,
      height,
      maxIterations,
      region: { ...region },
      tile: { width: tileWidth, height: tileHeight },
      counts,
      release,
      [Symbol.dispose]: release,
    };
    if (magnitudes !== undefined) result.magnitudes = magnitudes;
    return result;
  }
}
