// The parts of <mandelbrot-view> that need no browser: what is seen, what is computed for it, and when.

import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { EngineError } from "../src/errors.ts";
import type { Engine, MandelbrotOptions, MandelbrotResult, Region } from "../src/types.ts";
import { bandGrid, bandsOf, firstStep, gridOf, nextStep } from "../web/element/passes.ts";
import {
  between,
  fitted,
  formatRegion,
  isFar,
  moved,
  type Point,
  parseRegion,
  pinched,
  placeOf,
  type Size,
  sameRegion,
  unitsOf,
  zoomed,
} from "../web/element/region.ts";
import { type Hooks, Renderer, type Sheet, type Target } from "../web/element/renderer.ts";
import { goldenCases } from "./golden.ts";

const WHOLE: Region = { reMin: -2, reMax: 1, imMin: -1, imMax: 1 };

const sizes = fc.record({ width: fc.integer({ min: 100, max: 4000 }), height: fc.integer({ min: 100, max: 4000 }) });

/** Views that pictures have, near the set: square pixels, down to where doubles end. */
const views = fc
  .record({
    re: fc.double({ min: -2, max: 1, noNaN: true }),
    im: fc.double({ min: -1.2, max: 1.2, noNaN: true }),
    exponent: fc.double({ min: -40, max: -5, noNaN: true }),
    size: sizes,
  })
  .map(({ re, im, exponent, size }) => {
    const half = 2 ** exponent;
    const high = (half * size.height) / size.width;
    return { view: { reMin: re - half, reMax: re + half, imMin: im - high, imMax: im + high }, size };
  })
  .filter(({ view, size }) => view.reMin < view.reMax && view.imMin < view.imMax && unitsOf(view, size) > 1000);

/** What lies under a pixel. */
function under(view: Region, { width, height }: Size, { x, y }: Point): { re: number; im: number } {
  return {
    re: view.reMin + (x / width) * (view.reMax - view.reMin),
    im: view.imMin + (y / height) * (view.imMax - view.imMin),
  };
}

/** Expects two places to be the same, to a hundredth of a pixel. */
function expectSamePlace(a: { re: number; im: number }, b: { re: number; im: number }, view: Region, size: Size): void {
  const pixel = (view.reMax - view.reMin) / size.width;
  expect(Math.abs(a.re - b.re)).toBeLessThan(pixel / 100);
  expect(Math.abs(a.im - b.im)).toBeLessThan(pixel / 100);
}

describe("a region in a picture of another shape", () => {
  test("is seen whole, in the middle, with square pixels", () => {
    expect(fitted(WHOLE, { width: 300, height: 100 })).toEqual({ reMin: -3.5, reMax: 2.5, imMin: -1, imMax: 1 });
    expect(fitted(WHOLE, { width: 100, height: 300 })).toEqual({ reMin: -2, reMax: 1, imMin: -4.5, imMax: 4.5 });
    fc.assert(
      fc.property(sizes, (size) => {
        const view = fitted(WHOLE, size);
        const wide = (view.reMax - view.reMin) / size.width;
        const high = (view.imMax - view.imMin) / size.height;
        expect(Math.abs(wide / high - 1) * Math.max(size.width, size.height)).toBeLessThanOrEqual(0.5000001);
        expect(view.reMin).toBeLessThanOrEqual(WHOLE.reMin);
        expect(view.reMax).toBeGreaterThanOrEqual(WHOLE.reMax);
        expect(view.imMin).toBeLessThanOrEqual(WHOLE.imMin);
        expect(view.imMax).toBeGreaterThanOrEqual(WHOLE.imMax);
      }),
    );
  });

  test("stays as it is, to the last bit, if its shape is the picture's but for rounding", () => {
    const square = goldenCases().filter(({ name }) => ["seahorse300x200", "m125_200x200", "cusp64"].includes(name));
    expect(square).toHaveLength(3);
    for (const { region, width, height } of square) expect(fitted(region, { width, height })).toBe(region);
  });
});

