// What a visitor's first load of each view of the page costs, compressed, without the kernel. Fails above the budget.

import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const BUDGET = 60 * 1024;
const VIEWS = ["explore", "scaling", "counter"];

const site = new URL("../build/site/", import.meta.url);

/** @typedef {{ file: string, src?: string, imports?: string[], dynamicImports?: string[], css?: string[] }} Chunk */

await build({ configFile: "web/page/vite.config.ts", logLevel: "warn" });
/** @type {Record<string, Chunk>} */
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", site), "utf8"));
const files = readdirSync(site, { recursive: true, encoding: "utf8" }).map((file) => file.replaceAll("\\", "/"));
const sizeOf = (/** @type {string} */ file) => gzipSync(readFileSync(new URL(file, site)), { level: 9 }).length;
// Every engine starts workers, from one of two files, as the page has Trusted Types or not: the greater one counts.
const [worker = ""] = files.filter((file) => /^assets\/worker-/.test(file)).sort((a, b) => sizeOf(b) - sizeOf(a));
const always = ["index.html", worker, ...files.filter((file) => /^[\w.-]+\.(js|svg)$/.test(file))];

let failed = false;
for (const view of VIEWS) {
  const chunks = new Set(["index.html", `${view}.ts`].flatMap((entry) => withImports(entry)));
  const loaded = new Set([
    ...always,
    ...[...chunks].flatMap((name) => [chunkOf(name).file, ...(chunkOf(name).css ?? [])]),
  ]);
  const sizes = [...loaded].map((file) => ({ file, bytes: sizeOf(file) }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const parts = sizes.sort((a, b) => b.bytes - a.bytes).map(({ file, bytes }) => `  ${kib(bytes)}  ${file}`);
  console.log(`${view}: ${kib(total)} of ${kib(BUDGET)} on the first load, gzip\n${parts.join("\n")}`);
  if (total > BUDGET) failed = true;
}
if (failed) {
  console.error(`The page is above its budget of ${kib(BUDGET)}: load less at first, or load it later.`);
  process.exitCode = 1;
}

/**
 * A chunk of the manifest and all that it imports at once.
 * @param {string} name
 * @returns {string[]}
 */
function withImports(name) {
  return [name, ...(chunkOf(name).imports ?? []).flatMap((each) => withImports(each))];
}

/** @param {string} name */
function chunkOf(name) {
  const chunk = manifest[name];
  if (chunk === undefined) throw new Error(`the site's manifest has no ${name}`);
  return chunk;
}

/** @param {number} bytes */
function kib(bytes) {
  return `${(bytes / 1024).toFixed(1).padStart(5)} KiB`;
}
