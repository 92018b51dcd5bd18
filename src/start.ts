// From options to workers: what is checked, loaded and tried before there is an engine.

import { MAX_THREADS } from "../assembly/layout.ts";
import type { Pool } from "./crew.ts";
import { EngineError, errorOf, problemOf } from "./errors.ts";
import { hasThreads } from "./features.ts";
import type { Host } from "./host.ts";
import { IsolatedPool } from "./isolated.ts";
import { boolean, integer, oneOf, type Raw, readOptions } from "./options.ts";
import { SharedPool } from "./pool.ts";
import { type ChosenKernel, chooseKernel } from "./self-test.ts";
import { startSingle } from "./single.ts";
import type { Build, EngineOptions, FileOptions, Mode, ModeReason, Problem } from "./types.ts";

/** A platform, or what makes one of its options about files, which it checks. */
export type Platform = Host | ((files: Raw) => Host);

/** The options of `createEngine`, checked. */
export interface Settings {
  host: Host;
  cores: number;
  /** Workers to start, if any. */
  workers: number;
  mode: Mode | undefined;
  build: Build | undefined;
  startTimeout: number;
  warmsUp: boolean;
}

/** From best to worst. */
const MODES: readonly Mode[] = ["shared", "isolated", "single"];

const FILE_OPTIONS = [
  "workerUrl",
  "createWorker",
  "wasmUrl",
  "wasmIntegrity",
  "wasmModule",
] as const satisfies (keyof FileOptions)[];

export function readSettings(platform: Platform, options: EngineOptions | undefined): Settings {
  const names = ["mode", "threads", "build", "startTimeout", "warmUp", ...FILE_OPTIONS];
  const raw = readOptions("createEngine options", options, names);
  const mode = raw.mode === undefined ? undefined : oneOf(raw, "mode", MODES, "shared");
  const build = raw.build === undefined ? undefined : oneOf<Build>(raw, "build", ["simd", "scalar"], "simd");
  const startTimeout = integer(raw, "startTimeout", 1, 2 ** 31 - 1, 10_000);
  const warmsUp = boolean(raw, "warmUp", true);
  integer(raw, "threads", 1, MAX_THREADS, 1); // before a host is made of what may be wrong otherwise
  const host = hostOf(platform, raw);
  const cores = host.cores();
  const workers = integer(raw, "threads", 1, MAX_THREADS, Math.min(cores, MAX_THREADS));
  return { host, cores, workers, mode, build, startTimeout, warmsUp };
}

function hostOf(platform: Platform, files: Raw): Host {
  if (typeof platform === "function") return platform(files);
  const given = FILE_OPTIONS.find((name) => files[name] !== undefined);
  if (given === undefined) return platform;
  throw new EngineError(
    "E_ARGUMENT",
    `"${given}" is for web pages only: on Node, Deno and Bun the engine has its files beside it, so leave it out there`,
  );
}

/** Loads the kernel, after a look at what no engine can be without. Rejects with what is in the way. */
export function loadKernel({ host, build, startTimeout }: Settings): Promise<ChosenKernel> {
  return new Promise((resolve, reject) => {
    if (!hasThreads()) {
      throw new EngineError(
        "E_UNSUPPORTED",
        "this platform has no WebAssembly threads: use Node 20, Deno 2, Bun 1.4, or a browser of 2022, or later",
      );
    }
    const deadline = host.after(startTimeout, () => {
      reject(
        new EngineError(
          "E_KERNEL",
          `the kernel was not loaded within ${startTimeout} ms: see whether its address answers, or give it more time ` +
            "with startTimeout",
        ),
      );
    });
    chooseKernel(host, build)
      .then(resolve, reject)
      .finally(() => deadline.cancel());
  });
}

/** A pool that runs, and how to start another one like it, for jobs of so many bytes. */
export interface Started {
  pool: Pool;
  start: (bytes: number) => Promise<Pool>;
  mode: Mode;
  reason: ModeReason;
}

/** Starts the pool of the best mode that is possible, or of the one that is asked for. `note` is told what is in the way. */
export async function startBest(
  settings: Settings,
  kernel: ChosenKernel,
  note: (problem: Problem) => void,
): Promise<Started> {
  const { host, mode: requested } = settings;
  const starter = (mode: Mode) => (bytes: number) => startPool(settings, kernel.module, mode, bytes);
  if (requested !== undefined) {
    const problem = requested === "shared" && host.unshared !== undefined ? await host.whyUnshared() : undefined;
    if (problem !== undefined) throw errorOf(problem);
    const start = starter(requested);
    const message = `createEngine was called with mode: "${requested}".`;
    return { pool: await start(0), start, mode: requested, reason: { code: "requested", message } };
  }
  let mode: Mode = host.unshared === undefined ? "shared" : "isolated";
  let reason: ModeReason = host.unshared ?? {
    code: "threads-available",
    message: "The platform has WebAssembly threads, and lets workers share one memory.",
  };
  for (;;) {
    const start = starter(mode);
    try {
      return { pool: await start(0), start, mode, reason };
    } catch (error) {
      if (mode === "single" || !(error instanceof EngineError) || error.code === "E_ARGUMENT") throw error;
      // Whatever else keeps workers from starting keeps them from it in both modes.
      mode = mode === "shared" && error.code === "E_MEMORY" ? "isolated" : "single";
      const problem = problemOf(error);
      note(problem);
      reason = problem;
    }
  }
}

function startPool(
  { host, workers, startTimeout, cores }: Settings,
  module: WebAssembly.Module,
  mode: Mode,
  bytes: number,
): Promise<Pool> {
  if (mode === "single") return startSingle(host, module, startTimeout);
  const { start } = mode === "shared" ? SharedPool : IsolatedPool;
  return start(host, module, workers, startTimeout, cores, bytes);
}
