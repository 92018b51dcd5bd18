// The package as users meet it: packed, installed into small apps, built by the field's bundlers as docs/bundlers.md says, and
// opened in browsers.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSiteServer, type SiteServerOptions } from "../web/server.ts";
import { type Browser, browser, browsers, closeBrowsers } from "./browser/drive.ts";
import { type App, createWorkshop, type Workshop } from "./bundlers/app.ts";
import { awaitsAtTop, importsOf } from "./bundlers/module.ts";
import { type Recipe, recipe } from "./bundlers/recipe.ts";
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

type Policy = NonNullable<SiteServerOptions["policy"]>;

interface Site {
  /** Of the page, from the site's root. */
  path?: string;
  /** What differs from the strictest: no eval, no inline script, no `blob:`, Trusted Types demanded. */
  policy?: Policy;
}

/** Serves a folder, with the headers and without, and expects exact counts and no complaint. */
async function expectExactInBothModes(
  guest: Browser,
  root: string,
  { path = "", policy = {} }: Site = {},
): Promise<void> {
  for (const [headers, mode] of [
    ["isolated", "shared"],
    ["none", "isolated"],
  ] as const) {
    const server = await createSiteServer({ root, headers, policy });
    try {
      await expectExactAt(guest, `${server.origin}/${path}`, mode);
    } finally {
      await server.close();
    }
  }
}

async function expectExactAt(guest: Browser, url: string, mode: "shared" | "isolated"): Promise<void> {
  expect(await visit(guest, url, golden as NonNullable<typeof golden>)).toEqual({
    mode,
    sha256: golden?.sha256,
    problems: [],
  });
}

/** A policy that allows the one inline script of a folder's index.html: its import map. */
function withImportMap(folder: string): Policy {
  const html = readFileSync(join(folder, "index.html"), "utf8");
  const [, map] = /<script type="?importmap"?>([\s\S]*?)<\/script>/.exec(html) ?? [];
  if (map === undefined) throw new Error(`There is no import map in ${html}`);
  const hash = createHash("sha256").update(map).digest("base64");
  return { "script-src": `'self' 'wasm-unsafe-eval' 'sha256-${hash}'` };
}

/** Runs a recipe's commands, which are to print no warning. */
async function build(app: App, commands: readonly string[]): Promise<void> {
  for (const command of commands) expect(await app.run(command)).not.toMatch(/warn|\(!\)/i);
}

/** An app in which a section of the documentation was followed, but nothing was built yet. */
async function appOf(tool: Tool | undefined, { files }: Recipe, html: string): Promise<App> {
  const app = await workshop.app(tool?.replace(" ", "-") ?? "none", tool);
  app.write({ "main.js": MAIN, "icon.svg": ICON, "index.html": page(html), ...files });
  return app;
}

