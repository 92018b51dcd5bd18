// npm, for what the tests need from its registry and is no dev dependency: it is installed when it is first asked for, into
// node_modules/.cache, and stays there.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { pid, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { withLock } from "./lock.ts";

const run = promisify(execFile);

/** Where what is installed is kept. */
export const cache = fileURLToPath(new URL("../node_modules/.cache/allcores", import.meta.url));

/** Runs npm in a folder, and returns what it printed. */
export async function npm(parameters: readonly string[], cwd?: string): Promise<string> {
  if (platform !== "win32") return (await run("npm", parameters, { cwd })).stdout;
  // npm is a batch file there, which only a shell runs, and a shell splits at spaces.
  const quoted = parameters.map((parameter) => `"${parameter}"`);
  return (await run("npm.cmd", quoted, { cwd, shell: true })).stdout;
}

/** Something that tests need, and that npm has. */
export interface Need {
  /** For people: "Deno 2". */
  title: string;
  /** As npm takes them: "name@range". */
  packages: readonly string[];
  /** The file of tests that can be left out where this cannot be had. */
  tests: string;
}

/**
 * Installs packages into a folder unless it is there, as one process alone. `prepare` gets the folder of an install that is
 * new, and makes it ready.
 *
 * @throws {Error} (as a rejection) If npm cannot install them, with what to do.
 */
export async function provide(need: Need, folder: string, prepare?: (folder: string) => void): Promise<void> {
  await withLock(`${folder}.lock`, () => install(need, folder, prepare));
}

async function install({ title, packages, tests }: Need, folder: string, prepare?: (folder: string) => void) {
  if (existsSync(folder)) return;
  // An install that was interrupted must not look like a complete one, so it happens elsewhere.
  const temporary = `${folder}.${pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    const begin = performance.now();
    const options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await npm(["install", "--prefix", temporary, ...options, ...packages]);
    prepare?.(temporary);
    renameSync(temporary, folder);
    console.log(`installed ${title} into ${folder} in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  } catch (error) {
    throw new Error(
      `${title} is needed for testing, but ${packages.join(", ")} could not be installed from the npm registry. ` +
        "Run the tests again where the registry can be reached; once installed, it is kept in node_modules/.cache. " +
        `To test without it: npx vitest run --exclude ${tests}`,
      { cause: error },
    );
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
