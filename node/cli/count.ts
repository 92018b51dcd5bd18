// `allcores count`: threads add to one count, guarded or not.

import { MAX_THREADS } from "../../assembly/layout.ts";
import { type CountReport, isWrong, MOST_ATTEMPTS, measureCount } from "../../src/bench/counter.ts";
import { integer, ms, percent, plural } from "../../src/bench/format.ts";
import { createEngine } from "../index.ts";
import { parseChoice, parseInteger } from "./flags.ts";
import { checkWritable, type Io, writeJson } from "./io.ts";

export interface CountFlags {
  threads: string;
  increments: string;
  guard: string;
  json?: string;
}

/** @returns The exit code: 1 if a guarded count was wrong. */
export async function count(flags: CountFlags, io: Io, signal: AbortSignal): Promise<number> {
  const threads = parseInteger("--threads", flags.threads, 1, MAX_THREADS);
  const increments = parseInteger("--increments", flags.increments, 1, 2 ** 31 - 1);
  const guard = parseChoice("--guard", flags.guard, ["lock", "atomic", "none"]);
  checkWritable("--json", flags.json);

  const engine = await createEngine({ threads, mode: "shared" });
  try {
    const report = await measureCount(engine, { threads, increments, guard, signal });
    if (flags.json !== "-") io.out(formatCount(report));
    if (flags.json !== undefined) writeJson(flags.json, report);
    return isWrong(report) ? 1 : 0;
  } finally {
    await engine.close();
  }
}

/** One or two lines: what came out, and what the lock went through. */
export function formatCount(report: CountReport): string {
  const { threads, increments, guard, value, expected, lost, attempts } = report;
  const what = `${plural(threads, "thread")} × ${integer(increments)}, ${guard === "none" ? "no guard" : guard}`;
  const got = `${integer(value)} in ${ms(report.ms)}`;
  if (guard === "none") {
    const runs = `${attempts === 1 ? "the first run" : `run ${attempts}`}`;
    return lost > 0
      ? `${what}: ${got}; ${integer(lost)} of ${integer(expected)} updates lost, in ${runs}`
      : `${what}: ${got}; no update lost in ${MOST_ATTEMPTS} runs: the threads happened to take turns`;
  }
  const exactly = lost === 0 ? "exact" : `WRONG, expected ${integer(expected)}`;
  return `${what}: ${got}; ${exactly}${guard === "lock" ? `\n${formatLock(report)}` : ""}`;
}

function formatLock({ lock, threads }: CountReport): string {
  const share = percent(lock.acquisitions === 0 ? 0 : lock.contended / lock.acquisitions, 2);
  return (
    `  ${plural(lock.acquisitions, "acquisition")}, ${integer(lock.contended)} contended (${share}), ` +
    `${plural(lock.waits, "wait")} of ${ms(lock.waitMs)} in all over ${plural(threads, "thread")}, ` +
    `${plural(lock.rescues, "rescue")}`
  );
}
