import fc from "fast-check";
import { decode } from "fast-png";
import { describe, expect, test } from "vitest";
import { encodePng, paint } from "../node/cli/picture.ts";
import { DEFAULT_PALETTE, PALETTES } from "../src/colors.ts";

type Escape = [count: number, magnitude: number];

function colors(escapes: Escape[], palette = DEFAULT_PALETTE): number[][] {
  const rgb = paint(
    {
      counts: Uint32Array.from(escapes, ([count]) => count),
      magnitudes: Float32Array.from(escapes, ([, magnitude]) => magnitude),
    },
    palette,
  );
  return escapes.map((_, pixel) => [...rgb.subarray(pixel * 3, pixel * 3 + 3)]);
}

/** The greatest difference of any channel. */
function distance(a: number[] | undefined, b: number[] | undefined): number {
  return Math.max(...(a ?? []).map((channel, index) => Math.abs(channel - (b?.[index] ?? Number.NaN))));
}

/** |z|² whose escape time is `count` + `fraction`: the inverse of count + 4 − log2(ln(magnitude) / 2). */
function escapeAt(count: number, fraction: number): Escape {
  return [count, Math.exp(2 * 2 ** (4 - fraction))];
}

describe("paint", () => {
  test("gives three bytes a pixel", () => {
    const counts = new Uint32Array(6).fill(5);
    const magnitudes = new Float32Array(6).fill(1e6);
    expect(paint({ counts, magnitudes }, "gray")).toHaveLength(18);
  });

  test.each(PALETTES)("%s paints what does not escape nearly black", (palette) => {
    expect(colors([[1000, 0]], palette)).toEqual([[3, 4, 8]]);
  });

  test.each(PALETTES)("%s is brighter somewhere, and darker somewhere else", (palette) => {
    const painted = colors(
      Array.from({ length: 500 }, (_, count) => [count + 1, 1e6]),
      palette,
    );
    const brightness = painted.map((color) => color.reduce((a, b) => a + b) / 3);
    expect(Math.max(...brightness)).toBeGreaterThan(200);
    expect(Math.min(...brightness)).toBeLessThan(60);
  });

  test("escape times that are equal have one colour, whichever count they are reached by", () => {
    // 10.2 = 10 + 0.2 = 11 − 0.8
    const [a, b] = colors([escapeAt(10, 0.2), escapeAt(11, -0.8)]);
    expect(distance(a, b)).toBeLessThanOrEqual(1);
  });

  test.each(PALETTES)("%s gives close colours to close escape times", (palette) => {
    const steps: Escape[] = [];
    for (let step = 0; step < 20_000; step++) steps.push(escapeAt(1 + Math.floor(step / 100), (step % 100) / 100));
    const painted = colors(steps, palette);
    const jumps = painted.map((color, index) => (index === 0 ? 0 : distance(color, painted[index - 1])));
    expect(Math.max(...jumps)).toBeLessThanOrEqual(3);
  });

  test("a magnitude that overflowed has the colour of one that nearly did", () => {
    const [finite, infinite] = colors([
      [9, 3.4e38],
      [9, Number.POSITIVE_INFINITY],
    ]);
    expect(infinite).toEqual(finite);
  });

  test("an escape time below 0 counts as 0", () => {
    const [zero, below] = colors([escapeAt(0, 0), [1, Number.POSITIVE_INFINITY]]);
    expect(below).toEqual(zero);
  });

  test("any count and magnitude has a colour of the table", () => {
    const float = fc.float({ min: 4, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        float,
        fc.constantFrom(...PALETTES),
        (count, m, palette) => {
          const [color] = colors([[count, m]], palette);
          // All palettes are lighter than 0, 0, 0, which an entry outside the table would give.
          expect(Math.max(...(color ?? []))).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe("encodePng", () => {
  test("the file decodes to the same pixels", () => {
    const rgb = Uint8Array.from({ length: 7 * 5 * 3 }, (_, index) => (index * 37) % 256);
    const file = encodePng(rgb, 7, 5);
    expect([...file.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const { width, height, channels, depth, data } = decode(file, { checkCrc: true });
    expect({ width, height, channels, depth }).toEqual({ width: 7, height: 5, channels: 3, depth: 8 });
    expect([...data]).toEqual([...rgb]);
  });
});
