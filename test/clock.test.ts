// Work that is long enough for a clock, on a machine whose speed is written by hand.

import { describe, expect, test } from "vitest";
import { growForClock, timerResolution } from "../src/bench/clock.ts";
import { expectedSha256, REFERENCE } from "../src/bench/reference.ts";
import type { Workload } from "../src/bench/report.ts";

const WORKLOAD: Workload = { ...REFERENCE, algorithm: "naive", schedule: "dynamic" };

/** A million pixels take `ms`, the first picture of a size twice that; the clock knows multiples of its step only. */
function machine(ms: number, stepMs: number) {
  const sizes: number[] = [];
  const measure = async ({ width, height }: Workload) => {
    const cold = sizes.includes(width) ? 1 : 2;
    sizes.push(width);
    return Math.floor((cold * ms * width * height) / 1e6 / stepMs) * stepMs;
  };
  return { measure, sizes };
}

describe("growForClock", () => {
  test("work that takes a hundred steps of the clock stays as it is", async () => {
    const { measure, sizes } = machine(60, 0.005);
    expect(await growForClock(WORKLOAD, 0.005, measure)).toEqual(WORKLOAD);
    expect(sizes).toEqual([1000, 1000]);
  });

  test.each([
    [60, 1],
    [6, 1],
    [0.8, 0.02],
  ])(
    "%d ms by a clock with steps of %d ms grows until it takes a hundred of them, and not much more",
    async (ms, step) => {
      const grown = await growForClock(WORKLOAD, step, machine(ms, step).measure);
      const elapsed = (ms * grown.width * grown.height) / 1e6;
      expect(elapsed).toBeGreaterThanOrEqual(100 * step);
      expect(elapsed).toBeLessThan(260 * step);
      expect(grown).toEqual({ ...WORKLOAD, width: grown.width, height: grown.height });
    },
  );

  test("a picture ends at 4096 pixels a side, even where the clock stands still", async () => {
    const { measure } = machine(1e-6, 100);
    expect(await growForClock(WORKLOAD, Number.POSITIVE_INFINITY, measure)).toMatchObject({
      width: 4096,
      height: 4096,
    });
  });

  test("only the reference picture's counts are known beforehand, so a grown one is checked against itself", () => {
    expect(expectedSha256(WORKLOAD)).toMatch(/^b0df6708/);
    expect(expectedSha256({ ...WORKLOAD, width: 1001 })).toBeUndefined();
  });
});

describe("timerResolution", () => {
  test("is the smallest step that is seen", () => {
    const times = [0, 0, 0, 1, 1, 1.5, 2.5, 2.5, 4];
    expect(timerResolution(() => times.shift() as number)).toBe(0.5);
  });

  test("is Infinity for a clock that stands still", () => {
    expect(timerResolution(() => 7)).toBe(Number.POSITIVE_INFINITY);
  });
});
