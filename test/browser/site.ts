// The pages that the tests open: what is published, as it is, under /dist, on a server with the headers of the case.

import { readFileSync } from "node:fs";
import {
  createSiteServer,
  folderRoutes,
  type Routes,
  type SiteServer,
  type SiteServerOptions,
} from "../../web/server.ts";
import { goldenCases } from "../golden.ts";
import { bundleSuite } from "../runtimes/bundle.ts";

const dist = new URL("../../dist/", import.meta.url);

/** A page that loads nothing but, perhaps, one script. Its icon is none, so that no browser asks for one. */
function page(script?: string): string {
  const element = script === undefined ? "" : `<script type="module" src="${script}"></script>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>allcores</title><link rel="icon" href="/icon.svg">${element}`;
}

const ICON = '<svg xmlns="http://www.w3.org/2000/svg"/>';

/**
 * Starts a server for tests: `/` is an empty page, `/dist/…` what is published, and `/suite` runs the suite of that
 * bundle, if one is named. `routes` changes some of it, or adds to it.
 */
export async function createTestSite(options: SiteServerOptions & { suite?: string } = {}): Promise<SiteServer> {
  const { suite, routes = {}, ...rest } = options;
  const own: Record<string, Routes[string]> = {
    ...folderRoutes(dist, "/dist/"),
    "/": { body: page(), type: "text/html; charset=utf-8" },
    "/icon.svg": { body: ICON },
    "/golden.json": { body: JSON.stringify(goldenCases()) },
  };
  if (suite !== undefined) {
    own["/suite"] = { body: page("/suite.js"), type: "text/html; charset=utf-8" };
    own["/suite.js"] = { body: readFileSync(await bundled(suite)) };
  }
  for (const [path, route] of Object.entries(routes)) own[path] = { ...own[path], ...route };
  return createSiteServer({ ...rest, routes: own });
}

const bundles = new Map<string, Promise<string>>();

/** The path of a bundle, which is made once. */
function bundled(suite: string): Promise<string> {
  let path = bundles.get(suite);
  if (path === undefined) {
    path = bundleSuite(suite, "page");
    bundles.set(suite, path);
  }
  return path;
}
