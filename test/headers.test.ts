// The recipes of docs/headers.md: each says what web/server.ts sends, and those that can run here, run, and isolate a page in
// real browsers.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer as createPortHolder } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env, execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { build, createServer, preview } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONTENT_SECURITY_POLICY, ISOLATION } from "../web/server.ts";
import { browsers, closeBrowsers } from "./browser/drive.ts";

const text = readFileSync(new URL("../docs/headers.md", import.meta.url), "utf8");

/** The code of a section, whatever its language. */
function recipe(title: string): string {
  const section = text.split(/^## /m).find((section) => section.startsWith(`${title}\n`));
  const code = /```\w+\n([\s\S]*?)```/.exec(section ?? "")?.[1];
  if (code === undefined) throw new Error(`docs/headers.md has no recipe for ${title}`);
  return code;
}

/** Headers and values, as any of those servers is told of them. */
function headersIn(code: string): Record<string, string> {
  const pattern = /\b(Cross-Origin-[A-Za-z-]+|Document-Isolation-Policy)"?:?\s+"?([a-z-]+)"?/g;
  return Object.fromEntries([...code.matchAll(pattern)].map(([, name, value]) => [name, value]));
}

describe("the recipe for", () => {
  test.each(["Vite", "Node", "nginx", "Apache", "Caddy", "Netlify", "Cloudflare Pages"])(
    "%s sends the headers that the project's own server does",
    (title) => {
      expect(headersIn(recipe(title))).toEqual(ISOLATION.isolated);
    },
  );

  test("Document-Isolation-Policy sends what the project's own server does", () => {
    expect(headersIn(recipe("Document-Isolation-Policy (Chromium)"))).toEqual(ISOLATION["document-isolation"]);
  });

  test("a Content Security Policy is the one that the project's own server sends", () => {
    const directives = Object.entries(CONTENT_SECURITY_POLICY).map(([name, value]) => `${name} ${value}`);
    expect(recipe("Content Security Policy")).toBe(`Content-Security-Policy: ${directives.join("; ")}\n`);
  });

  test("each server of the page has been looked at", () => {
    const titles = [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    expect(titles).toEqual([
      ...["Vite", "Node", "nginx", "Apache", "Caddy", "Netlify", "Cloudflare Pages", "GitHub Pages"],
      ...["Document-Isolation-Policy (Chromium)", "Content Security Policy"],
    ]);
  });

  test("the headers named in the table are those, too", () => {
    const rows = [...text.matchAll(/^\| `(.*?)` \| `(.*?)` \|/gm)].map(([, name, value]) => [name, value]);
    expect(Object.fromEntries(rows)).toEqual(ISOLATION.isolated);
  });
});

describe("a page is isolated in every browser, and a file that is not there has the headers, too, when served by", () => {
  // Vite finds itself from the recipe's own folder.
  const folder = mkdtempSync(join(tmpdir(), "allcores-headers-"));
  let node: ChildProcess | undefined;

  beforeAll(() => {
    symlinkSync(fileURLToPath(new URL("../node_modules", import.meta.url)), join(folder, "node_modules"), "junction");
    writeFileSync(join(folder, "index.html"), '<!doctype html><title>page</title><link rel="icon" href="data:,">');
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "vite.config.js"), recipe("Vite"));
    writeFileSync(join(folder, "server.js"), recipe("Node"));
  });

  afterAll(async () => {
    node?.kill();
    await closeBrowsers();
    rmSync(folder, { recursive: true, force: true });
  });

  async function expectIsolation(url: string): Promise<void> {
    for (const path of ["", "nothing.js"]) {
      const response = await fetch(new URL(path, url), { headers: { Accept: "*/*" } });
      expect(Object.fromEntries(response.headers)).toMatchObject(
        Object.fromEntries(Object.entries(ISOLATION.isolated).map(([name, value]) => [name.toLowerCase(), value])),
      );
    }
    for (const browser of await browsers()) {
      const { page, close } = await browser.open({ url });
      expect(await page.evaluate("crossOriginIsolated")).toBe(true);
      await close();
    }
  }

  const quiet = { root: folder, logLevel: "silent" } as const;

  test("Vite's development server", async () => {
    const server = await createServer({ ...quiet, server: { host: "127.0.0.1", port: 0 } });
    await server.listen();
    await expectIsolation(server.resolvedUrls?.local[0] as string);
    await server.close();
  });

  test("Vite's preview", async () => {
    await build(quiet);
    const server = await preview({ ...quiet, preview: { host: "127.0.0.1", port: 0 } });
    await expectIsolation(server.resolvedUrls?.local[0] as string);
    await server.close();
  });

  test("Node", async () => {
    const port = await freePort();
    node = spawn(execPath, ["server.js"], {
      cwd: folder,
      env: { ...env, PORT: String(port) },
      stdio: ["ignore", "inherit", "inherit"],
    });
    await once(node, "spawn");
    const url = `http://127.0.0.1:${port}/`;
    const answers = () =>
      fetch(url).then(
        () => true,
        () => false,
      );
    await expect.poll(answers, { timeout: 10_000 }).toBe(true);
    await expectIsolation(url);
  });
});

async function freePort(): Promise<number> {
  const holder = createPortHolder().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as { port: number };
  holder.close();
  await once(holder, "close");
  return port;
}
