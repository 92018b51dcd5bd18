import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dynamicCeiling, staticCeiling } from "../src/bench/ceiling.ts";
import {
  efficiency,
  karpFlatt,
  median,
  medianAbsoluteDeviation,
  relativeSpread,
  speedup,
} from "../src/bench/statistics.ts";
import { type VerdictInput, type VerdictRow, verdict } from "../src/bench/verdict.ts";

describe("statistics", () => {
  test("the median is the middle sample by value, not by order or by digits", () => {
    expect(median([9, 100, 20])).toBe(20);
  });

  test("the median of an even number of samples is the mean of the two in the middle", () => {
    expect(median([4, 1, 2, 10])).toBe(3);
  });

  test("samples stay in their order", () => {
    const samples = [3, 1, 2];
    median(samples);
    medianAbsoluteDeviation(samples);
    expect(samples).toEqual([3, 1, 2]);
  });

  test("the deviation is that of the middle sample, unscaled, and ignores an outlier", () => {
    // Median 3; distances 2, 1, 0, 1, 997.
    expect(medianAbsoluteDeviation([1, 2, 3, 4, 1000])).toBe(1);
    expect(relativeSpread([1, 2, 3, 4, 1000])).toBe(1 / 3);
  });

  test("one sample deviates by nothing", () => {
    expect(medianAbsoluteDeviation([7])).toBe(0);
  });

  test.each([median, medianAbsoluteDeviation, relativeSpread])("%o of no samples is refused by name", (statistic) => {
    expect(() => statistic([])).toThrow(new RangeError('"samples" expected at least one number, got none'));
  });

  test("speedup and efficiency are the textbook's", () => {
    expect(speedup(300, 100)).toBe(3);
    expect(efficiency(3, 4)).toBe(0.75);
  });

  test("a speedup of 3 on 4 threads implies a serial ninth", () => {
    // (1/3 − 1/4) / (1 − 1/4) = (1/12) / (3/4) = 1/9
    expect(karpFlatt(3, 4)).toBeCloseTo(1 / 9, 12);
  });

  test("a perfect speedup implies no serial part, one thread implies nothing", () => {
    expect(karpFlatt(4, 4)).toBe(0);
    expect(karpFlatt(1, 1)).toBeNull();
  });

  test("Karp and Flatt's fraction is the one that Amdahl's law was given", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 2, max: 256 }), (serial, threads) => {
        const amdahl = 1 / (serial + (1 - serial) / threads);
        expect(karpFlatt(amdahl, threads)).toBeCloseTo(serial, 9);
      }),
    );
  });

  test("the median splits the samples", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1 }), (samples) => {
        const middle = median(samples);
        expect(samples.filter((sample) => sample < middle).length).toBeLessThanOrEqual(samples.length / 2);
        expect(samples.filter((sample) => sample > middle).length).toBeLessThanOrEqual(samples.length / 2);
      }),
    );
  });
});

describe("ceiling", () => {
  test("chunks go in order to the thread that is free first", () => {
    // Thread 0: 3, then 2, then 2; thread 1: 3, then 2. So 12 in a time of 7, although 6 would be possible.
    expect(dynamicCeiling([3, 3, 2, 2, 2], 2)).toBe(12 / 7);
  });

  test("a late big chunk costs more than an early one", () => {
    expect(dynamicCeiling([1, 1, 1, 3], 2)).toBe(6 / 4);
    expect(dynamicCeiling([3, 1, 1, 1], 2)).toBe(6 / 3);
  });

  test("threads beyond the chunks add nothing", () => {
    expect(dynamicCeiling([1, 1, 1], 3)).toBe(3);
    expect(dynamicCeiling([1, 1, 1], 64)).toBe(3);
  });

  test("bands are limited by the dearest", () => {
    expect(staticCeiling([1, 4, 3])).toBe(2);
  });

  test("work that costs nothing limits nothing", () => {
    expect(dynamicCeiling([], 4)).toBe(4);
    expect(dynamicCeiling([0, 0], 4)).toBe(4);
    expect(staticCeiling([0, 0, 0])).toBe(3);
  });

  const costs = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 200 });

  test("one thread has a ceiling of 1", () => {
    fc.assert(fc.property(costs, (chunks) => dynamicCeiling(chunks, 1) === 1));
  });

  test("the ceiling lies between Graham's bound and the least of threads and sum by greatest", () => {
    fc.assert(
      fc.property(costs, fc.integer({ min: 1, max: 256 }), (chunks, threads) => {
        const sum = chunks.reduce((a, b) => a + b);
        const greatest = Math.max(...chunks);
        const ceiling = dynamicCeiling(chunks, threads);
        expect(ceiling).toBeGreaterThanOrEqual(1);
        expect(ceiling).toBeLessThanOrEqual(Math.min(threads, sum / greatest));
        // R. L. Graham, "Bounds on multiprocessing timing anomalies", 1969: makespan ≤ sum/p + (1 − 1/p) · greatest.
        const longest = sum / threads + (1 - 1 / threads) * greatest;
        expect(ceiling).toBeGreaterThanOrEqual((sum / longest) * (1 - 1e-12));
      }),
    );
  });
});

