// The public API, as types. This file imports nothing, so that it reads, and type-checks, anywhere.

// For Symbol.dispose, which programs for older targets do not have among their types.
/// <reference lib="esnext.disposable" preserve="true" />

/** A rectangle of the complex plane. Its upper left pixel is reMin + i·imMin. */
export interface Region {
  /** Real part of the left edge. */
  reMin: number;
  /** Real part of the right edge, which no pixel lies on. Greater than `reMin`. */
  reMax: number;
  /** Imaginary part of the first row. */
  imMin: number;
  /** Imaginary part of the edge below the last row, which no pixel lies on. Greater than `imMin`. */
  imMax: number;
}

/**
 * `exact` skips iterations whose outcome is known; every count is the same as with `naive`, which executes every
 * iteration of every pixel, for measuring.
 */
export type Algorithm = "exact" | "naive";

/**
 * `dynamic`: each worker claims the next chunk when it has finished one. `static`: one contiguous band of rows a
 * worker, the remainder to the last.
 */
export type Schedule = "dynamic" | "static";

/**
 * How the count is guarded: by a mutex (`lock`), by an atomic add (`atomic`), or not at all (`none`: a plain load, add
 * and store, which loses updates).
 */
export type Guard = "lock" | "atomic" | "none";

/**
 * How an engine runs. `shared`: workers around one memory. `isolated`: workers with a memory each; chunks go by message,
 * and results come back transferred. `single`: no workers; the caller's thread computes, for a few milliseconds at a time,
 * and hears what else there is in between. The same job gives the same counts in all of them.
 */
export type Mode = "shared" | "isolated" | "single";

/**
 * What can be in an engine's way. For programs; stays the same from version to version. An error that is about one of
 * these has the same words as its code: `not-isolated` is `E_NOT_ISOLATED`.
 */
export type ProblemCode =
  /** The platform lacks something that the engine needs, such as WebAssembly threads, or workers. */
  | "unsupported"
  /** The page is not cross-origin isolated, so workers cannot share a memory. The message names the header that is missing. */
  | "not-isolated"
  /** The page came neither by HTTPS nor from this machine, so it cannot be isolated, whatever its headers. */
  | "insecure-context"
  /** The Content Security Policy forbids WebAssembly: script-src needs 'wasm-unsafe-eval'. */
  | "csp-wasm"
  /** The Content Security Policy forbids the worker's script: worker-src. */
  | "csp-worker"
  /** The Content Security Policy forbids to fetch the kernel: connect-src. */
  | "csp-connect"
  /** The page demands Trusted Types, and does not let the engine have its policy. */
  | "trusted-types"
  /** The address of the worker's script answers with an error, or not at all. */
  | "worker-missing"
  /** The address of the worker's script answers with something that is not JavaScript. */
  | "worker-type"
  /** The worker's script comes without the Cross-Origin-Embedder-Policy that its page has. */
  | "worker-coep"
  /** The worker's script is on another origin than the page. */
  | "worker-origin"
  /** A worker did not start: its script threw, left, or gave no answer in time. */
  | "worker-start"
  /** The address of the kernel answers with an error, or not at all. */
  | "kernel-missing"
  /** The address of the kernel answers with something that is not WebAssembly. */
  | "kernel-type"
  /** The kernel is not the one that the package was built with. */
  | "kernel-integrity"
  /** The kernel could not be loaded for another reason, is of another ABI version, or computes wrongly here. */
  | "kernel"
  /** The platform gives no memory, or less than is needed. */
  | "memory";

/** Something that is in an engine's way. */
export interface Problem {
  code: ProblemCode;
  /** For people: what is the matter, and what to do. */
  message: string;
}

/** Why an engine runs in its mode. */
export interface ModeReason {
  /** For programs; stays the same from version to version. */
  code: /** The default: workers can share a memory. */
    | "threads-available"
    /** The caller asked for it. */
    | "requested"
    /** What is in the way of a better mode. */
    | ProblemCode;
  /** For people. */
  message: string;
}

/** What `diagnose` found out. */
export interface Diagnosis {
  /** The mode that an engine runs in here, unless it is asked for another one; undefined: it cannot run at all. */
  mode: Mode | undefined;
  /** Threads that can run at once: what `createEngine` starts, unless it is asked for another number. */
  cores: number;
  /** Whether there are WebAssembly threads, which every mode needs, and SIMD. */
  threads: boolean;
  simd: boolean;
  /** What is in the way, the most important first. Empty where all cores share one memory. */
  problems: Problem[];
}

/** Which build of the kernel runs. */
export type Build = "simd" | "scalar";

/** Why an engine runs its build of the kernel. */
export interface BuildReason {
  /** For programs; stays the same from version to version. */
  code: /** The default: the platform has SIMD, and the SIMD build computes what the scalar one does. */
    | "simd-available"
    /** The platform has no SIMD. */
    | "simd-missing"
    /** The SIMD build does not compute here what the scalar one does. */
    | "simd-wrong"
    /** It is the kernel that the caller gave, by `wasmUrl` or `wasmModule`. */
    | "given"
    /** The caller asked for it. */
    | "requested";
  /** For people. */
  message: string;
}

