// <mandelbrot-view> in real pages: what is published, under the strictest policy, in Chromium and Firefox. A page has nothing
// to complain of at the end of any test, unless the test says what.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { decode } from "fast-png";
import type { Page, Viewport } from "puppeteer-core";
import { afterAll, describe, expect, test } from "vitest";
import { type PaletteName, paint } from "../src/colors.ts";
import type { Mode, Region } from "../src/types.ts";
import type { RenderSummary } from "../web/element/index.ts";
import type { Routes, SiteServer, SiteServerOptions } from "../web/server.ts";
import { type Browser, browsers, closeBrowsers, type OpenOptions, type OpenPage } from "./browser/drive.ts";
import { createTestSite } from "./browser/site.ts";
import { type GoldenCase, goldenCases } from "./golden.ts";
import { oracleMagnitudes } from "./oracle.ts";

const all = await browsers();
const sites = new Map<string, Promise<SiteServer>>();

afterAll(async () => {
  await closeBrowsers();
  for (const site of sites.values()) await (await site).close();
});

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const STYLE = "body { margin: 0 } mandelbrot-view { width: 300px; height: 200px } .plain { width: auto; height: auto }";

function html(body: string): Routes[string] {
  const head =
    '<meta charset="utf-8"><title>allcores</title><link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/element.css">' +
    '<script src="/record.js"></script><script type="module" src="/dist/element.js"></script>';
  return { body: `<!doctype html><html lang="en"><head>${head}</head><body><main>${body}</main></body></html>` };
}

/** Notes every event of every element, in a page's `heard`, from before there is one. */
const RECORD = `globalThis.heard = [];
// An engine's job that takes until it is aborted.
globalThis.silence = ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
// What is on the screen.
globalThis.look = (view, ...place) => {
  const canvas = view.shadowRoot.querySelector("canvas");
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height;
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  return [...context.getImageData(...place).data];
};
globalThis.frames = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
const names = ["start", "progress", "done", "abort", "error", "regionchange"];
addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll("mandelbrot-view")) {
    for (const name of names) {
      element.addEventListener(name, ({ detail }) => heard.push({ name, id: element.id, message: detail?.error?.message }));
    }
  }
});`;

interface ElementPage extends OpenPage {
  /** Runs a program in the page, which has the first element as \`view\`. */
  run<T>(program: string): Promise<T>;
  /** Waits until the element has a finished picture, and returns what it was. */
  done(): Promise<RenderSummary>;
  /** Names of the events so far. */
  events(): Promise<string[]>;
  key(...keys: string[]): Promise<void>;
  /** Expects that the page has nothing to complain of, and closes it. */
  end(): Promise<void>;
}

interface PageOptions {
  body?: string;
  headers?: SiteServerOptions["headers"];
  viewport?: Viewport;
  media?: OpenOptions["media"];
  routes?: Routes;
}

async function open(browser: Browser, options: PageOptions = {}): Promise<ElementPage> {
  const { body = "<mandelbrot-view></mandelbrot-view>", headers = "isolated", routes = {}, viewport, media } = options;
  const key = JSON.stringify([body, headers, routes]);
  let site = sites.get(key);
  if (site === undefined) {
    const own = {
      "/": { ...html(body), type: "text/html; charset=utf-8" },
      "/element.css": { body: STYLE },
      "/record.js": { body: RECORD },
    };
    site = createTestSite({ headers: headers as "isolated", routes: { ...own, ...routes } });
    sites.set(key, site);
  }
  const page = await browser.open({
    url: (await site).origin,
    ...(viewport && { viewport }),
    ...(media && { media }),
  });
  const run = <T>(program: string): Promise<T> =>
    page.page.evaluate(
      `(async () => { const view = document.querySelector("mandelbrot-view"); ${program} })()`,
    ) as Promise<T>;
  return {
    ...page,
    run,
    done: () => run("await view.toBlob(); const { chunks, ...rest } = view.result; return rest;"),
    events: () => run("return heard.map(({ name }) => name);"),
    async key(...keys) {
      await run("view.focus();");
      for (const one of keys) await page.page.keyboard.press(one as "Home");
    },
    async end() {
      expect(page.problems).toEqual([]);
      await page.close();
    },
  };
}

