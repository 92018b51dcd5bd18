// Runs a bundled suite on a runtime, as a program of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { env } from "node:process";
import { createInterface } from "node:readline";
import type { Runtime } from "./fetch.ts";
import { type SuiteResult, SuiteTally } from "./tally.ts";

/** How long a program may take. */
export interface Limits {
  /** Milliseconds for the tests. Default: 5 minutes. */
  tests?: number;
  /** Milliseconds after the last test: an idle engine does not keep a program alive. Default: 10,000. */
  exit?: number;
}

/** Characters of what a program printed that are shown when it fails. */
const OUTPUT_LENGTH = 4000;

/**
 * Runs a suite. Whatever goes wrong is one of the failures: a test that fails, a program that crashes, ends before its
 * tests do, takes too long, or does not end by itself.
 */
export async function runSuite(runtime: Runtime, bundlePath: string, limits: Limits = {}): Promise<SuiteResult> {
  const { tests = 300_000, exit = 10_000 } = limits;
  const tally = new SuiteTally();
  const [executable = "", ...parameters] = runtime.command;
  const child = spawn(executable, [...parameters, bundlePath], { stdio: ["ignore", "pipe", "pipe"], env: cleanEnv() });
  let output = "";
  let killed = "";
  const killAfter = (milliseconds: number, why: string) =>
    setTimeout(() => {
      killed = why;
      child.kill("SIGKILL");
    }, milliseconds);
  let timer = killAfter(tests, `Its tests had not ended after ${tests / 1000} s.`);

  const keep = (text: string) => {
    output = (output + text).slice(-OUTPUT_LENGTH);
  };
  child.stderr.setEncoding("utf8").on("data", keep);
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (!tally.hear(line)) keep(`${line}\n`);
    else if (tally.ended) {
      clearTimeout(timer);
      timer = killAfter(exit, `Its tests had ended, but ${exit / 1000} s later something still kept it alive.`);
    }
  });

  // "close" comes after the exit, when everything that the program printed has been read.
  const [code, signal] = await once(child, "close").catch((error) => [`none: ${error.message}`, null]);
  clearTimeout(timer);
  if (!tally.ended || code !== 0) {
    const why = killed || `It exited with ${signal === null ? `status ${code}` : `signal ${signal}`}.`;
    tally.fail("the program ends after its last test", `${why} The end of what it printed:\n${output}`);
  }
  return tally.result();
}

/** The environment, without what makes a program behave as a part of vitest. */
function cleanEnv(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, NODE_ENV: __, ...rest } = env;
  return Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith("VITEST")));
}
