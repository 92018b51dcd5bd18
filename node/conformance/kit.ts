// The conformance kit: which cases there are, and what a host program makes of them.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ABI_VERSION } from "../../assembly/layout.ts";
import { messageOf } from "../../src/errors.ts";
import type { Build } from "../../src/types.ts";
import { SerialRunner } from "../serial.ts";
import type { Line } from "./job.ts";
import { HostProgram, NoAnswerError, type Outcome, UnsupportedError } from "./program.ts";
import { complaints, type Expected } from "./verify.ts";

/** A job, and what it has to come to on any host, with either build. */
export interface Case {
  /** With the line's threads it names the case. */
  name: string;
  line: Line;
  expected: Expected;
  /** The host may say that it has no means for it. */
  optional?: true;
}

export interface CaseResult {
  build: Build;
  name: string;
  threads: number;
  /** From 1. */
  repetition: number;
  status: "passed" | "failed" | "unsupported";
  /** What is wrong, or what is not supported. */
  reasons: string[];
  elapsedMs: number | null;
}

/** The names of the cases that tell whether a host's SIMD is right. */
export const SELF_TEST = "self-test";

/** Failures to answer in a row, after which the rest is not tried. */
const MOST_SILENCE = 3;

const KERNELS = { simd: "./kernel.wasm", scalar: "./kernel-scalar.wasm" } as const;

/** The path of a published build. */
export function kernelPath(build: Build): URL {
  return new URL(KERNELS[build], import.meta.url); // in dist/
}

/** Reads the vectors, as they are published. */
export function readCases(): Case[] {
  const file = new URL("../ports/conformance/vectors.json", import.meta.url); // from dist/
  const { abiVersion, cases }: { abiVersion: number; cases: Case[] } = JSON.parse(readFileSync(file, "utf8"));
  if (abiVersion !== ABI_VERSION)
    throw new Error(`the vectors are of ABI version ${abiVersion}, the kernel of ${ABI_VERSION}`);
  return cases;
}

/** Runs cases on a host program, and checks what comes of them. */
export class Kit {
  readonly #programs: Record<Build, HostProgram>;
  #pictures: SerialRunner | undefined;
  #silent = 0;
  /** The host's name for itself, as soon as it has said it. */
  host: string | undefined;

  constructor(command: readonly string[], timeoutMs: number) {
    const program = (build: Build) => new HostProgram(command, fileURLToPath(kernelPath(build)), timeoutMs);
    this.#programs = { simd: program("simd"), scalar: program("scalar") };
  }

  /** Whether the program has failed to answer so often that it is not worth while to go on. */
  get isSilent(): boolean {
    return this.#silent >= MOST_SILENCE;
  }

  /** Never rejects: a host that fails is a result, too. */
  async run({ name, line, expected, optional }: Case, build: Build, repetition: number): Promise<CaseResult> {
    const result = { build, name, threads: line.JOB_THREADS, repetition };
    try {
      const outcome = await this.answer(line, build);
      const reasons = await complaints(line, expected, outcome, (line) => this.#pictureOf(line));
      const status = reasons.length === 0 ? "passed" : "failed";
      return { ...result, status, reasons, elapsedMs: outcome.answer.elapsedMs };
    } catch (error) {
      const status = optional && error instanceof UnsupportedError ? "unsupported" : "failed";
      return { ...result, status, reasons: [messageOf(error)], elapsedMs: null };
    }
  }

  /** Has a job run, and checks nothing. Rejects as {@link HostProgram.run} does. */
  async answer(line: Line, build: Build): Promise<Outcome> {
    try {
      const outcome = await this.#programs[build].run(line);
      this.host = outcome.answer.host ?? this.host;
      this.#silent = 0;
      return outcome;
    } catch (error) {
      if (error instanceof NoAnswerError) this.#silent++;
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#programs.simd.close(), this.#programs.scalar.close(), this.#pictures?.close()]);
  }

  /** What a line's counts have to be, by the serial build. */
  async #pictureOf(line: Line): Promise<Uint32Array> {
    this.#pictures ??= await SerialRunner.start();
    const region = {
      reMin: line.MANDELBROT_RE_MIN,
      reMax: line.MANDELBROT_RE_MAX,
      imMin: line.MANDELBROT_IM_MIN,
      imMax: line.MANDELBROT_IM_MAX,
    };
    const picture = {
      width: line.MANDELBROT_WIDTH,
      height: line.MANDELBROT_HEIGHT,
      maxIterations: line.MANDELBROT_MAX_ITERATIONS,
    };
    const { counts } = await this.#pictures.mandelbrot({ ...picture, region } as never, new AbortController().signal);
    return counts;
  }
}
