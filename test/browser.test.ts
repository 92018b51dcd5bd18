// The engine in real pages: what is published, served as it is, in Chromium and Firefox.

import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { SiteServer } from "../web/server.ts";
import { browsers, closeBrowsers, inPage } from "./browser/drive.ts";
import { findBrowser } from "./browser/find.ts";
import { runSuiteInPage } from "./browser/run.ts";
import { createTestSite, type TestSiteOptions } from "./browser/site.ts";

const MINUTES = 60_000;

const all = await browsers();
const servers: SiteServer[] = [];

/** What ran where; .ci/summary.js adds it up. */
const ran: { runtime: string; passed: number; failed: number; skipped: number }[] = [];

afterAll(async () => {
  await closeBrowsers();
  await Promise.all(servers.map((server) => server.close()));
  const report = new URL("../build/browsers-report.json", import.meta.url);
  mkdirSync(new URL(".", report), { recursive: true });
  writeFileSync(report, JSON.stringify(ran));
});

async function site(options: TestSiteOptions = {}): Promise<SiteServer> {
  const server = await createTestSite(options);
  servers.push(server);
  return server;
}

describe.each(all.map((browser) => [browser.label, browser] as const))("in %s", (label, browser) => {
  test("a suite's tests pass, fail and are skipped as under vitest", async () => {
    const { origin } = await site({ suite: "runtimes/harness.suite" });
    const { passed, failed, skipped } = await runSuiteInPage(browser, `${origin}/suite`);
    expect({ passed, failed, skipped }).toEqual({ passed: 5, failed: 9, skipped: 3 });
  });

  test.each(["shared", "isolated"] as const)(
    "100 times created, used and closed, an engine in %s mode leaves no worker behind",
    { timeout: MINUTES },
    async (mode) => {
      const { page, problems, workers, close } = await browser.open({ url: (await site()).origin });
      await inPage(page, "globalThis.engine = await createEngine(input);", { mode, threads: 3 });
      expect(await workers()).toBe(3); // they are counted
      await inPage(page, "await engine.close();");
      await expect.poll(workers).toBe(0);
      const cycle = `const engine = await createEngine(input);
        await engine.mandelbrot({ width: 10, height: 10 });
        await engine.close();`;
      await inPage(page, `for (let cycle = 0; cycle < 100; cycle++) { ${cycle} }`, { mode, threads: 2 });
      await expect.poll(workers).toBe(0);
      expect(problems).toEqual([]);
      await close();
    },
  );

  const understands = browser.name === "chromium";
  test(`a page with Document-Isolation-Policy is ${understands ? "" : "not "}isolated, and the engine runs`, async () => {
    const { origin } = await site({ headers: "document-isolation" });
    const { page, problems, close } = await browser.open({ url: origin });
    const program = `const engine = await createEngine();
      const { mode, modeReason } = engine;
      const { counts } = await engine.mandelbrot({ width: 10, height: 10 });
      await engine.close();
      return [crossOriginIsolated, mode, modeReason.code, counts.length];`;
    const expected = understands ? [true, "shared", "threads-available"] : [false, "isolated", "not-isolated"];
    expect(await inPage(page, program)).toEqual([...expected, 100]);
    expect(problems).toEqual([]);
    await close();
  });

  describe.each([
    ["COOP and COEP", "isolated"],
    ["neither of them", "none"],
  ] as const)("on a page with %s", (_, headers) => {
    test("the engine's suite passes, under the strictest policy, and the console stays empty", {
      timeout: 6 * MINUTES,
    }, async () => {
      const { origin } = await site({ headers, suite: "browser/page/engine.suite" });
      const result = await runSuiteInPage(browser, `${origin}/suite?isolated=${headers === "isolated"}`);
      const { passed, failed, skipped, failures, milliseconds } = result;
      const seconds = (milliseconds / 1000).toFixed(1);
      ran.push({ runtime: `${label}, ${headers}`, passed, failed, skipped });
      console.log(`${label}, ${headers}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds} s`);
      expect(failures.map(({ name, message }) => `${name}\n${message}`).join("\n\n")).toBe("");
      expect(passed).toBeGreaterThan(0);
    });
  });
});

test("a browser that a variable names, and that is not there, is an error that says so", async () => {
  vi.stubEnv("ALLCORES_FIREFOX", "/nowhere/firefox");
  await expect(findBrowser("firefox")).rejects.toThrow("ALLCORES_FIREFOX names /nowhere/firefox, which is not");
  vi.unstubAllEnvs();
});

// The last one: it ends the browsers.
test("closing the browsers leaves none of their processes", async () => {
  const groups = all.map(({ puppeteer }) => puppeteer.process()?.pid as number);
  expect(groups.every(isRunning)).toBe(true);
  await closeBrowsers();
  // A dead process counts until the system has collected it.
  await expect.poll(() => groups.some(isRunning), { timeout: 10_000 }).toBe(false);
});

/** Whether any process of a group is there; on Windows, whether its first one is. */
function isRunning(group: number): boolean {
  try {
    return process.kill(process.platform === "win32" ? group : -group, 0);
  } catch {
    return false;
  }
}
