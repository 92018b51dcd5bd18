// The package as users meet it: packed, installed into small apps, built by the field's bundlers as docs/bundlers.md says, and
// opened in browsers.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseAst } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSiteServer, type SiteServerOptions } from "../web/server.ts";
import { type Browser, browser, browsers, closeBrowsers } from "./browser/drive.ts";
import { type App, createWorkshop, type Workshop } from "./bundlers/app.ts";
import { recipe } from "./bundlers/recipe.ts";
import type { Tool } from "./bundlers/tools.ts";
import { ICON, MAIN, page, visit } from "./bundlers/visit.ts";
import { goldenCases } from "./golden.ts";

const MINUTES = 60_000;
const root = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);
const golden = goldenCases().find(({ name }) => name === "seahorse300x200");
if (golden === undefined) throw new Error("There is no golden case seahorse300x200");

let workshop: Workshop;
let chromium: Browser;
beforeAll(async () => {
  [workshop, chromium] = await Promise.all([createWorkshop(), browser("chromium")]);
}, 3 * MINUTES);
afterAll(async () => {
  await closeBrowsers();
  workshop?.close();
});

/**
 * What a page needs that knows nothing of Trusted Types: a bundler finds `new Worker(new URL(…))` only as it stands, and that
 * is a URL which no policy has passed.
 */
const WITHOUT_TRUSTED_TYPES = { "require-trusted-types-for": null, "trusted-types": null };

/** Serves a folder, renders there, and expects exact counts in this mode, and no complaint. */
async function expectExact(
  guest: Browser,
  folder: string,
  mode: "shared" | "isolated",
  policy: SiteServerOptions["policy"] = {},
): Promise<void> {
  const server = await createSiteServer({
    root: folder,
    headers: mode === "shared" ? "isolated" : "none",
    policy: policy === null ? null : { ...WITHOUT_TRUSTED_TYPES, ...policy },
  });
  try {
    await expectExactAt(guest, `${server.origin}/`, mode);
  } finally {
    await server.close();
  }
}

async function expectExactAt(guest: Browser, url: string, mode: "shared" | "isolated"): Promise<void> {
  expect(await visit(guest, url, golden as NonNullable<typeof golden>)).toEqual({
    mode,
    sha256: golden?.sha256,
    problems: [],
  });
}

/** Runs a recipe's commands, which are to print no warning. */
async function build(app: App, commands: readonly string[]): Promise<void> {
  for (const command of commands) expect(await app.run(command)).not.toMatch(/warn|\(!\)/i);
}

/** An app in which a tool's section of the documentation was followed, but nothing was built yet. */
async function appOf(tool: Tool): Promise<App> {
  const app = await workshop.app(tool.replace(" ", "-"), tool);
  app.write({ "main.js": MAIN, "icon.svg": ICON, ...recipe(tool).files });
  return app;
}

describe.each(["Vite", "Vite 7"] as const)("%s", (tool) => {
  const section = recipe(tool === "Vite" ? "Vite" : "Vite 7 and older");
  let app: App;
  beforeAll(async () => {
    app = await workshop.app(tool.replace(" ", "-"), tool);
    app.write({ "main.js": MAIN, "icon.svg": ICON, ...section.files });
    app.write({ "index.html": page('<script type="module" src="/main.js"></script>') });
  }, 3 * MINUTES);

  test("its development server serves what it is given", { timeout: MINUTES }, async () => {
    const server = await app.serve("npx vite");
    try {
      await expectExactAt(chromium, `${server.origin}/`, "shared");
    } finally {
      await server.close();
    }
  });

  test("builds, and the build runs in Chromium and Firefox", { timeout: MINUTES }, async () => {
    await build(app, section.commands);
    for (const guest of await browsers()) {
      await expectExact(guest, join(app.folder, "dist"), "shared");
      await expectExact(guest, join(app.folder, "dist"), "isolated");
    }
  });

  test("its preview serves the build with the headers", { timeout: MINUTES }, async () => {
    const server = await app.serve("npx vite preview");
    try {
      await expectExactAt(chromium, `${server.origin}/`, "shared");
    } finally {
      await server.close();
    }
  });
});