describe("moving and zooming", () => {
  test("a picture moves with the hand", () => {
    fc.assert(
      fc.property(views, fc.integer({ min: -500, max: 500 }), fc.integer({ min: -500, max: 500 }), (given, dx, dy) => {
        const { view, size } = given;
        fc.pre(Math.abs(dx) < size.width && Math.abs(dy) < size.height);
        const after = moved(view, size, dx, dy);
        expectSamePlace(under(after, size, { x: dx, y: dy }), under(view, size, { x: 0, y: 0 }), view, size);
      }),
    );
  });

  test("a zoom keeps the point under the pointer", () => {
    fc.assert(
      fc.property(
        views,
        fc.double({ min: 0.5, max: 8, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (given, factor, s) => {
          const { view, size } = given;
          const at = { x: s * size.width, y: (1 - s) * size.height };
          const after = zoomed(view, size, factor, at);
          expectSamePlace(under(after, size, at), under(view, size, at), view, size);
          expect((view.reMax - view.reMin) / (after.reMax - after.reMin)).toBeCloseTo(factor, 4);
        },
      ),
    );
  });

  test("two fingers keep their points", () => {
    fc.assert(
      fc.property(
        views,
        fc.double({ min: 0.6, max: 3, noNaN: true }),
        fc.integer({ min: -40, max: 40 }),
        (given, stretch, dx) => {
          const { view, size } = given;
          const from: [Point, Point] = [
            { x: 100, y: 80 },
            { x: 180, y: 140 },
          ];
          const to = from.map(({ x, y }) => ({ x: x * stretch + dx, y: y * stretch - dx })) as [Point, Point];
          const after = pinched(view, size, from, to);
          for (const finger of [0, 1] as const) {
            expectSamePlace(under(after, size, to[finger]), under(view, size, from[finger]), view, size);
          }
        },
      ),
    );
  });

  test("fingers on one spot do not break the view", () => {
    const spot: [Point, Point] = [
      { x: 5, y: 5 },
      { x: 5, y: 5 },
    ];
    const after = pinched(WHOLE, { width: 300, height: 200 }, spot, spot);
    expect(Object.values(after).every(Number.isFinite)).toBe(true);
    expect(after.reMax).toBeGreaterThan(after.reMin);
  });

  test("zooming in ends where neighbouring pixels become the same number", () => {
    const size = { width: 1000, height: 800 };
    let view: Region = { reMin: -0.75, reMax: -0.74, imMin: 0.1, imMax: 0.108 };
    for (let i = 0; i < 200; i++) view = zoomed(view, size, 2, { x: 500, y: 400 });
    const unit = 2 ** -53; // between a half and one
    expect((view.reMax - view.reMin) / size.width).toBeGreaterThanOrEqual(unit * 0.99);
    expect((view.reMax - view.reMin) / size.width).toBeLessThan(unit * 1.1);
    expect(unitsOf(view, size)).toBeLessThan(2);
    for (const [x, before] of [1, 500, 998].map((x) => [x, x - 1] as const)) {
      expect(under(view, size, { x, y: 0 }).re).not.toBe(under(view, size, { x: before - 1, y: 0 }).re);
    }
  });

  test("zooming out, and moving away, end where there is nothing to see", () => {
    const size = { width: 300, height: 200 };
    let view = WHOLE;
    for (let i = 0; i < 50; i++) view = zoomed(view, size, 0.5, { x: 0, y: 0 });
    expect(view.reMax - view.reMin).toBeCloseTo(64);
    view = WHOLE;
    for (let i = 0; i < 50; i++) view = moved(view, size, -300, 200);
    expect((view.reMin + view.reMax) / 2).toBeCloseTo(4);
    expect((view.imMin + view.imMax) / 2).toBeCloseTo(-4);
  });

  test("a glide begins and ends where it should, and zooms evenly between", () => {
    const to = { reMin: -0.5, reMax: 0.25, imMin: 0, imMax: 0.5 };
    expect(between(WHOLE, to, 0)).toEqual(WHOLE);
    expect(between(WHOLE, to, 1)).toEqual(to);
    const half = between(WHOLE, to, 0.5);
    expect(half.reMax - half.reMin).toBeCloseTo(1.5); // the mean of 3 and 0.75, as a ratio
    const beside = { reMin: -1, reMax: 2, imMin: -1, imMax: 1 };
    expect(between(WHOLE, beside, 0.25).reMin).toBeCloseTo(-1.75);
  });

  test("views that do not meet, or differ much in size, are far from each other", () => {
    expect(isFar(WHOLE, { ...WHOLE, reMin: -1, reMax: 2 })).toBe(false);
    expect(isFar(WHOLE, { ...WHOLE, reMin: 1, reMax: 4 })).toBe(true);
    expect(isFar(WHOLE, { reMin: 0, reMax: 0.1, imMin: 0, imMax: 0.1 })).toBe(true);
  });
});

describe("the region's text", () => {
  test("is read back to the last bit", () => {
    fc.assert(
      fc.property(views, ({ view }) => {
        expect(sameRegion(parseRegion(formatRegion(view)) as Region, view)).toBe(true);
      }),
    );
  });

  test.each(["", "1,2,3", "1,2,3,4,5", "1,2,,4"])("%j is none", (text) => {
    const region = parseRegion(text);
    expect(region === undefined || Object.values(region).some(Number.isNaN)).toBe(true);
  });
});

describe("where a grid lies on the screen", () => {
  test("a picture of the view itself lies on its pixels", () => {
    fc.assert(
      fc.property(views, ({ view, size }) => {
        expect(placeOf(gridOf(view, size, 1), view, size)).toEqual({ x: 0, y: 0, ...size });
      }),
    );
  });

  test("after a move by whole pixels it lies on whole pixels", () => {
    fc.assert(
      fc.property(
        views,
        fc.integer({ min: -99, max: 99 }),
        fc.integer({ min: -99, max: 99 }),
        ({ view, size }, dx, dy) => {
          const place = placeOf(gridOf(view, size, 1), moved(view, size, dx, dy), size);
          expect(place).toEqual({ x: dx === 0 ? 0 : dx, y: dy === 0 ? 0 : dy, ...size });
        },
      ),
    );
  });

  test("a coarse grid begins where the picture does, and each of its pixels is `step` wide", () => {
    fc.assert(
      fc.property(views, fc.constantFrom(2, 4, 8, 16), ({ view, size }, step) => {
        const grid = gridOf(view, size, step as 2 | 4 | 8 | 16);
        const place = placeOf(grid, view, size);
        expect(place.x).toBeCloseTo(0, 3);
        expect(place.y).toBeCloseTo(0, 3);
        expect(place.width).toBeCloseTo(grid.width * step, 3);
        expect(place.height).toBeCloseTo(grid.height * step, 3);
        expect(grid.width * step).toBeGreaterThanOrEqual(size.width);
      }),
    );
  });
});

describe("passes", () => {
  test("a picture that is quick to compute is computed at once", () => {
    expect(firstStep(5)).toBe(1);
    expect(firstStep(24)).toBe(1);
  });

  test("the first pass of any other takes a frame at most, if that can be", () => {
    for (const ms of [25, 50, 100, 500, 1000, 3000]) {
      const step = firstStep(ms);
      expect(step).toBeGreaterThan(1);
      expect(ms / step ** 2).toBeLessThanOrEqual(12);
    }
    expect(firstStep(1e6)).toBe(16);
  });

  test("passes get finer until the picture is whole", () => {
    fc.assert(
      fc.property(
        fc.option(fc.double({ min: 0, max: 1e7, noNaN: true }), { nil: undefined }),
        fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { minLength: 6 }),
        (guess, measured) => {
          let step = firstStep(guess);
          for (let i = 0; step > 1; i++) {
            const next = nextStep(step, measured[i] as number);
            expect(next).toBeLessThan(step);
            step = next;
          }
        },
      ),
    );
  });

  test("bands go from the middle outward, and leave no row out", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.double({ min: 0, max: 1e5, noNaN: true }), (rows, ms) => {
        const bands = bandsOf(rows, ms);
        const distance = ({ first, end }: { first: number; end: number }) => Math.abs((first + end) / 2 - rows / 2);
        const distances = bands.map(distance);
        expect(distances.every((d, i) => i === 0 || d >= (distances[i - 1] as number) - 1)).toBe(true);
        const sorted = [...bands].sort((a, b) => a.first - b.first);
        expect(sorted[0]?.first).toBe(0);
        expect(sorted.at(-1)?.end).toBe(rows);
        expect(sorted.every(({ first }, i) => i === 0 || first === sorted[i - 1]?.end)).toBe(true);
      }),
    );
  });

  test("a band's pixels are those of its pass", () => {
    const grid = gridOf(WHOLE, { width: 300, height: 200 }, 2);
    const band = bandGrid(grid, { first: 30, end: 50 });
    expect(band).toMatchObject({ width: 150, height: 20 });
    const row = (of: typeof grid, y: number) => of.region.imMin + (y / of.height) * (of.region.imMax - of.region.imMin);
    expect(row(band, 7)).toBeCloseTo(row(grid, 37), 12);
  });
});

