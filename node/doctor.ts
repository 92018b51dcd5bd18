// Is threading on here? If not: why, and what to do. Every answer is tried out, not looked up.

import { Worker } from "node:worker_threads";
import { MAX_PAGES, PAGE_BYTES } from "../assembly/layout.ts";
import { messageOf } from "../src/errors.ts";
import { hasSimd, hasThreads } from "../src/features.ts";
import type { CoreOptions } from "./cores.ts";
import { type Environment, readEnvironment } from "./environment.ts";

/** `fail`: threads do not work. `warn`: they do, with less speed, or with figures to be careful with. */
export type CheckStatus = "ok" | "warn" | "fail";

export interface Check {
  name: string;
  status: CheckStatus;
  /** What the check saw. */
  found: string;
  /** What to do about it. */
  advice?: string;
}

export interface Diagnosis {
  schema: "allcores.doctor/1";
  /** Whether no check failed: an engine with threads can be created. */
  ok: boolean;
  /** One sentence. */
  summary: string;
  environment: Environment;
  checks: Check[];
}

/** The part of picocolors' `createColors()` that `formatDiagnosis` uses. */
export interface DiagnosisColors {
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
  dim(text: string): string;
}

type Finding = Omit<Check, "name">;
type Probe = (environment: Environment) => Finding | Promise<Finding>;

const WORKER_DEADLINE_MS = 5000;
const COARSE_TIMER_MS = 0.1;
const SCARCE_MEMORY_BYTES = 256 * 2 ** 20;

/** In this order, because the first failure is what the summary names: causes come before what follows from them. */
const PROBES: readonly (readonly [name: string, probe: Probe])[] = [
  ["runtime", checkRuntime],
  ["WebAssembly", checkWebAssembly],
  ["shared memory", checkSharedMemory],
  ["Wasm threads", checkWasmThreads],
  ["Wasm SIMD", checkSimd],
  ["worker threads", checkWorker],
  ["Wasm memory", checkMemoryMaximum],
  ["cores", checkCores],
  ["affinity", checkAffinity],
  ["CPU quota", checkQuota],
  ["throttling", checkThrottling],
  ["memory limit", checkMemoryLimit],
  ["timer", checkTimer],
  ["load", checkLoad],
];

/** The oldest versions that allcores supports. An older one may do: the other checks tell. */
const LEAST_VERSION = { node: [20, 0], deno: [2, 0], bun: [1, 4] } as const;

/** Runs as a script in Node and Bun and as a module in Deno, so it can neither `require` nor declare imports. */
const WORKER_SOURCE = `import("node:worker_threads").then(({ parentPort, workerData }) => {
  const words = new Int32Array(workerData.buffer);
  Atomics.add(words, 0, 1);
  Atomics.notify(words, 0);
  parentPort.postMessage("done");
});`;

/**
 * Tries out everything that an engine with threads needs, and looks for what would slow it down or spoil figures.
 * Starts one worker. Takes a tenth of a second or so; some 5 seconds if the worker does not answer. Does not reject.
 */
export async function diagnose(options: CoreOptions = {}): Promise<Diagnosis> {
  const environment = readEnvironment(options);
  const checks: Check[] = [];
  for (const [name, probe] of PROBES) checks.push(await runProbe(name, probe, environment));
  return {
    schema: "allcores.doctor/1",
    ok: checks.every((check) => check.status !== "fail"),
    summary: summarise(checks, environment),
    environment,
    checks,
  };
}

/** The diagnosis for a terminal: a line a check, advice below it, and the summary at the end. No final newline. */
export function formatDiagnosis(diagnosis: Diagnosis, colors?: DiagnosisColors): string {
  const paint = { ok: colors?.green, warn: colors?.yellow, fail: colors?.red };
  const width = Math.max(...diagnosis.checks.map((check) => check.name.length));
  const lines = diagnosis.checks.flatMap(({ name, status, found, advice }) => {
    const label = (status === "fail" ? "FAIL" : status).padEnd(4);
    const line = `${paint[status]?.(label) ?? label}  ${name.padEnd(width)}  ${found}`;
    if (advice === undefined) return [line];
    return [line, `${" ".repeat(4 + 2 + width + 2)}${colors?.dim(advice) ?? advice}`];
  });
  return [...lines, "", diagnosis.summary].join("\n");
}

