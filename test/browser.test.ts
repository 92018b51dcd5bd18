// The engine in real pages: what is published, served as it is, in Chromium and Firefox.

import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import type { SiteServer, SiteServerOptions } from "../web/server.ts";
import { type Browser, browsers, closeBrowsers, inPage } from "./browser/drive.ts";
import { runSuiteInPage } from "./browser/run.ts";
import { createTestSite } from "./browser/site.ts";

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

async function site(options: SiteServerOptions & { suite?: string } = {}): Promise<SiteServer> {
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

  describe.each(pages(browser))("on a page with %s", (_, headers, isolated) => {
    test("the engine's suite passes, under the strictest policy, and the console stays empty", {
      timeout: 6 * MINUTES,
    }, async () => {
      const { origin } = await site({ headers, suite: "browser/page/engine.suite" });
      const result = await runSuiteInPage(browser, `${origin}/suite?isolated=${isolated}`);
      const { passed, failed, skipped, failures, milliseconds } = result;
      const seconds = (milliseconds / 1000).toFixed(1);
      ran.push({ runtime: `${label}, ${headers}`, passed, failed, skipped });
      console.log(`${label}, ${headers}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds} s`);
      expect(failures.map(({ name, message }) => `${name}\n${message}`).join("\n\n")).toBe("");
      expect(passed).toBeGreaterThan(0);
    });
  });
});

/** The pages that a browser knows: a title, the header set, and whether it isolates. */
function pages(
  browser: Browser,
): [title: string, headers: NonNullable<SiteServerOptions["headers"]>, isolated: boolean][] {
  return [
    ["COOP and COEP", "isolated", true],
    ["neither of them", "none", false],
    ...(browser.name === "chromium"
      ? ([["Document-Isolation-Policy", "document-isolation", true]] as ReturnType<typeof pages>)
      : []),
  ];
}