// ── The renderer, with an engine that answers when it is told to ──

interface PendingJob {
  options: MandelbrotOptions;
  finish(elapsedMs?: number): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** Lets everything happen that needs no one from outside. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function rig() {
  const jobs: PendingJob[] = [];
  const released: MandelbrotResult[] = [];
  const events: string[] = [];
  const painted = new Map<Sheet, Set<number>>();
  let now = 0;
  const engine = {
    threads: 4,
    mode: "shared",
    mandelbrot: (options: MandelbrotOptions) =>
      new Promise<MandelbrotResult>((resolve, reject) => {
        const { width = 1, height = 1, region = WHOLE, maxIterations = 1 } = options;
        options.signal?.addEventListener("abort", () => reject(new EngineError("E_ABORTED", "aborted")));
        jobs.push({
          options,
          finish: (elapsedMs = 1) => {
            const counts = new Uint32Array(width * height);
            const result = {
              ...{ width, height, region, maxIterations, elapsedMs, counts, threads: 4, workers: [] },
              magnitudes: new Float32Array(width * height),
              tile: { width, height },
              chunks: () => [],
              release: () => released.push(result),
              [Symbol.dispose]: () => {},
            } as MandelbrotResult;
            resolve(result);
            return settled();
          },
          fail: (error) => {
            reject(error);
            return settled();
          },
        });
      }),
  } as unknown as Engine;
  const hooks: Hooks<Sheet> = {
    engine: () => Promise.resolve(engine),
    needs: () => true,
    open: (grid) => {
      const sheet: Sheet = {
        grid,
        paint: (first, rows, fill) => {
          const words = new Uint32Array(grid.width * rows);
          fill(words);
          expect(words.every((word) => word >>> 24 === 255)).toBe(true);
          for (let row = first; row < first + rows; row++) painted.get(sheet)?.add(row);
        },
      };
      painted.set(sheet, new Set());
      return sheet;
    },
    show: (sheet, isWhole, result) => {
      if (isWhole) expect(painted.get(sheet)?.size).toBe(sheet.grid.height);
      events.push(`show ${sheet.grid.width}${isWhole ? "" : " part"}${result ? " final" : ""}`);
    },
    started: () => events.push("start"),
    progressed: ({ done }) => events.push(`progress ${done}`),
    finished: () => events.push("done"),
    aborted: () => events.push("abort"),
    failed: (error) => events.push(`failed ${(error as Error).message}`),
    pause: () => Promise.resolve(),
    now: () => now,
  };
  const last = () => jobs.at(-1) as PendingJob;
  return { renderer: new Renderer(hooks), hooks, jobs, last, released, events, tick: (ms: number) => (now += ms) };
}

const TARGET: Target = {
  view: WHOLE,
  size: { width: 640, height: 480 },
  maxIterations: 100,
  algorithm: "exact",
  threads: undefined,
  palette: "ocean",
};

describe("the renderer", () => {
  test("shows a coarse picture first, then what is asked for in one job over the whole region", async () => {
    const { renderer, last, events, released } = rig();
    renderer.render(TARGET);
    await settled();
    expect(last().options).toMatchObject({ width: 80, height: 60, magnitudes: true, threads: 4 });
    await last().finish(1);
    expect(last().options).toMatchObject({ width: 640, height: 480, region: WHOLE, maxIterations: 100 });
    await last().finish(64);
    expect(events).toEqual(["start", "show 80", "show 640 final", "done"]);
    expect(released).toHaveLength(1); // the coarse one; the other may be coloured again
    expect(renderer.idle).toBeUndefined();
  });

  test("a slow picture has passes between, in bands from the middle outward", async () => {
    const { renderer, jobs, last, events } = rig();
    renderer.render(TARGET);
    await settled();
    await last().finish(60); // 60 ms at step 8: 240 at step 4, 960 at step 2, 3840 in all
    expect(last().options.width).toBe(160);
    const begin = jobs.length - 1;
    while (last().options.width === 160) await last().finish(60);
    const middles = jobs.slice(begin, -1).map(({ options: { region } }) => region && (region.imMin + region.imMax) / 2);
    expect(middles).toHaveLength(5);
    expect(Math.abs(middles[0] as number)).toBeLessThan(0.1);
    expect(Math.abs(middles.at(-1) as number)).toBeGreaterThan(0.7);
    while (last().options.width === 320) await last().finish(50);
    expect(last().options).toMatchObject({ width: 640, height: 480 });
    await last().finish(2000);
    expect(events.filter((event) => event.endsWith("part")).length).toBeGreaterThan(2);
    expect(events.at(-1)).toBe("done");
  });

  test("once a picture was quick, the next one of its kind has no coarse pass", async () => {
    const { renderer, jobs, last } = rig();
    renderer.render(TARGET);
    await settled();
    await last().finish(0.1);
    await last().finish(6);
    renderer.render({ ...TARGET, view: { ...WHOLE, reMin: -1, reMax: 2 } });
    await settled();
    expect(jobs).toHaveLength(3);
    expect(last().options.width).toBe(640);
    renderer.abort();
    await settled();
    renderer.render({ ...TARGET, maxIterations: 5000 });
    await settled();
    expect(last().options.width).toBe(80);
  });

  test("a pass that would show nothing new is left out", async () => {
    const { renderer, hooks, last } = rig();
    hooks.needs = (_, step) => step <= 2;
    renderer.render(TARGET);
    await settled();
    expect(last().options.width).toBe(320);
  });

  test("a new target aborts what is computed for the old one, at once", async () => {
    const { renderer, jobs, last, events } = rig();
    renderer.render(TARGET);
    await settled();
    await last().finish(1);
    const old = last();
    renderer.render({ ...TARGET, view: { ...WHOLE, reMin: -1, reMax: 2 } });
    expect(old.options.signal?.aborted).toBe(true);
    await settled();
    expect(last().options.region?.reMin).toBeCloseTo(-1, 1);
    expect(jobs).toHaveLength(3);
    expect(events).toEqual(["start", "show 80", "abort", "start"]);
  });

  test("a first look that has just begun may end, and is shown, before the next target's turn", async () => {
    const { renderer, last, events } = rig();
    renderer.render(TARGET);
    await settled();
    renderer.render({ ...TARGET, maxIterations: 7 });
    expect(last().options.signal?.aborted).toBe(false);
    await last().finish(3);
    expect(last().options.maxIterations).toBe(7);
    expect(events).toEqual(["start", "show 80", "abort", "start"]);
  });

  test("a first look that takes long is aborted as well", async () => {
    const { renderer, last, tick } = rig();
    renderer.render(TARGET);
    await settled();
    tick(60);
    const old = last();
    renderer.render({ ...TARGET, maxIterations: 7 });
    expect(old.options.signal?.aborted).toBe(true);
    await settled();
    expect(last().options.maxIterations).toBe(7);
  });

  test("of many targets that come while it computes, only the last is rendered", async () => {
    const { renderer, jobs, last } = rig();
    renderer.render(TARGET);
    await settled();
    for (let n = 200; n < 210; n++) renderer.render({ ...TARGET, maxIterations: n });
    await last().finish(1);
    expect(jobs).toHaveLength(2);
    expect(last().options.maxIterations).toBe(209);
  });

  test("abort stops, and nothing follows", async () => {
    const { renderer, jobs, events } = rig();
    renderer.render(TARGET);
    await settled();
    renderer.abort();
    await settled();
    expect(jobs).toHaveLength(1);
    expect(events).toEqual(["start", "abort"]);
    expect(renderer.idle).toBeUndefined();
  });

  test("new colours of a finished picture need no job", async () => {
    const { renderer, jobs, last, events } = rig();
    renderer.render(TARGET);
    await settled();
    await last().finish(1);
    await last().finish(10);
    renderer.recolor({ ...TARGET, palette: "gray" });
    await settled();
    expect(jobs).toHaveLength(2);
    expect(events.slice(-2)).toEqual(["done", "show 640 final"]);
  });

  test("new colours of a picture that is not finished begin it again", async () => {
    const { renderer, jobs, last } = rig();
    renderer.render(TARGET);
    await settled();
    await last().finish(1);
    renderer.recolor({ ...TARGET, palette: "gray" });
    await settled();
    expect(jobs).toHaveLength(3);
  });

  test("a finished picture's memory goes back to the engine before the next is computed", async () => {
    const { renderer, last, released } = rig();
    renderer.render(TARGET);
    await settled();
    await last().finish(1);
    await last().finish(10);
    expect(released).toHaveLength(1);
    renderer.render({ ...TARGET, maxIterations: 7 });
    await settled();
    expect(released).toHaveLength(2);
  });

  test("a failure is told, and the next target tried", async () => {
    const { renderer, last, events } = rig();
    renderer.render(TARGET);
    await settled();
    await last().fail(new EngineError("E_MEMORY", "no memory"));
    expect(events).toEqual(["start", "failed no memory"]);
    renderer.render(TARGET);
    await settled();
    await last().finish(1);
    await last().finish(1);
    expect(events.at(-1)).toBe("done");
  });

  test("an engine that does not start is a failure, too", async () => {
    const { renderer, hooks, events } = rig();
    hooks.engine = () => Promise.reject(new EngineError("E_KERNEL", "no kernel"));
    renderer.render(TARGET);
    await settled();
    expect(events).toEqual(["start", "failed no kernel"]);
  });

  test("it asks for no more workers than there are", async () => {
    const { renderer, last } = rig();
    renderer.render({ ...TARGET, threads: 2 });
    await settled();
    expect(last().options.threads).toBe(2);
    renderer.abort();
    renderer.render({ ...TARGET, threads: 64 });
    await settled();
    expect(last().options.threads).toBe(4);
  });

  test("it pauses while it colours a large picture, and an abort is heard then", async () => {
    const { renderer, hooks, last, events } = rig();
    let clock = 0;
    hooks.now = () => (clock += 5);
    const pause = vi.fn(() => {
      renderer.abort();
      return Promise.resolve();
    });
    hooks.pause = pause;
    renderer.render({ ...TARGET, size: { width: 2000, height: 1500 } });
    await settled();
    await last().finish(1);
    await last().finish(64);
    expect(pause).toHaveBeenCalledTimes(1);
    expect(events.at(-1)).toBe("abort");
  });
});

describe("the module", () => {
  test("can be imported where there is no document", async () => {
    expect(globalThis).not.toHaveProperty("HTMLElement");
    const { MandelbrotView } = await import("../web/element/index.ts");
    expect(MandelbrotView.palettes).toContain("ocean");
  });
});
