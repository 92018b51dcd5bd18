// Runs a bundled suite in a page.

import { type SuiteResult, SuiteTally } from "../runtimes/tally.ts";
import type { Browser } from "./drive.ts";

/** Milliseconds that all tests of a suite may take. */
const TESTS_MS = 300_000;

/**
 * Opens a page that runs a suite, and waits for its end. Whatever goes wrong is one of the failures: a test that fails, a
 * page that crashes, an error or a warning on its console, an exception that nobody caught.
 */
export async function runSuiteInPage(browser: Browser, url: string): Promise<SuiteResult> {
  const tally = new SuiteTally();
  const { page, problems, close } = await browser.open();
  try {
    const ended = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`its tests had not ended after ${TESTS_MS / 1000} s`)), TESTS_MS);
      const settle = (how: () => void) => {
        clearTimeout(timer);
        how();
      };
      page.on("console", (message) => {
        const text = message.text();
        if (!tally.hear(text) && message.type() === "log") console.log(`${browser.label}: ${text}`);
        if (tally.ended) settle(resolve);
      });
      page.on("error", (error) => settle(() => reject(error)));
      page.on("close", () => settle(() => reject(new Error("the page was closed"))));
    });
    await Promise.all([ended, page.goto(url)]);
  } catch (error) {
    tally.fail("the page runs its tests to their end", String(error));
  } finally {
    await close();
  }
  for (const problem of problems) tally.fail("the page has nothing to complain of", problem);
  return tally.result();
}