async function runProbe(name: string, probe: Probe, environment: Environment): Promise<Check> {
  try {
    return { name, ...(await probe(environment)) };
  } catch (error) {
    return {
      name,
      status: "fail",
      found: messageOf(error),
      advice: "If nothing above failed, the check itself broke: please report it.",
    };
  }
}

function summarise(checks: Check[], environment: Environment): string {
  const failed = checks.find((check) => check.status === "fail");
  if (failed) return `Threading is off: ${failed.name}: ${failed.found.replace(/\.$/, "")}.`;
  const simd = checks.some((check) => check.name === "Wasm SIMD" && check.status === "ok") ? "SIMD" : "no SIMD";
  return `Threading is on: ${plural(environment.usableCores, "core")}, ${simd}, shared memory.`;
}

function checkRuntime({ runtime, version, engine, platform, arch }: Environment): Finding {
  const found = `${runtime} ${version}${engine ? ` (${engine})` : ""} on ${platform} ${arch}`;
  const [leastMajor, leastMinor] = LEAST_VERSION[runtime];
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return { status: "ok", found };
  const least = leastMinor > 0 ? `${leastMajor}.${leastMinor}` : `${leastMajor}`;
  return { status: "warn", found, advice: `allcores supports ${runtime} ${least} and later. Update it.` };
}

function checkWebAssembly(): Finding {
  if (typeof WebAssembly === "object") return { status: "ok", found: "present" };
  return { status: "fail", found: "absent", advice: "Start the runtime without options that switch WebAssembly off." };
}

function checkSharedMemory(): Finding {
  try {
    if (makeMemory(1).buffer instanceof SharedArrayBuffer) return { status: "ok", found: "present" };
  } catch (error) {
    // V8 reserves some 10 GiB of address space for each memory, even for one of a single page.
    const advice = "Lift the limit on address space (ulimit -v), if there is one; else update the runtime.";
    return { status: "fail", found: messageOf(error), advice };
  }
  return { status: "fail", found: "a memory made as shared is not", advice: "Update the runtime." };
}

function checkWasmThreads(): Finding {
  if (hasThreads()) return { status: "ok", found: "atomic operations compile" };
  return { status: "fail", found: "atomic operations do not compile", advice: "Update the runtime." };
}

/** Only a warning, because there is a scalar build of the kernel. */
function checkSimd(): Finding {
  if (hasSimd()) return { status: "ok", found: "f64x2 compiles" };
  const advice = "The scalar kernel runs instead: the same result, more slowly. An older processor may be the reason.";
  return { status: "warn", found: "f64x2 does not compile", advice };
}

async function checkWorker(): Promise<Finding> {
  const memory = makeMemory(1);
  const begin = performance.now();
  try {
    await runWorker(memory);
  } catch (error) {
    const advice = "Check the limits on processes (ulimit -u, the container's), and the runtime's permissions.";
    return { status: "fail", found: messageOf(error), advice };
  }
  const written = Atomics.load(new Int32Array(memory.buffer), 0);
  if (written === 1) return { status: "ok", found: `one started and wrote to shared memory in ${elapsed(begin)}` };
  const advice = "The worker got a copy of the memory. Update the runtime.";
  return { status: "fail", found: "what a worker wrote to shared memory did not arrive", advice };
}

/** Resolves when the worker has said that it wrote; rejects when it throws, leaves or is late. */
async function runWorker(memory: WebAssembly.Memory): Promise<void> {
  // The program's own flags (--input-type, --import, …) are about its code, not the worker's.
  const worker = new Worker(WORKER_SOURCE, { eval: true, workerData: memory, execArgv: [] });
  let deadline: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const late = () => reject(new Error(`a worker gave no answer within ${WORKER_DEADLINE_MS / 1000} s`));
      deadline = setTimeout(late, WORKER_DEADLINE_MS);
      worker.once("message", () => resolve());
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`a worker left with exit code ${code} before it answered`)));
    });
  } finally {
    clearTimeout(deadline);
    void worker.terminate(); // not awaited: a runtime may take its time, and nothing here depends on it
  }
}