/** The part of the standard `AbortSignal` that the engine uses. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** The part of the standard `Worker` of web pages that the engine uses. */
export interface WorkerLike {
  postMessage(message: unknown): void;
  terminate(): void;
  // biome-ignore lint/suspicious/noExplicitAny: a Worker's events are types of the DOM, which not every program knows.
  addEventListener(type: string, listener: (event: any) => void): void;
}

/**
 * Where a page gets the engine's files from, if not from beside the engine's own, which is the default and what bundlers see
 * to. Only for web pages: elsewhere they are refused.
 */
export interface FileOptions {
  /** Address of the worker's script (`allcores/worker`), on the page's own origin. Relative to the page. */
  workerUrl?: string | { readonly href: string };
  /**
   * Makes a worker of the script at `url`, as `new Worker(url, { type: "module" })` does: for pages that demand Trusted
   * Types, or workers of their own kind. Called once for each worker, which is the engine's from then on.
   */
  createWorker?: (url: string) => WorkerLike;
  /**
   * Address of the kernel: `allcores/kernel.wasm`, or `allcores/kernel-scalar.wasm` for places without SIMD. Relative to
   * the page. Then there is no choice of a build, and no self-test.
   */
  wasmUrl?: string | { readonly href: string };
  /** What `wasmUrl` has to answer with, as in `<script integrity>`. Default: it is not checked. */
  wasmIntegrity?: string;
  /** The kernel, compiled by the caller: a `WebAssembly.Module`. Instead of `wasmUrl`. */
  wasmModule?: object;
}

/** Options of `createEngine`. */
export interface EngineOptions extends FileOptions {
  /**
   * How the engine is to run. Default: the first of `shared`, `isolated` and `single` that is possible; `engine.modeReason`
   * says why. If you ask for one that is not, `createEngine` rejects with the reason.
   */
  mode?: Mode;
  /**
   * Workers to start, from 1 to 256. Default: the cores that this process may use, by its affinity and by its
   * container's CPU quota. More than that is allowed, and `engine.oversubscribed` says so. In `single` mode there is one
   * thread, whatever was asked for.
   */
  threads?: number;
  /**
   * The kernel's build. Default: `simd` where the platform has it and it passes a self-test of microseconds, else
   * `scalar`. If you ask for `simd`, and it fails that test, `createEngine` rejects with `E_KERNEL`.
   */
  build?: Build;
  /** Milliseconds within which the kernel must have been loaded, and then all workers started. Default: 10,000. */
  startTimeout?: number;
  /**
   * Whether the engine, once it is there, runs the kernel for some 10 to 40 milliseconds, so that the first real picture
   * finds its code optimised. Jobs wait for it. It is done once for all engines of a program. Default: true.
   */
  warmUp?: boolean;
}

/** Options that every job has. */
export interface JobOptions {
  /**
   * Workers that take part, from 1 to `engine.threads`, which is the default. In `single` mode there is one, whatever was
   * asked for.
   */
  threads?: number;
  /** Aborts the job: it rejects with code `E_ABORTED`, and the engine stays usable. */
  signal?: AbortSignalLike;
  /**
   * Called while the job runs, every 50 milliseconds or so, and once at its end. If it throws, the job stops and
   * rejects with what was thrown.
   */
  onProgress?: (progress: Progress) => void;
}

/** How far a job is. */
export interface Progress {
  /** Pixels or increments done. Never decreases. */
  done: number;
  /** Pixels or increments in all. */
  total: number;
}

/** Options of `engine.mandelbrot`. */
export interface MandelbrotOptions extends JobOptions {
  /** Pixels in a row. Default: 1000. */
  width?: number;
  /** Rows. Default: 1000. */
  height?: number;
  /** The count of a pixel that does not escape, from 1 to 2,147,483,647. Default: 1000. */
  maxIterations?: number;
  /** Default: the whole set, −2 … 1 and −1 … 1. */
  region?: Region;
  /** Default: `exact`. */
  algorithm?: Algorithm;
  /** Default: `dynamic`. */
  schedule?: Schedule;
  /**
   * Whether to compute `magnitudes`, too, for smooth colours. Default: false.
   */
  magnitudes?: boolean;
  /**
   * Who owns the result's arrays. `copy` (the default): the caller, without end. `view`: the engine's memory, without a
   * copy; valid until the caller calls `release()` on the result, and not to be posted or written to. Except in
   * `shared` mode a result is the caller's, whatever was asked for.
   */
  output?: "copy" | "view";
}

/** What one worker did in a job. */
export interface WorkerReport {
  /** Chunks computed. */
  chunks: number;
  /** Iterations executed for pixels, or increments made. */
  iterations: number;
  /** Milliseconds spent inside chunks. */
  busyMs: number;
}

