// One thread against all: the same view, as many times as one thread draws it in a second, first by one thread and then by
// all of them. Both bars have one scale of time, and grow as it passes.

import type { Engine, MandelbrotOptions } from "allcores";
import { median } from "../../src/bench/statistics.ts";

/** What was raced so far. Milliseconds that have passed, and the bar's share of one thread's time. */
export interface RaceState {
  who: "one" | "all";
  share: number;
}

export interface RaceResult {
  /** Pictures that each drew. */
  pictures: number;
  /** Medians, in milliseconds a picture. */
  oneMs: number;
  allMs: number;
}

/** Milliseconds that one thread is to draw for, so that the difference is felt. */
const LONG_MS = 1000;
const MOST_PICTURES = 100;

/** Rejects when the signal aborts. */
export async function race(
  engine: Engine,
  picture: MandelbrotOptions,
  show: (state: RaceState) => void,
  signal: AbortSignal,
): Promise<RaceResult> {
  const draw = async (threads: number, onProgress: NonNullable<MandelbrotOptions["onProgress"]>) => {
    const result = await engine.mandelbrot({ ...picture, threads, output: "view", signal, onProgress });
    result.release();
    return result.elapsedMs;
  };
  const trialMs = await draw(1, () => {});
  const pictures = Math.max(1, Math.min(MOST_PICTURES, Math.ceil(LONG_MS / trialMs)));
  const drawAll = async (who: RaceState["who"], threads: number, expectedMs: number) => {
    const times: number[] = [];
    let passed = 0;
    for (let index = 0; index < pictures; index++) {
      const picture = await draw(threads, ({ done, total }) => {
        const share = (passed + ((done / total) * expectedMs) / pictures) / expectedMs;
        if (who === "one") show({ who, share: Math.min(1, share) });
      });
      times.push(picture);
      passed += picture;
      show({ who, share: passed / expectedMs });
    }
    return { times, passed };
  };
  const one = await drawAll("one", 1, trialMs * pictures);
  show({ who: "one", share: 1 });
  const all = await drawAll("all", engine.threads, one.passed);
  show({ who: "all", share: all.passed / one.passed });
  return { pictures, oneMs: median(one.times), allMs: median(all.times) };
}
