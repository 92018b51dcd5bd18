// Opens an app in a browser, and lets it render a golden case.

import type { Browser } from "../browser/drive.ts";
import type { GoldenCase } from "../golden.ts";

/** What is asked of an app, and what it tells. */
export interface Rendered {
  mode: string;
  /** Of the counts as bytes. */
  sha256: string;
  /** What the browser complained of, and requests without an answer or with an error for one. */
  problems: string[];
}

/** Of an app: what its page calls. `render` is there when the app has been loaded. */
export const MAIN = `import { createEngine } from "allcores";

globalThis.render = async (picture, options) => {
  const engine = await createEngine({ threads: 2, ...options });
  const { counts } = await engine.mandelbrot(picture);
  const digest = await crypto.subtle.digest("SHA-256", counts);
  await engine.close();
  const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { mode: engine.mode, sha256 };
};
`;

/** A page for MAIN. Without an icon of its own, a browser would ask for one. */
export function page(head: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>allcores</title>
<link rel="icon" href="icon.svg">
${head}
</html>
`;
}

export const ICON = `<svg xmlns="http://www.w3.org/2000/svg"/>`;

export async function visit(browser: Browser, url: string, golden: GoldenCase): Promise<Rendered> {
  const { page, problems, close } = await browser.open();
  try {
    page.on("response", (response) => {
      if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`);
    });
    page.on("requestfailed", (request) => problems.push(`${request.failure()?.errorText}: ${request.url()}`));
    await page.goto(url, { waitUntil: "load" });
    await page.waitForFunction("typeof render === 'function'", { timeout: 20_000 }).catch((error) => {
      throw new Error(`The app's script did not run: ${problems.join("; ")}`, { cause: error });
    });
    const { width, height, region, maxIterations } = golden;
    const picture = JSON.stringify({ width, height, region, maxIterations });
    const rendered = (await page.evaluate(`render(${picture})`)) as Pick<Rendered, "mode" | "sha256">;
    return { ...rendered, problems };
  } finally {
    await close();
  }
}