/** Finds the largest maximum that a shared memory may have; nothing is allocated but address space. */
function checkMemoryMaximum(): Finding {
  for (let pages = MAX_PAGES; pages >= 1; pages /= 2) {
    if (!canReserve(pages)) continue;
    const found = `up to ${formatBytes(pages * PAGE_BYTES)} can be shared`;
    if (pages === MAX_PAGES) return { status: "ok", found };
    return {
      status: "warn",
      found,
      advice: "Larger jobs will be refused. Check the limit on address space (ulimit -v).",
    };
  }
  const advice = "Check the limit on address space (ulimit -v).";
  return { status: "fail", found: "not even one page can be shared", advice };
}

function canReserve(pages: number): boolean {
  try {
    makeMemory(pages);
    return true;
  } catch {
    return false;
  }
}

function makeMemory(maximum: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum, shared: true });
}

function checkCores({ usableCores, logicalCores, cpu }: Environment): Finding {
  const found = `${usableCores} usable of ${logicalCores} (${cpu})`;
  if (usableCores > 1) return { status: "ok", found };
  return { status: "warn", found, advice: "Threads cannot make anything faster here. The result will be right." };
}

function checkAffinity({ affinity, logicalCores }: Environment): Finding {
  if (affinity >= logicalCores) return { status: "ok", found: `all ${plural(logicalCores, "processor")}` };
  const found = `${affinity} of ${plural(logicalCores, "processor")}`;
  return {
    status: "warn",
    found,
    advice: "The others are closed to this process, by taskset, a cpuset or a container.",
  };
}

function checkQuota({ quota, quotaSource, affinity }: Environment): Finding {
  if (quota === null) return { status: "ok", found: "none found" };
  const found = `${round(quota)} cores by ${quotaSource}`;
  if (quota >= affinity) return { status: "ok", found };
  return { status: "warn", found, advice: "More cores are visible than are granted. Raise the container's CPU limit." };
}

function checkThrottling({ throttled }: Environment): Finding {
  if (throttled === null) return { status: "ok", found: "none" };
  const { periods, throttledPeriods, throttledMs } = throttled;
  if (throttledPeriods === 0) return { status: "ok", found: `none in ${plural(periods, "period")}` };
  const share = `${round((100 * throttledPeriods) / periods)} % of ${plural(periods, "period")}`;
  const found = `${share} used up the quota; ${round(throttledMs)} ms waited`;
  return {
    status: "warn",
    found,
    advice: "Figures will have gaps in them. Use fewer threads, or raise the CPU limit.",
  };
}

function checkMemoryLimit({ memoryLimitBytes, totalMemoryBytes }: Environment): Finding {
  const machine = totalMemoryBytes === null ? "the machine's memory" : `the machine's ${formatBytes(totalMemoryBytes)}`;
  if (memoryLimitBytes === null) return { status: "ok", found: `none found below ${machine}` };
  const found = `${formatBytes(memoryLimitBytes)} of ${machine}`;
  if (memoryLimitBytes >= SCARCE_MEMORY_BYTES) return { status: "ok", found };
  return {
    status: "warn",
    found,
    advice: "The system ends a process that needs more, without an error. Raise the limit.",
  };
}

function checkTimer({ timerResolutionMs }: Environment): Finding {
  if (!Number.isFinite(timerResolutionMs))
    return { status: "warn", found: "stands still", advice: "Measure elsewhere." };
  const micro = timerResolutionMs * 1000;
  const found = `steps of ${micro < 1 ? `${round(micro * 1000)} ns` : `${round(micro)} µs`}`;
  if (timerResolutionMs <= COARSE_TIMER_MS) return { status: "ok", found };
  return { status: "warn", found, advice: "Too coarse for short jobs: let a job last 100 times as long, at least." };
}

function checkLoad({ loadAverage, usableCores }: Environment): Finding {
  if (loadAverage === null) return { status: "ok", found: "not known here" };
  const found = `${loadAverage.toFixed(2)} over the last minute, on ${plural(usableCores, "usable core")}`;
  if (loadAverage <= usableCores * 0.5) return { status: "ok", found };
  return { status: "warn", found, advice: "Figures will be noisy. Measure when nothing else runs." };
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** At most two decimals. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function elapsed(begin: number): string {
  return `${Math.round(performance.now() - begin)} ms`;
}

/** Such as "512 MiB": binary units, at most one decimal. */
function formatBytes(bytes: number): string {
  const UNITS = ["KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(UNITS.length, Math.max(1, Math.floor(Math.log2(bytes) / 10)));
  return `${Math.round((bytes / 2 ** (10 * power)) * 10) / 10} ${UNITS[power - 1]}`;
}
