// Serves the built site on this machine, with the headers that it is to be served with:
//
//   npm run preview -- [--port 4173] [--headers isolated|document-isolation|none]

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";

const site = new URL("../build/site/", import.meta.url);

/** @type {{ module: typeof import("../web/server.ts") }} */
const { module } = await runnerImport(fileURLToPath(new URL("../web/server.ts", import.meta.url)), {
  configFile: false,
  logLevel: "error",
});

const { values } = parseArgs({
  options: { port: { type: "string", default: "4173" }, headers: { type: "string", default: "isolated" } },
});
const port = Number(values.port);
const sets = Object.keys(module.ISOLATION);

if (!existsSync(new URL("index.html", site))) fail("There is no site in build/site. Build it: npm run build");
if (!Number.isInteger(port) || port < 0 || port > 65535) fail(`--port expects 0 to 65535, got “${values.port}”`);
if (!sets.includes(values.headers)) fail(`--headers expects ${sets.join(", ")}, got “${values.headers}”`);

const headers = /** @type {keyof typeof module.ISOLATION} */ (values.headers);
const server = await module.createSiteServer({ root: site, port, headers }).catch((error) => fail(error.message));
console.log(`${server.origin}/ (headers: ${headers}). Stop it with Ctrl+C.`);

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}
