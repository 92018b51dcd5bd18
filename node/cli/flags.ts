// Command-line flags as values. The grammar of errors is the engine's: "--threads" expected what, got value.

import { MAX_THREADS } from "../../assembly/layout.ts";
import type { Picture } from "../../src/bench/report.ts";
import { MAX_ITERATIONS, MAX_SIDE, mandelbrotJob, WHOLE_SET } from "../../src/mandelbrot.ts";
import { show } from "../../src/options.ts";
import type { Region } from "../../src/types.ts";
import { UsageError } from "./io.ts";

export function refuseFlag(flag: string, expected: string, text: string): never {
  throw new UsageError(`"${flag}" expected ${expected}, got ${show(text)}`);
}

export function parseInteger(flag: string, text: string, min: number, max: number): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) refuseFlag(flag, `an integer from ${min} to ${max}`, text);
  return value;
}

export function parseChoice<T extends string>(flag: string, text: string, choices: readonly T[]): T {
  if (!choices.includes(text as T)) refuseFlag(flag, choices.join(" or "), text);
  return text as T;
}

/** "1,2,4,8", in any order, each once. */
export function parseThreadList(flag: string, text: string): number[] {
  const threads = text.split(",").map((part) => {
    const value = /^\d+$/.test(part.trim()) ? Number(part) : Number.NaN;
    if (!(value >= 1 && value <= MAX_THREADS)) {
      refuseFlag(flag, `integers from 1 to ${MAX_THREADS} with commas between, such as 1,2,4,8`, text);
    }
    return value;
  });
  return [...new Set(threads)].sort((a, b) => a - b);
}

/** The flags that say what is rendered. */
export interface PictureFlags {
  width: string;
  height: string;
  maxIterations: string;
  region?: string;
}

/** What is rendered. What the engine would refuse is refused here, before a file is touched or a worker started. */
export function parsePicture(flags: PictureFlags): Picture {
  const picture = {
    width: parseInteger("--width", flags.width, 1, MAX_SIDE),
    height: parseInteger("--height", flags.height, 1, MAX_SIDE),
    maxIterations: parseInteger("--max-iterations", flags.maxIterations, 1, MAX_ITERATIONS),
    region: flags.region === undefined ? WHOLE_SET : parseRegion("--region", flags.region),
  };
  mandelbrotJob(picture, 1);
  return picture;
}

/** "reMin,reMax,imMin,imMax". The engine checks the values. */
function parseRegion(flag: string, text: string): Region {
  const parts = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const [reMin, reMax, imMin, imMax] = parts as [number, number, number, number];
  if (parts.length !== 4 || parts.some(Number.isNaN)) {
    refuseFlag(flag, "four numbers reMin,reMax,imMin,imMax, such as -2,1,-1,1", text);
  }
  return { reMin, reMax, imMin, imMax };
}
