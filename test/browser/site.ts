// The pages that the tests open: what is published, as it is, under /dist, on a server with the headers of the case.

import { readFileSync } from "node:fs";
import {
  createSiteServer,
  folderRoutes,
  type Route,
  type SiteServer,
  type SiteServerOptions,
} from "../../web/server.ts";
import { goldenCases } from "../golden.ts";
import { bundleProgram, bundleSuite } from "../runtimes/bundle.ts";

const dist = new URL("../../dist/", import.meta.url);

/** A page that loads nothing but, perhaps, one script. Its icon is none, so that no browser asks for one. */
function page(script?: string): string {
  const element = script === undefined ? "" : `<script type="module" src="${script}"></script>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>allcores</title><link rel="icon" href="/icon.svg">${element}`;
}

const HTML = "text/html; charset=utf-8";
const ICON = '<svg xmlns="http://www.w3.org/2000/svg"/>';

export interface TestSiteOptions extends SiteServerOptions {
  /** The suite test/NAME.ts, bundled; `/suite` runs it. */
  suite?: string;
  /** The program test/NAME.ts, bundled; `/program` runs it. */
  program?: string;
}

/**
 * Starts a server for tests: `/` is an empty page, `/dist/…` what is published. `routes` changes some of it, or adds to it.
 */
export async function createTestSite(options: TestSiteOptions = {}): Promise<SiteServer> {
  const { suite, program, routes = {}, ...rest } = options;
  const own: Record<string, Route> = {
    ...folderRoutes(dist, "/dist/"),
    "/": { body: page(), type: HTML },
    "/icon.svg": { body: ICON },
    "/golden.json": { body: JSON.stringify(goldenCases()) },
  };
  const add = async (path: string, bundle: Promise<string>) => {
    own[path] = { body: page(`${path}.js`), type: HTML };
    own[`${path}.js`] = { body: readFileSync(await bundle) };
  };
  if (suite !== undefined)
    await add(
      "/suite",
      once(`suite ${suite}`, () => bundleSuite(suite, "page")),
    );
  if (program !== undefined)
    await add(
      "/program",
      once(`program ${program}`, () => bundleProgram(program, "page")),
    );
  for (const [path, route] of Object.entries(routes)) own[path] = { ...own[path], ...route };
  return createSiteServer({ ...rest, routes: own });
}

const bundles = new Map<string, Promise<string>>();

/** The path of a bundle, which is made once. */
function once(key: string, make: () => Promise<string>): Promise<string> {
  const path = bundles.get(key) ?? make();
  bundles.set(key, path);
  return path;
}
