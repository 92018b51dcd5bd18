// The conditions that every figure of a benchmark is printed with.

import { cpus, loadavg, totalmem } from "node:os";
import { timerResolution } from "../src/bench/clock.ts";
import { attempt, findCgroupLevels, parsePositive, readText } from "./cgroup.ts";
import { type CoreOptions, readCores, type Throttling } from "./cores.ts";

/** What this process runs on, and under which limits. Plain data: prints as JSON. */
export interface Environment {
  runtime: "node" | "deno" | "bun";
  /** The runtime's version, such as "20.20.2". */
  version: string;
  /** Its JavaScript engine, such as "v8 11.3.244.8", or "jsc" and a commit. Null if it does not say. */
  engine: string | null;
  /** As in `process.platform` and `process.arch`. */
  platform: string;
  arch: string;
  /** The processor's model name, or "unknown". */
  cpu: string;
  /** Logical processors that are online. */
  logicalCores: number;
  /** Threads that can run at once, by affinity and quota. */
  usableCores: number;
  /** Processors that this process may run on. */
  affinity: number;
  /** Processor time that control groups grant, in cores; null: no limit. */
  quota: number | null;
  /** Where the quota was found; null: no limit. */
  quotaSource: string | null;
  /** How often the quota stopped this process's control group; null: no quota, or unknown. */
  throttled: Throttling | null;
  /** The machine's memory; null if Deno has no permission to tell, which holds for `loadAverage`, too. */
  totalMemoryBytes: number | null;
  /** What control groups allow; null: no limit below the machine's memory. */
  memoryLimitBytes: number | null;
  /** Threads that were running or ready to, on the whole machine, averaged over a minute; null on Windows. */
  loadAverage: number | null;
  /** The smallest step of `performance.now()` that was seen, in milliseconds. Infinity if it did not move. */
  timerResolutionMs: number;
  /**
   * Ticks since the machine's start, over all processors, and those that a hypervisor gave to others while this
   * machine had work. Read before and after a measurement, they say how much of it was lost. Null if not on Linux.
   */
  stealTicks: number | null;
  totalTicks: number | null;
}

/** Reads the conditions as they are now. Takes some milliseconds, most for the timer's resolution. Never throws. */
export function readEnvironment(options: CoreOptions = {}): Environment {
  const root = options.root ?? "/";
  const cores = readCores(options);
  return {
    ...readRuntime(),
    platform: process.platform,
    arch: process.arch,
    cpu: readCpuModel(root),
    logicalCores: cores.logical,
    usableCores: cores.usable,
    affinity: cores.affinity,
    quota: cores.quota,
    quotaSource: cores.quotaSource,
    throttled: cores.throttled,
    totalMemoryBytes: attempt(totalmem),
    memoryLimitBytes: readMemoryLimit(root),
    loadAverage: process.platform === "win32" ? null : (attempt(loadavg)?.[0] ?? null),
    timerResolutionMs: timerResolution(() => performance.now()),
    ...readTicks(root),
  };
}

/** Deno and Bun name a Node version, too, the one they are compatible with; and Bun a V8 that it does not have. */
function readRuntime(): Pick<Environment, "runtime" | "version" | "engine"> {
  const { bun, deno, node, v8, webkit } = process.versions as Record<string, string | undefined>;
  if (bun) return { runtime: "bun", version: bun, engine: webkit ? `jsc ${webkit}` : null };
  const engine = v8 ? `v8 ${v8}` : null;
  return deno ? { runtime: "deno", version: deno, engine } : { runtime: "node", version: node ?? "unknown", engine };
}

/** Some systems name the processor in /proc/cpuinfo only, and some boards there name only themselves. */
function readCpuModel(root: string): string {
  const model = attempt(cpus)?.[0]?.model.trim() ?? "";
  if (model !== "" && model !== "unknown") return model;
  const info = readText(root, "/proc/cpuinfo") ?? "";
  return /^(?:model name|Hardware|Model)\s*:[ \t]*(\S.*)$/m.exec(info)?.[1]?.trim() ?? "unknown";
}

/** The lowest limit of all groups. Version 1 writes "no limit" as a number larger than any memory. */
function readMemoryLimit(root: string): number | null {
  const limits = findCgroupLevels(root, "memory").map(({ version, directory }) => {
    return parsePositive(readText(directory, version === 2 ? "memory.max" : "memory.limit_in_bytes"));
  });
  const lowest = Math.min(...limits.filter((limit) => limit !== null));
  return lowest < (attempt(totalmem) ?? Number.MAX_SAFE_INTEGER) ? lowest : null;
}

/** From "cpu  user nice system idle iowait irq softirq steal guest guest_nice", where user and nice include guests. */
export function readTicks(root = "/"): Pick<Environment, "stealTicks" | "totalTicks"> {
  const line = /^cpu +(\d+(?: \d+)*)/m.exec(readText(root, "/proc/stat") ?? "")?.[1];
  const ticks = line?.split(" ").slice(0, 8).map(Number) ?? [];
  const steal = ticks[7];
  if (steal === undefined) return { stealTicks: null, totalTicks: null };
  return { stealTicks: steal, totalTicks: ticks.reduce((sum, each) => sum + each, 0) };
}