describe.each(["Vite", "Vite 7"] as const)("%s", (tool) => {
  const section = recipe(tool === "Vite" ? "Vite" : "Vite 7 and older");
  let app: App;
  beforeAll(async () => {
    app = await appOf(tool, section, '<script type="module" src="main.js"></script>');
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
    for (const guest of await browsers()) await expectExactInBothModes(guest, join(app.folder, "dist"));
  });

  test("ships the worker once, and a missing one is called by the name that the build gave it", async () => {
    const assets = join(app.folder, "dist/assets");
    const workers = readdirSync(assets).filter((name) => name.startsWith("worker"));
    expect(workers).toHaveLength(1);
    const [worker] = workers as [string];
    const server = await createSiteServer({
      root: join(app.folder, "dist"),
      routes: { [`/assets/${worker}`]: { status: 404 } },
    });
    const { page: opened, close } = await chromium.open({ url: `${server.origin}/` });
    try {
      await opened.waitForFunction("typeof render === 'function'");
      const message = await opened.evaluate("render({}, { mode: 'shared' }).catch(({ message }) => message)");
      expect(message).toContain(`${server.origin}/assets/${worker}`);
      expect(message).toContain("404");
    } finally {
      await close();
      await server.close();
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

test("Parcel builds, and reads the other doors where package.json says so", { timeout: 4 * MINUTES }, async () => {
  const { files, commands } = recipe("Parcel");
  const { "package.json": manifest = "", ...rest } = files;
  const app = await appOf(
    "Parcel",
    { ...recipe("Parcel"), files: rest },
    '<script type="module" src="main.js"></script>',
  );
  await build(app, commands);
  const dist = join(app.folder, "dist");
  await expectExactInBothModes(chromium, dist, { policy: withImportMap(dist) });

  app.write({
    "package.json": manifest,
    "main.js": `import { ABI_VERSION } from "allcores/layout";\n${MAIN}\nif (ABI_VERSION < 1) throw new Error();`,
  });
  await build(app, ["npx parcel build index.html --no-cache --dist-dir doors"]);
  const doors = join(app.folder, "doors");
  await expectExactInBothModes(chromium, doors, { policy: withImportMap(doors) });
});

// These take a script, and leave the page to the user.
describe.each(["webpack", "Rollup", "esbuild"] as const)("%s", (tool) => {
  test("builds, and the build runs", { timeout: 4 * MINUTES }, async () => {
    const section = recipe(tool);
    const script =
      tool === "webpack" ? '<script defer src="main.js"></script>' : '<script type="module" src="main.js"></script>';
    const app = await appOf(tool, section, script);
    await build(app, section.commands);
    for (const file of ["index.html", "icon.svg"]) cpSync(join(app.folder, file), join(app.folder, "dist", file));
    await expectExactInBothModes(chromium, join(app.folder, "dist"));
  });
});

describe("no bundler", () => {
  const section = recipe("No bundler");
  let folder = "";
  beforeAll(async () => {
    const app = await appOf(undefined, section, `${section.html}<script type="module" src="main.js"></script>`);
    await build(app, section.commands);
    folder = app.folder;
    // A site has only what it serves.
    rmSync(join(folder, "node_modules"), { recursive: true });
    app.write({
      "direct.js": MAIN.replace('import { createEngine } from "allcores"', directImport(section)),
      "direct.html": page('<script type="module" src="direct.js"></script>'),
    });
  });

  test("the file itself is imported, in Chromium and Firefox, under the strictest policy", {
    timeout: MINUTES,
  }, async () => {
    for (const guest of await browsers()) await expectExactInBothModes(guest, folder, { path: "direct.html" });
  });

  test("the import map is used, in Chromium and Firefox, whose hash the policy names", {
    timeout: MINUTES,
  }, async () => {
    const policy = withImportMap(folder);
    for (const guest of await browsers()) await expectExactInBothModes(guest, folder, { policy });
  });
});

/** The statement that a section names beside its blocks. */
function directImport({ text }: Recipe): string {
  const [, statement] = /`(import [^`]+)`/.exec(text) ?? [];
  if (statement === undefined) throw new Error("docs/bundlers.md does not say how to import the file itself");
  return statement;
}

describe("where tools copy no files: allcores/inline", () => {
  const section = recipe("One file for all");
  test.each(["Rollup", "esbuild"] as const)(
    "%s builds one file, and it runs",
    { timeout: 4 * MINUTES },
    async (tool) => {
      const app = await workshop.app(`${tool}-inline`, tool);
      app.write({ ...section.files, "main.js": MAIN.replace('"allcores"', '"allcores/inline"') });
      const command = section.commands.find((line) => line.startsWith(`npx ${tool.toLowerCase()} `));
      expect(command).toBeDefined();
      await build(app, [command as string]);
      const dist = join(app.folder, "dist");
      expect(readdirSync(dist)).toEqual(["main.js"]);
      writeFileSync(join(dist, "icon.svg"), ICON);
      writeFileSync(join(dist, "index.html"), page('<script type="module" src="main.js"></script>'));
      await expectExactInBothModes(chromium, dist, { policy: { "worker-src": "blob:" } });
    },
  );
});

describe("the published files", () => {
  test("what a page imports has no cycle and no Node module, and does not lead to the worker", () => {
    for (const door of ["web.js", "inline.js"]) {
      const seen = reach(join(workshop.installed, "dist"), door);
      expect(seen).not.toContain("worker.js");
    }
  });

  test("the worker is one file: no import, no Node module, nothing awaited at its top", () => {
    const source = readFileSync(join(workshop.installed, "dist/worker.js"), "utf8");
    expect(importsOf(source)).toEqual([]);
    expect(source).not.toMatch(/node:|import\.meta/);
    expect(awaitsAtTop(source)).toBe(false);
  });
});

/** The files that a file imports, itself included; throws if that is a circle, or leads out of the folder. */
function reach(folder: string, file: string, path: readonly string[] = []): string[] {
  if (path.includes(file)) throw new Error(`A circle of imports: ${[...path, file].join(" → ")}`);
  const imported = importsOf(readFileSync(join(folder, file), "utf8"));
  return [
    file,
    ...imported.flatMap((source) => {
      if (!source.startsWith("./")) throw new Error(`${file} imports ${source}, which a page does not have`);
      return reach(folder, source.slice(2), [...path, file]);
    }),
  ];
}

test("on a server, the import does nothing, and an engine is refused with the reason", async () => {
  const script = `import("allcores").then(({ createEngine }) => createEngine()).catch(({ code }) => console.log(code))`;
  const { stdout, stderr } = await run(execPath, ["--conditions=browser", "--eval", script], { cwd: workshop.folder });
  expect({ stdout, stderr }).toEqual({ stdout: "E_UNSUPPORTED\n", stderr: "" });
});

test("a strict TypeScript program of a page type-checks, without Node's types", { timeout: MINUTES }, async () => {
  const app = await workshop.app("types");
  app.write({
    "main.ts": `import { createEngine, diagnose, type Engine, EngineError } from "allcores";
      import { createEngine as createInline } from "allcores/inline";
      import { ABI_VERSION } from "allcores/layout";
      export async function show(canvas: HTMLCanvasElement): Promise<void> {
        const engine: Engine = await createEngine({ threads: 2 });
        const { counts } = await engine.mandelbrot({ width: canvas.width, height: canvas.height });
        canvas.title = \`\${counts.length} \${engine.mode} \${engine.modeReason.code} \${ABI_VERSION}\`;
        await engine.close();
        // @ts-expect-error There is no such mode.
        await createInline({ mode: "fast" }).catch((error: unknown) => error instanceof EngineError && error.code);
        await diagnose();
        // @ts-expect-error There are no Node types here.
        process.exit();
      }`,
  });
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  for (const resolution of [{ module: "esnext", moduleResolution: "bundler" }, { module: "nodenext" }]) {
    const base = {
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      target: "es2022",
      lib: ["es2022", "dom"],
      types: [],
    };
    app.write({ "tsconfig.json": JSON.stringify({ compilerOptions: { ...base, ...resolution }, files: ["main.ts"] }) });
    const { stdout } = await run(execPath, [tsc, "-p", app.folder]).catch((error) => error);
    expect(stdout).toBe("");
  }
});
