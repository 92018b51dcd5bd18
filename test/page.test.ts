// The page, built, under the strictest policy, in Chromium and Firefox. It has nothing to complain of at the end of any test.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { KeyInput, Page } from "puppeteer-core";
import { afterAll, describe, expect, test } from "vitest";
import { readAddress, writeAddress } from "../web/page/address.ts";
import { createSiteServer, type SiteServer, type SiteServerOptions } from "../web/server.ts";
import { browser, browsers, closeBrowsers, type OpenOptions } from "./browser/drive.ts";

const all = await browsers();
const site = new URL("../build/site/", import.meta.url);
const servers = new Map<string, Promise<SiteServer>>();
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The counts of the reference picture, as CPython computed them: the begin of their hash. */
const REFERENCE = "✓ b0df6708";
/** A run of the benchmark that is soon over. */
const SHORT = "#scaling?algorithm=exact&schedule=dynamic&threads=2&samples=3";

afterAll(async () => {
  await closeBrowsers();
  for (const server of servers.values()) await (await server).close();
});

function serve(headers: NonNullable<SiteServerOptions["headers"]>): Promise<SiteServer> {
  const server = servers.get(headers) ?? createSiteServer({ root: site, headers });
  servers.set(headers, server);
  return server;
}

const text = (page: Page, selector: string): Promise<string> =>
  page.evaluate(`document.querySelector(${JSON.stringify(selector)}).textContent.trim()`) as Promise<string>;
const until = (page: Page, condition: string) => page.waitForFunction(condition);
const hash = (page: Page) => page.evaluate("location.hash") as Promise<string>;
/** A key, with the focus on an element. */
const press = async (page: Page, selector: string, key: KeyInput) => {
  await page.focus(selector);
  await page.keyboard.press(key);
};
const says = (page: Page, selector: string, begin: string) =>
  until(page, `document.querySelector("${selector}").textContent.startsWith("${begin}")`);
const ready = (page: Page) => until(page, `!document.querySelector("#mode-label").textContent.startsWith("starting")`);
const drawn = (page: Page) => until(page, `document.querySelector("#live-ms").textContent !== "–"`);

