/** What can go wrong, by a code that stays the same from version to version. */
export type ErrorCode =
  /** An option is of the wrong type or out of range. Nothing was started. */
  | "E_ARGUMENT"
  /** The caller's signal aborted the job. `name` is "AbortError", `cause` the signal's reason. */
  | "E_ABORTED"
  /** The engine is closed, or was closed before the job ended. */
  | "E_CLOSED"
  /** The platform lacks something that the engine needs, such as WebAssembly threads. */
  | "E_UNSUPPORTED"
  /** The kernel could not be loaded, speaks another ABI version, or is the SIMD build asked for and computes wrongly. */
  | "E_KERNEL"
  /** The job needs more memory than the platform gives. */
  | "E_MEMORY"
  /** A worker did not start: its script could not be loaded, threw, left, or gave no answer in time. */
  | "E_WORKER_START"
  /** The kernel trapped in a worker. */
  | "E_WORKER_TRAP"
  /** A worker's script threw. */
  | "E_WORKER_ERROR"
  /** A worker is gone: it was terminated, or left by itself. */
  | "E_WORKER_LOST";

/** The one class of error that the engine throws and rejects with. Branch on `code`. */
export class EngineError extends Error {
  /** What went wrong; see {@link ErrorCode}. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.name = code === "E_ABORTED" ? "AbortError" : "EngineError";
  }
}

/** Any thrown value as a sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
