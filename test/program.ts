// Runs what is built as a user does: as a program of its own.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

export interface ProgramOptions {
  /** Beside the test's own environment. */
  env?: NodeJS.ProcessEnv;
  /** Sees what was written to stdout so far, as it comes, and may send a signal. */
  onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs `allcores` with these arguments. */
export function allcores(args: string[], options?: ProgramOptions): Promise<Outcome> {
  return runProgram(cli, args, options);
}

/** Runs a script with these arguments. */
export function runProgram(path: string, args: string[], options: ProgramOptions = {}): Promise<Outcome> {
  const { env = {}, onOutput } = options;
  const child = spawn(process.execPath, [path, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const outcome: Outcome = { status: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    outcome.stdout += text;
    onOutput?.(outcome.stdout, (signal) => child.kill(signal));
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    outcome.stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ ...outcome, status }));
  });
}

/** Calls `use` with a new folder, which is deleted afterwards. */
export async function withFolder<T>(use: (path: (name: string) => string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "allcores-test-"));
  try {
    return await use((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
