// Builds what is missing in build/ and dist/, or older than its sources. The benchmarks and the tests begin here.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @typedef {{ script: string, sources: string[], outputs: string[] }} Part */

/** @type {Part[]} In the order in which they are built: the host's build copies the kernels into dist/. */
const PARTS = [
  {
    script: "build:kernel",
    sources: ["assembly", "asconfig.json"],
    outputs: ["build/kernel.wasm", "build/kernel-scalar.wasm", "build/kernel-serial.wasm"],
  },
  {
    script: "build:host",
    sources: ["src", "node", "web", "assembly/layout.ts", "vite.config.ts", "tsconfig.json", "build/kernel.wasm"],
    outputs: [
      "dist/node.js",
      "dist/node-worker.cjs",
      "dist/web.js",
      "dist/element.js",
      "dist/worker.js",
      "dist/inline.js",
    ],
  },
  {
    script: "build:peers",
    sources: ["test/bench", "test/oracle.ts", "src", "node", "assembly/layout.ts"],
    outputs: ["build/bench/peers.js", "build/bench/plain.wasm"],
  },
];

/**
 * @throws {Error} If a build fails; the message has what it printed.
 */
export function ensureBuilt() {
  for (const part of PARTS) if (isStale(part)) build(part);
}

/** @param {Part} part */
function isStale({ sources, outputs }) {
  const built = Math.min(...outputs.map(modified));
  return sources.some((path) => modified(path) > built);
}

/**
 * When a file, or the newest file of a folder, was modified. 0 if it is not there.
 * @param {string} path
 * @returns {number}
 */
function modified(path) {
  const file = join(root, path);
  if (!existsSync(file)) return 0;
  const stat = statSync(file);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(file).map((name) => modified(join(path, name))));
}

/** @param {Part} part */
function build({ script, outputs }) {
  console.error(`building: npm run ${script}`);
  const { status, error, stdout, stderr } = spawnSync("npm", ["run", script], {
    cwd: root,
    encoding: "utf8",
    shell: process.platform === "win32", // npm is a batch file there
  });
  if (status === 0) return;
  // What a failed build has left behind must not pass for new the next time.
  for (const path of outputs) if (existsSync(join(root, path))) utimesSync(join(root, path), 0, 0);
  throw new Error(`\`npm run ${script}\` failed (${error?.message ?? `status ${status}`}):\n${stdout}${stderr}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureBuilt();