describe("verdict", () => {
  /** A quiet machine with 2 cores, on which everything scales. */
  const good: VerdictInput = {
    rows: [row(1, 1, 1), row(2, 1.96, 2), row(4, 1.95, 3.99)],
    usableCores: 2,
    quota: null,
    costOfThreads: 0.01,
    throttledPeriods: 0,
    loadAverage: 0.1,
    samples: 10,
  };

  function row(threads: number, speedup: number, ceiling: number, spread = 0.01): VerdictRow {
    const medianMs = 100 / speedup;
    return {
      threads,
      medianMs,
      madMs: medianMs * spread,
      speedup,
      efficiency: speedup / threads,
      ceiling,
      oversubscribed: threads > 2,
      cpuShare: 1,
      threadSpeed: 1,
    };
  }

  test("names the cores where more threads than cores were tried", () => {
    expect(verdict(good)).toEqual({
      limiter: "cores",
      text: "Scales to 2 of 2 usable cores at 98 % efficiency; the limiter is the number of cores.",
    });
  });

  test("names no limiter where no more threads than cores were tried", () => {
    expect(verdict({ ...good, rows: good.rows.slice(0, 2) })).toEqual({
      limiter: "none",
      text: "Scales to 2 of 2 usable cores at 98 % efficiency; no limit was met.",
    });
    expect(verdict({ ...good, rows: good.rows.slice(0, 2), usableCores: 8 })).toEqual({
      limiter: "none",
      text: "Scales to 2 of 8 usable cores at 98 % efficiency; no limit was met, so more threads are worth a try.",
    });
  });

  test("is inconclusive where the processors did something else while the threads computed", () => {
    const rows = [row(1, 1, 1), { ...row(2, 1.1, 2), cpuShare: 0.56 }];
    expect(verdict({ ...good, rows })).toEqual({
      limiter: "noise",
      text: "Inconclusive: 2 threads got 56 % of 2 cores, because other programs ran there; measure again on a quiet machine.",
    });
    expect(verdict({ ...good, rows: [row(1, 1, 1), row(2, 1.1, 2)] }).limiter).toBe("overhead");
    // What a quota takes is the quota's doing.
    expect(verdict({ ...good, rows, quota: 1.1, throttledPeriods: 9 }).limiter).toBe("quota");
  });

  test("names the hardware where each thread is slower beside others, and overhead where that does not explain it", () => {
    const slower = { ...row(2, 1.66, 2), threadSpeed: 0.84 };
    expect(verdict({ ...good, rows: [row(1, 1, 1), slower] })).toEqual({
      limiter: "hardware",
      text:
        "Reaches a speedup of 1.66 with 2 threads, 83 % efficiency: 2 threads compute at 84 % of the speed of one alone; " +
        "the limiter is what the cores share, such as power, a hypervisor or the core itself.",
    });
    expect(verdict({ ...good, rows: [row(1, 1, 1), { ...row(2, 1.3, 2), threadSpeed: 0.84 }] }).limiter).toBe(
      "overhead",
    );
  });

  test("is inconclusive where the efficiency is more than there can be", () => {
    expect(verdict({ ...good, rows: [row(1, 1, 1), row(2, 2.25, 2)] })).toEqual({
      limiter: "noise",
      text: "Inconclusive: 2 threads at 113 % efficiency cannot be, so something slowed the row of one thread; measure again on a quiet machine.",
    });
    expect(verdict({ ...good, rows: [row(1, 1, 1), row(2, 2.05, 2)] }).limiter).toBe("none");
  });

  test("does not judge by a row with more threads than cores", () => {
    const rows = [...good.rows.slice(0, 2), row(4, 1, 3.99, 0.5)];
    expect(verdict({ ...good, rows }).limiter).toBe("cores");
  });

  test("the order of the rows does not matter", () => {
    const rows = [row(1, 1, 1), row(2, 1.4, 2), row(4, 3.9, 4)].map((row) => ({ ...row, oversubscribed: false }));
    const input = { ...good, usableCores: 4 };
    expect(verdict({ ...input, rows: rows.toReversed() })).toEqual(verdict({ ...input, rows }));
    expect(verdict({ ...input, rows }).text).toContain("Scales to 4 of 4");
  });

  test("says that one core leaves nothing to scale", () => {
    expect(verdict({ ...good, usableCores: 1 })).toEqual({
      limiter: "cores",
      text: "Threads cannot pay on one usable core; the limiter is the number of cores.",
    });
  });

  test("names the quota where it set the number of cores", () => {
    expect(verdict({ ...good, quota: 2 })).toEqual({
      limiter: "quota",
      text: "Scales to 2 of 2 usable cores at 98 % efficiency; the limiter is the CPU quota of 2 cores.",
    });
    expect(verdict({ ...good, usableCores: 1, quota: 0.5 }).text).toBe(
      "Threads cannot pay on one usable core; the limiter is the CPU quota of 0.5 cores.",
    );
  });

  test("a quota above the usable cores is named only if it throttled", () => {
    expect(verdict({ ...good, quota: 2.5 }).limiter).toBe("cores");
    expect(verdict({ ...good, quota: 2.5, throttledPeriods: 3 }).limiter).toBe("quota");
  });

  test("names throttling where the efficiency is low", () => {
    const input = { ...good, rows: [row(1, 1, 1), row(2, 1.2, 2)], throttledPeriods: 12 };
    expect(verdict({ ...input, quota: 1.5 })).toEqual({
      limiter: "quota",
      text:
        "Reaches a speedup of 1.20 with 2 threads, 60 % efficiency, but was throttled in 12 periods; " +
        "the limiter is the CPU quota of 1.5 cores.",
    });
    expect(verdict(input).limiter).toBe("throttling");
  });

  test("names the schedule where the efficiency is what the ceiling allows", () => {
    const rows = [row(1, 1, 1), row(2, 1.4, 1.44)];
    expect(verdict({ ...good, rows })).toEqual({
      limiter: "schedule",
      text:
        "Reaches a speedup of 1.40 with 2 threads, 70 % efficiency, near the 1.44 that the schedule allows; " +
        "the limiter is the schedule: try dynamic, or smaller chunks.",
    });
  });

  test("names overhead where the efficiency is below what the ceiling allows", () => {
    const rows = [row(1, 1, 1), row(2, 1.3, 1.44)];
    expect(verdict({ ...good, rows, costOfThreads: 0.12 })).toEqual({
      limiter: "overhead",
      text:
        "Reaches a speedup of 1.30 with 2 threads, 65 % efficiency, where the schedule allows 72 %; " +
        "the limiter is overhead (one worker alone is 12 % slower than the serial build): " +
        "try a bigger job, or physical cores only.",
    });
  });

  test("does not blame a schedule that allows nine tenths", () => {
    expect(verdict({ ...good, rows: [row(1, 1, 1), row(2, 1.78, 1.82)] }).limiter).toBe("overhead");
  });

  test.each([1, 2])("is inconclusive when the row of %d threads spreads by more than a tenth", (threads) => {
    const rows = good.rows.map((row) => (row.threads === threads ? { ...row, madMs: row.medianMs * 0.11 } : row));
    expect(verdict({ ...good, rows, loadAverage: 3.14 })).toEqual({
      limiter: "noise",
      text:
        "Inconclusive: the times vary by more than 10 %, and the load average was 3.1 when it began; " +
        "measure again on a quiet machine.",
    });
    expect(verdict({ ...good, rows }).text).not.toContain("load average");
  });

  test("is inconclusive with too few samples to know the noise", () => {
    expect(verdict({ ...good, samples: 1 })).toEqual({
      limiter: "noise",
      text: "Inconclusive: one sample a row tells nothing about noise; take 3 or more.",
    });
  });

  test("claims nothing without a row that could show scaling", () => {
    expect(verdict({ ...good, rows: [row(1, 1, 1), row(4, 2, 4)] })).toEqual({
      limiter: "none",
      text: "Nothing is known about scaling; measure 1 and 2 threads.",
    });
  });
});
