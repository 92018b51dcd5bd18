// What the benchmark needs from a platform, and the check that every one of its pictures must pass.

import type { AbortSignalLike, Engine, EngineOptions, MandelbrotOptions } from "../types.ts";

/** What the benchmark needs from a platform. */
export interface Laboratory {
  createEngine(options: EngineOptions): Promise<Engine>;
  /** Renders with the serial build; the time is that inside the kernel. Rejects when the signal aborts. */
  serial(options: MandelbrotOptions, signal: AbortSignalLike): Promise<{ elapsedMs: number; counts: Uint32Array }>;
  /** SHA-256 of the counts as little-endian u32, in hexadecimal. */
  sha256(counts: Uint32Array): Promise<string>;
  now(): number;
  /** Processor time that this program has had so far, over all its threads, in milliseconds. null: it cannot know. */
  cpuMs(): number | null;
  /** Periods in which a CPU quota held this process back, so far. */
  throttledPeriods(): number;
}

/** Thrown when counts are not what they must be: whatever the times were, they are worth nothing. */
export class WrongCountsError extends Error {
  override readonly name = "WrongCountsError";
}

/** Compares the counts of pictures that must be the same. */
export class CountsChecker {
  readonly #laboratory: Laboratory;
  #sha256: string | undefined;

  /** `expected` is the counts' hash, where it is known beforehand; else that of the first picture. */
  constructor(laboratory: Laboratory, expected: string | undefined) {
    this.#laboratory = laboratory;
    this.#sha256 = expected;
  }

  /** The hash that all counts have, as soon as it is known. */
  get sha256(): string | undefined {
    return this.#sha256;
  }

  /** @throws {WrongCountsError} If the counts are not the expected ones; `by` names who computed them. */
  async check(counts: Uint32Array, by: string): Promise<void> {
    const actual = await this.#laboratory.sha256(counts);
    this.#sha256 ??= actual;
    if (actual !== this.#sha256) {
      throw new WrongCountsError(`${by} computed other counts: SHA-256 ${actual}, expected ${this.#sha256}`);
    }
  }
}