/** The picture's pixels, as words of RGBA, from its PNG file. */
async function pixels(page: ElementPage): Promise<{ width: number; height: number; words: Uint32Array }> {
  const bytes = await page.run<number[]>("return [...new Uint8Array(await (await view.toBlob()).arrayBuffer())];");
  const { width, height, data, channels } = decode(Uint8Array.from(bytes));
  const words = new Uint32Array(width * height);
  for (let pixel = 0; pixel < words.length; pixel++) {
    const [red, green, blue] = data.subarray(pixel * channels) as unknown as [number, number, number];
    words[pixel] = (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
  }
  return { width, height, words };
}

/** What a golden case looks like. */
function painted(golden: GoldenCase, palette: PaletteName = "ocean"): Uint32Array {
  const words = new Uint32Array(golden.width * golden.height);
  paint({ counts: golden.counts(), magnitudes: oracleMagnitudes(golden) }, palette, words, 0, words.length);
  return words;
}

function golden(name: string): GoldenCase {
  const found = goldenCases().find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no golden case ${name}`);
  return found;
}

function show({ region, maxIterations, width, height }: GoldenCase): string {
  return `view.style.width = "${width}px"; view.style.height = "${height}px";
    view.maxIterations = ${maxIterations}; view.region = ${JSON.stringify(region)};`;
}

/** A render that takes for ever, for what is done meanwhile. */
const SLOW = `view.algorithm = "naive"; view.maxIterations = 2147483647;
  view.region = { reMin: -0.2, reMax: 0.1, imMin: -0.1, imMax: 0.1 };`;

const until = (page: Page, condition: string) => page.waitForFunction(condition);

describe.each(all.map((browser) => [browser.label, browser] as const))("in %s", (_, browser) => {
  const isChromium = browser.name === "chromium";

  describe.each([
    ["shared", "isolated", "shared"],
    ["isolated", "none", "isolated"],
    ["single", "none", "single"],
  ] as const satisfies [string, SiteServerOptions["headers"], Mode][])("in %s mode", (_, headers, mode) => {
    test.each(["seahorse300x200", "m125_200x200", "cusp64"])(
      "paints %s as it is counted, pixel for pixel",
      async (name) => {
        const page = await open(browser, { headers });
        const { run, done, end } = page;
        if (mode === "single") {
          await run(`const { createEngine } = await import("/dist/web.js");
          view.engine = await createEngine({ mode: "single" });`);
        }
        const wanted = golden(name);
        await run(show(wanted));
        expect(await done()).toMatchObject({ mode, width: wanted.width, height: wanted.height, region: wanted.region });
        const { words } = await pixels(page);
        expect(words).toEqual(painted(wanted));
        await end();
      },
    );
  });

  test("tells what it does: start, progress, done, and the result", async () => {
    const { done, events, run, end } = await open(browser, {
      body: '<mandelbrot-view region="-0.7501,-0.7381,0.1,0.108" max-iterations="500" threads="1"></mandelbrot-view>',
    });
    expect(await done()).toMatchObject({ width: 300, height: 200, maxIterations: 500, threads: 1, algorithm: "exact" });
    const names = await events();
    expect(names[0]).toBe("start");
    expect(names).toContain("progress");
    expect(names.at(-1)).toBe("done");
    expect(await run("return view.result.chunks().length")).toBeGreaterThan(10);
    expect(await run("return (await view.ready).mode")).toBe("shared");
    await end();
  });

  test("without a size of its own it is as wide as its place, and two thirds as high", async () => {
    const { done, end } = await open(browser, {
      body: '<mandelbrot-view class="plain"></mandelbrot-view>',
      viewport: { width: 900, height: 700, deviceScaleFactor: 1 },
    });
    expect(await done()).toMatchObject({ width: 900, height: 600 });
    await end();
  });

  test("has as many pixels as the screen", async () => {
    const { done, end } = await open(browser, {
      viewport: { width: 800, height: 600, deviceScaleFactor: 2 },
    });
    expect(await done()).toMatchObject({ width: 600, height: 400 });
    await end();
  });

  describe("by keyboard", () => {
    test("arrows move it, plus and minus zoom, Home and 0 show the whole set", async () => {
      const { done, run, key, end } = await open(browser);
      const region = () => run<Region>("return view.region;");
      await done();
      await key("ArrowRight");
      expect((await region()).reMin).toBeCloseTo(-1.7);
      await key("ArrowLeft", "ArrowLeft", "ArrowDown");
      expect(await region()).toMatchObject({ reMin: expect.closeTo(-2.3), imMin: expect.closeTo(-0.8) });
      await key("ArrowUp");
      await key("Home");
      expect(await region()).toEqual({ reMin: -2, reMax: 1, imMin: -1, imMax: 1 });
      await key("+");
      expect(await region()).toMatchObject({ reMin: expect.closeTo(-1.5), reMax: expect.closeTo(0.5) });
      await key("-", "-");
      expect(await region()).toMatchObject({ reMin: expect.closeTo(-2.75), reMax: expect.closeTo(1.75) });
      await key("0");
      expect(await region()).toEqual({ reMin: -2, reMax: 1, imMin: -1, imMax: 1 });
      expect(await done()).toMatchObject({ region: { reMin: -2, reMax: 1, imMin: -1, imMax: 1 } });
      await end();
    });

    test("Escape stops the computation, and the next key goes on", async () => {
      const { page, done, run, key, events, end } = await open(browser);
      await done();
      await run(SLOW);
      await until(page, 'heard.at(-1).name === "start"');
      await key("Escape");
      await until(page, 'heard.at(-1).name === "abort"');
      await run('view.algorithm = "exact"; view.maxIterations = 100;');
      await key("Home");
      expect(await done()).toMatchObject({ maxIterations: 100 });
      expect((await events()).at(-1)).toBe("done");
      await end();
    });

    test("a screen reader hears where it is, once it rests", async () => {
      const { page, done, key, end } = await open(browser);
      await done();
      await key("+", "+");
      const status = 'document.querySelector("mandelbrot-view").shadowRoot.querySelector("[role=status]").textContent';
      await until(page, `${status} !== ""`);
      expect(await page.evaluate(status)).toMatch(/^Centre −0\.5\d* \+ 0\.0+ i, magnified 2\.25 times\.$/);
      await end();
    });
  });

  describe("by pointer", () => {
    test("it moves with the hand, and its attribute says where it rests", async () => {
      const { page, done, run, end } = await open(browser);
      await done();
      await page.mouse.move(100, 100);
      await page.mouse.down();
      await page.mouse.move(130, 90, { steps: 3 });
      await page.mouse.up();
      const region = await run<Region>("return view.region;");
      expect(region).toMatchObject({ reMin: expect.closeTo(-2.3), imMin: expect.closeTo(-0.9) });
      await done();
      const { reMin, reMax, imMin, imMax } = region;
      expect(await run("return view.getAttribute('region')")).toBe([reMin, reMax, imMin, imMax].join(","));
      await end();
    });

    test("what is painted is moved and scaled at once, before anything new is computed", async () => {
      const { page, done, run, end } = await open(browser);
      await done();
      const before = await run("await frames(); return look(view, 100, 0, 1, 200);");
      // An engine that never answers, so that nothing else can be seen.
      await run("view.engine = { threads: 1, mode: 'single', mandelbrot: silence };");
      await page.mouse.move(100, 100);
      await page.mouse.down();
      await page.mouse.move(140, 100);
      expect(await run("await frames(); return look(view, 140, 0, 1, 200);")).toEqual(before);
      await page.mouse.up();
      await end();
    });

    test("the wheel zooms about the pointer", async () => {
      const { page, done, run, end } = await open(browser);
      await done();
      await page.mouse.move(75, 150);
      await page.mouse.wheel({ deltaY: -200 });
      await until(page, 'heard.some(({ name }) => name === "regionchange")');
      const { reMin, reMax, imMin, imMax } = await run<Region>("return view.region;");
      expect(reMax - reMin).toBeLessThan(2.5);
      expect(reMin + 0.25 * (reMax - reMin)).toBeCloseTo(-1.25);
      expect(imMin + 0.75 * (imMax - imMin)).toBeCloseTo(0.5);
      expect(await run("return scrollY")).toBe(0);
      await end();
    });

    test("a double click doubles", async () => {
      const { page, done, run, end } = await open(browser);
      await done();
      await page.mouse.click(150, 100, { count: 2 });
      const { reMin, reMax } = await run<Region>("return view.region;");
      expect([reMin, reMax]).toEqual([expect.closeTo(-1.25), expect.closeTo(0.25)]);
      await end();
    });

    test("two fingers stretch it, each keeping its point", async () => {
      const { page, done, run, end } = await open(browser);
      await done();
      const left = await page.touchscreen.touchStart(120, 100);
      const right = await page.touchscreen.touchStart(180, 100);
      await left.move(90, 100);
      await right.move(210, 100);
      await left.end();
      await right.end();
      const { reMin, reMax, imMin, imMax } = await run<Region>("return view.region;");
      expect([reMin, reMax]).toEqual([expect.closeTo(-1.25), expect.closeTo(0.25)]);
      expect([imMin, imMax]).toEqual([expect.closeTo(-0.5), expect.closeTo(0.5)]);
      await end();
    });

    test("a double tap doubles", async () => {
      const { page, done, run, end } = await open(browser);
      await done();
      await page.touchscreen.tap(150, 100);
      await page.touchscreen.tap(152, 101);
      const { reMin, reMax } = await run<Region>("return view.region;");
      expect(reMax - reMin).toBeCloseTo(1.5);
      await end();
    });

    test("a new gesture aborts the computation", async () => {
      const { page, done, run, end } = await open(browser);
      await done();
      await run(`${SLOW} heard.length = 0;`);
      await until(page, 'heard.at(-1)?.name === "start"');
      await run("view.maxIterations = 50;"); // what the gesture leads to is quick
      await page.mouse.move(100, 100);
      await page.mouse.wheel({ deltaY: -200 });
      await until(page, 'heard.at(-1).name === "done"');
      expect(await run("return heard.some(({ name }) => name === 'abort')")).toBe(true);
      await end();
    });
  });

  test.skipIf(!isChromium)("who wants less motion sees none", async () => {
    const seen = async (value: string) => {
      const { page, done, run, key, end } = await open(browser, {
        media: [{ name: "prefers-reduced-motion", value }],
      });
      await done();
      await run(`globalThis.places = new Set();
        const { drawImage } = CanvasRenderingContext2D.prototype;
        CanvasRenderingContext2D.prototype.drawImage = function (image, x, ...rest) {
          if (image.width === 300) places.add(x);
          return drawImage.call(this, image, x, ...rest);
        };
        view.engine = { threads: 1, mode: "single", mandelbrot: silence };`);
      await key("ArrowRight");
      await until(page, "places.has(-30)");
      const places = await run<number>("return [...places].filter((x) => x < 0).length;");
      await end();
      return places;
    };
    expect(await seen("reduce")).toBe(1);
    expect(await seen("no-preference")).toBeGreaterThan(1);
  });

  test("a new size is a new picture, and the old one is seen until then", async () => {
    const { page, done, run, end } = await open(browser);
    await done();
    await run(`view.engine = { threads: 1, mode: "single", mandelbrot: silence };
      view.style.width = "240px"; view.style.height = "240px";`);
    await until(page, 'document.querySelector("mandelbrot-view").shadowRoot.querySelector("canvas").width === 240');
    expect(await run("return look(view, 120, 120, 1, 1)[3];")).toBe(255);
    await run("view.engine = undefined;");
    expect(await done()).toMatchObject({ width: 240, height: 240, region: { imMin: -1.5, imMax: 1.5 } });
    await end();
  });

  test("new colours need no new computation", async () => {
    const page = await open(browser);
    const { done, run, end } = page;
    const wanted = golden("seahorse300x200");
    await run(show(wanted));
    await done();
    await run('heard.length = 0; view.palette = "forest";');
    expect((await pixels(page)).words).toEqual(painted(wanted, "forest"));
    expect(await run("return heard.map(({ name }) => name);")).not.toContain("start");
    await end();
  });

  test("the overlay tints chunks by their workers, and is not in the file", async () => {
    const page = await open(browser);
    const { done, run, end } = page;
    await done();
    const { words } = await pixels(page);
    const left = "await frames(); return look(view, 0, 0, 1, 200);";
    const plain = await run(left);
    await run('view.overlay = "workers";');
    expect(await run(left)).not.toEqual(plain);
    expect((await pixels(page)).words).toEqual(words);
    await end();
  });

  test("says so where double precision ends, and goes no deeper", async () => {
    const { done, run, key, end } = await open(browser);
    const notice = "const { hidden, textContent } = view.shadowRoot.querySelector('[part=notice]');";
    await run(
      `view.maxIterations = 50; view.region = { reMin: -0.75, reMax: -0.75 + 2e-13, imMin: 0.1, imMax: 0.1 + 1.34e-13 };`,
    );
    await done();
    expect(await run(`${notice} return hidden;`)).toBe(true);
    await key(..."++++++++++");
    const { region } = await done();
    expect(await run(`${notice} return hidden ? "" : textContent;`)).toContain("as deep as double precision goes");
    expect((region.reMax - region.reMin) / 300).toBeGreaterThan(2 ** -53 * 0.9);
    await end();
  });

  describe("its life", () => {
    test("elements share one engine, which lives as long as one of them", async () => {
      const { run, workers, end } = await open(browser, {
        body: '<mandelbrot-view id="a"></mandelbrot-view><mandelbrot-view id="b"></mandelbrot-view>',
      });
      await run("await Promise.all([...document.querySelectorAll('mandelbrot-view')].map((one) => one.toBlob()));");
      const threads = await run<number>("return (await view.ready).threads;");
      expect(
        await run("return (await document.querySelector('#a').ready) === (await document.querySelector('#b').ready);"),
      ).toBe(true);
      expect(await workers()).toBe(threads);
      await run("document.querySelector('#a').remove();");
      await run("view.maxIterations = 77; await view.toBlob();"); // the other one lives
      expect(await workers()).toBe(threads);
      await run("view.remove();");
      await expect.poll(workers).toBe(0);
      await end();
    });

    test("an element that is moved keeps its engine and its picture", async () => {
      const { run, done, events, workers, end } = await open(browser);
      await done();
      const before = (await events()).length;
      const count = await workers();
      await run(
        `const box = document.createElement("div"); document.querySelector("main").append(box); box.append(view);`,
      );
      await run("await view.toBlob();");
      expect((await events()).length).toBe(before);
      expect(await workers()).toBe(count);
      await end();
    });

    test("removed while it computes, it stops, and put back, it begins again", async () => {
      const { page, run, done, workers, end } = await open(browser);
      await done();
      await run(`${SLOW} globalThis.kept = view; heard.length = 0;`);
      await until(page, 'heard.at(-1)?.name === "start"');
      await run("view.remove();");
      await expect.poll(workers).toBe(0);
      await run('kept.algorithm = "exact"; kept.maxIterations = 60; document.querySelector("main").append(kept);');
      await until(page, 'heard.at(-1).name === "done"');
      await end();
    });

    test("an engine of the page's own is used, and left open", async () => {
      const { run, done, workers, end } = await open(browser, { body: "" });
      await run(`const { createEngine } = await import("/dist/web.js");
        globalThis.own = await createEngine({ threads: 3 });
        const element = document.createElement("mandelbrot-view");
        element.engine = own;
        document.querySelector("main").append(element);`);
      expect(await done()).toMatchObject({ threads: 3 });
      expect(await workers()).toBe(3);
      await run("view.remove();");
      expect(await run("return (await own.mandelbrot({ width: 8, height: 8 })).counts.length;")).toBe(64);
      await end();
    });

    test("out of sight nothing is computed, until it comes into sight", async () => {
      const { page, run, events, workers, end } = await open(browser, {
        body: '<p id="far"></p><mandelbrot-view></mandelbrot-view>',
        routes: { "/element.css": { body: `${STYLE} #far { height: 4000px }` } },
      });
      await run("await frames();");
      expect(await events()).toEqual([]);
      expect(await workers()).toBe(0);
      await run("view.scrollIntoView();");
      await until(page, 'heard.some(({ name }) => name === "done")');
      await end();
    });

    test("properties set before its script was there hold", async () => {
      const { run, done, end } = await open(browser, { body: "" });
      await run(`const view2 = document.createElement("mandelbrot-view");
        document.querySelector("main").append(view2);`);
      // The class is there already, so this is what it finds in an element that was there before.
      await run(`Object.defineProperty(view, "maxIterations", { value: 123, configurable: true, writable: true });
        const parent = view.parentNode; view.remove(); await null; parent.append(view);`);
      expect(await done()).toMatchObject({ maxIterations: 123 });
      expect(await run("return view.getAttribute('max-iterations')")).toBe("123");
      await end();
    });
  });

  describe("what is wrong", () => {
    test("an attribute that cannot be read is told by an event, and its default holds", async () => {
      const { page, run, done, end } = await open(browser, {
        body: '<mandelbrot-view region="1,2,3" max-iterations="many" palette="ocean"></mandelbrot-view>',
      });
      expect(await done()).toMatchObject({ maxIterations: 1000, region: { reMin: -2, reMax: 1 } });
      await run('heard.length = 0; view.setAttribute("palette", "pink"); await null;');
      await until(page, "heard.length > 0");
      expect(await run("return [heard[0].name, heard[0].message, view.palette];")).toEqual([
        "error",
        '"palette" expected "ocean" or "ember" or "forest" or "gray", got "pink"',
        "ocean",
      ]);
      await end();
    });

    test("a property that cannot be is refused, and nothing changes", async () => {
      const { run, end } = await open(browser);
      const refused = (assignment: string) =>
        run<string>(
          `try { ${assignment}; return "taken"; } catch (error) { return error.code + " " + error.message; }`,
        );
      expect(await refused("view.region = { reMin: 1, reMax: 0, imMin: 0, imMax: 1 }")).toMatch(
        /^E_ARGUMENT "region.reMax"/,
      );
      expect(await refused("view.maxIterations = 0")).toMatch(/^E_ARGUMENT "maxIterations" expected an integer/);
      expect(await refused("view.threads = 1.5")).toMatch(/^E_ARGUMENT "threads"/);
      expect(await refused("view.palette = 'pink'")).toMatch(/^E_ARGUMENT "palette"/);
      expect(await refused("view.overlay = true")).toMatch(/^E_ARGUMENT "overlay"/);
      expect(await refused("view.algorithm = 'fast'")).toMatch(/^E_ARGUMENT "algorithm"/);
      expect(await refused("view.engine = {}")).toMatch(/^E_ARGUMENT "engine"/);
      expect(await refused("view.zoom(0)")).toMatch(/^E_ARGUMENT "factor"/);
      expect(await refused("view.pan(NaN, 0)")).toMatch(/^E_ARGUMENT "dx"/);
      expect(await run("return view.attributes.length;")).toBe(0);
      await end();
    });

    test("an engine that does not start is named in the element, and can be tried again", async () => {
      const { page, run, close } = await open(browser, { routes: { "/dist/kernel.wasm": { status: 404 } } });
      await until(page, 'heard.some(({ name }) => name === "error")');
      const message = await run<string>("return heard.find(({ name }) => name === 'error').message;");
      const notice = await run<string>("return view.shadowRoot.querySelector('[part=notice] span').textContent;");
      expect(notice.toLowerCase()).toBe(message.toLowerCase());
      expect(message.length).toBeGreaterThan(20);
      await expect(run("await view.toBlob();")).rejects.toThrow();
      // The second attempt finds what was missing: an engine.
      await run(`heard.length = 0;
        view.engine = { threads: 1, mode: "single", mandelbrot: () => Promise.reject(new Error("not yet")) };`);
      await until(page, 'heard.some(({ message }) => message === "not yet")');
      await run("heard.length = 0; view.shadowRoot.querySelector('[part=retry]').click();");
      await until(page, 'heard.some(({ name }) => name === "start")');
      await close();
    });

    test("without a document, or a size, there is no picture, and it says why", async () => {
      const { run, end } = await open(browser);
      const rejected = (program: string) =>
        run<string>(`try { ${program}; return "fine"; } catch ({ name, message }) { return name + ": " + message; }`);
      expect(await rejected("await document.createElement('mandelbrot-view').toBlob()")).toMatch(
        /^InvalidStateError: .*no document/,
      );
      expect(await rejected("await document.createElement('mandelbrot-view').ready")).toMatch(/^InvalidStateError/);
      await run("await view.toBlob();");
      expect(
        await rejected(
          "view.hidden = true; const two = document.createElement('mandelbrot-view'); two.hidden = true; document.body.append(two); await two.toBlob()",
        ),
      ).toMatch(/^InvalidStateError: .*no size/);
      await end();
    });

    test("who waits for a picture that is stopped hears of it", async () => {
      const { run, done, end } = await open(browser);
      await done();
      const outcome = `${SLOW} const blob = view.toBlob().then(() => "a picture", ({ name }) => name);
        setTimeout(() => view.abort());
        return await blob;`;
      expect(await run(outcome)).toBe("AbortError");
      await end();
    });
  });

  test("has no accessibility violation, at work, at rest and with a failure", async () => {
    const { page, run, done, end } = await open(browser, {
      body: '<h1>The Mandelbrot set</h1><mandelbrot-view label="Seahorse valley"></mandelbrot-view>',
    });
    const violations = () =>
      page.evaluate(`(async () => {
        return (await axe.run()).violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html));
      })()`);
    await done();
    // The page's policy forbids eval, so axe comes the way that a debugger takes.
    await page.evaluate(axe);
    expect(await violations()).toEqual([]);
    await run(
      `view.engine = { threads: 1, mode: "single", mandelbrot: () => Promise.reject(new Error("no engine today")) };`,
    );
    await until(page, 'heard.some(({ name }) => name === "error")');
    expect(await violations()).toEqual([]);
    expect(await run("return view.shadowRoot.querySelector('[role=application]').ariaLabel;")).toBe("Seahorse valley");
    await end();
  });
});