/** What axe finds in the view that is seen, in both themes. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found: string[] = [];
  for (let theme = 0; theme < 2; theme++) {
    await page.click("#theme");
    const results = (await page.evaluate("axe.run()")) as {
      violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
    };
    for (const { id, nodes } of results.violations) {
      found.push(...nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
    }
  }
  return found;
}

describe("the page's address", () => {
  test("what is written is read again", () => {
    const address = writeAddress("explore", { region: "-2,1,-1,1", palette: "ember", threads: undefined });
    expect(address).toBe("#explore?region=-2,1,-1,1&palette=ember");
    const { view, parameters } = readAddress(address);
    expect([view, ...parameters]).toEqual(["explore", ["region", "-2,1,-1,1"], ["palette", "ember"]]);
  });

  test.each(["", "#", "#nothing", "#explore", "#__proto__"])("%j is where to explore", (text) => {
    expect(readAddress(text).view).toBe("explore");
  });
});

describe.each(all.map((browser) => [browser.label, browser] as const))("in %s", (_, browser) => {
  /** Opens the page, and at the end expects that it had nothing to complain of. */
  async function visit(
    address: string,
    use: (page: Page) => Promise<void>,
    headers: NonNullable<SiteServerOptions["headers"]> = "isolated",
    options: OpenOptions = {},
  ): Promise<void> {
    const { origin } = await serve(headers);
    const { page, problems, close } = await browser.open({ ...options, url: `${origin}/${address}` });
    try {
      await ready(page);
      await use(page);
      expect(problems).toEqual([]);
    } finally {
      await close();
    }
  }

  test("explore: what is set by keyboard and pointer is in the address, and the address sets it again", async () => {
    await visit("", async (page) => {
      await drawn(page);
      expect(await text(page, "#mode-label")).toMatch(/^shared · \d+ threads?$/);
      await press(page, "#iterations", "ArrowRight");
      await page.click("#palettes label:nth-child(2)");
      await press(page, "#overlay", " ");
      expect(await hash(page)).toBe("#explore?iterations=1500&palette=ember&overlay=workers");
      expect(await text(page, "#workers")).toContain("worker 0");
      await page.click("#places li:nth-child(2) button");
      await until(page, `location.hash.includes("region=")`);
      const address = await hash(page);
      expect(address).toMatch(
        /^#explore\?region=-0\.7493,-0\.7433,[\d.]+,[\d.]+&iterations=2000&palette=ember&overlay=workers$/,
      );

      await page.reload();
      await drawn(page);
      expect(await hash(page)).toBe(address);
      expect(await text(page, "#iterations-value")).toBe("2,000");
      const seen = await page.evaluate(`(() => {
        const { region, palette, overlay } = document.querySelector("mandelbrot-view");
        return [region.reMin, palette, overlay, document.querySelector("[aria-pressed=true]").textContent];
      })()`);
      expect(seen).toEqual([expect.closeTo(-0.7493, 6), "ember", "workers", "Seahorses"]);
      expect(await violations(page)).toEqual([]);
    });
  });

  test("explore: a race tells how many times as fast all threads are, and the switch sets the threads", async () => {
    await visit("#explore?iterations=100", async (page) => {
      await drawn(page);
      await page.click("#race");
      await until(page, `document.querySelector("#race-result").textContent.includes("times as fast")`);
      await press(page, "#switch input[value=one]", " ");
      await until(page, `document.querySelector("#live-threads").textContent === "1"`);
      expect(await hash(page)).toBe("#explore?iterations=100&threads=1");
    });
  });

  test("scaling: a run by keyboard ends with a verdict, verified counts, a chart, a timeline and the report", async () => {
    await visit(SHORT, async (page) => {
      await until(page, `document.querySelectorAll(".figures tbody tr").length === 4`);
      await page.evaluate(`globalThis.saved = [];
        const create = URL.createObjectURL;
        URL.createObjectURL = (blob) => { saved.push(blob); return create.call(URL, blob); };`);
      await press(page, "#scaling-run", "Enter");
      await says(page, "#scaling-said", "Done. 1,000×1,000 at 1,000 iterations; all counts as CPython computed them");
      const counts = await page.evaluate(
        `[...document.querySelectorAll(".figures td:last-child")].map((cell) => cell.textContent)`,
      );
      expect(counts).toEqual([REFERENCE, REFERENCE, REFERENCE]);
      expect(await text(page, "#scaling-verdicts")).toMatch(/^exact, dynamic: \w.*\.$/);
      expect(await text(page, "#scaling-chart desc")).toMatch(/exact, dynamic, threads: .*1: 1\.00 \(100 %\)/);
      expect(await text(page, "#scaling-timeline desc")).toMatch(/^dynamic: [\d.]+ ms; the workers computed for /);

      await page.click("#json-save");
      await page.click("#svg-save");
      await page.click("#chart-png");
      await until(page, "saved.length === 3");
      const [json = "", svg = "", png = ""] = (await page.evaluate(
        "Promise.all(saved.map((blob) => blob.slice(0, 1e6).text()))",
      )) as string[];
      expect(JSON.parse(json)).toMatchObject({
        schema: "allcores.scaling/1",
        environment: { runtime: "browser", mode: "shared", crossOriginIsolated: true },
        rows: [{ threads: 1 }, { threads: 2 }],
        interrupted: false,
      });
      expect(svg).toMatch(/^<svg xmlns=/);
      expect(png).toContain("PNG");
      expect(await violations(page)).toEqual([]);
    });
  });

  test("scaling: a run that is cancelled stops, and the next one can begin", async () => {
    await visit("#scaling?samples=20", async (page) => {
      await page.click("#scaling-run");
      await says(page, "#scaling-said", "naive, dynamic: ");
      await page.click("#scaling-cancel");
      await says(page, "#scaling-said", "Cancelled");
      expect(await page.evaluate(`document.querySelector("#scaling-run").disabled`)).toBe(false);
      expect(await page.evaluate("document.activeElement.id")).toBe("scaling-run");
    });
  });

  test("counter: guarded, the count is exact; unguarded, it says what was lost, or that nothing was", async () => {
    await visit("#counter?increments=10000", async (page) => {
      await press(page, "#counter-run", "Enter");
      await says(page, "#counter-said", "Done: 10 threads, 10,000 additions each");
      const values = await page.evaluate(
        `[...document.querySelectorAll(".card")].map((card) => [card.querySelector(".value").textContent, card.querySelector(".outcome").textContent])`,
      );
      expect(values).toEqual([
        [expect.stringMatching(/^[\d,]+$/), expect.stringMatching(/^(Additions lost, in |None lost in 200 runs)/)],
        ["100,000", "Exact"],
        ["100,000", "Exact"],
      ]);
      expect(await text(page, "#counter-story")).toMatch(
        /^Without a guard .*the count is exactly 100,000; the lock took/,
      );
      expect(await violations(page)).toEqual([]);
    });
  });

  test("without isolation headers it draws and measures in isolated mode, and says why nothing can be counted", async () => {
    await visit(
      SHORT,
      async (page) => {
        expect(await text(page, "#mode-label")).toMatch(/^isolated · /);
        await page.click("#scaling-run");
        await says(page, "#scaling-said", "Done.");
        const verified = await page.evaluate(
          `[...document.querySelectorAll(".figures td:last-child")].every((cell) => /^✓ [0-9a-f]{8}$/.test(cell.textContent))`,
        );
        expect(verified).toBe(true);
        await page.click('nav a[href^="#counter"]');
        await says(page, "#counter-said", "Not possible here");
        expect(await page.evaluate(`document.querySelector("#counter-run").disabled`)).toBe(true);
        expect(await text(page, "#counter-story")).toMatch(/Cross-Origin-Opener-Policy/);
        expect(await violations(page)).toEqual([]);
        await page.click('nav a[href^="#explore"]');
        await drawn(page);
      },
      "none",
    );
  });

  test("views are steps of the history, and a chosen theme outlives a reload", async () => {
    await visit("#counter?threads=4", async (page) => {
      await page.click('nav a[href^="#scaling"]');
      await until(page, `document.title === "Scaling · allcores"`);
      await page.evaluate("history.back()");
      await until(page, `document.title === "Counter · allcores"`);
      expect(await hash(page)).toBe("#counter?threads=4");
      await page.click("#theme");
      const theme = await page.evaluate("document.documentElement.dataset.theme");
      await page.reload();
      await ready(page);
      expect(await page.evaluate("document.documentElement.dataset.theme")).toBe(theme);
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.id")).toBe("skip");
      await page.keyboard.press("Enter");
      expect(await page.evaluate("document.activeElement.id")).toBe("main");
    });
  });

  // Only Chromium tells of layout shifts.
  test.runIf(browser.name === "chromium").each(["#explore", SHORT, "#counter?increments=10000"])(
    "%s: nothing jumps, from the first paint to the last result",
    async (address) => {
      for (const viewport of [
        { width: 1280, height: 800 },
        { width: 390, height: 844, deviceScaleFactor: 2 },
      ]) {
        await visit(
          address,
          async (page) => {
            const run = { "#e": "#race", "#s": "#scaling-run", "#c": "#counter-run" }[address.slice(0, 2)] as string;
            await page.waitForSelector(`${run}:not(:disabled)`);
            if (run === "#race") await drawn(page);
            // Not by hand: what moves after a click is forgiven.
            await page.evaluate(`document.querySelector("${run}").click()`);
            if (run === "#race")
              await until(page, `document.querySelector("#race-result").textContent.includes("times")`);
            else await says(page, run.replace("run", "said"), "Done");
            const shifts = await page.evaluate(`new Promise((resolve) => {
              const shifts = [];
              const observer = new PerformanceObserver((list) => shifts.push(...list.getEntries()));
              observer.observe({ type: "layout-shift", buffered: true });
              requestAnimationFrame(() => setTimeout(() => resolve(shifts.map(({ value, sources }) =>
                [value, ...sources.map(({ node }) => node?.id || node?.className || node?.nodeName)].join(" ")))));
            })`);
            expect(shifts).toEqual([]);
          },
          "isolated",
          { viewport },
        );
      }
    },
  );
});

test("without scripts it says what it is and what it needs", async () => {
  const { origin } = await serve("isolated");
  const { page, problems, close } = await (await browser("chromium")).open();
  await page.setJavaScriptEnabled(false);
  await page.goto(origin);
  const seen = await page.$eval("body", (body) => body.innerText);
  expect(seen).toContain("needs JavaScript");
  expect(seen).toContain("npx allcores bench");
  expect(problems).toEqual([]);
  await close();
});
