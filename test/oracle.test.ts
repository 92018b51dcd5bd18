import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { goldenCases } from "./golden.ts";
import { oracleCounts, oracleMagnitude } from "./oracle.ts";

const cases = goldenCases().map((golden) => [golden.name, golden] as const);

describe("the golden cases", () => {
  test.each(cases)("%s is what its index says", (_, { counts, sha256, sum, maxIterations }) => {
    const values = counts();
    expect(createHash("sha256").update(values).digest("hex")).toBe(sha256);
    expect(values.reduce((total, count) => total + count, 0)).toBe(sum);
    expect(values.every((count) => count <= maxIterations)).toBe(true);
  });
});

describe("the oracle", () => {
  test.each(cases)("computes %s as CPython did", (_, golden) => {
    expect(differences(oracleCounts(golden), golden.counts())).toEqual([]);
  });

  test("gives a magnitude that makes a colour continuous where the count jumps", () => {
    const smooth = (re: number, count: number) => count + 4 - Math.log2(Math.log(oracleMagnitude(re, 0, 100)) / 2);
    // c = 1 runs through 0, 1, 2, 5 and escapes at 3; any greater c is beyond 2 an iteration earlier.
    expect(smooth(1 + 1e-9, 2)).toBeCloseTo(smooth(1, 3), 3);
  });

  test("takes a magnitude three iterations after the escape", () => {
    expect(oracleMagnitude(1, 0, 100)).toBe(Math.fround(458330 ** 2)); // … 5, 26, 677, 458330
    expect(oracleMagnitude(-1, 0, 100)).toBe(0); // does not escape
    expect(oracleMagnitude(1e300, 0, 100)).toBe(Number.POSITIVE_INFINITY);
  });
});

/** The first pixels that differ. */
function differences(actual: Uint32Array, expected: Uint32Array): string[] {
  const found: string[] = [];
  for (let pixel = 0; pixel < expected.length && found.length < 5; pixel++) {
    if (actual[pixel] !== expected[pixel]) found.push(`pixel ${pixel}: ${actual[pixel]}, not ${expected[pixel]}`);
  }
  return found;
}
