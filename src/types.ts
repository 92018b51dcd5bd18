// The public API, as types. This file imports nothing, so that it reads, and type-checks, anywhere.

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
 * and results come back transferred. The same job gives the same counts in both.
 */
export type Mode = "shared" | "isolated";

/** Why an engine runs in its mode. */
export interface ModeReason {
  /** For programs; stays the same from version to version. */
  code: /** The default: workers can share a memory. */
    | "threads-available"
    /** The caller asked for it. */
    | "requested"
    /** The page is not cross-origin isolated, so workers cannot share a memory. */
    | "not-isolated";
  /** For people. */
  message: string;
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

/** Options of `createEngine`. */
export interface EngineOptions {
  /**
   * How the engine is to run. Default: `shared` where workers can share a memory, else `isolated`; `engine.modeReason`
   * says why. If you ask for `shared`, and it cannot be, `createEngine` rejects with `E_UNSUPPORTED` and the reason.
   */
  mode?: Mode;
  /**
   * Workers to start, from 1 to 256. Default: the cores that this process may use, by its affinity and by its
   * container's CPU quota. More than that is allowed, and `engine.oversubscribed` says so.
   */
  threads?: number;
  /**
   * The kernel's build. Default: `simd` where the platform has it and it passes a self-test of microseconds, else
   * `scalar`. If you ask for `simd`, and it fails that test, `createEngine` rejects with `E_KERNEL`.
   */
  build?: Build;
  /** Milliseconds within which all workers must have started. Default: 10,000. */
  startTimeout?: number;
  /**
   * Whether the engine, once it is there, runs the kernel for some 10 to 40 milliseconds, so that the first real picture
   * finds its code optimised. Jobs wait for it. It is done once for all engines of a program. Default: true.
   */
  warmUp?: boolean;
}

/** Options that every job has. */
export interface JobOptions {
  /** Workers that take part, from 1 to `engine.threads`, which is the default. */
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
   * copy; valid until the caller calls `release()` on the result, and not to be posted or written to. In `isolated`
   * mode a result is the caller's, whatever was asked for.
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
  /** Workers of the engine. */
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
   * @throws {EngineError} As `mandelbrot`; in `isolated` mode `E_UNSUPPORTED`, for want of a memory to share.
   */
  count(options?: CountOptions): Promise<CountResult>;
  /**
   * Ends the workers. Jobs that have not ended reject with `E_CLOSED`. Call it as often as you like: every call
   * returns the same promise, which resolves when the workers are gone.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
