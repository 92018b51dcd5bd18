// Serves the built site on this machine, with the headers that it is to be served with:
//
//   npm run preview -- [--port 4173] [--headers isolated|document-isolation|none]

import { existsSync } from "node:fs";
import { argv, exit } from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { createSiteServer, ISOLATION, type SiteServerOptions } from "./server.ts";

const site = pathToFileURL("build/site/");

const { values } = parseArgs({
  args: argv.slice(3),
  options: { port: { type: "string", default: "4173" }, headers: { type: "string", default: "isolated" } },
});
const port = Number(values.port);

if (!existsSync(new URL("index.html", site))) fail("There is no site in build/site. Build it: npm run build");
if (!Number.isInteger(port) || port < 0 || port > 65535) fail(`--port expects 0 to 65535, got “${values.port}”`);
if (!isSet(values.headers)) fail(`--headers expects ${Object.keys(ISOLATION).join(", ")}, got “${values.headers}”`);

const server = await createSiteServer({ root: site, port, headers: values.headers }).catch((error) =>
  fail(error.message),
);
console.log(`${server.origin}/ (headers: ${values.headers}). Stop it with Ctrl+C.`);

function isSet(name: string): name is NonNullable<SiteServerOptions["headers"]> {
  return Object.hasOwn(ISOLATION, name);
}

function fail(message: string): never {
  console.error(message);
  exit(1);
}