/** When a chunk was computed, and by whom. */
export interface ChunkReport {
  /** The worker's number, from 0. */
  thread: number;
  /** Iterations executed, or increments made. */
  iterations: number;
  /** Begin and end, in milliseconds since the job was published. */
  beginMs: number;
  endMs: number;
}

/** What every job's result has. */
export interface JobResult {
  /** Workers that took part. */
  threads: number;
  /** Milliseconds from publishing the job until the engine knew of its end. Copying the result is not in it. */
  elapsedMs: number;
  /** One entry for each worker that took part. */
  workers: WorkerReport[];
  /** One entry for each chunk, in the order of their numbers. Made when it is asked for. */
  chunks(): ChunkReport[];
}

/** The result of `engine.mandelbrot`. */
export interface MandelbrotResult extends JobResult {
  width: number;
  height: number;
  maxIterations: number;
  region: Region;
  /**
   * Pixels of a chunk. `chunks()` go from left to right, then from top to bottom, and end where the picture does; the last
   * one of a static schedule has the rows that are left, too.
   */
  tile: { width: number; height: number };
  /**
   * Escape counts, one a pixel, row-major (index = y · width + x): the number of the first iteration at which
   * |z| > 2, or `maxIterations`. Owned as `output` says.
   */
  counts: Uint32Array;
  /**
   * If asked for: |z|² three iterations after the escape, one a pixel, and 0 for a pixel that does not escape. With it
   * count + 4 − log2(ln(magnitude) / 2) is continuous from count to count. Owned as `counts` is.
   */
  magnitudes?: Float32Array;
  /**
   * Gives the memory of a `view` back to the engine, whose next jobs may overwrite it. No effect on a copy, or when
   * called again.
   */
  release(): void;
  [Symbol.dispose](): void;
}

/** Options of `engine.count`. */
export interface CountOptions extends JobOptions {
  /** What each worker adds, one at a time, from 1 to 2,147,483,647. Default: 100,000. */
  increments?: number;
  /** Default: `lock`. */
  guard?: Guard;
}

/** What the lock went through, summed over the workers. All 0 unless the guard is `lock`. */
export interface LockReport {
  /** Times that the lock was acquired. */
  acquisitions: number;
  /** Acquisitions that found the lock taken. */
  contended: number;
  /** Times that a worker slept for the lock. */
  waits: number;
  /** Milliseconds from finding the lock taken until it was acquired. */
  waitMs: number;
  /** Waits that only their time limit ended, although the lock had changed hands: wake-ups lost by the platform. */
  rescues: number;
}

/** The result of `engine.count`. */
export interface CountResult extends JobResult {
  increments: number;
  guard: Guard;
  /** threads × increments. */
  expected: number;
  /** The count at the end. */
  value: number;
  /** expected − value: updates that got lost. */
  lost: number;
  lock: LockReport;
  /** What each worker saw of the lock. */
  locks: LockReport[];
}

/** What happened over an engine's life. */
export interface EngineStatistics {
  /** Jobs that ended with a result. */
  jobsDone: number;
  /** Workers that trapped, threw or got lost, and were replaced. */
  workersLost: number;
  /** Times that the engine gave its memory up (in `isolated` mode: the workers' memories), and went on with a new one. */
  memoriesRetired: number;
  /** Milliseconds that the warm-up took; 0 if there was none, or as long as it runs. */
  warmUpMs: number;
  /** Wake-ups that the platform lost while workers were parked; each cost up to a second, and no result. */
  parkRescues: number;
}

/** A pool of workers, and the jobs on it. */
export interface Engine {
  /** Workers of the engine; in `single` mode 1. */
  readonly threads: number;
  /** Cores that the process may use, as the engine found when it was created. */
  readonly cores: number;
  /** Whether there are more workers than cores. */
  readonly oversubscribed: boolean;
  readonly mode: Mode;
  readonly modeReason: ModeReason;
  /** The kernel's build that runs. */
  readonly build: Build;
  readonly buildReason: BuildReason;
  /** What happened so far. A copy. */
  readonly statistics: EngineStatistics;
  /**
   * Computes escape counts. Jobs run one at a time, in the order in which they were called for.
   *
   * @throws {EngineError} (as a rejection, like all failures) `E_ARGUMENT` before anything was started; `E_ABORTED`,
   * `E_CLOSED`, `E_MEMORY`, or a worker's `E_WORKER_…`.
   */
  mandelbrot(options?: MandelbrotOptions): Promise<MandelbrotResult>;
  /**
   * Lets `threads` workers add `increments` each to one shared count.
   *
   * @throws {EngineError} As `mandelbrot`; except in `shared` mode `E_UNSUPPORTED`, for want of a memory to share.
   */
  count(options?: CountOptions): Promise<CountResult>;
  /**
   * Ends the workers. Jobs that have not ended reject with `E_CLOSED`. Call it as often as you like: every call
   * returns the same promise, which resolves when the workers are gone.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
