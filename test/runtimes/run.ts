// Runs a bundled suite on a runtime, as a program of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { env } from "node:process";
import { createInterface } from "node:readline";
import type { Runtime } from "./fetch.ts";
import { LINE, type SuiteEvent } from "./protocol.ts";

export interface SuiteResult {
  passed: number;
  failed: number;
  skipped: number;
  failures: { name: string; message: string }[];
  /** Of the whole program. */
  milliseconds: number;
}

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
  const begin = performance.now();
  const result: SuiteResult = { passed: 0, failed: 0, skipped: 0, failures: [], milliseconds: 0 };
  const fail = (name: string, message: string) => {
    result.failed++;
    result.failures.push({ name, message });
  };

  const [executable = "", ...parameters] = runtime.command;
  const child = spawn(executable, [...parameters, bundlePath], { stdio: ["ignore", "pipe", "pipe"], env: cleanEnv() });
  let output = "";
  let running = "";
  let ended = false;
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
    if (!line.startsWith(LINE)) return keep(`${line}\n`);
    const event: SuiteEvent = JSON.parse(line.slice(LINE.length));
    if (event.event === "begin") {
      running = event.name;
    } else if (event.event === "test") {
      running = "";
      if (event.state === "failed") fail(event.name, event.message);
      else result[event.state]++;
    } else {
      ended = true;
      clearTimeout(timer);
      timer = killAfter(exit, `Its tests had ended, but ${exit / 1000} s later something still kept it alive.`);
    }
  });

  // "close" comes after the exit, when everything that the program printed has been read.
  const [code, signal] = await once(child, "close").catch((error) => [`none: ${error.message}`, null]);
  clearTimeout(timer);
  if (!ended || code !== 0) {
    const why = killed || `It exited with ${signal === null ? `status ${code}` : `signal ${signal}`}.`;
    const when = running === "" ? "" : ` while it ran “${running}”`;
    fail(`the program ends after its last test${when}`, `${why} The end of what it printed:\n${output}`);
  }
  result.milliseconds = performance.now() - begin;
  return result;
}

/** The environment, without what makes a program behave as a part of vitest. */
export function cleanEnv(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, NODE_ENV: __, ...rest } = env;
  return Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith("VITEST")));
}
