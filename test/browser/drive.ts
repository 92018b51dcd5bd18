// Real browsers for the tests: each is launched once a process, and driven over puppeteer-core (Chromium by the DevTools
// protocol, Firefox by WebDriver BiDi).

import { getuid, platform } from "node:process";
import puppeteer, {
  type ConsoleMessage,
  type MediaFeature,
  type Page,
  type Browser as PuppeteerBrowser,
  type Viewport,
} from "puppeteer-core";
import { type BrowserName, findBrowser } from "./find.ts";

/** A browser that runs. */
export interface Browser {
  name: BrowserName;
  /** For people: "Firefox 153.0". */
  label: string;
  version: string;
  puppeteer: PuppeteerBrowser;
  /** Opens a page with storage and a cache of its own. */
  open(options?: OpenOptions): Promise<OpenPage>;
}

export interface OpenOptions {
  /** Where to go; the page is returned when its `load` event has been. Default: an empty page. */
  url?: string | URL;
  /** Default: 1000×700, one pixel a CSS pixel. */
  viewport?: Viewport;
  /** Media features, as `prefers-color-scheme`. Chromium only: Firefox cannot be told over BiDi. */
  media?: MediaFeature[];
}

/**
 * Runs a program in a page, with what is published at /dist/web.js: `createEngine` and `diagnose`. It is given `input`, and
 * what it returns is returned.
 */
export function inPage<T>(page: Page, program: string, input: unknown = {}): Promise<T> {
  return page.evaluate(`(async (input) => {
    const { createEngine, diagnose } = await import("/dist/web.js");
    ${program}
  })(${JSON.stringify(input)})`) as Promise<T>;
}

/** A page, and what it complained of. */
export interface OpenPage {
  page: Page;
  /**
   * The console's errors and warnings (those of workers, too), exceptions that nobody caught, and what the page's policy
   * blocked, in their order. A test takes out what it expects, and expects the rest to be empty.
   */
  problems: string[];
  /** How many workers the page has that live, as the browser counts them; it may hear of an end a little later. */
  workers(): Promise<number>;
  /** Closes the page, and with it everything that it stored. */
  close(): Promise<void>;
}

const VIEWPORT: Viewport = { width: 1000, height: 700, deviceScaleFactor: 1 };

/** A name for this machine that browsers do not take for secure, as they do `localhost`. */
export const INSECURE_HOST = "insecure.test";

/** Milliseconds that a browser may take to start, on a machine that is busy. */
const LAUNCH_MS = 60_000;

const NAMES: readonly BrowserName[] = ["chromium", "firefox"];

const launched = new Map<BrowserName, Promise<Browser>>();

/** Chromium and Firefox, in this order. They run until `closeBrowsers`; if there is one missing, this rejects. */
export function browsers(): Promise<Browser[]> {
  return Promise.all(NAMES.map(browser));
}

/** One of the browsers. */
export function browser(name: BrowserName): Promise<Browser> {
  let running = launched.get(name);
  if (running === undefined) {
    running = launch(name);
    launched.set(name, running);
  }
  return running;
}

/** Ends all browsers of this process. A file of tests that has launched one calls this after its last test. */
export async function closeBrowsers(): Promise<void> {
  const running = [...launched.values()];
  launched.clear();
  // One that could not be launched has said so to whoever asked for it.
  const settled = await Promise.allSettled(running);
  await Promise.all(settled.map((one) => (one.status === "fulfilled" ? one.value.puppeteer.close() : undefined)));
}

async function launch(name: BrowserName): Promise<Browser> {
  const executablePath = await findBrowser(name);
  const isChromium = name === "chromium";
  // Chromium's sandbox does not let root in.
  const unsandboxed = platform === "linux" && getuid?.() === 0 ? ["--no-sandbox"] : [];
  const running = await puppeteer
    .launch({
      browser: isChromium ? "chrome" : "firefox",
      executablePath,
      headless: true,
      timeout: LAUNCH_MS,
      args: isChromium
        ? [...unsandboxed, "--disable-dev-shm-usage", `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`]
        : [],
      extraPrefsFirefox: { "network.dns.localDomains": INSECURE_HOST },
    })
    .catch((error) => {
      throw new Error(`${executablePath} does not start: ${error.message}`, { cause: error });
    });
  const title = await running.version(); // "Chrome/156.0.8078.79", "firefox/153.7"
  const version = /\d+(\.\d+)+/.exec(title)?.[0] ?? title;
  return {
    name,
    label: `${isChromium ? "Chromium" : "Firefox"} ${version}`,
    version,
    puppeteer: running,
    open: (options) => open(name, running, options),
  };
}

async function open(name: BrowserName, running: PuppeteerBrowser, options: OpenOptions = {}): Promise<OpenPage> {
  const { url, viewport = VIEWPORT, media = [] } = options;
  const context = await running.createBrowserContext();
  const problems: string[] = [];
  try {
    const page = await context.newPage();
    await page.setViewport(viewport);
    if (media.length > 0) await page.emulateMediaFeatures(media);
    page.on("console", (message) => {
      if (["error", "warn", "assert"].includes(message.type())) problems.push(describeMessage(message));
    });
    page.on("pageerror", (error) => problems.push(`uncaught: ${error}`));
    if (url !== undefined) await page.goto(String(url), { waitUntil: "load" });
    return { page, problems, workers: () => countWorkers(name, page), close: () => context.close() };
  } catch (error) {
    await context.close();
    throw error;
  }
}

/** Chromium lists them over all pages, each with its page's context. Firefox tells of each that begins or ends. */
async function countWorkers(name: BrowserName, page: Page): Promise<number> {
  if (name === "firefox") return page.workers().length;
  const session = await page.browser().target().createCDPSession();
  const { targetInfos } = await session.send("Target.getTargets", { filter: [{ type: "worker" }] });
  await session.detach();
  return targetInfos.filter(({ browserContextId }) => browserContextId === page.browserContext().id).length;
}

function describeMessage(message: ConsoleMessage): string {
  const { url, lineNumber } = message.location();
  return `${message.type()}: ${message.text()}${url === undefined ? "" : ` (${url}:${lineNumber ?? ""})`}`;
}
