// How many cores this process may really use. Runtimes know a part of the answer: Node 20 ignores a container's CPU
// quota, Deno and Bun round it down.

import { availableParallelism, cpus } from "node:os";
import { attempt, type CgroupLevel, findCgroupLevels, parsePositive, readText } from "./cgroup.ts";

/** How often a CPU quota stopped this process's control group. */
export interface Throttling {
  /** Periods (100 ms each, by default) in which the group ran. */
  periods: number;
  /** Those in which it used its quota up and had to wait for the next one. */
  throttledPeriods: number;
  /** Milliseconds that it waited, summed over the processors. */
  throttledMs: number;
}

/** The cores of this machine, and what is left of them for this process. */
export interface CoreReport {
  /** Logical processors that are online. At least 1. */
  logical: number;
  /** Those that this process may run on, by its affinity mask or its container's set of processors. At least 1. */
  affinity: number;
  /** Processor time that control groups grant, in cores; may be fractional. Null: no limit. */
  quota: number | null;
  /** Where the quota was found, such as "cgroup v2 /docker/x cpu.max". Null: no limit. */
  quotaSource: string | null;
  /** Threads that can run at once: affinity and quota taken together. At least 1. */
  usable: number;
  /** Null: no quota, so nothing is throttled, or the counts cannot be read. */
  throttled: Throttling | null;
}

/** For tests: where to look instead of at this machine. */
export interface CoreOptions {
  /** A folder to take for "/" when reading /proc and /sys. Default: "/". */
  root?: string;
  /** What counts as the affinity where no mask can be read. Default: `os.availableParallelism()`. */
  parallelism?: number;
}

/** A control group that has a quota. */
interface QuotaLevel extends CgroupLevel {
  /** In cores. */
  quota: number;
}

/** Finds the cores that this process may use now; both mask and quota can change while it runs. Never throws. */
export function readCores(options: CoreOptions = {}): CoreReport {
  const { root = "/", parallelism = availableParallelism() } = options;
  const logical = Math.max(1, attempt(() => cpus().length) ?? parallelism);
  const affinity = countAffinity(root, logical, parallelism);
  const levels = findQuotas(root);
  // The first of equals is the innermost, whose name tells the most.
  const lowest = levels.reduce<QuotaLevel | null>((low, each) => (low && low.quota <= each.quota ? low : each), null);
  return {
    logical,
    affinity,
    quota: lowest?.quota ?? null,
    quotaSource:
      lowest && `cgroup v${lowest.version} ${lowest.path} ${lowest.version === 2 ? "cpu.max" : "cpu.cfs_quota_us"}`,
    usable: countUsable(affinity, lowest?.quota ?? null),
    throttled: findThrottling(levels),
  };
}

/** Rounded up, for a fraction of a core is worth a thread: of 1.5 cores, one thread would leave a third unused. */
function countUsable(affinity: number, quota: number | null): number {
  return quota === null ? affinity : Math.min(affinity, Math.ceil(quota));
}

/**
 * The system's own list is asked first, because `availableParallelism` of Deno and Bun (and, in part, of Node from
 * libuv 1.49 on) has the quota in it, rounded down: of 1.5 cores it leaves one.
 */
function countAffinity(root: string, logical: number, parallelism: number): number {
  const status = readText(root, "/proc/self/status") ?? "";
  const allowed = parseProcessors(/^Cpus_allowed_list:(.*)$/m.exec(status)?.[1]);
  if (allowed === null) return Math.max(1, parallelism);
  // A mask may name processors that the machine could have but has not.
  const online = parseProcessors(readText(root, "/sys/devices/system/cpu/online"));
  const present =
    online === null ? Math.min(logical, allowed.size) : [...allowed].filter((cpu) => online.has(cpu)).length;
  return Math.max(1, present);
}

/** A list such as "0-3,8"; null if it is not one, or empty. */
function parseProcessors(text: string | undefined | null): Set<number> | null {
  const MOST = 65536; // Linux can be built for 8192; a larger number is an error, and not to be counted to
  const found = new Set<number>();
  for (const part of (text ?? "").trim().split(",")) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined || Number(last) >= MOST) return null;
    for (let cpu = Number(first); cpu <= Number(last); cpu++) found.add(cpu);
  }
  return found.size > 0 ? found : null;
}

function findQuotas(root: string): QuotaLevel[] {
  return findCgroupLevels(root, "cpu").flatMap((level) => {
    const quota = level.version === 2 ? readQuotaV2(level.directory) : readQuotaV1(level.directory);
    return quota === null ? [] : [{ ...level, quota }];
  });
}

/** "150000 100000": microseconds of processor time per period of so many microseconds; "max 100000": no limit. */
function readQuotaV2(directory: string): number | null {
  const [time, period, ...rest] = (readText(directory, "cpu.max") ?? "").trim().split(" ");
  return rest.length > 0 ? null : ratio(parsePositive(time), parsePositive(period));
}

/** The same in two files; a quota of -1: no limit. */
function readQuotaV1(directory: string): number | null {
  const time = readText(directory, "cpu.cfs_quota_us");
  return ratio(parsePositive(time), parsePositive(readText(directory, "cpu.cfs_period_us")));
}

function ratio(time: number | null, period: number | null): number | null {
  return time === null || period === null ? null : time / period;
}

/** The counts of the level that was throttled most: a pod may be out of quota while its container has some left. */
function findThrottling(levels: QuotaLevel[]): Throttling | null {
  const all = levels.map(readThrottling).filter((each) => each !== null);
  return all.reduce<Throttling | null>((most, each) => {
    return most && most.throttledPeriods >= each.throttledPeriods ? most : each;
  }, null);
}

function readThrottling({ directory, version }: QuotaLevel): Throttling | null {
  const lines = (readText(directory, "cpu.stat") ?? "").split("\n").map((line) => line.split(" "));
  const stat = new Map(lines.map(([key = "", value]) => [key, Number(value)]));
  const periods = stat.get("nr_periods");
  const throttledPeriods = stat.get("nr_throttled");
  // Version 2 counts microseconds, version 1 nanoseconds.
  const throttledMs = version === 2 ? divide(stat.get("throttled_usec"), 1e3) : divide(stat.get("throttled_time"), 1e6);
  if (!isCount(periods) || !isCount(throttledPeriods) || !isCount(throttledMs)) return null;
  return { periods, throttledPeriods, throttledMs };
}

function divide(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value / by;
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && Number.isFinite(value);
}
