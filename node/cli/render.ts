// `allcores render`: a picture, or its counts, as a file.

import { MAX_THREADS } from "../../assembly/layout.ts";
import { integer, ms, plural } from "../../src/bench/format.ts";
import { PALETTES } from "../../src/colors.ts";
import type { MandelbrotOptions } from "../../src/types.ts";
import { sha256 } from "../hash.ts";
import { createEngine } from "../index.ts";
import { type PictureFlags, parseChoice, parseInteger, parsePicture } from "./flags.ts";
import { checkWritable, type Io, UsageError, writeResult } from "./io.ts";
import { encodePng, paint } from "./picture.ts";

export interface RenderFlags extends PictureFlags {
  threads?: string;
  algorithm: string;
  palette: string;
  counts?: string;
  png?: string;
}

/** @returns The exit code. */
export async function render(flags: RenderFlags, io: Io, signal: AbortSignal): Promise<number> {
  const { counts: countsPath, png } = flags;
  if (countsPath === undefined && png === undefined) {
    throw new UsageError("nothing to write: give --png FILE, --counts FILE, or both");
  }
  if (countsPath === "-" && png === "-") throw new UsageError('only one of "--png" and "--counts" can go to stdout');
  const options: MandelbrotOptions = {
    ...parsePicture(flags),
    algorithm: parseChoice("--algorithm", flags.algorithm, ["exact", "naive"]),
    magnitudes: png !== undefined,
  };
  const palette = parseChoice("--palette", flags.palette, PALETTES);
  const threads = flags.threads === undefined ? undefined : parseInteger("--threads", flags.threads, 1, MAX_THREADS);
  checkWritable("--counts", countsPath);
  checkWritable("--png", png);

  const engine = await createEngine(threads === undefined ? { mode: "shared" } : { mode: "shared", threads });
  const progress = io.progress(100);
  progress.label("rendering");
  let percent = 0;
  try {
    const result = await engine.mandelbrot({
      ...options,
      signal,
      onProgress: ({ done, total }) => {
        for (; percent < Math.floor((100 * done) / total); percent++) progress.step();
      },
    });
    progress.stop();
    const { width, height, counts, magnitudes } = result;
    if (countsPath !== undefined) writeResult(countsPath, new Uint8Array(counts.buffer));
    if (png !== undefined && magnitudes !== undefined) {
      writeResult(png, encodePng(paint({ ...result, magnitudes }, palette), width, height));
    }
    const say = countsPath === "-" || png === "-" ? io.note : io.out;
    say(
      `${integer(width)}×${integer(height)} at ${integer(result.maxIterations)} iterations: ` +
        `${ms(result.elapsedMs)} on ${plural(result.threads, "thread")}`,
    );
    say(`counts SHA-256 ${sha256(counts)}`);
    for (const path of [countsPath, png]) if (path !== undefined && path !== "-") say(`wrote ${path}`);
    return 0;
  } finally {
    progress.stop();
    await engine.close();
  }
}
