// The page as it looks, for people: all views, light and dark, wide and phone. The README shows some of them.
//
//   npm run screenshots -- [--all FOLDER]

import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Page } from "puppeteer-core";
import { createSiteServer } from "../../web/server.ts";
import { browser, closeBrowsers } from "./drive.ts";

/** A picture: its name, and how the page comes to look so. */
interface Shot {
  name: string;
  hash: string;
  prepare(page: Page): Promise<unknown>;
}

const SIZES = {
  wide: { width: 1440, height: 900, deviceScaleFactor: 1 },
  phone: { width: 390, height: 844, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};
const THEMES = ["dark", "light"] as const;

/** What the README shows: bytes count, so these are few. */
const README = ["explore-dark", "scaling-light", "counter-dark", "phone-explore-light"];
const MOST_BYTES = 300_000;

const SHOTS: Shot[] = [
  {
    name: "explore",
    hash: "#explore?region=-0.7493,-0.7433,0.10795,0.11245&iterations=2000",
    prepare: async (page) => {
      await page.waitForFunction(`document.querySelector("#live-ms").textContent !== "–"`);
      await page.click("#race");
      await page.waitForFunction(`document.querySelector("#race-result").textContent.includes("times")`);
      // The first picture found cold code.
      await page.evaluate(`document.querySelector("mandelbrot-view").restart()`);
      await settle(page);
    },
  },
  {
    name: "scaling",
    hash: "#scaling?samples=10",
    prepare: async (page) => {
      await page.waitForSelector("#scaling-run:not(:disabled)");
      await page.click("#scaling-run");
      await page.waitForFunction(`document.querySelector("#scaling-said").textContent.startsWith("Done")`, {
        timeout: 120_000,
      });
      await settle(page);
    },
  },
  {
    name: "counter",
    hash: "#counter",
    prepare: async (page) => {
      await page.waitForSelector("#counter-run:not(:disabled)");
      await page.click("#counter-run");
      await page.waitForFunction(`document.querySelector("#counter-said").textContent.startsWith("Done")`);
      await settle(page);
    },
  },
];

/** Until nothing moves any more: transitions, and the thumbnails. */
async function settle(page: Page): Promise<void> {
  await page.evaluate("document.activeElement?.blur()");
  await page.waitForFunction("document.getAnimations().length === 0");
  await page.evaluate("new Promise((resolve) => setTimeout(resolve, 800))");
}

const { values } = parseArgs({ args: argv.slice(3), options: { all: { type: "string" } } });
const folder = values.all ?? "docs/images";
mkdirSync(folder, { recursive: true });
const server = await createSiteServer({ root: pathToFileURL("build/site/") });
try {
  const chromium = await browser("chromium");
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const theme of THEMES) {
      for (const { name, hash, prepare } of SHOTS) {
        const title = `${size === "wide" ? "" : `${size}-`}${name}-${theme}`;
        if (values.all === undefined && !README.includes(title)) continue;
        const media = [{ name: "prefers-color-scheme", value: theme }];
        const { page, problems, close } = await chromium.open({ url: `${server.origin}/${hash}`, viewport, media });
        await prepare(page);
        const path = join(folder, `page-${title}.webp`) as `${string}.webp`;
        await page.screenshot({ path, type: "webp", quality: 82, fullPage: values.all !== undefined });
        const bytes = statSync(path).size;
        console.log(`${path}: ${Math.round(bytes / 1000)} kB${problems.map((problem) => `\n  ${problem}`).join("")}`);
        if (values.all === undefined && bytes > MOST_BYTES)
          throw new Error(`${path} is larger than ${MOST_BYTES} bytes`);
        await close();
      }
    }
  }
} finally {
  await closeBrowsers();
  await server.close();
}
