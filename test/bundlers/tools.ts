// The bundlers that pages are built with, from the npm registry. They are no dev dependencies: together they take 200 MB.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cache, provide } from "../npm.ts";

/** What to install, in exact versions. */
const PACKAGES = {
  "Vite 7": ["vite@7.3.8"],
  webpack: ["webpack@5.112.2", "webpack-cli@7.3.1"],
  Parcel: ["parcel@2.16.4"],
  Rollup: ["rollup@4.68.7", "@rollup/plugin-node-resolve@16.0.3"],
  esbuild: ["esbuild@0.28.2"],
} as const satisfies Record<string, readonly string[]>;

/** `Vite` is the one that this project is built with. */
export type Tool = keyof typeof PACKAGES | "Vite";

/** The node_modules in which a tool is, with all that it needs. If it is not there, it is installed; this rejects if that fails. */
export async function modulesOf(tool: Tool): Promise<string> {
  if (tool === "Vite") return fileURLToPath(new URL("../../node_modules", import.meta.url));
  const packages = PACKAGES[tool];
  const folder = join(cache, "bundlers", packages.join("+").replaceAll("/", "-"));
  await provide({ title: tool, packages, tests: "test/bundlers.test.ts" }, folder);
  return join(folder, "node_modules");
}
